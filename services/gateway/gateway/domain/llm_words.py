"""What became of a language model's answer, in words."""

from signalbox.contracts.assessments import LlmDecision

_ENDED = {
    "refused": "The model refused to answer, so nothing was traded.",
    "truncated": "The answer was cut off, so nothing was traded. Raise max_tokens.",
    "invalid": "The answer did not pass the checks, so nothing was traded.",
    "failed": "There was no answer, so nothing was traded.",
    "over_budget": "The budget allowed no call, so the model was not asked.",
}
_KEPT = {
    "abstained": "The model saw no ground for a view, so no signal was raised.",
    "suspicious": "The model saw instructions inside the data, so no signal was raised.",
    "dry_run": "This was a dry run: the answer is recorded and never traded.",
    "switched_off": "The model was switched off while it was asked, so no signal was raised.",
    "stale": "The answer came too late for the market it was about, so no signal was raised.",
    "incomplete": "The answer lacks action or confidence, so no signal was raised.",
    "cached": "The same question was answered before, and that answer was raised already.",
}
RAISED = "A signal was raised; its chain shows what every bot made of it."


def explain(made: LlmDecision) -> str:
    """One or two sentences."""
    if made.signal_id is not None:
        return RAISED
    if made.outcome != "answered":
        return " ".join(filter(None, (_ENDED[made.outcome], made.error)))
    return _KEPT.get(made.not_traded, "No signal was raised.")
