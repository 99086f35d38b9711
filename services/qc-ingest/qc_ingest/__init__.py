"""Reads QuantConnect and says what its algorithms say."""
