"""What it means that a provider gave no answer: what is billed, whether to ask again, what to say.

One place for every row of the error table. Only codes and types are branched on, wording never,
but for two messages that have no code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import JsonValue

from llm_decider.domain.shapes import Booking, Failure

NAMES = {"openai": "OpenAI", "claude": "Anthropic"}
_MOST_SHOWN = 240
_NOT_BILLED = frozenset({500, 501, 503, 529})  # with the provider's own error body
_SECRET = re.compile(r"(?:\b(?:sk|key|pk|rk|gsk|xai)-|bearer\s+)\S{4,}|\S*\*{3,}\S*", re.I)
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")
_CODES = {
    "context_length_exceeded": "too_long",
    "request_body_too_large_after_decoding": "too_long",
    "insufficient_quota": "exhausted",
    "billing_hard_limit_reached": "exhausted",
    "enforced_spend_limit_reached": "exhausted",
    "contract_spend_limit_reached": "exhausted",
    "linked_organization_spend_limit_reached": "exhausted",
    "linked_organization_billing_unavailable": "exhausted",
    "organization_on_hold": "exhausted",
    "model_not_found": "unknown_model",
    "invalid_api_key": "credentials",
}
_STATUSES = {
    400: "bad_request",
    401: "credentials",
    402: "exhausted",
    403: "forbidden",
    404: "unknown_model",
    408: "timed_out",
    409: "conflict",
    413: "too_long",
    422: "bad_request",
    429: "rate_limited",
}
_PASSING = frozenset(
    {"conflict", "gateway", "overloaded", "provider_error", "rate_limited", "timed_out"}
)
_BREAKING = frozenset({"credentials", "exhausted", "forbidden", "unknown_model", "address"})
_WORDS = {
    "address": "{who} does not answer at this address like a model's server. Check the base URL"
    " of the model's settings.",
    "bad_request": "{who} does not accept the request{said}. Check the model's settings and the"
    " prompt template; the same question is not sent again.",
    "conflict": "{who} reports a conflict{said}. It is asked again.",
    "credentials": "{who} does not accept the API key. Enter a valid key in the model's settings;"
    " until then this model is not asked, but for a try now and then.",
    "exhausted": "The account at {who} may spend no more{said}. Add credit or raise the limit at"
    " {who}; it is tried again every few minutes.",
    "forbidden": "{who} does not allow this key to use the model{said}. Choose another model, or"
    " give the key access to it.",
    "gateway": "Something between here and {who} answered in its place (HTTP {status}). It is asked"
    " again; whether the call is billed is not known, so its worst case counts until then.",
    "overloaded": "{who} is overloaded. It is asked again a little later.",
    "provider_error": "{who} had an error of its own{said}. It is asked again a little later.",
    "rate_limited": "{who} limits how often this key may ask{said}. Asking slows down; fewer"
    " symbols, a longer interval or a higher limit at {who} prevent this.",
    "timed_out": "{who} gave up waiting for the request. It is asked again.",
    "too_long": "The question is longer than the model takes{said}. Show it fewer symbols per call"
    " or choose a model with a larger context.",
    "unknown_model": "{who} has no such model for this key{said}. It may have been retired: choose"
    " another one in the model's settings.",
}


class Broken(StrEnum):
    """How a call ended without an HTTP answer, or with one that cannot be used."""

    NOT_SENT = "unreachable"
    BAD_ADDRESS = "address"
    LOST = "connection_lost"
    DEADLINE = "deadline"
    NO_SLOT = "busy"
    CUT = "cut_off"
    NOT_JSON = "not_json"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    UNUSABLE = "unusable"


_BROKEN: Mapping[Broken, tuple[Booking, bool, str]] = {
    Broken.NOT_SENT: (
        Booking.RELEASE,
        True,
        "{who} cannot be reached. Check the network and the address; it is asked again.",
    ),
    Broken.BAD_ADDRESS: (Booking.RELEASE, False, _WORDS["address"]),
    Broken.LOST: (
        Booking.HOLD,
        True,
        "The connection to {who} broke off before the answer was complete. It may be billed, so"
        " its worst case counts.",
    ),
    Broken.DEADLINE: (
        Booking.HOLD,
        False,
        "{who} did not answer in time. It may be billed, so its worst case counts. A longer"
        " deadline, less effort or a faster model helps.",
    ),
    Broken.NO_SLOT: (
        Booking.RELEASE,
        False,
        "Too many calls to {who} were under way, or as many as its key may make in a minute, so"
        " this one was not made in time. Fewer symbols, a longer interval or higher limits prevent"
        " this.",
    ),
    Broken.CUT: (
        Booking.HOLD,
        True,
        "The answer of {who} arrived incomplete. It may be billed, so its worst case counts.",
    ),
    Broken.NOT_JSON: (
        Booking.HOLD,
        False,
        "What answered in place of {who} is no model's server: perhaps a login page. Check the"
        " base URL and the network's proxy.",
    ),
    Broken.MALFORMED: (
        Booking.HOLD,
        True,
        "{who} answered without what an answer must have{said}. It may be billed, so its worst"
        " case counts.",
    ),
    Broken.TOO_LARGE: (
        Booking.HOLD,
        False,
        "The answer of {who} was larger than any decision. It was not read; its worst case counts.",
    ),
    Broken.UNUSABLE: (
        Booking.HOLD,
        False,
        "The call to {who} failed in an unexpected way{said}. Its worst case counts.",
    ),
}
_ONCE = frozenset({Broken.LOST, Broken.CUT, Broken.MALFORMED})


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as it came. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    retry_after_s: float | None = None  # what the server asked to wait

    @property
    def request_id(self) -> str:
        """The provider's name for the request."""
        found = self.headers.get("x-request-id") or self.headers.get("request-id") or ""
        return found[:100]


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error body says, whoever wrote it."""

    code: str = ""
    type: str = ""
    param: str = ""
    message: str = ""


def read_problem(body: JsonValue) -> Problem | None:
    """The error inside a body; None when it holds none."""
    if not isinstance(body, dict):
        return None
    error = body.get("error", body if "message" in body else None)
    if isinstance(error, str):
        return Problem(message=error)
    if not isinstance(error, dict):
        return None
    details = error.get("details")
    code = error.get("code")
    if code is None and isinstance(details, dict):
        code = details.get("error_code")
    return Problem(
        code="" if code is None else str(code),
        type=_text(error.get("type")),
        param=_text(error.get("param")),
        message=_text(error.get("message")),
    )


def judge_error(provider: str, answer: Answer, body: JsonValue) -> Failure:
    """What an answer with a status other than 2xx means."""
    problem = read_problem(body)
    kind = _kind(answer.status, problem)
    held = kind == "gateway" or answer.status == 408
    said = problem.message if problem and kind != "credentials" else ""
    return Failure(
        kind=kind,
        message=words(_WORDS[kind], provider, said=said, status=answer.status),
        booking=Booking.HOLD if held else Booking.RELEASE,
        retry=kind in _PASSING,
        retry_after_s=answer.retry_after_s,
        breaks=kind in _BREAKING,
        status=answer.status,
        request_id=answer.request_id,
    )


def judge_failed(provider: str, problem: Problem | None, request_id: str) -> Failure:
    """What it means that a complete answer calls itself failed and counts no tokens."""
    code = problem.code if problem else ""
    kind = "rate_limited" if code == "rate_limit_exceeded" else "provider_error"
    return Failure(
        kind=kind,
        message=words(_WORDS[kind], provider, said=problem.message if problem else ""),
        booking=Booking.RELEASE if kind == "rate_limited" else Booking.HOLD,
        retry=True,
        once=kind == "provider_error",
        status=200,
        request_id=request_id,
    )


def _kind(status: int, problem: Problem | None) -> str:
    if problem is not None and status < 500:
        named = _CODES.get(problem.code) or _CODES.get(problem.type)
        if named is not None:
            return named
        if status == 400 and re.search(r"reached your .*API usage limits", problem.message):
            return "exhausted"
        if status == 400 and "prompt is too long" in problem.message:
            return "too_long"
    if status < 400 or (status in {404, 405} and problem is None):
        return "address"
    if status >= 500:
        if status == 529:
            return "overloaded"
        return "provider_error" if problem is not None and status in _NOT_BILLED else "gateway"
    return _STATUSES.get(status, "bad_request")


def broken(
    provider: str, how: Broken, *, said: str = "", status: int | None = None, request_id: str = ""
) -> Failure:
    """What it means that there is no usable answer."""
    booking, retry, text = _BROKEN[how]
    return Failure(
        kind=how.value,
        message=words(text, provider, said=said, status=status or 0),
        booking=booking,
        retry=retry,
        once=how in _ONCE,
        breaks=how is Broken.BAD_ADDRESS,
        status=status,
        request_id=request_id,
    )


def unreadable(provider: str, answer: Answer) -> Failure:
    """What it means that a good status came with something that is not JSON."""
    start = answer.content.lstrip()[:1]
    json_like = not start or start in b"{[" or "json" in answer.headers.get("content-type", "")
    how = Broken.CUT if json_like else Broken.NOT_JSON
    return broken(provider, how, status=answer.status, request_id=answer.request_id)


def words(text: str, provider: str, *, said: str = "", status: int = 0) -> str:
    """A sentence for the user. What the provider said is quoted, short and without secrets."""
    quoted = clean(said)
    return text.format(
        who=NAMES.get(provider, provider), said=f" ({quoted})" if quoted else "", status=status
    )


def clean(text: str) -> str:
    """Foreign text on one line, cut, and without what looks like a key."""
    whole = text[:4000].encode("utf-8", "replace").decode()  # no half of a surrogate pair
    line = _SECRET.sub("***", _NOT_SHOWN.sub(" ", whole)).strip().rstrip(".")
    return line if len(line) <= _MOST_SHOWN else line[: _MOST_SHOWN - 1] + "…"


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
