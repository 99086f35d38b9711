"""`make schemas`, `make docs`: the pages and schemas that are made from the code.

With `--check` nothing is written; a file that differs is shown, and the exit code is 1.
"""

import difflib
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import models_json_schema

from scripts import catalogue, interface
from signalbox.contracts.events import EVENTS, Event
from signalbox.contracts.subjects import STREAMS

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = "tests/contract/schemas"
_MADE = "Made from the code by `make docs`; edits are lost."


def generated() -> dict[str, str]:
    """Every generated file by its path below the root."""
    files = {f"{SCHEMAS}/{event.__name__}.json": schema(event) for event in EVENTS}
    files["docs/asyncapi.yaml"] = asyncapi()
    files["docs/events.md"] = events_page()
    files["docs/settings.md"] = settings_page()
    files["services/gateway/web/openapi.json"] = interface.openapi()
    return files


def schema(event: type[Event]) -> str:
    """The JSON Schema of an event as it travels."""
    return json.dumps(event.model_json_schema(mode="serialization"), indent=2) + "\n"


def _summary(kind: type) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0]


def asyncapi() -> str:
    """The same for programs: channels are subjects, operations say who sends and who receives."""
    _, shared = models_json_schema(
        [(event, "serialization") for event in EVENTS], ref_template="#/components/schemas/{model}"
    )
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for event in EVENTS:
        name = _channel_name(event)
        channel = channels.setdefault(name, _channel(event))
        channel["messages"][event.__name__] = _ref(f"components/messages/{event.__name__}")
        roles = {"send": catalogue.senders(event), "receive": catalogue.receivers(event)}
        for action, services in roles.items():
            for service in services:
                operation = operations.setdefault(
                    f"{service}-{action}-{name}",
                    {"action": action, "channel": _ref(f"channels/{name}"), "messages": []},
                )
                operation["tags"] = [{"name": service}]
                operation["messages"].append(_ref(f"channels/{name}/messages/{event.__name__}"))
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Signalbox events",
            "version": "1",
            "description": f"{_MADE} Every message is a CloudEvent 1.0 in structured mode.",
        },
        "servers": {"nats": {"host": "127.0.0.1:4222", "protocol": "nats"}},
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {event.__name__: _message(event) for event in EVENTS},
            "schemas": shared["$defs"],
        },
    }
    return yaml.safe_dump(document, sort_keys=False, width=110, allow_unicode=True)


def _ref(path: str) -> dict[str, str]:
    return {"$ref": f"#/{path}"}


def _channel_name(event: type[Event]) -> str:
    """The fixed parts of the subject behind `sb.v1`."""
    fixed = [p for p in catalogue.address(event).split(".")[2:] if not p.startswith("{")]
    return "-".join(fixed)


def _channel(event: type[Event]) -> dict[str, Any]:
    template = catalogue.address(event)
    return {
        "address": template,
        "description": f"Stored in stream {event.STREAM}.",
        "parameters": {
            name: {"description": "One escaped subject token."}
            for name in catalogue.parameters(template)
        },
        "messages": {},
    }


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event.TYPE,
        "title": event.__name__,
        "summary": _summary(event),
        "payload": _ref(f"components/schemas/{event.__name__}"),
    }


def events_page() -> str:
    """The page that lists every event and every field."""
    lines = [
        f"# Events\n\n{_MADE} What they mean together: [architecture.md](architecture.md). Reading",
        "them from another system: [reading-events.md](reading-events.md).\n",
        "| event | subject | stream | published by | read by |\n|---|---|---|---|---|",
    ]
    lines += [
        f"| [{e.__name__}](#{e.__name__.lower()}) | `{catalogue.address(e)}` | {e.STREAM} |"
        f" {_who(catalogue.senders(e))} | {_who(catalogue.receivers(e))} |"
        for e in EVENTS
    ]
    lines += ["", "## Streams\n", "| stream | keeps | when full | newest per subject |"]
    lines.append("|---|---|---|---|")
    for stream in STREAMS:
        forgets = not stream.money or stream.per_subject > 0
        kept = stream.per_subject if stream.per_subject > 0 else "all"
        full = "drops the oldest" if forgets else "refuses"
        lines.append(f"| {stream.name} | {stream.max_age.days} days | {full} | {kept} |")
    lines += [
        "\n## The envelope\n",
        f"{_summary(Event)} Decimals travel as strings, times as RFC 3339 in UTC.\n",
        *_fields(Event),
    ]
    for event in EVENTS:
        lines += [f"\n## {event.__name__}\n", _summary(event), "", "`data`:\n"]
        lines += _fields(catalogue.payload_of(event))
    lines.append("\n## Parts")
    for part in catalogue.parts(EVENTS):
        lines += [f"\n### {part.__name__}\n", _summary(part), "", *_fields(part)]
    lines.append("\n## Words")
    for word in catalogue.words():
        lines += [f"\n### {word.__name__}\n", _summary(word), ""]
        lines += [
            f"- `{one.default.strip(chr(39))}`{f': {one.meaning}' if one.meaning else ''}"
            for one in catalogue.described(word)
        ]
    return "\n".join(lines) + "\n"


def _who(names: list[str]) -> str:
    return ", ".join(names) or "nobody yet"


def _fields(kind: type) -> list[str]:
    rows = [
        f"| `{one.name}` | {_code(one.kind)} | {_code(one.default)} | {one.meaning} |"
        for one in catalogue.described(kind)
    ]
    return ["| field | type | default | meaning |", "|---|---|---|---|", *rows]


def _code(text: str) -> str:
    escaped = text.replace("|", "\\|")
    return f"`{escaped}`" if text else ""


def settings_page() -> str:
    """The page of every environment variable."""
    lines = [
        f"# Settings\n\n{_MADE} From the environment, or from `.env` in the working directory;",
        "the environment wins. A value that does not fit stops the service at its start.",
    ]
    for owner, kind in catalogue.settings_classes():
        found = catalogue.variables(kind)
        if not found:
            continue
        lines += [f"\n## {owner}\n", "| variable | default | meaning |", "|---|---|---|"]
        lines += [f"| `{v.name}` | {_code(v.default)} | {v.meaning} |" for v in found]
    return "\n".join(lines) + "\n"


def differences() -> list[str]:
    """What a run would change, as lines of a diff."""
    made = generated()
    stale = {f"{SCHEMAS}/{p.name}" for p in (ROOT / SCHEMAS).glob("*.json")} - set(made)
    found: list[str] = [f"{name} is no longer made: delete it\n" for name in sorted(stale)]
    for name, text in made.items():
        path = ROOT / name
        before = path.read_text() if path.exists() else ""
        found += difflib.unified_diff(
            before.splitlines(keepends=True), text.splitlines(keepends=True), name, "the code"
        )
    return found


def main() -> int:
    """The command."""
    if "--check" in sys.argv[1:]:
        found = differences()
        sys.stdout.writelines(found)
        if found:
            sys.stdout.write("run `make docs` and look at what changes\n")
        return 1 if found else 0
    made = generated()
    for name, text in made.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path in (ROOT / SCHEMAS).glob("*.json"):
        if f"{SCHEMAS}/{path.name}" not in made:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
