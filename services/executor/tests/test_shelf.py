"""What is kept in mind between transactions is what the database holds."""

import random
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from executor.adapters.shelf import Shelf
from executor.adapters.tables import metadata
from executor.domain.desk import Desk
from signalbox.contracts.values import Action
from signalbox.runtime import ledger

Shop = Any  # what conftest.py makes
Make = Callable[..., Shop]
SYMBOLS = ("AAPL", "MSFT", "BTC/USD")


class Unplugged(Exception):
    """Something that ends a transaction halfway."""


def seen(shop: Shop, shelf: Shelf, sql: Connection) -> tuple[Any, ...]:
    desk = Desk.of(shop.config, shop.memory.board.snapshot())
    shelf.load(sql, desk, {"alpha"})
    waiting = {name: tickets for name, tickets in desk.waiting.items() if tickets}
    return desk.books, desk.tracks, waiting


def assert_true(shop: Shop) -> None:
    with shop.db.begin() as sql:
        assert seen(shop, shop.memory.shelf, sql) == seen(shop, Shelf(), sql)


def fail_halfway(shop: Shop, *, symbol: str) -> None:
    event = shop.verdict(Action.BUY, symbol=symbol)
    with suppress(Unplugged), shop.db.begin() as sql:
        ledger.handle(sql, metadata, shop.handlers, [event], shop.moment())
        raise Unplugged
    shop.handle(event)


@pytest.mark.parametrize("seed", range(6))
async def test_it_equals_a_fresh_reading_after_anything(shop_with: Make, seed: int) -> None:
    shop, dice = shop_with(symbols=()), random.Random(seed)  # noqa: S311 - a seeded test
    for _ in range(60):
        symbol = dice.choice(SYMBOLS)
        match dice.randrange(6):
            case 0:
                price = Decimal(dice.randrange(90, 110))
                shop.quote(symbol=symbol, bid=price, ask=price + 1)
            case 1:
                fail_halfway(shop, symbol=symbol)
            case 2:
                await shop.fill(symbol)
            case 3:
                shop.later(seconds=dice.choice((1, 90)))
            case _:
                shop.accept(dice.choice((Action.BUY, Action.SELL)), symbol=symbol)
        assert_true(shop)


def test_what_another_process_writes_is_read_again(shop: Shop, shop_with: Make) -> None:
    shop.quote()
    shop.accept(Action.BUY)
    other = shop_with()
    other.db, other._sequences = shop.db, shop._sequences
    other.quote()
    other.accept(Action.SELL, own_id="another")
    assert_true(shop)
    assert shop.held() == 0


def test_nothing_is_read_twice(shop: Shop) -> None:
    shop.quote()
    shop.accept(Action.BUY)
    with shop.db.begin() as sql:
        desk = Desk.of(shop.config, {})
        shop.memory.shelf.load(sql, desk, {"alpha"})
        sql.exec_driver_sql("DELETE FROM positions")  # nobody numbers this change
        again = Desk.of(shop.config, {})
        shop.memory.shelf.load(sql, again, {"alpha"})
    assert again.books == desk.books
