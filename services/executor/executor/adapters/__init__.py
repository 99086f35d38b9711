"""How the executor reaches its database and remembers the newest quotes."""
