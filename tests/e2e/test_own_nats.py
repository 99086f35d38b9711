"""`make run` on a nats-server that somebody else runs: it is used as it is, or refused in words."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chaos.load import add_bot
from chaos.rest import Gateway, signed_in
from chaos.storm import NATS
from chaos.system import System
from signalbox.runtime import natsserver
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until
from tests.e2e.conftest import ADMIN_PASSWORD, OwnSystem

pytestmark = pytest.mark.e2e
SOURCE = "own-nats"
END_S = 40.0  # of a start that fails


async def trade(system: System, gateway: Gateway, token: str) -> Any:
    """A program raises a signal, and it is filled. It says it again, under the same key, while the
    gateway answers that the market's clock is not renewed yet.
    """
    program = Gateway(lambda: system.url("gateway"), "")
    program.token = token
    body = {"symbol": "AAPL", "action": "buy", "confidence": "0.9"}
    signal_id = (await program.post("/api/signals", body))["signal_id"]
    await program.close()

    async def filled() -> Any:
        return (await gateway.get("/api/trades", signal=signal_id, bot=SOURCE))["items"]

    return await until(filled, 30)


async def test_a_server_that_is_there_is_used_and_no_other_is_started(
    own_system: OwnSystem, nats_server: RunningNats
) -> None:
    system = own_system(SIGNALBOX_NATS_URL=nats_server.url)
    shutil.copytree(nats_server.home / "credentials", system.home / "credentials")
    system.start()
    assert NATS not in system.programs()
    assert not (system.home / "nats" / "store").exists()
    async with signed_in(lambda: system.url("gateway"), ADMIN_PASSWORD) as gateway:
        sources = [{"source_type": "external", "source_id": SOURCE}]
        await add_bot(gateway, id=SOURCE, symbols=["AAPL"], sources=sources)
        made = await gateway.post("/api/tokens", {"name": SOURCE, "scopes": ["signals:write"]})
        await trade(system, gateway, made["token"])
        nats_server.restart()
        await until(system.all_ready, 60, every=0.05)
        await trade(system, gateway, made["token"])
    reader = await nats_server.connect("reader")
    stored = await reader.jetstream().stream_info("ORDERS")
    await reader.close()
    assert stored.state.messages > 0
    assert system.stop() == 0
    assert natsserver.ready(nats_server.server.port), "it is not ours to stop"


async def refused(system: System) -> str:
    """What the terminal says when it could not start."""
    system.process = process = system.launch()
    await until(lambda: process.poll() is not None, END_S, every=0.05)
    assert process.returncode == 1
    assert not (system.home / "run.json").exists()
    return system.log()


async def test_a_server_that_cannot_be_reached_is_told(own_system: OwnSystem) -> None:
    url = f"nats://127.0.0.1:{natsserver.free_port()}"
    said = await refused(own_system(SIGNALBOX_NATS_URL=url))
    assert f"could not start: no nats-server can be reached at {url}" in said
    assert "unset SIGNALBOX_NATS_URL" in said


async def test_a_server_with_other_users_is_told_where_ours_are(
    own_system: OwnSystem, nats_server: RunningNats
) -> None:
    system = own_system(SIGNALBOX_NATS_URL=nats_server.url)
    said = await refused(system)
    users = system.home / "nats" / "nats.conf"
    assert f"{nats_server.url} does not let user provision in" in said
    assert f"must be started with the users of {users}" in said
    names = {user["user"] for user in json.loads(users.read_text())["accounts"]["SB"]["users"]}
    assert {"provision", "executor", "gateway"} <= names


@pytest.fixture
async def old_server() -> AsyncIterator[str]:
    """A server that says of itself that it is 2.9.25, and lets everybody in."""
    about = {"server_id": "old", "version": "2.9.25", "max_payload": 1 << 20, "headers": True}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"INFO {json.dumps(about)}\r\n".encode())
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(b"PONG\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_server_that_is_too_old_is_told(own_system: OwnSystem, old_server: str) -> None:
    said = await refused(own_system(SIGNALBOX_NATS_URL=old_server))
    assert f"the nats-server at {old_server} is 2.9.25; 2.14.0 or newer is needed" in said
