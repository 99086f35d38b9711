"""A running system that the tests share, and who they are in it."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from chaos.documents import Documents
from chaos.rest import Gateway, signed_in
from chaos.system import System
from chaos.voices import Voices, voices_in

# Nobody else says these: wherever one turns up, it has leaked.
ADMIN_PASSWORD = 'canary-admin "pw"+\\/19d4b7'
ENVIRONMENT_TOKEN = "canary-env+TOKEN/8c1f04e7a9"
MODEL_KEY = "canary-model+KEY/6a41c0d9e2"
REST_TOKEN = "canary-rest+TOKEN/5d20b6a3ef"
FEED_KEY = "canary-feed+KEY/3be90c5f71"
OwnSystem = Callable[..., System]
NOWHERE = "http://127.0.0.1:9/api/v2"  # the real providers, for tests


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One system for all tests that do not disturb each other. It tells all it may, and holds
    secrets that `test_secrets` looks for.
    """
    settings = {
        "SIGNALBOX_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "SIGNALBOX_LOG_LEVEL": "DEBUG",
        "SIGNALBOX_SANDBOX_BACKTEST_S": "15",  # one runs on while a second is asked for
        "SIGNALBOX_QUANTCONNECT_URL": NOWHERE,
        "QUANTCONNECT_API_KEY": "700123",
        "QUANTCONNECT_API_SECRET": ENVIRONMENT_TOKEN,
        "OPENAI_BASE_URL": NOWHERE,
        "OPENAI_API_KEY": MODEL_KEY,
        "ANTHROPIC_BASE_URL": NOWHERE,
        "ANTHROPIC_API_KEY": MODEL_KEY,
        "SIGNALBOX_ALPACA_URL": NOWHERE,
        "SIGNALBOX_ALPACA_DATA_URL": NOWHERE,
        "ALPACA_API_KEY": FEED_KEY,
        "ALPACA_API_SECRET": FEED_KEY,
    }
    system = System(tmp_path_factory.mktemp("house"), settings)
    try:
        system.start()
        yield system
    finally:
        assert system.stop() == 0


@pytest.fixture
async def gateway(house: System) -> AsyncIterator[Gateway]:
    """Its REST interface, for the admin."""
    async with signed_in(lambda: house.url("gateway"), ADMIN_PASSWORD) as client:
        yield client


@pytest.fixture
async def voices(house: System) -> AsyncIterator[Voices]:
    """Its bus, for any service."""
    async with voices_in(house.home) as found:
        yield found


@pytest.fixture
async def documents(voices: Voices) -> Documents:
    """Its configuration, version by version, as it is put out."""
    found = Documents()
    await found.follow(voices)
    return found


@pytest.fixture
def own_system(tmp_path: Path) -> Iterator[OwnSystem]:
    """Makes systems of a test's own, on one state directory; they are gone at its end."""
    made: list[System] = []

    def make(**settings: str) -> System:
        own = {"SIGNALBOX_ADMIN_PASSWORD": ADMIN_PASSWORD, "SIGNALBOX_QUANTCONNECT_URL": NOWHERE}
        made.append(System(tmp_path / "home", {**own, **settings}))
        return made[-1]

    yield make
    for system in made:
        system.stop()
