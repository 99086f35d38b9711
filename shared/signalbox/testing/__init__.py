"""How a service is tested."""
