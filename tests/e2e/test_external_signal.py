"""A program of somebody else's raises a signal by its token, and it is traded like any other."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from chaos.load import add_bot
from chaos.rest import Gateway
from chaos.system import System
from chaos.voices import Voices
from signalbox.testing.wait import until

pytestmark = pytest.mark.e2e


async def test_an_external_signal_becomes_a_trade_once(
    house: System, gateway: Gateway, voices: Voices
) -> None:
    tips = [{"source_type": "external", "source_id": "e2e-tips"}]
    await add_bot(gateway, id="listener", symbols=["TIPS"], sources=tips)
    await voices.quote("TIPS")
    token = await gateway.post("/api/tokens", {"name": "e2e-tips", "scopes": ["signals:write"]})
    headers = {"Authorization": f"Bearer {token['token']}", "Idempotency-Key": str(uuid4())}
    body = {"symbol": "TIPS", "action": "buy", "confidence": "0.9"}
    async with httpx.AsyncClient(
        base_url=house.url("gateway"), headers=headers, trust_env=False
    ) as program:
        answers = [await program.post("/api/signals", json=body) for _ in range(3)]
        changed = await program.post("/api/signals", json={**body, "action": "sell"})
        unread = await program.get("/api/trades")
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len({answer.text for answer in answers}) == 1
    assert (changed.status_code, unread.status_code) == (409, 403)
    signal_id = answers[0].json()["signal_id"]

    async def trade() -> Any:
        found = (await gateway.get("/api/trades", signal=signal_id, bot="listener"))["items"]
        return found[0] if len(found) == 1 else None

    done = await until(trade, 20)
    whose = (done["bot"], done["source_type"], done["source_id"])
    assert whose == ("listener", "external", "e2e-tips")
    earned = (await gateway.get("/api/performance", by="source", bot="listener"))["items"]
    assert [(one["source_id"], one["fills"]) for one in earned] == [("e2e-tips", 1)]
