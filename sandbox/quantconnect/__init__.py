"""QuantConnect as its own clients see it."""
