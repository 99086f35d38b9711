"""What is right: planning, limits, fills, lots and books, without any I/O."""
