"""Request and reply on `sb.v1.cmd.<service>.<verb>`."""

from typing import Any

from pydantic import JsonValue

from signalbox.contracts.values import Name, UtcTime, Value


class Command(Value):
    """What is asked. A repeated `request_id` gets the first answer again, and acts once; with
    another body it is refused.
    """

    request_id: Name
    by: Name  # user, token or service that asks
    deadline: UtcTime  # wall time; after it nobody waits for the answer
    body: dict[str, JsonValue] = {}


class Problem(Value):
    """Why it was not done: the error's class name and the message for a person."""

    kind: str
    message: str


class Reply(Value):
    """The answer: either a body or a problem."""

    body: Any = None
    problem: Problem | None = None
