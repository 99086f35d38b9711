"""QuantConnect's own command-line client, pointed at a sandbox of the test's."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from sandbox.quantconnect.endpoints import ORGANIZATION_ID, Pace
from sandbox.serving import Served, serving
from sandbox.tests.prices import real_history

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
CLIENTS = ROOT / ".venv-clients"
MODULES = "modules-1.14.json"  # what this version of the client expects beside its code
_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did."""

    code: int
    text: str  # both streams, blanks and line ends as one blank


@dataclass(slots=True)
class Lean:
    """The client, in a home and a workspace of its own."""

    home: Path
    sandbox: Served
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(HERE / "outside"),
            "SANDBOX_PORT": str(self.sandbox.port),
            "QC_API": "local",
            "COLUMNS": "200",
        }
        self.workspace.mkdir()
        (self.workspace / "data").mkdir()
        settings = {
            "organization-id": ORGANIZATION_ID,
            "data-folder": "data",
            "file-database-last-update": f"{datetime.now():%m/%d/%Y %H:%M:%S}",  # noqa: DTZ005 - the client compares with its local time
        }
        (self.workspace / "lean.json").write_text(json.dumps(settings), encoding="utf-8")

    @property
    def workspace(self) -> Path:
        """Where projects lie."""
        return self.home / "workspace"

    async def run(self, *arguments: str) -> Ran:
        """Run a command to its end."""
        process = await asyncio.create_subprocess_exec(
            str(CLIENTS / "bin" / "lean"),
            *arguments,
            cwd=self.workspace,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(_TIMEOUT_S):
            said, _ = await process.communicate()
        return Ran(process.returncode or 0, " ".join(said.decode().split()))

    async def good(self, *arguments: str) -> str:
        """Run a command that succeeds; what it says."""
        ran = await self.run(*arguments)
        assert ran.code == 0, f"lean {' '.join(arguments)}: {ran.text}"
        return ran.text

    async def refused(self, *arguments: str) -> str:
        """Run a command that fails; what it says."""
        ran = await self.run(*arguments)
        assert ran.code != 0, f"lean {' '.join(arguments)}: {ran.text}"
        return ran.text

    async def project(self, name: str = "Demo") -> int:
        """A new project, pushed; its id at QuantConnect."""
        await self.good("create-project", "--language", "python", name)
        await self.good("cloud", "push", "--project", name)
        config = (self.workspace / name / "config.json").read_text(encoding="utf-8")
        return int(json.loads(config)["cloud-id"])


@pytest.fixture(scope="session")
def installed_client() -> None:
    """The client's code, and the list of brokerages that it would download at its first start."""
    found = list(CLIENTS.glob("lib/python*/site-packages/lean"))
    if not found:
        pytest.fail(f"{CLIENTS.name} is not there: run `make clients` once, or `make test`")
    beside = found[0] / f".{MODULES}.{os.getpid()}"
    shutil.copyfile(HERE / "modules.json", beside)
    beside.replace(found[0] / MODULES)


@pytest.fixture
async def sandbox() -> AsyncIterator[Served]:
    """A sandbox whose backtests see the real prices."""
    pace = Pace(compile_s=0.1, backtest_s=0.3)
    async with serving(pace=pace, history=real_history()) as served:
        served.desk.begin(1, [])
        yield served


@pytest.fixture
async def lean(installed_client: None, sandbox: Served, tmp_path: Path) -> Lean:
    """The client, logged in."""
    client = Lean(tmp_path, sandbox)
    await client.good("login", "--user-id", "123", "--api-token", "abc")
    return client
