"""What our code adds to one call of a language model, beside the bare call through the same SDK.

`python -m bench llm`: a local server answers at once; every round makes one bare call and has
llm-decider make one, in turn. A call of ours reads the market, renders, reserves, calls, validates,
settles and publishes decision and signal.
"""

import asyncio
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

from nats.aio.msg import Msg

from bench.llm_server import MODEL
from llm_decider.adapters.openai_client import OpenAIClient
from llm_decider.answering import Answerer
from llm_decider.app import build
from llm_decider.domain.attempts import Attempt, Call
from llm_decider.domain.rules import wire_schema
from llm_decider.settings import Settings
from signalbox.contracts.config import LlmConfig, LlmDeciderConfig, PromptVersion, TokenPrice
from signalbox.contracts.events import LlmDecisionMade
from signalbox.contracts.subjects import PREFIX
from signalbox.contracts.values import Target
from signalbox.runtime.migrating import migrate
from signalbox.runtime.natsserver import NatsServer, free_port
from signalbox.runtime.provision.files import prepare
from signalbox.runtime.provision.streams import provision_streams
from signalbox.runtime.secrets import seal
from signalbox.testing.desk import Desk, desk_on, running
from signalbox.testing.examples import NOON, a_bar
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

WANTED_MS = 10.0
_WARM_UP = 20
_PROMPT = PromptVersion(
    prompt_id="bench",
    version=1,
    name="Bench",
    system="You trade {{interval}} bars.",
    user="Decide on {{symbols}} at {{time}}.\n{{market}}\n{{bars}}\n{{position}}",
)


@dataclass(slots=True)
class Bench:
    """What a round needs."""

    desk: Desk
    scratch: sqlite3.Connection
    bare: OpenAIClient
    begun: list[float] = field(default_factory=list)  # when each call was taken up
    heard: dict[str, asyncio.Future[float]] = field(default_factory=dict)  # by decision
    rounds: int = 0

    async def listen(self) -> None:
        """Note when each decision is on the bus."""
        reader = await self.desk.bus("reader")
        await reader.nc.subscribe("sb.v1.llm.>", cb=self._on_message)
        await reader.nc.flush()

    async def _on_message(self, message: Msg) -> None:
        self._when((message.headers or {})["Nats-Msg-Id"]).set_result(time.perf_counter())

    def _when(self, decision_id: str) -> asyncio.Future[float]:
        loop = asyncio.get_running_loop()
        return self.heard.setdefault(decision_id, loop.create_future())

    async def ours(self) -> tuple[float, float]:
        """Milliseconds of a call of ours until it is published: as a whole from the request, and
        since it was taken up.
        """
        self.rounds += 1
        start = time.perf_counter()
        body = {"config_id": "bench", "symbols": ["AAPL"]}
        answer = await self.desk.ask("llm-decider", "decide", body, request_id=f"b{self.rounds}")
        async with asyncio.timeout(10):
            end = await self._when(answer["body"]["decision_ids"]["AAPL"])
        return (end - start) * 1000, (end - self.begun[-1]) * 1000

    async def raw(self, question: dict[str, Any]) -> float:
        """Milliseconds of the same call through the SDK alone."""
        start = time.perf_counter()
        await self.bare.send("responses", question)
        return (time.perf_counter() - start) * 1000


async def report(calls: int) -> str:
    """The table; returns its JSON line."""
    bare: list[float] = []
    whole: list[float] = []
    ours: list[float] = []
    disk: list[float] = []
    async with _bench() as bench:
        for _ in range(_WARM_UP):
            await bench.ours()
        question = await _last_question(bench.desk)
        for _ in range(calls):
            disk.append(_two_commits(bench.scratch))
            bare.append(await bench.raw(question))
            from_request, from_call = await bench.ours()
            whole.append(from_request)
            ours.append(from_call)
    added = [a - b for a, b in zip(ours, bare, strict=True)]
    rows = {
        "request to decision": whole,
        "call": ours,
        "bare SDK call": bare,
        "overhead": added,
        "of it, two commits": disk,
    }
    print(f"\nllm: {calls} calls each, in turn; wanted: overhead p50 up to {WANTED_MS:g} ms")
    print(f"{'':24}{'p50 ms':>9}{'p99 ms':>9}")
    for name, values in rows.items():
        last = statistics.quantiles(values, n=100)[98]
        print(f"{name:24}{statistics.median(values):9.2f}{last:9.2f}")
    line = {
        "bench": "llm",
        "p50": round(statistics.median(ours), 3),
        "p50_bare": round(statistics.median(bare), 3),
        "overhead_p50": round(statistics.median(added), 3),
        "two_commits_p50": round(statistics.median(disk), 3),
    }
    return json.dumps(line)


