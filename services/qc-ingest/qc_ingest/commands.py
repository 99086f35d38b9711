"""What qc-ingest does on request."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import JsonValue

from qc_ingest.adapters.accounts import Accounts
from qc_ingest.adapters.quantconnect import QuantConnect
from qc_ingest.asking import chosen_configs, config_of, text, time_left_s
from qc_ingest.domain.answers import trouble_of
from qc_ingest.domain.health import Connection, clock_hint, explain
from qc_ingest.domain.projects import Project
from qc_ingest.polling import Host, Tally
from qc_ingest.worker import Poller
from signalbox.contracts.commands import Command
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.errors import PermanentError, TransientError


@dataclass(frozen=True, slots=True)
class Commands:
    """The answers of qc-ingest."""

    host: Host
    poller: Poller
    accounts: Accounts

    async def test(self, command: Command) -> dict[str, JsonValue]:
        """Whether QuantConnect accepts a config: `{connected, message, projects}`.

        When it does, polling tries again at once.
        """
        config = config_of(self.host, text(command, "config_id"))
        client: QuantConnect | None = None
        try:
            async with asyncio.timeout(time_left_s(self.host, command)):
                client = self.accounts.open(config, patient=False)
                await client.authenticate()
                projects = await client.projects.all()
        except TimeoutError:
            return _answer(False, "QuantConnect did not answer in time. Try again.")
        except (PermanentError, TransientError) as error:
            skew_s = client.skew_s if client else None
            words = explain(trouble_of(error), str(error), user_id=config.user_id, skew_s=skew_s)
            return _answer(False, words)
        self.poller.wake(config.id)
        return _answer(True, _welcome(config, projects) + clock_hint(client.skew_s), projects)

    async def fetch(self, command: Command) -> dict[str, JsonValue]:
        """Read one config, or all active ones, now: `{fetched, raised}`.

        Raises:
            TransientError: one of them cannot be read; the message says why.
        """
        done: list[tuple[Tally, Connection]] = []
        late = ""
        try:
            async with asyncio.timeout(time_left_s(self.host, command)):
                for config in chosen_configs(self.host, command):
                    done.append((await self.poller.cycle(config))[:2])
        except TimeoutError:
            late = "Not everything was read in time; polling goes on."
        problems = [late, *(found.last_error for _, found in done if found.trouble)]
        if any(problems):
            raise TransientError(" ".join(filter(None, problems)))
        return {
            "fetched": sum(tally.fetched for tally, _ in done),
            "raised": sum(tally.raised for tally, _ in done),
        }


def _welcome(config: QuantConnectConfig, projects: list[Project]) -> str:
    named = {project.id: project.name for project in projects}
    if config.project_id is None:
        return f"Connected. {len(projects)} projects can be read."
    if config.project_id in named:
        return f"Connected. Project {named[config.project_id]!r} can be read."
    found = f"project {config.project_id} is not among the {len(projects)} that can be read"
    return f"Connected, but {found}."


def _answer(
    connected: bool, message: str, projects: Iterable[Project] = ()
) -> dict[str, JsonValue]:
    listed: list[JsonValue] = [{"id": project.id, "name": project.name} for project in projects]
    return {"connected": connected, "message": message, "projects": listed}
