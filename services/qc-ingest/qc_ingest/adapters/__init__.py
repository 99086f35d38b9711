"""How qc-ingest talks to QuantConnect and to its own database."""
