"""What the services of Signalbox share: contracts, runtime and test support."""
