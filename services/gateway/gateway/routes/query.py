"""Parameters that many routes share: which page, which span of time, which texts."""

from typing import Annotated

from fastapi import Depends, Path, Query

from gateway.adapters.views.paging import Span
from gateway.domain.cursor import MOST, Cursor, Page
from signalbox.contracts.errors import Malformed
from signalbox.contracts.values import UtcTime

_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"

Word = Annotated[str | None, Query(max_length=128, pattern=_PRINTABLE)]
Id = Annotated[str, Path(max_length=128, pattern=_PRINTABLE)]


def get_page(
    limit: Annotated[int, Query(ge=1, le=MOST, description="Most items to answer.")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=400, description="`next_cursor` of the page before.")
    ] = None,
) -> Page:
    """Which part of a list is wanted."""
    return Page(limit, Cursor.decode(cursor) if cursor else None)


def get_span(
    start: Annotated[UtcTime | None, Query(alias="from", description="At or after this.")] = None,
    end: Annotated[UtcTime | None, Query(alias="to", description="Before this.")] = None,
) -> Span:
    """Which span of time is wanted.

    Raises:
        Malformed: it ends before it starts.
    """
    if start and end and end < start:
        raise Malformed("to is before from")
    return Span(start, end)


GetPage = Annotated[Page, Depends(get_page)]
GetSpan = Annotated[Span, Depends(get_span)]
