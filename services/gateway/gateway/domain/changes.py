"""What one event does to the read models, as values.

A change names its table and never depends on what the table holds, so changes of different streams
may come in any order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from gateway.domain.curve import Stretch

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class New:
    """Insert; a row that is there already stays as it is."""

    table: str
    row: Row


@dataclass(frozen=True, slots=True)
class Put:
    """Insert or overwrite, but for columns in `keep`. Only where one stream writes, in order."""

    table: str
    keys: tuple[str, ...]
    row: Row
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Latest:
    """Insert, or overwrite unless column `by` shrinks: the highest stays, whatever comes first."""

    table: str
    keys: tuple[str, ...]
    row: Row
    by: str


@dataclass(frozen=True, slots=True)
class Add:
    """Add numbers to a row, which starts at nought."""

    table: str
    key: Row
    amounts: Mapping[str, Decimal | int]


@dataclass(frozen=True, slots=True)
class Replace:
    """Take out every row of `scope`, put these in. Only where one stream writes, in order."""

    table: str
    scope: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Extend:
    """Join a stretch to the curve that a row holds. Only where one stream writes, in order."""

    table: str
    key: Row
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class Settle:
    """Work out again whether what stands for this signal is processed: no bot's round pends."""

    signal_id: str
    table: str


Change = New | Put | Latest | Add | Replace | Extend | Settle
