"""Parameters from wherever a client puts them: query, JSON or form, with PHP's bracket keys."""

import json
import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser

_STEP = re.compile(r"\[([^\[\]]*)\]")
_DEEPEST = 6
_LONGEST_LIST = 1000
_LONGEST_PART = 16 * 1024 * 1024


class Failure(Exception):
    """What QuantConnect answers as HTTP 200 with `success: false`."""

    def __init__(self, *errors: str) -> None:
        super().__init__("; ".join(errors))
        self.errors = list(errors)


Parameters = Mapping[str, Any]


def read_parameters(query: str, content_type: str, body: bytes) -> dict[str, Any]:
    """Everything that a request says; the body wins over the query.

    Raises:
        Failure: a body that is neither a JSON object nor a form.
    """
    found = nest(parse_qsl(query, keep_blank_values=True))
    text = body.strip()
    if not text:
        return found
    is_form = content_type.startswith("application/x-www-form-urlencoded")
    if is_form and text[:1] not in {b"{", b"["}:  # some clients send JSON under this type
        return found | nest(parse_qsl(_text(body), keep_blank_values=True))
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Failure("Invalid argument: the body is not JSON") from error
    if value == []:
        return found
    if not isinstance(value, dict):
        raise Failure("Invalid argument: the body is not an object")
    return found | value


async def read_multipart(query: str, headers: Headers, body: bytes) -> dict[str, Any]:
    """The same of a form with files; a file is its bytes.

    Raises:
        Failure: the body is no such form.
    """

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        form = await MultiPartParser(headers, stream(), max_part_size=_LONGEST_PART).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise Failure("Invalid argument: the body is no multipart form") from error
    texts: list[tuple[str, str]] = []
    files: dict[str, bytes] = {}
    for key, value in form.multi_items():
        if isinstance(value, str):
            texts.append((key, value))
        else:
            files[key] = await value.read()
    await form.close()
    return nest(parse_qsl(query, keep_blank_values=True)) | nest(texts) | files


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`files[0][name]=main.py` as `{"files": [{"name": "main.py"}]}`."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        name, bracket, rest = key.partition("[")
        steps = _STEP.findall(bracket + rest)[:_DEEPEST]
        place = found
        for step in (name, *steps[:-1]) if steps else ():
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                raise Failure(f"Invalid argument: {key[:60]}")
            place = inner
        place[steps[-1] if steps else name] = value
    return {name: _lists(value) for name, value in found.items()}


def integer(parameters: Parameters, name: str, default: int | None = None) -> int:
    """A whole number.

    Raises:
        Failure: missing without a default, or not a number.
    """
    value = parameters.get(name)
    if value is None or value == "":
        if default is None:
            raise Failure(f"Invalid argument: {name} is required")
        return default
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,18}", text):
        raise Failure(f"Invalid argument: {name} is not an integer")
    return int(text)


def text(parameters: Parameters, name: str, *, longest: int = 200) -> str:
    """A text that is not empty.

    Raises:
        Failure: missing, empty, too long, or no text.
    """
    value = parameters.get(name)
    if not isinstance(value, str | int | float) or isinstance(value, bool) or value == "":
        raise Failure(f"Invalid argument: {name} is required")
    if len(str(value)) > longest:
        raise Failure(f"Invalid argument: {name} is longer than {longest} characters")
    return str(value)


def span(parameters: Parameters, most: int, *, default_start: int | None = 0) -> tuple[int, int]:
    """`start` and `end` (exclusive) of a page.

    Raises:
        Failure: not in order, or wider than `most`.
    """
    start = integer(parameters, "start", default_start)
    end = integer(parameters, "end")
    if start < 0 or start >= end:
        raise Failure("Invalid argument: start must be smaller than end")
    if end - start > most:
        raise Failure(f"Invalid argument: at most {most} items can be read at once")
    return start, end


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(item) for key, item in value.items()}
    if inner and len(inner) <= _LONGEST_LIST and all(key.isdigit() or not key for key in inner):
        return list(inner.values())
    return inner


def _text(body: bytes) -> str:
    return body.decode("utf-8", errors="replace")
