"""Fewer acknowledgements, none of them on trust.

A stream numbers its messages without a gap. Where only one service writes, the number that the last
of several messages gets tells whether all before it were stored, so only the last is acknowledged.
Until the numbers are known, and after anything that went wrong, every message is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from signalbox.runtime.moment import Outgoing


@dataclass(slots=True)
class Line:
    """One stream that nobody else writes."""

    sent: int = 0  # messages so far
    offset: int | None = None  # a message's number in the stream, less its number here


@dataclass(frozen=True, slots=True)
class Check:
    """What an acknowledgement has to say."""

    line: Line
    number: int  # here
    offset: int | None  # none: the number is only taken notice of

    def holds(self, acknowledgement: bytes) -> bool:
        """Whether this message and all before it are stored; a repeat that was dropped is."""
        told = orjson.loads(acknowledgement)
        offset = told["seq"] - self.number
        repeated = bool(told.get("duplicate"))
        if self.offset is not None:
            return not repeated and offset == self.offset
        self.line.offset = None if repeated else offset  # a repeat has no number of its own
        return True


def checks(
    lines: Mapping[str, Line], messages: Sequence[Outgoing]
) -> Iterator[tuple[Outgoing, Check | None, bool]]:
    """Every message with what its acknowledgement is checked for, and whether it is to have one.

    `lines` are the streams that nobody else writes, by the third token of their subjects.
    """
    names = [message.subject.split(".", 3)[2] for message in messages] if lines else []
    last = {name: place for place, name in enumerate(names)}
    first = {name: place for place, name in reversed([*enumerate(names)])}
    for place, message in enumerate(messages):
        line = lines.get(names[place]) if names else None
        if line is None:
            yield message, None, True
            continue
        line.sent += 1
        ends = last[names[place]]
        offset = None if first[names[place]] == ends else line.offset  # one alone proves nothing
        due = offset is None or ends == place
        yield message, Check(line, line.sent, offset) if due else None, due
