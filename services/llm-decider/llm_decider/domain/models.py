"""What a provider's record of a model says, for the page and for the calls."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from llm_decider.domain.outcomes import NAMES, clean
from llm_decider.domain.shapes import ModelCheck
from llm_decider.domain.wires import Setting

_SOON = timedelta(days=90)
_COPIED = ("id", "display_name", "owned_by", "lifecycle", "max_input_tokens", "max_tokens")
_SHOWN = 8


def found(provider: str, model: str, record: JsonValue, now: datetime) -> ModelCheck:
    """The check of a model that the provider knows. `now` is the wall clock."""
    fields = record if isinstance(record, dict) else {}
    facts = {name: fields[name] for name in _COPIED if fields.get(name) is not None}
    end = _date(fields.get("shutdown_date") or fields.get("retires_at"))
    if end is not None:
        facts["retires_at"] = end.isoformat()
    facts.update(_capabilities(fields))
    return ModelCheck(
        connected=fields.get("lifecycle") != "retired",
        message=f"{NAMES[provider]} accepts the key and knows {model}.",
        model={"id": model} | facts,
        warnings=_warnings(model, facts, end, now),
    )


def listed(provider: str, model: str, body: JsonValue) -> ModelCheck:
    """The check by the list of models, where a single one is not told about."""
    data = body.get("data") if isinstance(body, dict) else None
    rows = [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []
    names = [name for row in rows if isinstance(name := row.get("id"), str)]
    if model in names:
        message = f"{NAMES[provider]} accepts the key and lists {model}."
        return ModelCheck(connected=True, message=message, model={"id": model})
    shown = ", ".join(clean(name)[:60] for name in names[:_SHOWN])
    hint = f" It offers {shown}{' and others' if len(names) > _SHOWN else ''}." if shown else ""
    return ModelCheck(
        connected=False,
        message=f"{NAMES[provider]} accepts the key but has no model {model}; it may have been"
        f" retired.{hint} Choose another model.",
    )


def refused(record: JsonValue) -> frozenset[Setting]:
    """The settings that the record says the model does not take."""
    capabilities = _capabilities(record if isinstance(record, dict) else {})
    out: set[Setting] = set()
    if capabilities.get("structured_outputs") is False:
        out.add("schema")
    if capabilities.get("efforts") == []:
        out.add("effort")
    return frozenset(out)


def _capabilities(fields: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    known = fields.get("capabilities")
    if not isinstance(known, dict):
        return {}
    facts: dict[str, JsonValue] = {}
    structured, effort = known.get("structured_outputs"), known.get("effort")
    if isinstance(structured, dict) and isinstance(structured.get("supported"), bool):
        facts["structured_outputs"] = structured["supported"]
    if isinstance(effort, dict):
        facts["efforts"] = [
            level
            for level, support in effort.items()
            if isinstance(support, dict) and support.get("supported") is True
        ]
    return facts


def _warnings(
    model: str, facts: Mapping[str, JsonValue], end: datetime | None, now: datetime
) -> tuple[str, ...]:
    lines = []
    if facts.get("lifecycle") == "retired":
        lines.append(f"{model} is retired: choose another model.")
    elif end is not None and end - now < _SOON:
        lines.append(f"{model} is to be retired on {end:%Y-%m-%d}: choose another model before.")
    elif facts.get("lifecycle") == "deprecated":
        lines.append(f"{model} is deprecated: the provider will retire it.")
    if facts.get("structured_outputs") is False:
        lines.append(f"{model} takes no schema: its answers are less often valid.")
    return tuple(lines)


def _date(value: JsonValue) -> datetime | None:
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return when.replace(tzinfo=UTC) if when is not None and when.tzinfo is None else when
