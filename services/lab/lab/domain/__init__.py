"""What a signal was worth: pure rules."""
