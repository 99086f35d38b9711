"""What the storm reads of the sandbox is all there is."""

import httpx
import pytest

from chaos.outside import ACCOUNT, Outside
from sandbox.alpaca.api import SECRET
from sandbox.serving import Served
from signalbox.testing.examples import a_quote


async def test_the_books_of_a_broker_are_whole_however_many_orders_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chaos.outside._MOST", 2)
    served = Served()
    await served.start()
    served.trading.venue.hear(a_quote())
    login = {"apca-api-key-id": ACCOUNT, "apca-api-secret-key": SECRET}
    order = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}
    async with httpx.AsyncClient(headers=login, trust_env=False) as web:
        for number in range(5):
            body = order | {"client_order_id": str(number)}
            await web.post(f"{served.url}/alpaca/v2/orders", json=body)
    books = await Outside(lambda: served.url).broker_books()
    assert sorted(books.names) == list("01234")
    await served.context.close()
    await served.stop()
