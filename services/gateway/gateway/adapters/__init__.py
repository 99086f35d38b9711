"""How to act: tables, queries, passwords, live streams."""
