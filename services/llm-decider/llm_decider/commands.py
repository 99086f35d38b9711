"""What llm-decider does on request."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from pydantic import JsonValue
from sqlalchemy import Connection as Sql

from llm_decider import bodies, reporting
from llm_decider.adapters import ledger, prices, store
from llm_decider.adapters.store import Lease
from llm_decider.answering import At, Host
from llm_decider.calling import OpenLine
from llm_decider.domain import templates, triggers
from llm_decider.domain.attempts import Intent, calls_of
from llm_decider.domain.costs import Priced
from llm_decider.domain.preview import preview
from llm_decider.domain.shapes import ModelCheck, Usage
from llm_decider.domain.variables import VARIABLES
from llm_decider.reading import Reader
from llm_decider.status import Reporter
from llm_decider.worker import Worker
from signalbox.contracts.commands import Command
from signalbox.contracts.config import LlmConfig, LlmDeciderConfig, PromptVersion, TokenPrice
from signalbox.contracts.errors import Malformed, NotFound, PermanentError
from signalbox.contracts.events import Event
from signalbox.contracts.ids import plain

Answer = dict[str, JsonValue]
T = TypeVar("T")

_SHOWN = 200  # most attempts in one answer
_TYPICAL_ANSWER = 250  # tokens for one symbol


@dataclass(frozen=True, slots=True)
class Commands:
    """The answers of llm-decider."""

    host: Host
    worker: Worker
    reporter: Reporter
    reader: Reader
    open_line: OpenLine
    mend: Callable[[LlmConfig], None]  # lets the next call try at once

    async def test(self, command: Command) -> Answer:
        """Whether a config's key and model are accepted; nothing is spent."""
        config = _model(self.host.moment().config, bodies.text(command, "config_id"))
        found = await check(self.open_line, config)
        await self.reporter.checked(config, found)
        if found.connected:
            self.mend(config)
        return {
            "connected": found.connected,
            "message": found.message,
            "model": dict(found.model) if found.model is not None else None,
            "warnings": list(found.warnings),
            "left_out": reporting.left_out(config),
        }

    async def decide(self, command: Command) -> Answer:
        """Have models asked about symbols now. What is asked is stored; the answer comes as events.

        Raises:
            NotFound: no such config.
            Malformed: a symbol that the config does not name.
        """
        moment = self.host.moment()
        config = _model(moment.config, bodies.text(command, "config_id"))
        group = [
            Intent(
                decision_id=triggers.decision_id(config.id, command.request_id, symbol),
                config_id=config.id,
                symbol=symbol,
                trigger="request",
                trigger_key=command.request_id,
                at=moment.now,
                epoch=moment.epoch,
                created_at=moment.wall,
            )
            for symbol in _symbols(command, config)
        ]
        calls = calls_of(
            group,
            config,
            dry_run=command.body.get("dry_run") is True,
            asked_by=str(command.body.get("by") or command.by)[:128],
        )
        anybody = Lease("", moment.wall, timedelta(0))
        await self.host.write(lambda sql, _now: store.add_calls(sql, calls, anybody))
        self.worker.hurry()
        return {
            "call_ids": [str(call.call_id) for call in calls],
            "decision_ids": {intent.symbol: str(intent.decision_id) for intent in group},
        }

    async def check_prompt(self, command: Command) -> Answer:
        """What is wrong with a template, and which variables it uses."""
        system, user = bodies.string(command, "system"), bodies.string(command, "user")
        names = dict.fromkeys((*templates.names_used(system), *templates.names_used(user)))
        return {
            "problems": [asdict(problem) for problem in templates.check(system, user)],
            "variables": list(names),
        }

    async def variables(self, _command: Command) -> Answer:
        """Everything that a template may name."""
        return {"variables": [asdict(variable) for variable in VARIABLES]}

    async def preview(self, command: Command) -> Answer:
        """A template as it would be sent now, and about what it would cost; no call is made.

        Raises:
            Malformed: the template cannot be rendered.
            NotFound: no such config or prompt.
        """
        moment = self.host.moment()
        prompt = _prompt(command, moment.config)
        config = _previewed(command, moment.config, prompt)
        symbols = _symbols(command, config, free=True)[: config.symbols_per_call]
        markets = await self.reader.markets(config, symbols)
        shown = preview(config, prompt, markets, nonce=secrets.token_hex(8))
        usage = Usage(
            input_total=shown.tokens_estimated,
            output_total=min(_TYPICAL_ANSWER * len(symbols), config.max_tokens),
        )
        likely = prices.price_call(config, usage, moment.wall)
        worst = prices.price_worst(config, shown.tokens_at_most, config.max_tokens, moment.wall)
        warnings = list[JsonValue](shown.warnings)
        if not isinstance(likely, Priced):
            warnings.append(likely.message)
        return {
            "system": shown.question.system,
            "user": shown.question.user,
            "symbols": list(shown.question.symbols),
            "tokens_estimated": shown.tokens_estimated,
            "cost_usd_estimated": plain(likely.usd) if isinstance(likely, Priced) else None,
            "cost_usd_worst": plain(worst.usd) if isinstance(worst, Priced) else None,
            "warnings": warnings,
        }

    async def attempts(self, command: Command) -> Answer:
        """Every attempt at a decision, and what was asked.

        Raises:
            NotFound: no such decision, or it was long ago.
        """
        wanted = bodies.uuid(command, "decision_id")

        def read(sql: Sql) -> Answer:
            found = store.find_call(sql, wanted)
            if found is None:
                raise NotFound(f"no attempts at decision {wanted} are kept")
            call, messages = found
            made = ledger.attempts_of(sql, call.call_id)
            return {"attempts": [bodies.attempt_body(one) for one in made], "messages": messages}

        return await self._read(read)

    async def unresolved(self, command: Command) -> Answer:
        """Attempts of unknown cost, newest first, with the decisions that wait for them, and where
        the list goes on.

        Raises:
            Malformed: `limit` or `after` is not one.
        """
        most, after = bodies.limit(command, _SHOWN), bodies.place(command)

        def read(sql: Sql) -> Answer:
            found, following = ledger.unresolved(sql, most, after)
            decisions = store.decided(sql, [one.call_id for one in found])
            told: list[JsonValue] = [
                bodies.call_body(one) | {"decisions": {**decisions[one.call_id]}} for one in found
            ]
            return {"attempts": told, "next": list(following) if following else None}

        return await self._read(read)

    async def budgets(self, _command: Command) -> Answer:
        """Every budget as it stands."""
        moment = self.host.moment()
        found = await self._read(lambda sql: ledger.standing(sql, moment.config, moment.wall))
        return {"budgets": [reporting.budget_body(purse) for purse in found]}

    async def settle(self, command: Command) -> Answer:
        """Enter what an attempt of unknown outcome has cost.

        Raises:
            NotFound: no such attempt.
            Conflict: its cost is known already.
            Malformed: the cost is not a number from 0.
        """
        wanted, cost = bodies.uuid(command, "attempt_id"), bodies.cost(command)

        def work(sql: Sql, moment: At) -> Iterable[Event]:
            return reporting.budget_alerts(moment, ledger.resolve(sql, moment.config, wanted, cost))

        await self.host.transact(work)
        return {"attempt_id": str(wanted), "cost_usd": plain(cost)}

    async def _read(self, look: Callable[[Sql], T]) -> T:
        if self.host.db is None:
            raise TypeError("llm-decider has no database")
        return await self.host.db.read(look)