def _scratch(home: Path) -> sqlite3.Connection:
    """A database that keeps its promises as the service's own does."""
    sql = sqlite3.connect(home / "scratch.sqlite", isolation_level=None)
    for line in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE t (a)"):
        sql.execute(line)
    return sql


def _two_commits(sql: sqlite3.Connection) -> float:
    """Milliseconds of what no program that reserves before and settles after can do without."""
    start = time.perf_counter()
    for _ in range(2):
        sql.execute("BEGIN IMMEDIATE")
        sql.execute("INSERT INTO t VALUES (1)")
        sql.execute("COMMIT")
    return (time.perf_counter() - start) * 1000


@contextmanager
def _noting(begun: list[float]) -> Iterator[None]:
    """Note when a call is taken up, for the time of the block."""
    answer = Answerer.answer

    async def noted(self: Answerer, call: Call, made: Sequence[Attempt] = ()) -> None:
        begun.append(time.perf_counter())
        await answer(self, call, made)

    with patch.object(Answerer, "answer", noted):
        yield


@asynccontextmanager
async def _bench() -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder:
        home, port = Path(folder), free_port()
        prepare(home)
        migrate("llm-decider", home=home, url=None)
        model = subprocess.Popen([sys.executable, "-m", "bench.llm_server", str(port)])  # noqa: ASYNC220 - before anything is measured
        server = NatsServer.start(home, port=0, sync_interval="always")
        try:
            await until(lambda: _answers(port), 10)
            await provision_streams(home, server.url)
            async with desk_on(RunningNats(server)) as desk, _joined(desk, home, port) as bench:
                yield bench
        finally:
            model.terminate()
            model.wait(10)
            server.stop()


@asynccontextmanager
async def _joined(desk: Desk, home: Path, port: int) -> AsyncIterator[Bench]:
    """llm-decider, active, and the bare client beside it."""
    address = f"http://127.0.0.1:{port}"
    await _prepare(desk)
    bench = Bench(desk, _scratch(home), OpenAIClient(f"{address}/openai/v1", "x"))
    await bench.listen()
    settings = Settings(home=home, nats_url=desk.nats.url, sandbox_url=address)
    with _noting(bench.begun):
        async with running(build(settings)):
            yield bench
    await bench.bare.close()
    bench.scratch.close()


async def _prepare(desk: Desk) -> None:
    """Configuration, and a market-data that has an hour of bars."""
    public = await (await desk.bus("gateway")).bucket_get("KEYS", "llm-decider")
    sealed = seal((public or b"").decode(), config_id="bench", field="key", plaintext="x")
    config = LlmConfig(
        id="bench",
        name="Bench",
        provider="openai",
        target=Target.SANDBOX,
        key_sealed=sealed,
        model=MODEL,
        prompt_id="bench",
        symbols=("AAPL",),
        every=None,
        cache_s=0,
        price=TokenPrice(input_usd=Decimal(0), output_usd=Decimal(0)),
    )
    document = LlmDeciderConfig(models=(config,), prompts=(_PROMPT,))
    await desk.configure("llm-decider", document)
    bars = [_bar(ago).model_dump(mode="json") for ago in range(1000, 0, -1)]

    async def tell(message: Msg) -> None:
        count = json.loads(message.data)["body"]["count"]
        await message.respond(json.dumps({"body": {"bars": bars[-count:]}}).encode())

    market = await desk.bus("market-data")
    await market.nc.subscribe(f"{PREFIX}.cmd.market-data.bars", cb=tell)


def _bar(ago: int) -> Any:
    swing = Decimal(ago % 17) / 4
    close = Decimal(210) + swing
    opened = NOON - timedelta(minutes=ago)
    return a_bar(close=close, open=close, high=close + 1, low=close - 1, opened_at=opened)


async def _last_question(desk: Desk) -> dict[str, Any]:
    """What was asked last, as the SDK takes it."""
    decision = desk.of(LlmDecisionMade)[-1].data
    if decision.outcome != "answered":
        raise SystemExit(decision.error)
    body = {"decision_id": str(decision.decision_id)}
    answer = await desk.ask("llm-decider", "attempts", body, request_id="last")
    messages = answer["body"]["messages"]
    form = {"type": "json_schema", "name": "d", "strict": True, "schema": wire_schema(["AAPL"])}
    return {
        "model": MODEL,
        "instructions": messages["system"],
        "input": messages["user"],
        "max_output_tokens": 2000,
        "store": False,
        "text": {"format": form},
    }


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
