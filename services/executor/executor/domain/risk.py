"""What a bad day does: no more entries, then a halt; and a pause after losses in a row."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from executor.domain.book import Book, Risk
from executor.domain.money import ZERO, add, divide, multiply, subtract
from executor.domain.scene import Denial
from signalbox.contracts.config import Limits
from signalbox.contracts.ids import plain
from signalbox.contracts.payloads import LotSlice

HALT = "daily_loss"
_FOUR_PLACES = Decimal("0.0001")
_OFF = Decimal(1)


def begun(book: Book, now: datetime) -> Book:
    """The book with the market day's first equity noted; itself when it is."""
    day = now.date().isoformat()
    if book.risk.day == day:
        return book
    return replace(book, risk=replace(book.risk, day=day, opened_with=book.equity))


def rebased(book: Book) -> Book:
    """The book as if the day began now, after a person has cleared its halt."""
    return replace(book, risk=replace(book.risk, opened_with=book.equity, losses=0))


def lost(book: Book) -> Decimal:
    """The fraction of the day's first equity that is gone; negative when there is a profit."""
    first = book.risk.opened_with
    if first is None or first <= ZERO:
        return ZERO
    return divide(subtract(first, book.equity), first)


def entry_denied(book: Book, limits: Limits, now: datetime) -> Denial | None:
    """Why no position may be opened now."""
    until = book.risk.locked_until
    if until is not None and now < until:
        words = f"{book.bot} is locked until {until.isoformat()}: {book.risk.locked_why}"
        return Denial("locked", words, {"limit": until.isoformat(), "observed": now.isoformat()})
    gone = lost(book)
    if gone < limits.max_daily_loss or limits.max_daily_loss >= _OFF:
        return None
    words = (
        f"{_percent(gone)} of the day's first equity are lost, entries stop at"
        f" {_percent(limits.max_daily_loss)}; exits go on"
    )
    numbers = {"limit": plain(limits.max_daily_loss), "observed": plain(_rounded(gone))}
    return Denial("daily_loss", words, numbers)


def halted_by(book: Book, limits: Limits) -> str | None:
    """Why the bot has to be halted, in words."""
    gone = lost(book)
    if gone < limits.halt_daily_loss or limits.halt_daily_loss >= _OFF:
        return None
    return (
        f"{book.bot} has lost {_percent(gone)} of the equity with which the market day"
        f" {book.risk.day} began, {_percent(limits.halt_daily_loss)} is the limit"
    )


def after_exit(book: Book, slices: Sequence[LotSlice], limits: Limits, now: datetime) -> Book:
    """The book with its losing exits in a row counted; too many lock it for a while."""
    closed = [part.realised_pnl for part in slices if part.effect == "closed"]
    if not closed:
        return book
    gain = ZERO
    for part in closed:
        gain = add(gain, part)
    losses = book.risk.losses + 1 if gain < ZERO else 0
    if not losses and not book.risk.losses:
        return book
    risk = replace(book.risk, losses=losses)
    if limits.loss_streak and losses >= limits.loss_streak:
        until = now + timedelta(seconds=limits.lock_s)
        risk = Risk(risk.day, risk.opened_with, 0, until, f"{losses} losing exits in a row")
    return replace(book, risk=risk)


def _rounded(share: Decimal) -> Decimal:
    return share.quantize(_FOUR_PLACES)


def _percent(share: Decimal) -> str:
    return f"{plain(_rounded(multiply(_rounded(share), Decimal(100))))} %"
