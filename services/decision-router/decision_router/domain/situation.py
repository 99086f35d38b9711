"""Under what a signal is judged: the configuration and the market's time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from signalbox.contracts.config import BotConfig
from signalbox.contracts.values import SourceType

Source = tuple[SourceType, str]  # type and id

# A bot's `strategy_source` chooses among these three; manual and external always pass it.
_CHOSEN = {
    SourceType.STRATEGY: "traditional",
    SourceType.QUANTCONNECT: "quantconnect",
    SourceType.LLM: "llm",
}


@dataclass(frozen=True, slots=True)
class Situation:
    """One configuration at one instant. Answers are remembered, so make one per batch."""

    bots: Sequence[BotConfig]
    flags: Mapping[SourceType, bool]  # a type that is not listed is on
    now: datetime  # market clock
    epoch: int = 0  # of the market clock
    replay: bool = False  # whether prices are replayed
    _listening: dict[Source, tuple[BotConfig, ...]] = field(default_factory=dict, compare=False)
    _off: dict[tuple[str, Source], str] = field(default_factory=dict, compare=False)

    def listening(self, source: Source) -> tuple[BotConfig, ...]:
        """The bots that owe this source a verdict, also where its rule is switched off."""
        found = self._listening.get(source)
        if found is None:
            found = tuple(bot for bot in self.bots if bot.listens_to(*source))
            self._listening[source] = found
        return found

    def bot(self, bot_id: str) -> BotConfig | None:
        """The bot of that id, if there still is one."""
        return next((bot for bot in self.bots if bot.id == bot_id), None)

    def switched_off(self, bot: BotConfig, source: Source) -> str:
        """Why this bot does not act on this source, in words; empty when it does."""
        key = (bot.id, source)
        found = self._off.get(key)
        if found is None:
            found = self._off[key] = _switched_off(bot, self.flags, source)
        return found


def _switched_off(bot: BotConfig, flags: Mapping[SourceType, bool], source: Source) -> str:
    source_type, source_id = source
    if not flags.get(source_type, True):
        return f"the feature flag of {source_type} is off"
    rules = [rule for rule in bot.sources if rule.source_type == source_type]
    # A rule that names the source overrides the one for its whole type.
    named = [rule for rule in rules if rule.source_id == source_id]
    deciding = named or [rule for rule in rules if rule.source_id is None]
    if not deciding:
        return f"the bot does not list {source_type} {source_id}"
    if not all(rule.enabled for rule in deciding):
        return f"the bot has switched {source_type} {source_id} off"
    chosen = _CHOSEN.get(source_type, bot.strategy_source)
    if bot.strategy_source not in {"hybrid", chosen}:
        return f"the bot's strategy source is {bot.strategy_source}"
    return ""
