"""Long lists that nobody reads at the moment, kept small."""

import json
import zlib
from collections.abc import Sequence

from sandbox.quantconnect.formats import Json

_PAGE = 100


class Packed:
    """A list of objects, compressed page by page."""

    def __init__(self, items: Sequence[Json]) -> None:
        self._length = len(items)
        self._pages = [_pack(items[n : n + _PAGE]) for n in range(0, len(items), _PAGE)]

    def __len__(self) -> int:
        return self._length

    def page(self, start: int, end: int) -> list[Json]:
        """Items `start` to before `end`."""
        first = start // _PAGE
        found: list[Json] = []
        for page in self._pages[first : -(-end // _PAGE)]:
            found += json.loads(zlib.decompress(page))
        return found[start - first * _PAGE : end - first * _PAGE]


def _pack(items: Sequence[Json]) -> bytes:
    return zlib.compress(json.dumps(items).encode())
