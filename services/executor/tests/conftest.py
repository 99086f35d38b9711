"""The executor without a server, and one whose account is at the sandbox's broker."""

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import Faults
from signalbox.contracts.events import Event, OrderChanged
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import OrderState
from tests.pits import Pit, opened
from tests.shops import Shop, make_shop


def orders(events: Iterable[Event]) -> list[Order]:
    return [event.data for event in events if isinstance(event, OrderChanged)]


def told(events: Iterable[Event]) -> list[tuple[OrderState, str]]:
    """State and reason of every order event."""
    return [(order.state, order.reason) for order in orders(events)]


@pytest.fixture
def shop() -> Shop:
    """Bot alpha on a paper account without slippage, 100,000 in cash, 1,000 an order."""
    return make_shop()


@pytest.fixture
def shop_with() -> Callable[..., Shop]:
    """Like `shop`, with the bot changed."""
    return make_shop


@pytest.fixture
def states() -> Callable[[Iterable[Event]], list[tuple[OrderState, str]]]:
    """State and reason of every order event."""
    return told


@pytest.fixture
def pit(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Pit]]:
    """Opens an executor whose account is at the sandbox's broker."""
    return lambda at="home", **over: opened(tmp_path / at, **over)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request that reaches the broker: method and path."""
    paths: list[str] = []
    find = Faults.find

    def note(faults: Faults, path: str, *, named: bool = False) -> Any:
        paths.append(path)
        return find(faults, path, named=named)

    monkeypatch.setattr(Faults, "find", note)
    return paths
