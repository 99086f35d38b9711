"""What must be there before any service starts: credentials, server configuration, streams."""
