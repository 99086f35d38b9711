"""Real prices replayed on one market clock: bars, quotes, and bar history on command."""
