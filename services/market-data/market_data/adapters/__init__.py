"""One file per feed: where prices come from."""
