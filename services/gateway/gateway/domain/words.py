"""Why a signal was or was not traded, in words for a person."""

from collections.abc import Mapping

from signalbox.contracts.values import Reason

WORDS: Mapping[Reason, str] = {
    Reason.LEADS: "No other source speaks against it, so the bot follows it",
    Reason.AGREES: "A higher source leads on the same side, and this bot lets others add to it",
    Reason.APPROVED: "A person approved it",
    Reason.AWAITS_APPROVAL: "The bot waits for a person to approve or decline it",
    Reason.DECLINED: "A person declined it",
    Reason.LAPSED: "Nobody approved it before it expired",
    Reason.WITHDRAWN: "Its source took it back",
    Reason.NO_SUBSCRIBER: "No bot listens to this source",
    Reason.SOURCE_DISABLED: "This source is switched off, for this bot or for all",
    Reason.BOT_DISABLED: "The bot is switched off",
    Reason.SYMBOL_NOT_ALLOWED: "The bot does not trade this symbol",
    Reason.EXPIRED: "It had expired when it arrived",
    Reason.STALE_WORD: "The source has said something newer on this symbol",
    Reason.LOW_CONFIDENCE: "The source is less sure than this bot asks for",
    Reason.NO_OPINION: "A hold changes nothing",
    Reason.HELD_BY_HIGHER: "A source that ranks higher wants the opposite, and its word stands",
    Reason.LED_BY_HIGHER: "A source that ranks higher already leads on the same side",
    Reason.HELD_BY_EQUAL: "A source of the same rank wants the opposite, and its word stands",
    Reason.BLOCKED_BY_HOLD: "A source that ranks higher says hold, and this bot obeys that",
    Reason.VETOED: "Another source wants the opposite, and in this bot any such word blocks",
    Reason.NO_CONSENSUS: "Too few sources agree",
    Reason.OUTWEIGHED: "The other side weighs as much or more",
    Reason.COOLDOWN: "The bot has just acted on this symbol and side, and pauses",
    Reason.REPLAY_FEED: "It is a real signal, and prices are replayed: nothing real trades now",
    Reason.CONFIG_CHANGED: "The bot's account or mode has changed since",
}


def explain(reason: str) -> str:
    """The reason as a sentence; one that is not known yet stays as it is."""
    return f"{WORDS[Reason(reason)]}." if reason in set(Reason) else reason
