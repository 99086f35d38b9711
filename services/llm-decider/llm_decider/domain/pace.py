"""How fast one key may ask: requests and tokens a minute, as set here and as its provider tells.

Nothing is kept here: whoever calls holds one pace per key, in each process. Other processes' calls
show in what the provider tells with its next answer; what comes too early all the same is a 429.
Times are seconds of a clock that does not jump.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from llm_decider.domain import tokens
from llm_decider.domain.shapes import Ask, Usage

_MINUTE_S = 60.0
_KINDS = ("requests", "tokens", "input-tokens", "output-tokens")
_FORMS = ("x-ratelimit-{what}-{kind}", "anthropic-ratelimit-{kind}-{what}")
_COUNT = re.compile(r"\d{1,12}")
_SET = ""  # in the place of a model: what is set here, for all of them

Need = Mapping[str, float]  # by kind


@dataclass(frozen=True, slots=True)
class Bucket:
    """So much may be used at once, and comes back evenly within a minute, as providers count."""

    size: float
    level: float
    at: float = 0.0

    def wait_s(self, amount: float, now: float) -> float:
        """Seconds until so much may be used; what is more than all is used when it is full."""
        missing = min(amount, self.size) - self.filled(now)
        return max(missing * _MINUTE_S / self.size, 0.0)

    def take(self, amount: float, now: float) -> "Bucket":
        """After so much was used, also when that was more than there is; less than nothing gives
        back.
        """
        return Bucket(self.size, min(self.filled(now) - amount, self.size), now)

    def filled(self, now: float) -> float:
        """How much is there."""
        return min(self.level + self.size * (now - self.at) / _MINUTE_S, self.size)


@dataclass(frozen=True, slots=True)
class Pace:
    """The buckets of one key by model and kind. What a provider tells is of one model."""

    buckets: Mapping[tuple[str, str], Bucket]

    def wait_s(self, model: str, need: Need, now: float) -> float:
        """Seconds until a model may be asked for so much."""
        return max((self.buckets[at].wait_s(need[at[1]], now) for at in self._of(model)), default=0)

    def take(self, model: str, need: Need, now: float) -> "Pace":
        """After a model was asked for so much."""
        taken = {at: self.buckets[at].take(need[at[1]], now) for at in self._of(model)}
        return Pace({**self.buckets, **taken})

    def give_back(self, model: str, need: Need, now: float) -> "Pace":
        """After a call that used nothing of what was taken for it."""
        return self.take(model, {kind: -amount for kind, amount in need.items()}, now)

    def used(self, need: Need, usage: Usage, now: float) -> "Pace":
        """After an answer that used less, or more, than was taken for it."""
        at = (_SET, "tokens")
        if at not in self.buckets:
            return self
        more = usage.input_total + usage.output_total - need["tokens"]
        return Pace({**self.buckets, at: self.buckets[at].take(more, now)})

    def heard(self, model: str, headers: Mapping[str, str], now: float, *, others: bool) -> "Pace":
        """After an answer's headers; those that cannot be read say nothing. Of `others` that are
        still on their way the provider may not have known.
        """
        told = {(model, kind): _told(headers, kind, now) for kind in _KINDS}
        found = {at: bucket for at, bucket in told.items() if bucket}
        if others:
            found = {at: self._least(at, bucket, now) for at, bucket in found.items()}
        return Pace({**self.buckets, **found})

    def _least(self, at: tuple[str, str], told: Bucket, now: float) -> Bucket:
        own = self.buckets.get(at)
        return Bucket(told.size, min(told.level, own.filled(now)), now) if own else told

    def _of(self, model: str) -> list[tuple[str, str]]:
        return [at for at in self.buckets if at[0] in {_SET, model}]


def pace_of(requests_per_minute: int | None, tokens_per_minute: int | None) -> Pace:
    """The pace of a key that was not used yet; none: only what its provider tells counts."""
    limits = {"requests": requests_per_minute, "tokens": tokens_per_minute}
    return Pace({(_SET, kind): Bucket(most, most) for kind, most in limits.items() if most})


def need_of(ask: Ask) -> Need:
    """What a call may use, as providers count before they answer: `max_tokens` in full."""
    tokens_in = tokens.estimated(ask.question)
    amounts = (1, tokens_in + ask.max_tokens, tokens_in, ask.max_tokens)
    return dict(zip(_KINDS, amounts, strict=True))


def _told(headers: Mapping[str, str], kind: str, now: float) -> Bucket | None:
    for form in _FORMS:
        limit, left = (
            headers.get(form.format(kind=kind, what=what), "") for what in ("limit", "remaining")
        )
        if _COUNT.fullmatch(limit) and _COUNT.fullmatch(left) and int(limit):
            return Bucket(int(limit), min(int(left), int(limit)), now)
    return None
