"""Scores what every signal would have earned."""
