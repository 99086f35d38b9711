"""One file per resource of the REST interface."""
