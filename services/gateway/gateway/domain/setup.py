"""Everything that is configured, as one value, and the documents that services get of it."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from gateway.domain.connections import Connection
from gateway.domain.llm import LanguageModel
from signalbox.contracts.accounts import AccountConfig, KillSwitch
from signalbox.contracts.config import (
    ALL_SOURCES,
    BotConfig,
    Budget,
    Document,
    ExecutorConfig,
    GatewayConfig,
    IngestConfig,
    LabConfig,
    LlmDeciderConfig,
    MarketConfig,
    PromptVersion,
    RouterConfig,
    StrategyConfig,
    StrategyInstance,
)
from signalbox.contracts.errors import Conflict, NotFound
from signalbox.contracts.values import SourceType, Value


class Named(Protocol):
    """What is found by its id."""

    @property
    def id(self) -> str:
        """The id that a person picked."""


N = TypeVar("N", bound=Named)


class Setup(Value):
    """All configuration at one version. Changed only by making another one."""

    bots: tuple[BotConfig, ...] = ()
    accounts: tuple[AccountConfig, ...] = ()
    connections: tuple[Connection, ...] = ()
    strategies: tuple[StrategyInstance, ...] = ()
    flags: dict[SourceType, bool] = ALL_SOURCES
    kill_switch: KillSwitch = KillSwitch()
    market: MarketConfig = MarketConfig()
    models: tuple[LanguageModel, ...] = ()
    prompts: tuple[PromptVersion, ...] = ()  # the active version of each
    llm_budget: Budget = LlmDeciderConfig().budget  # of all models together

    def documents(self) -> dict[str, Document]:
        """What each service is told, by service."""
        return {
            "decision-router": RouterConfig(bots=self.bots, flags=self.flags),
            "executor": ExecutorConfig(
                bots=self.bots, accounts=self.accounts, kill_switch=self.kill_switch
            ),
            "qc-ingest": IngestConfig(quantconnect=tuple(c.document() for c in self.connections)),
            "llm-decider": self._llm_decider(),
            "strategy-runner": StrategyConfig(instances=self.strategies),
            "market-data": self.market,
            "lab": LabConfig(),
            "gateway": GatewayConfig(),
        }

    def _llm_decider(self) -> LlmDeciderConfig:
        """Models that can be asked, and the prompts that they use."""
        used = {model.prompt_id for model in self.models}
        return LlmDeciderConfig(
            models=tuple(model.document() for model in self.models if not model.lacks),
            prompts=tuple(prompt for prompt in self.prompts if prompt.prompt_id in used),
            bots=self.bots,
            budget=self.llm_budget,
        )


def find(items: Iterable[N], key: str) -> N | None:
    """The item with this id."""
    return next((item for item in items if item.id == key), None)


def pick(items: Iterable[N], key: str, what: str) -> N:
    """The item with this id.

    Raises:
        NotFound: there is none; `what` names the kind in the message.
    """
    found = find(items, key)
    if found is None:
        raise NotFound(f"there is no {what} {key!r}")
    return found


def put(items: Sequence[N], item: N) -> tuple[N, ...]:
    """The items with this one added, or in the place of the one with its id; sorted by id."""
    others = [other for other in items if other.id != item.id]
    return tuple(sorted((*others, item), key=lambda one: one.id))


def without(items: Sequence[N], key: str) -> tuple[N, ...]:
    """The items but for the one with this id."""
    return tuple(item for item in items if item.id != key)


def put_bot(setup: Setup, bot: BotConfig, version: int) -> Setup:
    """Add or change a bot; a new account or mode, as a new bot, binds it to this version.

    Raises:
        NotFound: there is no such account.
        Conflict: the account belongs to another bot.
    """
    pick(setup.accounts, bot.account, "account")
    holder = next((b for b in setup.bots if b.account == bot.account and b.id != bot.id), None)
    if holder is not None:
        raise Conflict(
            f"account {bot.account!r} belongs to bot {holder.id!r}; every bot has its own"
        )
    before = find(setup.bots, bot.id)
    same = before is not None and (before.account, before.live) == (bot.account, bot.live)
    bound = before.bound_version if before is not None and same else version
    return setup.model_copy(
        update={"bots": put(setup.bots, bot.model_copy(update={"bound_version": bound}))}
    )


def put_account(setup: Setup, account: AccountConfig) -> Setup:
    """Add or change an account. Its broker and mode never change, so no bot is bound anew."""
    return setup.model_copy(update={"accounts": put(setup.accounts, account)})


def remove_bot(setup: Setup, bot: str, holds: Sequence[str]) -> Setup:
    """Take a bot out; `holds` are the symbols it has open positions or working orders in. Prompts
    show its positions no more.

    Raises:
        NotFound: there is no such bot.
        Conflict: something is open.
    """
    pick(setup.bots, bot, "bot")
    if holds:
        raise Conflict(f"bot {bot!r} still holds {', '.join(holds)}; flatten it first")
    kill = setup.kill_switch
    return setup.model_copy(
        update={
            "bots": without(setup.bots, bot),
            "models": tuple(
                m.model_copy(update={"bot": None}) if m.bot == bot else m for m in setup.models
            ),
            "kill_switch": kill.model_copy(update={"bots": kill.bots - {bot}}),
        }
    )


def remove_account(setup: Setup, account: str, holds: Sequence[str]) -> Setup:
    """Take an account out; `holds` are the symbols that are open on it.

    Raises:
        NotFound: there is no such account.
        Conflict: a bot uses it, or something is open.
    """
    pick(setup.accounts, account, "account")
    user = next((bot.id for bot in setup.bots if bot.account == account), None)
    if user is not None:
        raise Conflict(f"account {account!r} belongs to bot {user!r}; delete the bot first")
    if holds:
        raise Conflict(f"account {account!r} still holds {', '.join(holds)}; flatten it first")
    kill = setup.kill_switch
    return setup.model_copy(
        update={
            "accounts": without(setup.accounts, account),
            "kill_switch": kill.model_copy(update={"accounts": kill.accounts - {account}}),
        }
    )


def releases(before: KillSwitch, after: KillSwitch) -> bool:
    """Whether `after` lets anything trade that `before` stops."""
    if after.everything:
        return False
    return (
        before.everything or not before.accounts <= after.accounts or not before.bots <= after.bots
    )
