"""Queries that answer a route, one file per resource."""
