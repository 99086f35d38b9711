"""How a service lives: messages, tables, configuration, secrets, time, health."""
