"""A stand-in for Alpaca's trading API, filling at the quotes of the replayed market."""
