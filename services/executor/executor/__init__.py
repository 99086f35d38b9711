"""Executor: turns accepted verdicts into orders, fills and lots."""
