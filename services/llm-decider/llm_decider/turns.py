"""The attempts of one call at one provider, and what each of them ends with."""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from pydantic import JsonValue

from llm_decider.adapters import prices
from llm_decider.adapters.ledger import Ended
from llm_decider.domain.answer import Judged, read_answer
from llm_decider.domain.attempts import MOST_ATTEMPTS, MOST_TOKENS, Attempt, Call
from llm_decider.domain.costs import Priced
from llm_decider.domain.deciding import Outcome, Result
from llm_decider.domain.shapes import Booking, Ending, Failure, Question, Reply, Usage
from signalbox.contracts.config import LlmConfig

_MOST_TOKENS = 100_000_000  # of one call; a server that says more cannot count
_REPAIR = (
    "Your previous answer did not have the required form. Answer the same question again, as one"
    " JSON object of exactly that form and with nothing around it."
)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a call, and the attempt whose end is still to be stored with it."""

    result: Result
    last: Ended | None = None


@dataclass(slots=True)
class Turn:
    """The attempts of one call at one provider."""

    call: Call
    config: LlmConfig  # who answers
    payers: tuple[str, ...]
    question: Question
    until: datetime  # wall time
    max_tokens: int
    made: int = 0
    repaired: bool = False
    notes: list[str] = field(default_factory=list)

    def ends(
        self, outcome: Outcome, kind: str, message: str, last: Ended | None = None
    ) -> Answered:
        """Nothing more is asked here."""
        found = Result(self.config, outcome, kind=kind, message=message, notes=tuple(self.notes))
        return Answered(found, last)


def read(turn: Turn, reply: Reply) -> Result | None:
    """What an answer says; None when it is to be asked for once more."""
    config = turn.config
    base = Result(
        config,
        "answered",
        served_model=storable(reply.served_model)[:128],
        notes=(*turn.notes, *reply.notes),
    )
    if reply.ending is Ending.REFUSED:
        message = f"The model refused to answer: {storable(reply.detail) or 'it does not say why'}."
        return replace(base, outcome="refused", kind="refused", message=message)
    last = turn.repaired or turn.made >= MOST_ATTEMPTS
    if reply.ending is Ending.TRUNCATED:
        if last or turn.max_tokens * 2 > MOST_TOKENS:
            message = (
                f"The answer broke off at {turn.max_tokens} tokens. Allow more tokens, less effort"
                " or fewer symbols per call."
            )
            return replace(base, outcome="truncated", kind="truncated", message=message)
        turn.max_tokens, turn.repaired = turn.max_tokens * 2, True
        turn.notes.append("the first answer broke off; asked again with room for twice as much")
        return None
    judged: dict[str, Judged] = {}
    if reply.ending is Ending.COMPLETE:
        judged = dict(read_answer(reply.text, turn.question))
    if any(one.outcome == "answered" for one in judged.values()):
        return replace(base, judged=judged)
    if not last:
        turn.repaired = True
        turn.question = replace(turn.question, user=f"{turn.question.user}\n\n{_REPAIR}")
        turn.notes.append("the first answer did not have the required form; asked again")
        return None
    message = storable(reply.detail) or "The answer does not have the required form."
    return replace(base, outcome="invalid", kind="invalid", message=message, judged=judged)


def failed_end(attempt: Attempt, failure: Failure, taken_s: float) -> Ended:
    return Ended(
        attempt,
        failure.booking,
        Decimal(0),
        round(taken_s * 1000, 1),
        outcome=failure.kind,
        error=failure.message,
        status=failure.status,
        request_id=failure.request_id,
    )


def settled_end(config: LlmConfig, attempt: Attempt, reply: Reply, taken_s: float) -> Ended:
    """The end of an attempt that was answered. What is not counted costs its worst case."""
    usage: dict[str, JsonValue] = {"estimated": True}
    cost = attempt.reserved_usd
    if reply.usage is not None and _is_credible(reply.usage):
        usage = asdict(reply.usage)
        priced = prices.price_call(config, reply.usage, attempt.at, served_model=reply.served_model)
        if isinstance(priced, Priced):
            cost = priced.usd
            usage["price"] = {name: str(value) for name, value in asdict(priced.unit).items()}
        else:
            usage["estimated"] = True
    return Ended(
        attempt,
        Booking.SETTLE,
        cost,
        round(taken_s * 1000, 1),
        outcome=reply.ending.value,
        error=storable(reply.detail),
        request_id=storable(reply.request_id),
        usage=usage,
        raw_text=storable(reply.text),
    )


def storable(text: str) -> str:
    """Foreign text as every database takes it: no NUL, no half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _is_credible(usage: Usage) -> bool:
    """Every question has tokens; a server that says none does not count."""
    return usage.input_total > 0 and usage.input_total + usage.output_total <= _MOST_TOKENS
