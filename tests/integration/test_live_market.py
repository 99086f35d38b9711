"""Prices and news of a provider reach a language model: market-data follows the sandbox's Alpaca,
llm-decider asks the sandbox's model.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from llm_decider.app import build
from llm_decider.settings import Settings as DeciderSettings
from market_data.app import build_service
from market_data.settings import Settings as FeedSettings
from sandbox.alpaca.api import SECRET
from sandbox.history import Recorded
from sandbox.serving import Served, serving
from signalbox.contracts.config import LlmConfig, LlmDeciderConfig, MarketConfig, PromptVersion
from signalbox.contracts.events import LlmDecisionMade, NewsPublished, QuoteUpdated
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Target
from signalbox.runtime.clock import wall_now
from signalbox.runtime.migrating import migrate
from signalbox.runtime.secrets import seal
from signalbox.testing.desk import Desk, desk_on, running
from signalbox.testing.examples import a_bar, a_quote
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration
D = Decimal
PAIR = "BTC/USD"
PROMPT = PromptVersion(
    prompt_id="p",
    version=1,
    name="P",
    system="Decide.",
    user="{{symbols}} at {{time}}\n{{market}}\n{{news}}",
)


def bars() -> list[Bar]:
    """An hour by the minute, and three days, the last of which closed a minute ago."""
    now = wall_now().replace(second=0, microsecond=0)
    found = [a_bar(symbol=PAIR, opened_at=now - timedelta(minutes=n)) for n in range(60, 0, -1)]
    for days, close in ((3, 200), (2, 204), (1, 206)):
        opened = now - timedelta(days=days, minutes=1)
        day = a_bar(symbol=PAIR, interval="1d", opened_at=opened, close=D(close), low=D(1))
        found.append(day.model_copy(update={"closed_at": opened + timedelta(days=1)}))
    return found


@pytest.fixture
async def sandbox() -> AsyncIterator[Served]:
    async with serving(history=Recorded(bars())) as served:
        served.trading.venue.hear(a_quote(symbol=PAIR, at=wall_now()))
        yield served


@pytest.fixture
async def desk(nats_server: RunningNats) -> AsyncIterator[Desk]:
    """Configures both services; the clock is the feed's own."""
    async with desk_on(nats_server) as desk:
        assert desk._clock is not None
        desk._clock.cancel()
        await desk.configure("market-data", MarketConfig())
        public = await (await desk.bus("gateway")).bucket_get("KEYS", "llm-decider")
        assert public
        key = seal(public.decode(), config_id="demo", field="key", plaintext="sandbox-key")
        model = LlmConfig(
            id="demo",
            name="Demo",
            provider="openai",
            target=Target.SANDBOX,
            key_sealed=key,
            model="gpt-5.4-mini",
            prompt_id="p",
            symbols=(PAIR,),
            every=None,
        )
        await desk.configure("llm-decider", LlmDeciderConfig(models=(model,), prompts=(PROMPT,)))
        yield desk


async def decide(desk: Desk, request_id: str) -> Any:
    """What a request becomes."""
    before = len(desk.of(LlmDecisionMade))
    await desk.ask("llm-decider", "decide", {"config_id": "demo"}, request_id=request_id)
    return (await desk.hear(LlmDecisionMade, before + 1, 20))[-1].data


async def test_a_model_sees_todays_prices_and_news(
    nats_server: RunningNats, sandbox: Served, desk: Desk
) -> None:
    feed = build_service(
        FeedSettings(
            home=nats_server.home,
            nats_url=nats_server.url,
            feed="alpaca",
            alpaca_symbols=(PAIR,),
            alpaca_data_url=f"{sandbox.url}/alpaca",
            ALPACA_API_KEY=SecretStr("key-id"),
            ALPACA_API_SECRET=SecretStr(SECRET),
        )
    )
    migrate("llm-decider", home=nats_server.home, url=None)
    decider = build(
        DeciderSettings(home=nats_server.home, nats_url=nats_server.url, sandbox_url=sandbox.url)
    )
    async with running(feed, decider):
        (news,) = await desk.hear(NewsPublished)
        await desk.hear(QuoteUpdated)

        async def sees_the_news() -> Any:
            made = await decide(desk, wall_now().isoformat())
            return made if made.snapshot.get("news") else None

        decision = await until(sees_the_news, 60)
    assert news.data.headline == "BTC/USD closes 1.0 % higher"
    shown = decision.snapshot
    assert [item["headline"] for item in shown["news"]] == [news.data.headline]
    assert decision.outcome == "answered"
