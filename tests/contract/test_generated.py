"""What is made from the code is up to date: a changed file is the review of a changed contract."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from scripts import catalogue, generate
from signalbox.contracts.events import EVENTS, Event
from signalbox.runtime.provision.permissions import everyone, may_publish
from signalbox.testing import examples

SCHEMAS = Path(__file__).parent / "schemas"


def test_nothing_generated_differs_from_the_code() -> None:
    assert "".join(generate.differences()) == ""


def test_the_check_shows_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["generate.py"])
    assert generate.main() == 0
    assert generate.differences() == []
    (tmp_path / generate.SCHEMAS / "Gone.json").touch()
    page = tmp_path / "docs" / "events.md"
    page.write_text(page.read_text().replace("# Events", "# Edited"))
    monkeypatch.setattr("sys.argv", ["generate.py", "--check"])
    assert generate.main() == 1
    said = capsys.readouterr().out
    assert "-# Edited" in said
    assert "Gone.json is no longer made" in said
    monkeypatch.setattr("sys.argv", ["generate.py"])
    assert generate.main() == 0
    assert not (tmp_path / generate.SCHEMAS / "Gone.json").exists()


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(examples.raised(examples.a_signal()), id="signal"),
        pytest.param(examples.reached(examples.a_verdict(), 7), id="verdict"),
    ],
)
def test_an_event_as_it_travels_fits_its_schema(event: Event) -> None:
    schema = json.loads((SCHEMAS / f"{type(event).__name__}.json").read_text())
    body = json.loads(event.encode())
    jsonschema.validate(body, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**body, "data": {}}, schema)


def _document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(generate.asyncapi())
    return document


def _resolve(document: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return here + [r for value in node.values() for r in _references(value)]
    return [r for value in node for r in _references(value)] if isinstance(node, list) else []


def test_every_reference_of_the_asyncapi_page_resolves() -> None:
    document = _document()
    references = _references(document)
    assert len(references) > 100
    for reference in references:
        assert _resolve(document, reference) is not None


def test_channels_are_the_subjects_and_name_their_parameters() -> None:
    channels = _document()["channels"]
    addresses = {channel["address"] for channel in channels.values()}
    assert addresses == {catalogue.address(event) for event in EVENTS}
    for channel in channels.values():
        assert set(channel["parameters"]) == set(catalogue.parameters(channel["address"]))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_named_senders_are_those_whom_the_server_lets_publish(event: type[Event]) -> None:
    fill = {"source_type": ("quantconnect", "llm", "strategy", "manual", "external")}
    template, named = catalogue.address(event), set(catalogue.senders(event))
    allowed: set[str] = set()
    for user, rights in everyone().items():
        for value in fill["source_type"]:
            subject = template.replace("{source_type}", value).replace("{service}", user)
            subject = subject.replace("{", "").replace("}", "")
            if may_publish(rights, subject):
                allowed.add(user)
    assert named == allowed


@pytest.mark.parametrize(
    ("event", "readers"),
    [
        pytest.param(
            "SignalRaised",
            ["llm-decider", "decision-router", "executor", "lab", "gateway"],
            id="signals",
        ),
        pytest.param("VerdictReached", ["executor", "gateway"], id="verdicts"),
        pytest.param(
            "BarClosed", ["llm-decider", "strategy-runner", "gateway", "sandbox"], id="bars"
        ),
        pytest.param(
            "QuoteUpdated", ["llm-decider", "executor", "gateway", "sandbox"], id="quotes"
        ),
    ],
)
def test_named_readers(event: str, readers: list[str]) -> None:
    kind = next(e for e in EVENTS if e.__name__ == event)
    assert catalogue.receivers(kind) == readers


def test_every_setting_says_what_it_is_for() -> None:
    for owner, kind in catalogue.settings_classes():
        for variable in catalogue.variables(kind):
            assert variable.meaning.endswith("."), f"{owner}: {variable.name}"
