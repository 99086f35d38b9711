"""What bad days and orders do: no more entries, a halt until a person clears it, a pause."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from executor.domain.book import Book, Risk
from executor.domain.money import ZERO, add, divide, multiply, subtract
from executor.domain.scene import Denial
from signalbox.contracts.ids import plain
from signalbox.contracts.limits import Limits
from signalbox.contracts.payloads import LotSlice

HALTS = frozenset({"daily_loss", "drawdown"})  # clearing one makes the book begin anew
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
    equity = book.equity
    return replace(book, risk=replace(book.risk, opened_with=equity, peak=equity, losses=0))


def at_peak(book: Book) -> Book:
    """The book with its highest equity noted; itself when that is not now."""
    peak = book.risk.peak
    if peak is not None and book.equity <= peak:
        return book
    return replace(book, risk=replace(book.risk, peak=book.equity))


def lost(book: Book) -> Decimal:
    """The fraction of the day's first equity that is gone; negative when there is a profit."""
    first = book.risk.opened_with
    if first is None or first <= ZERO:
        return ZERO
    return divide(subtract(first, book.equity), first)


def entry_denied(book: Book, limits: Limits, now: datetime, symbol: str) -> Denial | None:
    """Why no position may be opened now."""
    if limits.restricted and symbol in limits.restricted:
        return Denial("restricted", f"{symbol} is on the restricted list of {book.bot}")
    if book.risk.cooling:
        cooling = _cooling(book, symbol, now)
        if cooling is not None:
            return cooling
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


def _cooling(book: Book, symbol: str, now: datetime) -> Denial | None:
    until = dict(book.risk.cooling).get(symbol)
    if until is None or now >= until:
        return None
    words = f"{symbol} was left with a loss; {book.bot} may enter it again at {until.isoformat()}"
    return Denial("loss_cooldown", words, {"limit": until.isoformat(), "observed": now.isoformat()})


def locks(bot: str, risk: Risk) -> Iterator[tuple[str, datetime, str]]:
    """What lets a bot enter nothing for a while: what each is about (the bot, or one symbol), until
    when in market time, and why.
    """
    if risk.locked_until is not None:
        yield f"bot:{bot}", risk.locked_until, risk.locked_why
    for symbol, until in risk.cooling:
        yield f"key:{bot}/{symbol}", until, f"{symbol} was left with a loss"


def halted_by(book: Book, limits: Limits) -> tuple[str, str] | None:
    """Why the bot has to be halted: a code, and words."""
    gone = lost(book)
    if gone >= limits.halt_daily_loss and limits.halt_daily_loss < _OFF:
        return "daily_loss", (
            f"{book.bot} has lost {_percent(gone)} of the equity with which the market day"
            f" {book.risk.day} began, {_percent(limits.halt_daily_loss)} is the limit"
        )
    peak = book.risk.peak
    if peak is None or peak <= ZERO or limits.max_drawdown >= _OFF:
        return None
    fallen = divide(subtract(peak, book.equity), peak)
    if fallen < limits.max_drawdown:
        return None
    return "drawdown", (
        f"{book.bot} is {_percent(fallen)} below its highest equity of {plain(peak)},"
        f" {_percent(limits.max_drawdown)} is the limit"
    )


def after_rejection(book: Book, limits: Limits, now: datetime) -> Book:
    """The book after the broker has rejected an entry; too many in a row lock it for a while."""
    count = book.risk.rejections + 1
    if not limits.reject_streak or count < limits.reject_streak:
        return replace(book, risk=replace(book.risk, rejections=count))
    why = f"the broker has rejected {count} entries in a row"
    return replace(book, risk=replace(_locked(book.risk, limits, now, why), rejections=0))


def after_exit(
    book: Book, slices: Sequence[LotSlice], limits: Limits, now: datetime, symbol: str
) -> Book:
    """The book with its losing exits in a row counted; too many lock it for a while, and one may
    lock its symbol.
    """
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
    if losses and limits.loss_cooldown_s:
        until = now + timedelta(seconds=limits.loss_cooldown_s)
        others = tuple(one for one in risk.cooling if one[0] != symbol and one[1] > now)
        risk = replace(risk, cooling=(*others, (symbol, until)))
    if limits.loss_streak and losses >= limits.loss_streak:
        why = f"{losses} losing exits in a row"
        risk = replace(_locked(risk, limits, now, why), losses=0)
    return replace(book, risk=risk)


def _locked(risk: Risk, limits: Limits, now: datetime, why: str) -> Risk:
    until = now + timedelta(seconds=limits.lock_s)
    return replace(risk, locked_until=until, locked_why=why)


def _rounded(share: Decimal) -> Decimal:
    return share.quantize(_FOUR_PLACES)


def _percent(share: Decimal) -> str:
    return f"{plain(_rounded(multiply(_rounded(share), Decimal(100))))} %"
