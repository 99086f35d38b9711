"""What flows while things are killed: some bots on symbols of their own, and many signals."""

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from chaos.outside import ACCOUNT
from chaos.rest import Gateway
from chaos.voices import Voices
from sandbox.alpaca.api import SECRET
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action, SourceType

SYMBOLS = tuple(f"ZZ{n:02}" for n in range(12))
PRICED = "AAPL"  # the feed has bars of it, so that what is said of it gets a score
_SOON_S = 300.0  # market time until then
_STRATEGIES = tuple(f"chaos-{n}" for n in range(5))
_PROJECT = "99000001"
_ACTIONS = (Action.BUY, Action.SELL, Action.CLOSE, Action.HOLD)
_CASH = "1000000000"
_MANY = 1_000_000
_LIMITS = {
    "max_order_notional": "1000000",
    "max_position_notional": "100000000",
    "max_gross_exposure": "1000000000",
    "max_open_positions": _MANY,
    "max_orders_per_minute": _MANY,
    "max_repeats": _MANY,
    "loss_streak": 0,
    "max_quote_age_s": _MANY,
    "max_slippage": "1",
}
_FEES = {"fee_bps": "1.3", "fee_per_share": "0.0035", "slippage_bps": "1.7"}
_STRATEGY = [{"source_type": "strategy"}]
_QUANTCONNECT = {"source_type": "quantconnect"}
BOTS: tuple[dict[str, Any], ...] = (
    {"id": "chaos-hybrid", "sources": [*_STRATEGY, _QUANTCONNECT], "allow_short": True},
    {"id": "chaos-shadow", "sources": [_QUANTCONNECT]},
    {
        "id": "chaos-vote",
        "sources": _STRATEGY,
        "policy": {"kind": "consensus", "consensus_of": 2},
    },
    {"id": "chaos-manual", "sources": [_QUANTCONNECT], "approval": "manual"},
    {  # not much at once: the account allows 150 requests a minute
        "id": ACCOUNT,
        "account": {
            "broker": "alpaca",
            "target": "sandbox",
            "api_key": ACCOUNT,
            "api_secret": SECRET,
        },
        "sources": [{"source_type": "strategy", "source_id": _STRATEGIES[0]}],
        "symbols": SYMBOLS[:6],
        "sizing": {"notional": "100"},
    },
)
_MODEL = {  # asked at every bar
    "id": "chaos-model",
    "provider": "openai",
    "api_key": "sandbox-key",
    "target": "sandbox",
    "model": "gpt-5.4-mini",
    "prompt_template": "standard",
    "symbols": [PRICED],
    "every": 1,
    "min_gap_s": 0,
    "cache_s": 0,
}


async def add_bot(gateway: Gateway, *, account: dict[str, Any] | None = None, **body: Any) -> None:
    """Add a bot with limits that nothing here reaches, on an account of its own: a rich paper one,
    unless another is described.
    """
    kept = account or {"paper": {"starting_cash": _CASH, **_FEES}}
    await gateway.post("/api/accounts", {"id": body["id"], **kept})
    given = {"account": body["id"], "limits": _LIMITS, **body}
    await gateway.post("/api/bots", given)


async def prepare(gateway: Gateway, voices: Voices) -> None:
    """Make the bots and prices for their symbols, and a model that is asked again and again."""
    for bot in BOTS:
        await add_bot(gateway, **{"symbols": SYMBOLS, **bot})
    await gateway.post("/api/ai-trading/config", _MODEL)
    await voices.quote(*SYMBOLS)


class Flow:
    """Signals of several sources, the same ones for the same seed; times are the clock's."""

    def __init__(self, voices: Voices, seed: int) -> None:
        self._voices = voices
        self._dice = random.Random(seed)  # noqa: S311 - a repeatable choice, nothing to guess
        self._count = 0

    def next(self, count: int) -> Iterator[Signal]:
        """The next signals, raised now."""
        for _ in range(count):
            self._count += 1
            yield self._signal(f"chaos-{self._count}")

    def _signal(self, own_id: str) -> Signal:
        dice = self._dice
        kind, source = self._source()
        symbol = dice.choice((*SYMBOLS, PRICED))
        return self._voices.signal(
            symbol,
            dice.choices(_ACTIONS, (45, 35, 15, 5))[0],
            own_id,
            source_type=kind,
            source_id=source,
            confidence=Decimal(dice.randint(50, 99)) / 100,
            valid_until=self._voices.now + timedelta(minutes=dice.randint(10, 600)),
            horizon_s=_SOON_S if symbol == PRICED else None,
        )

    def _source(self) -> tuple[SourceType, str]:
        if self._dice.random() < 0.2:
            return SourceType.QUANTCONNECT, _PROJECT
        if self._dice.random() < 0.03:
            return SourceType.EXTERNAL, "nobody"
        return SourceType.STRATEGY, self._dice.choice(_STRATEGIES)
