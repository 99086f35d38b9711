"""Language models' providers: their real wire forms, answered by a small rule."""
