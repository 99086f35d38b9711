"""The gateway: REST, event stream, page, configuration, archive and read models."""
