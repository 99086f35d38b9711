"""One verdict per signal and bot."""
