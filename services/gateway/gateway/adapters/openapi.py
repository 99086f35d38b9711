"""What an example is, and how it gets into the description of the interface."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Example:
    """One request as it may be sent, and what it is answered."""

    answer: JsonValue = None  # none: no body
    status: int = 200
    given: Mapping[str, JsonValue] = field(default_factory=dict)  # parameters of path and query
    body: JsonValue = None


def illustrate(schema: dict[str, Any], examples: Mapping[str, Example]) -> None:
    """Put each example to its operation.

    Raises:
        LookupError: an example's operation, parameter or status is not there.
    """
    operations = {
        operation["operationId"]: operation
        for path in schema["paths"].values()
        for operation in path.values()
    }
    for name, example in examples.items():
        operation = operations[name]
        parameters = {one["name"]: one for one in operation.get("parameters", [])}
        for parameter, value in example.given.items():
            parameters[parameter]["example"] = value
        if example.body is not None:
            operation["requestBody"]["content"]["application/json"]["example"] = example.body
        if example.answer is not None:
            answer = operation["responses"][str(example.status)]
            answer["content"]["application/json"]["example"] = example.answer
