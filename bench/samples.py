"""The signals that both sides are given, and what the floor publishes and writes for each."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from signalbox.contracts import payloads as p
from signalbox.contracts.accounts import AccountConfig, PaperSettings
from signalbox.contracts.config import BotConfig, ExecutorConfig, Policy, RouterConfig, SourceRule
from signalbox.contracts.events import (
    EquityMarked,
    Event,
    OrderChanged,
    PositionChanged,
    QuoteUpdated,
    SignalRaised,
)
from signalbox.contracts.ids import signal_id
from signalbox.contracts.limits import Limits, Sizing
from signalbox.contracts.values import Action, OrderState, Side, SourceType
from signalbox.runtime.moment import Moment, Outgoing
from signalbox.runtime.outbox import message_of
from signalbox.testing.examples import NOON, a_moment, a_quote, a_signal, an_order, reached

SYMBOLS = tuple(f"S{n:03d}" for n in range(100))
OPEN = NOON + timedelta(hours=1)  # where the market clock stands while signals flow
_HUGE = Decimal(10) ** 12
_UNITS, _PRICE = Decimal("4.7499"), Decimal("210.541052")


def configs() -> tuple[RouterConfig, ExecutorConfig]:
    """One bot whose checks all run, with every limit raised by its name."""
    bot = BotConfig(
        id="bench",
        name="Bench",
        account="bench",
        sources=(SourceRule(source_type=SourceType.STRATEGY),),
        policy=Policy(cooldown_s=0),
        sizing=Sizing(notional=Decimal(1000)),
        limits=Limits(
            max_order_notional=_HUGE,
            max_position_notional=_HUGE,
            max_gross_exposure=_HUGE,
            max_open_positions=10**9,
            max_orders_per_minute=10**9,
            max_repeats=10**9,
            loss_streak=10**9,
            max_quote_age_s=10**6,
        ),
    )
    account = AccountConfig(id="bench", name="Bench", paper=PaperSettings(starting_cash=_HUGE))
    return RouterConfig(bots=(bot,)), ExecutorConfig(bots=(bot,), accounts=(account,))


def quotes(moment: Moment[None]) -> list[Outgoing]:
    """A fresh quote for every symbol, deep enough to fill everything."""
    made = [a_quote(symbol=s, at=OPEN, volume=Decimal(10) ** 9) for s in SYMBOLS]
    return [message_of(moment.event(QuoteUpdated, quote)) for quote in made]


def signals(start: int, count: int) -> list[Outgoing]:
    """Buys and sells in turn for each symbol, so that every one of them changes the book.

    `start` is how many there were before: a source's word must be newer than its last.
    """
    moment = a_moment()
    made = []
    for n in range(start, start + count):
        key = (SourceType.STRATEGY, "bench", str(n))
        side = Action.BUY if n // len(SYMBOLS) % 2 == 0 else Action.SELL
        signal = a_signal(
            signal_id=signal_id(*key),
            source_id=key[1],
            own_id=key[2],
            symbol=SYMBOLS[n % len(SYMBOLS)],
            action=side,
            raised_at=NOON + timedelta(milliseconds=n),
            valid_until=NOON + timedelta(days=1),
        )
        made.append(message_of(moment.event(SignalRaised, signal)))
    return made


@dataclass(frozen=True, slots=True)
class Template:
    """A message of true size whose id the floor fills in."""

    suffix: str
    subject: str
    body: bytes


def _template(event: Event, suffix: str) -> Template:
    family = event.subject.rsplit(".", 1)[0] if suffix not in {"e", "p"} else event.subject
    return Template(suffix, family, event.encode())


def verdict_template() -> Template:
    """What the router says of a signal."""
    return _template(reached(), "v")


def _fill() -> p.Fill:
    slice_ = p.LotSlice(
        lot_id=signal_id("a", "b", "c"),
        source_type=SourceType.STRATEGY,
        source_id="bench",
        effect="opened",
        quantity=_UNITS,
        entry_price=_PRICE,
        realised_pnl=Decimal(0),
    )
    return p.Fill(
        fill_id="paper|0123456789abcdef0123456789abcdef|4.7499",
        quantity=_UNITS,
        price=_PRICE,
        fee=Decimal(0),
        quote=p.QuoteUsed(bid=Decimal("210.48"), ask=Decimal("210.52"), at=NOON),
        slippage_bps=Decimal("1.95"),
        slices=(slice_,),
    )


def _position(fill: p.Fill) -> p.Position:
    lot = p.Lot(
        lot_id=fill.slices[0].lot_id,
        source_type=SourceType.STRATEGY,
        source_id="bench",
        quantity=_UNITS,
        entry_price=_PRICE,
        opened_at=NOON,
        order_id=an_order().order_id,
    )
    return p.Position(
        bot="bench",
        account="bench",
        symbol="S000",
        quantity=_UNITS,
        average_price=_PRICE,
        lots=(lot,),
        realised_pnl=Decimal(0),
        at=NOON,
        cause=fill.fill_id,
    )


def _equity(fill: p.Fill) -> p.Equity:
    return p.Equity(
        bot="bench",
        account="bench",
        equity=_HUGE,
        cash=_HUGE,
        exposure_gross=Decimal(1000),
        exposure_net=Decimal(1000),
        realised_pnl=Decimal(0),
        unrealised_pnl=Decimal(0),
        fees=Decimal(0),
        at=NOON,
        cause=fill.fill_id,
    )


def order_templates() -> list[Template]:
    """What the executor says of a verdict: planned, accepted, filled, position, equity."""
    moment, fill = a_moment(), _fill()
    planned, accepted = (an_order(state=s) for s in (OrderState.PLANNED, OrderState.ACCEPTED))
    filled = an_order(state=OrderState.FILLED, filled=fill.quantity, fill=fill, side=Side.BUY)
    orders = zip("123", (planned, accepted, filled), strict=True)
    return [
        *(_template(moment.event(OrderChanged, order), suffix) for suffix, order in orders),
        _template(moment.event(PositionChanged, _position(fill)), "p"),
        _template(moment.event(EquityMarked, _equity(fill)), "e"),
    ]
