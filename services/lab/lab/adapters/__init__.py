"""How the lab acts on the outside."""
