"""What is right: rows, the merged timeline, the market clock, and what history may be shown."""
