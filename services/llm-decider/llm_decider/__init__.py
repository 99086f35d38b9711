"""Asks language models for decisions within a budget."""
