"""What must always be true, by what it is about."""
