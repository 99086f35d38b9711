"""Where a list goes on: the last row that was seen, as an opaque text."""

import base64
import json
from binascii import Error
from dataclasses import dataclass

from signalbox.contracts.errors import Malformed

MOST = 200


def _is_key(key: object) -> bool:
    return isinstance(key, str) and 0 < len(key) <= 200 and key.isprintable()


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place after one row of a list that is sorted by time and key."""

    at_us: int  # microseconds since 1970
    key: str

    def encode(self) -> str:
        """The text that a caller hands back."""
        raw = json.dumps([self.at_us, self.key], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """The cursor that `encode` made into this text.

        Raises:
            Malformed: no list gave this text.
        """
        try:
            at_us, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (Error, ValueError, TypeError) as error:
            raise Malformed("cursor is not one that this list gave") from error
        if type(at_us) is not int or abs(at_us) >= 1 << 63 or not _is_key(key):
            raise Malformed("cursor is not one that this list gave")
        return cls(at_us, key)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted."""

    limit: int = 50
    after: Cursor | None = None
