"""A stand-in for the outside world, for newcomers without keys and for tests."""
