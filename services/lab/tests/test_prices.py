"""Which bars are asked for."""

from datetime import datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from lab.domain.scoring import Claim, Why, claim_of, score
from lab.prices import MOST_BARS, Prices
from signalbox.contracts.assessments import OutcomeScore
from signalbox.contracts.errors import NotFound, TransientError
from signalbox.contracts.payloads import Bar
from signalbox.testing.examples import NOON, a_bar, a_signal

MINUTE = timedelta(minutes=1)


class FakeMarket:
    """Answers as market-data does: what had closed by then, oldest first."""

    def __init__(self, *bars: Bar) -> None:
        self.bars = list(bars)
        self.listed = {(bar.symbol, bar.interval) for bar in bars}
        self.asked: list[str] = []

    async def ask(
        self, other: str, verb: str, body: dict[str, Any] | None = None, **_: Any
    ) -> dict[str, Any]:
        assert other == "market-data"
        self.asked.append(verb)
        if verb == "symbols":
            return {"symbols": [{"symbol": s, "interval": i} for s, i in sorted(self.listed)]}
        assert body is not None
        assert 1 <= body["count"] <= MOST_BARS
        series = [
            b for b in self.bars if (b.symbol, b.interval) == (body["symbol"], body["interval"])
        ]
        if not series:
            raise NotFound("there are no such bars")
        before = datetime.fromisoformat(body["before"])
        found = [bar for bar in series if bar.closed_at <= before][-body["count"] :]
        return {"bars": [bar.model_dump(mode="json") for bar in found]}


def minutes(first: int, last: int, **over: Any) -> list[Bar]:
    """A bar each minute from noon; its prices say which."""
    return [
        a_bar(
            opened_at=NOON + n * MINUTE,
            open=D(1000 + n),
            high=D(2000 + n),
            low=D(1),
            close=D(2000 + n),
            **over,
        )
        for n in range(first, last)
    ]


def claim(begins: int, ends: int, number: int = 1, symbol: str = "AAPL") -> Claim:
    """A buy from so many to so many minutes after noon."""
    at = NOON + begins * MINUTE
    horizon_s = (ends - begins) * 60
    signal = a_signal(own_id=str(number), symbol=symbol, raised_at=at, horizon_s=horizon_s, epoch=1)
    return claim_of(signal)


async def scored(market: FakeMarket, *claims: Claim) -> list[tuple[D, D] | Why]:
    """Entry and exit of each, through the bars that were asked for."""
    found = await Prices(market).around(claims)
    results = [score(one, found[one]) for one in claims]
    return [(r.entry_price, r.exit_price) if isinstance(r, OutcomeScore) else r for r in results]


async def test_claims_close_together_share_one_request() -> None:
    market = FakeMarket(*minutes(-5, 60))
    claims = [claim(n, n + 5, n) for n in range(50)]
    assert await scored(market, *claims) == [(D(1000 + n), D(2004 + n)) for n in range(50)]
    assert market.asked == ["symbols", "bars"]


async def test_a_long_horizon_is_read_at_both_ends() -> None:
    market = FakeMarket(*minutes(-5, 5000))
    assert await scored(market, claim(10, 4000)) == [(D(1010), D(5999))]
    assert market.asked.count("bars") == 2


async def test_a_backlog_is_read_in_runs() -> None:
    market = FakeMarket(*minutes(-5, 5000))
    claims = [claim(n, n + 5, n) for n in range(0, 4000, 100)]
    assert await scored(market, *claims) == [
        (D(1000 + n), D(2004 + n)) for n in range(0, 4000, 100)
    ]
    assert market.asked.count("bars") < 10


@pytest.mark.parametrize(
    "closed_for", [90, 3000, 5400], ids=["lunch", "two days", "a long weekend"]
)
async def test_the_first_price_after_a_closed_market_is_found(closed_for: int) -> None:
    """However many bars have come since."""
    market = FakeMarket(*minutes(-500, 0), *minutes(closed_for, closed_for + 3000))
    claims = claim(0, closed_for + 2000)
    assert await scored(market, claims) == [(D(1000 + closed_for), D(2000 + closed_for + 1999))]


async def test_the_finest_series_of_a_symbol_is_used() -> None:
    days = minutes(-5, 10, interval="1d", origin="days")
    market = FakeMarket(*days, *minutes(-5, 10))
    prices = Prices(market)
    await prices.around([claim(0, 5)])
    found = (await prices.around([claim(0, 5)]))[claim(0, 5)]
    assert {bar.interval for bar in found} == {"1m"}
    assert market.asked == ["symbols", "bars", "bars"]  # what is listed is remembered


async def test_a_symbol_without_bars_is_no_fault() -> None:
    assert await scored(FakeMarket(*minutes(0, 9)), claim(0, 5, symbol="XYZ")) == [Why.NO_PRICES]


async def test_a_series_that_has_gone_is_asked_for_again() -> None:
    market = FakeMarket(*minutes(-5, 9))
    prices = Prices(market)
    await prices.around([claim(0, 5)])
    market.bars, market.listed = [], set()
    with pytest.raises(TransientError):
        await prices.around([claim(0, 5)])
    assert await prices.around([claim(0, 5)]) == {claim(0, 5): []}
