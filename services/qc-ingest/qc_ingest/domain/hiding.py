"""Which of an algorithm's parameters are secrets. QuantConnect has no other place for them."""

_ENDINGS = ("key", "token", "secret", "password")
HIDDEN = "(hidden)"


def is_secret(name: str) -> bool:
    """Whether the parameter of this name is nobody's to see, as `signalbox_key` is."""
    return name.lower().endswith(_ENDINGS)
