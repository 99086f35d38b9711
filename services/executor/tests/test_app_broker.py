"""The executor on a real server with an account at a broker: keys opened, orders over HTTP."""

from collections.abc import AsyncIterator

import pytest

from executor.app import create_service
from executor.handlers.brokerage import Pace
from executor.settings import Settings
from sandbox.alpaca.api import SECRET
from sandbox.faults import Kind
from sandbox.serving import Served
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.config import ExecutorConfig
from signalbox.contracts.events import AlertRaised, OrderChanged, PositionChanged, QuoteUpdated
from signalbox.contracts.values import Action, OrderState
from signalbox.runtime.migrating import migrate
from signalbox.runtime.secrets import seal
from signalbox.runtime.service import Service
from signalbox.testing.desk import Desk, desk_on, running
from signalbox.testing.examples import a_bot, a_moment, a_quote, a_signal, a_verdict, reached
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration
S = OrderState
PACE = Pace(lookups_s=(0.1, 0.1, 0.1), sweep_s=0.5, again_s=0.2)


@pytest.fixture
async def sandbox() -> AsyncIterator[Served]:
    served = Served()
    await served.start()
    yield served
    await served.context.close()
    await served.stop()


@pytest.fixture
async def desk(nats_server: RunningNats) -> AsyncIterator[Desk]:
    async with desk_on(nats_server) as desk:
        yield desk


async def configured(desk: Desk) -> ExecutorConfig:
    """Bot alpha's account has keys, sealed with the executor's own key."""
    public = await (await desk.bus("gateway")).bucket_get("KEYS", "executor")
    assert public is not None

    def sealed(field: str, secret: str) -> str:
        key = public.decode().strip()
        return seal(key, config_id="paper-alpha", field=field, plaintext=secret)

    account = AccountConfig(
        id="paper-alpha",
        name="Alpha",
        broker="alpaca",
        key_sealed=sealed("api_key", "key"),
        secret_sealed=sealed("api_secret", SECRET),
    )
    config = ExecutorConfig(bots=(a_bot(),), accounts=(account,))
    await desk.configure("executor", config)
    return config


def executor(desk: Desk, sandbox: Served) -> Service[ExecutorConfig]:
    home = desk.nats.home
    migrate("executor", home=home, url=None)
    return create_service(Settings(home=home, sandbox_url=sandbox.url), pace=PACE)


async def test_a_verdict_becomes_one_order_at_the_broker_whatever_happens_to_the_answer(
    desk: Desk, sandbox: Served
) -> None:
    moment = a_moment(await configured(desk))
    sandbox.trading.venue.hear(a_quote())
    sandbox.switch(Kind.LOST, path="alpaca/post/v2/orders", count=1)
    sandbox.switch(Kind.BROKEN, path="alpaca/get/v2/orders:by")
    await desk.say(moment.event(QuoteUpdated, a_quote(volume=None)))
    async with running(executor(desk, sandbox)):
        await desk.say(reached(a_verdict(a_signal(price=None)), 1, moment))
        await desk.hear(OrderChanged, 3)
    sandbox.clear()
    async with running(executor(desk, sandbox)):
        await until(lambda: sandbox.trading.stream.lines)
        await desk.hear(PositionChanged)
        sell = a_signal(own_id="2", action=Action.SELL, price=None)
        await desk.say(reached(a_verdict(sell), 2, moment))
        await desk.hear(PositionChanged, 2)
    states = [event.data.state for event in desk.of(OrderChanged)]
    assert states[:5] == [S.PLANNED, S.SUBMITTING, S.UNKNOWN, S.ACCEPTED, S.FILLED]
    assert states[5:] == [S.PLANNED, S.SUBMITTING, S.ACCEPTED, S.FILLED]
    assert len(sandbox.trading.posts) == 2
    assert sandbox.trading.venue.account("key").positions == {}
    assert not desk.of(AlertRaised)
