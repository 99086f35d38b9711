"""What each event changes in the read models."""
