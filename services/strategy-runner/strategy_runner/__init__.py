"""Classic strategies: closed bars in, signals out."""
