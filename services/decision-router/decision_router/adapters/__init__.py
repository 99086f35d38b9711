"""Where the router keeps what it must remember."""
