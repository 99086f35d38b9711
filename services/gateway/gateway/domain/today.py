"""What the present market day has brought, by bot and in sum."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, localcontext

from gateway.domain.book_views import BotDayView, DayView, EquityView, SummaryView
from gateway.domain.performance import NOUGHT, ratio

_WIDE = Context(prec=60)  # sums of money are exact
_SUMMED = ("equity", "realised_pnl", "unrealised_pnl", "exposure_gross", "pnl_today")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one bot's book."""

    now: EquityView
    began_with: Decimal  # at the end of the market day before, else at its first mark
    highest: Decimal
    open_positions: int


def summary(books: Sequence[Known], day: datetime) -> SummaryView:
    """Every bot's day, and all of them together."""
    bots = tuple(_bot(book) for book in books)
    with localcontext(_WIDE):
        sums = {name: sum((getattr(bot, name) for bot in bots), NOUGHT) for name in _SUMMED}
        began_with = sum((book.began_with for book in books), NOUGHT)
    total = DayView(
        **sums,
        pnl_today_share=ratio(sums["pnl_today"], began_with),
        open_positions=sum(bot.open_positions for bot in bots),
    )
    return SummaryView(day=day, total=total, bots=bots)


def _bot(book: Known) -> BotDayView:
    now = book.now
    highest = max(book.highest, now.equity)
    gained = _WIDE.subtract(now.equity, book.began_with)
    below = ratio(_WIDE.subtract(highest, now.equity), highest) if highest > 0 else None
    return BotDayView(
        bot=now.bot,
        account=now.account,
        at=now.at,
        equity=now.equity,
        realised_pnl=now.realised_pnl,
        unrealised_pnl=now.unrealised_pnl,
        exposure_gross=now.exposure_gross,
        pnl_today=gained,
        pnl_today_share=ratio(gained, book.began_with),
        open_positions=book.open_positions,
        drawdown=min(below or NOUGHT, Decimal(1)),
    )
