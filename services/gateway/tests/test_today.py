"""What the present market day has brought."""

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from sqlalchemy import event

from gateway.adapters.views.today import read_summary
from gateway.domain.book_views import EquityView
from gateway.domain.today import Known, summary
from signalbox.contracts import payloads as p
from signalbox.contracts.events import EquityMarked
from signalbox.testing.examples import NOON, a_moment

DAY = timedelta(days=1)


def worth(equity: str, *, days: float = 0, bot: str = "alpha") -> EquityMarked:
    """What a bot was worth so many days after noon."""
    at = NOON + days * DAY
    marked = p.Equity(
        bot=bot,
        account=f"paper-{bot}",
        equity=D(equity),
        cash=D(equity),
        exposure_gross=D(0),
        exposure_net=D(0),
        realised_pnl=D(0),
        unrealised_pnl=D(0),
        fees=D(0),
        at=at,
        cause=str(at),
    )
    return a_moment().event(EquityMarked, marked)


async def add_bot(gateway: Any) -> None:
    """A bot on the account of the marks."""
    async with gateway() as web:
        account = await web.post("/api/accounts", json={"id": "paper-alpha"})
        answer = await web.post("/api/bots", json={"id": "alpha", "account": "paper-alpha"})
    assert (account.status_code, answer.status_code) == (201, 201), answer.text


async def test_a_day_begins_with_what_the_day_before_ended_with(gateway: Any) -> None:
    await add_bot(gateway)
    marks = [worth("1000"), worth("1250", days=0.1), worth("1200", days=0.2)]
    gateway.feed(*marks, worth("1150", days=1), worth("1140", days=1.1))
    found = await gateway.context.read(lambda sql: read_summary(sql, NOON + 1.2 * DAY))
    (alpha,) = found.bots
    assert (alpha.pnl_today, alpha.pnl_today_share) == (D(-60), D("-0.05"))
    assert alpha.drawdown == D("0.088")
    assert found.total.pnl_today == D(-60)
    assert found.day == NOON.replace(hour=0) + DAY


async def test_a_summary_asks_no_more_for_more_bots_and_days(gateway: Any) -> None:
    bots = ("alpha", "beta", "gamma")
    async with gateway() as web:
        for bot in bots:
            await web.post("/api/accounts", json={"id": f"paper-{bot}"})
            await web.post("/api/bots", json={"id": bot, "account": f"paper-{bot}"})
    high, low, last = worth("5000"), worth("4000", days=1), worth("4500", days=2)
    gateway.feed(high, low, last, *(worth(f"{n}00", days=n, bot="beta") for n in range(1, 9)))
    gateway.feed(worth("77", days=8.1, bot="gamma"))
    asked = []

    def look(sql: Any) -> Any:
        event.listen(sql, "before_cursor_execute", lambda *_: asked.append(1))
        return read_summary(sql, NOON + 8.2 * DAY)

    alpha, beta, gamma = (await gateway.context.read(look)).bots
    assert len(asked) <= 4  # the beginning, positions, books, curves
    assert (alpha.drawdown, alpha.pnl_today) == (D("0.1"), 0)
    assert (beta.drawdown, beta.pnl_today) == (0, D(100))
    assert (gamma.drawdown, gamma.pnl_today) == (0, 0)


@pytest.mark.parametrize(
    ("now", "gained"),
    [
        pytest.param(NOON + 0.3 * DAY, D(200), id="the first day begins with its first mark"),
        pytest.param(NOON + 2 * DAY, D(0), id="nothing was marked today"),
    ],
)
async def test_the_first_day_and_a_quiet_one(gateway: Any, now: Any, gained: D) -> None:
    await add_bot(gateway)
    gateway.feed(worth("1000"), worth("1200", days=0.1))
    found = await gateway.context.read(lambda sql: read_summary(sql, now))
    assert found.bots[0].pnl_today == gained


def known(bot: str, equity: str, began_with: str, positions: int) -> Known:
    now = EquityView.model_validate({**worth(equity, bot=bot).data.model_dump(), "bot": bot})
    return Known(now, D(began_with), D(equity), positions)


def test_the_sum_is_of_all_bots() -> None:
    found = summary([known("a", "1100", "1000", 2), known("b", "2900", "3000", 1)], NOON)
    assert (found.total.equity, found.total.pnl_today) == (D(4000), D(0))
    assert (found.total.pnl_today_share, found.total.open_positions) == (D(0), 3)


def test_without_bots_and_without_money_nothing_is_divided() -> None:
    assert summary([], NOON).total.pnl_today_share is None
    assert summary([known("a", "0", "0", 0)], NOON).bots[0].drawdown == 0
