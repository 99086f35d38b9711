"""What is right: one file per strategy, and how a strategy is fed and its word becomes a signal."""
