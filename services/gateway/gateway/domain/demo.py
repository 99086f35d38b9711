"""What a newcomer finds: two paper bots, classic strategies, and on the sandbox a QuantConnect
account and two language models.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from gateway.domain.bodies import BotBody, StrategyBody, StrictRule
from gateway.domain.edits import SealedSecret, save_bot, save_connection, save_strategy
from gateway.domain.llm_bodies import BudgetBody, LlmConfigBody, PriceBody
from gateway.domain.llm_edits import save_model, sealed_key
from gateway.domain.quantconnect_bodies import ConnectionBody
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

MODEL_KEY = "sandbox-key"  # the sandbox takes any
_BUDGET = BudgetBody(day_usd=Decimal(1), month_usd=Decimal(20))
_PRICE = PriceBody(input_usd=Decimal("0.05"), output_usd=Decimal("0.20"))  # nobody is paid
_MODELS = (
    LlmConfigBody(
        id="demo-openai",
        name="Demo: sandbox in OpenAI's form, no real model",
        provider="openai",
        model="sandbox-openai",
        symbols=("AAPL",),
        interval="1m",
        every=30,
        target=Target.SANDBOX,
        bot="demo",
        budget=_BUDGET,
        price=_PRICE,
    ),
    LlmConfigBody(
        id="demo-claude",
        name="Demo: sandbox in Claude's form, no real model",
        provider="claude",
        model="sandbox-claude",
        symbols=DAILY[:4],
        interval="1d",
        every=5,
        horizon_s=5 * 86_400,
        target=Target.SANDBOX,
        bot="demo",
        budget=_BUDGET,
        price=_PRICE,
    ),
)
MODELS = tuple(body.id or "" for body in _MODELS)


def demo(
    setup: Setup,
    version: int,
    *,
    sealed: str,
    keys: Mapping[str, str],
    owner: str,
    at: datetime,
) -> Setup:
    """The configuration with the demo in it; everything it adds can be deleted. `sealed` is the
    QuantConnect token, `keys` are the models' by their configs.
    """
    for bot in _BOTS:
        setup = save_bot(setup, bot, version).setup
    for strategy in _STRATEGIES:
        setup = save_strategy(setup, strategy).setup
    body = ConnectionBody(name="Demo: sandbox QuantConnect", api_key=USER_ID, target=Target.SANDBOX)
    secret = SealedSecret.of(USER_ID, TOKEN, sealed)
    setup = save_connection(setup, body, secret, key=CONFIG, owner=owner, at=at).setup
    for model, key in zip(_MODELS, MODELS, strict=True):
        secret = sealed_key(model.provider or "", MODEL_KEY, keys[key])
        setup = save_model(setup, model, secret, key=key, owner=owner, at=at).setup
    return setup
