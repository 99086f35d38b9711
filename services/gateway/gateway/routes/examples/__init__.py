"""One request and its answer for each operation, shown in the description of the interface."""