async def check(open_line: OpenLine, config: LlmConfig) -> ModelCheck:
    """Whether a config's key and model are accepted."""
    try:
        line = open_line(config)
    except PermanentError as error:
        return ModelCheck(False, f"The key cannot be used: {error}. Enter it again.")
    return await line.check(config.model)


def _model(document: LlmDeciderConfig, config_id: str) -> LlmConfig:
    for config in document.models:
        if config.id == config_id:
            return config
    raise NotFound(f"no model config {config_id!r}")


def _previewed(command: Command, document: LlmDeciderConfig, prompt: PromptVersion) -> LlmConfig:
    """The config that a preview is for; without one, a stand-in of no provider's price."""
    if command.body.get("config_id") is not None:
        return _model(document, bodies.text(command, "config_id"))
    free = TokenPrice(input_usd=Decimal(0), output_usd=Decimal(0))
    return LlmConfig(
        id="preview",
        name="Preview",
        provider="openai",
        key_sealed="",
        model="preview",
        prompt_id=prompt.prompt_id,
        symbols=("AAPL",),
        symbols_per_call=10,
        price=free,
    )


def _prompt(command: Command, document: LlmDeciderConfig) -> PromptVersion:
    prompt_id = command.body.get("prompt_id")
    if command.body.get("user") is None:
        for prompt in document.prompts:
            if prompt.prompt_id == prompt_id:
                return prompt
        raise NotFound(f"no prompt {prompt_id!r} with an active version")
    system, user = bodies.string(command, "system"), bodies.string(command, "user")
    problems = templates.check(system, user)
    if problems:
        first = problems[0]
        raise Malformed(f"{first.part}, line {first.line}, column {first.column}: {first.message}")
    return PromptVersion(prompt_id="preview", version=1, name="Preview", system=system, user=user)


def _symbols(command: Command, config: LlmConfig, *, free: bool = False) -> list[str]:
    """The symbols that a command names; without any, all of the config."""
    named = command.body.get("symbols")
    if named is None or named == []:
        return list(config.symbols)
    if not isinstance(named, list) or not all(isinstance(one, str) and one for one in named):
        raise Malformed("symbols is not a list of symbols")
    symbols = list(dict.fromkeys(str(one) for one in named))
    unknown = sorted(set(symbols) - set(config.symbols))
    if unknown and not free:
        raise Malformed(f"{config.name} does not name {', '.join(unknown)}; add them to it first")
    return symbols
