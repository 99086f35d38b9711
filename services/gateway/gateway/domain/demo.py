"""What a newcomer finds: two paper bots, two strategies, and the sandbox's QuantConnect account."""

from datetime import datetime

from gateway.domain.bodies import BotBody, ConnectionBody, StrategyBody, StrictRule
from gateway.domain.edits import SealedSecret, save_bot, save_connection, save_strategy
from gateway.domain.setup import Setup
from signalbox.contracts.values import SourceType, Target

MARKER = "demo"
CONFIG = "demo"
USER_ID = "123"
TOKEN = "abc"  # noqa: S105 - the sandbox's own account, open to everybody
DAILY = ("MSFT", "IBM", "GE", "XOM", "JPM", "KO", "WMT", "PG", "JNJ", "CVX")

_BOTS = (
    BotBody(id="demo", name="Demo: follows every source"),
    BotBody(
        id="demo-shadow",
        name="Demo: QuantConnect alone, after your approval",
        sources=(StrictRule(source_type=SourceType.QUANTCONNECT),),
        approval="manual",
    ),
)
_STRATEGIES = (
    StrategyBody(id="demo-sma-cross-1m", strategy="sma-cross", symbols=("AAPL",), interval="1m"),
    StrategyBody(id="demo-rsi-1m", strategy="rsi-reversion", symbols=("AAPL",), interval="1m"),
    StrategyBody(id="demo-sma-cross-1d", strategy="sma-cross", symbols=DAILY, interval="1d"),
    StrategyBody(id="demo-rsi-1d", strategy="rsi-reversion", symbols=DAILY, interval="1d"),
)


def demo(setup: Setup, version: int, *, sealed: str, owner: str, at: datetime) -> Setup:
    """The configuration with the demo in it; everything it adds can be deleted."""
    for bot in _BOTS:
        setup = save_bot(setup, bot, version).setup
    for strategy in _STRATEGIES:
        setup = save_strategy(setup, strategy).setup
    body = ConnectionBody(name="Demo: sandbox QuantConnect", api_key=USER_ID, target=Target.SANDBOX)
    secret = SealedSecret.of(USER_ID, TOKEN, sealed)
    return save_connection(setup, body, secret, key=CONFIG, owner=owner, at=at).setup
