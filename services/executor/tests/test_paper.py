"""What the paper broker gives for a quote."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.domain.fees import fee_of
from executor.domain.paper import available, execute, fill_price
from signalbox.contracts.accounts import PaperSettings
from signalbox.contracts.payloads import QuoteUsed
from signalbox.contracts.values import Side
from signalbox.testing.examples import a_quote

D = Decimal
QUOTE = a_quote(bid=D("99.95"), ask=D("100.05"))
PENNY = a_quote(bid=D("0.00012"), ask=D("0.00013"))
PLAIN = PaperSettings(slippage_bps=D(0), impact_bps=D(0))
TENTH = PLAIN.model_copy(update={"fee_bps": D(10)})
FREE = PLAIN.model_copy(update={"fee_bps": D(0)})
SHARES = PLAIN.model_copy(update={"fee_per_share": D(1)})
SLIPS = PaperSettings(slippage_bps=D(1), impact_bps=D(0))
MOVES = PaperSettings(slippage_bps=D(0), impact_bps=D(10))
HEAVY = PaperSettings(slippage_bps=D(5), impact_bps=D(1000))


@pytest.mark.parametrize(
    ("side", "quantity", "settings", "volume", "price"),
    [
        pytest.param(Side.BUY, 10, PLAIN, None, "100.05", id="a buy meets the ask"),
        pytest.param(Side.SELL, 10, PLAIN, None, "99.95", id="a sell meets the bid"),
        pytest.param(Side.BUY, 10, SLIPS, None, "100.0601", id="slips up, rounded up"),
        pytest.param(Side.SELL, 10, SLIPS, None, "99.9400", id="slips down, rounded down"),
        pytest.param(Side.BUY, 100, MOVES, 10_000, "100.0601", id="a hundredth moves 1 bps"),
        pytest.param(Side.BUY, 2_500, MOVES, 10_000, "100.1001", id="a quarter moves 5 bps"),
        pytest.param(Side.BUY, 10_000, HEAVY, 100, "100.6003", id="impact is at most 50 bps"),
        pytest.param(Side.BUY, 10, MOVES, None, "100.05", id="volume unknown, no impact"),
        pytest.param(Side.BUY, 10, MOVES, 0, "100.05", id="volume zero, no impact"),
    ],
)
def test_fill_price(
    side: Side, quantity: int, settings: PaperSettings, *, volume: int | None, price: str
) -> None:
    of_bar = None if volume is None else D(volume)
    assert fill_price(side, QUOTE, D(quantity), settings, of_bar) == D(price)


def test_fill_price_of_a_penny_stock_keeps_eight_places() -> None:
    assert fill_price(Side.BUY, PENNY, D(1), SLIPS, None) == D("0.00013002")
    assert fill_price(Side.SELL, PENNY, D(1), SLIPS, None) == D("0.00011998")


@given(
    side=st.sampled_from(Side),
    quantity=st.decimals("0.0001", "1000000", places=4),
    volume=st.one_of(st.none(), st.decimals("0", "1000000", places=2)),
    bps=st.decimals("0", "100", places=2),
)
def test_a_fill_is_never_better_than_the_quote_nor_much_worse(
    side: Side, quantity: Decimal, volume: Decimal | None, bps: Decimal
) -> None:
    settings = PaperSettings(slippage_bps=bps, impact_bps=D(10))
    price = fill_price(side, QUOTE, quantity, settings, volume)
    touch = QUOTE.ask if side is Side.BUY else QUOTE.bid
    worse = (price - touch) * side.sign
    assert 0 <= worse <= touch * (bps + 50) / 10_000 + D("0.0001")


@pytest.mark.parametrize(
    ("settings", "fee"),
    [
        pytest.param(PLAIN, "0", id="free"),
        pytest.param(PaperSettings(fee_bps=D(15)), "1.500750", id="15 bps"),
        pytest.param(PaperSettings(fee_per_share=D("0.005")), "0.05", id="half a cent a share"),
        pytest.param(
            PaperSettings(fee_bps=D("0.0001"), fee_per_share=D(1)), "10.00001", id="to a millionth"
        ),
    ],
)
def test_fee(settings: PaperSettings, fee: str) -> None:
    assert fee_of(D(10), D("100.05"), settings) == D(fee)


@pytest.mark.parametrize(
    ("side", "settings", "quantity", "fee"),
    [
        pytest.param(Side.BUY, PLAIN, "9.975", "1.25", id="25 bps of a buy, in units"),
        pytest.param(Side.SELL, PLAIN, "10", "1.25", id="of a sell, in money"),
        pytest.param(Side.BUY, TENTH, "9.99", "0.5", id="as the account says"),
        pytest.param(Side.BUY, FREE, "10", "0", id="none where it says so"),
        pytest.param(Side.BUY, SHARES, "9.975", "1.25", id="a pair has no shares"),
    ],
)
def test_the_fee_of_a_pair_is_taken_from_what_the_fill_brings(
    side: Side, settings: PaperSettings, quantity: str, fee: str
) -> None:
    quote = a_quote(symbol="ETH/USD", bid=D(50), ask=D(50), volume=None)
    execution = execute(side, D(10), quote, settings, D(1))
    assert execution is not None
    assert (execution.quantity, execution.gross, execution.fee) == (D(quantity), D(10), D(fee))


@pytest.mark.parametrize(
    ("wanted", "volume", "increment", "quantity"),
    [
        pytest.param("10", None, "1", "10", id="volume unknown"),
        pytest.param("10", "100", "1", "10", id="exactly a tenth"),
        pytest.param("11", "109", "1", "10", id="capped, down to the increment"),
        pytest.param("11", "109", "0.1", "10.9", id="a finer increment"),
        pytest.param("11", "5", "1", "0", id="too thin"),
        pytest.param("11", "0", "1", "0", id="nothing traded"),
    ],
)
def test_available(wanted: str, volume: str | None, increment: str, quantity: str) -> None:
    quote = a_quote(volume=None if volume is None else D(volume))
    assert available(D(wanted), quote, PLAIN, D(increment)) == D(quantity)


def test_execute_keeps_the_quote_it_used() -> None:
    execution = execute(Side.BUY, D(10), QUOTE, PaperSettings(fee_bps=D(1)), D(1))
    assert execution is not None
    assert execution.quote == QuoteUsed(bid=QUOTE.bid, ask=QUOTE.ask, at=QUOTE.at)
    assert execution.fee == (execution.price * 10 / 10_000).quantize(D("0.000001"))


def test_execute_gives_nothing_in_a_bar_without_volume() -> None:
    assert execute(Side.BUY, D(10), a_quote(volume=D(0)), PLAIN, D(1)) is None


@pytest.mark.parametrize("wanted", [D(0), D(-1)])
@pytest.mark.parametrize("volume", [None, D(100)])
def test_execute_gives_nothing_where_nothing_is_wanted(
    wanted: Decimal, volume: Decimal | None
) -> None:
    assert execute(Side.SELL, wanted, a_quote(volume=volume), MOVES, D(1)) is None
