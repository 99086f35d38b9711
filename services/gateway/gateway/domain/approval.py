"""Which rounds wait for a person, and why none does."""

from collections.abc import Sequence

from gateway.domain.views import VerdictView, View
from signalbox.contracts.values import Outcome


class Released(View):
    """What became of one bot's round."""

    bot: str
    verdict_id: str | None = None
    outcome: str | None = None
    reason: str | None = None
    explanation: str = ""
    problem: str | None = None  # why this round could not be released


def waiting(verdicts: Sequence[VerdictView], bot: str | None) -> list[VerdictView]:
    """The latest rounds that are pending, of one bot or of all."""
    return [v for v in _latest(verdicts, bot) if v.outcome == Outcome.PENDING]


def nothing_waits(verdicts: Sequence[VerdictView], bot: str | None) -> str:
    """Why nothing can be released, in words."""
    latest = _latest(verdicts, bot)
    if not latest:
        who = f"bot {bot!r} has" if bot else "no bot has"
        return f"{who} not judged this signal" if bot else f"{who} judged this signal yet"
    told = "; ".join(f"{v.bot}: {v.outcome}, {v.explanation.rstrip('.')}" for v in latest)
    return f"no bot waits for a person here ({told})"


def _latest(verdicts: Sequence[VerdictView], bot: str | None) -> list[VerdictView]:
    return [v for v in verdicts if v.current and bot in {None, v.bot}]
