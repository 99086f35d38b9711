"""Prompts: versions that never change, a pointer that people move, how each version has done."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from gateway.adapters.llm_tables import prompt_versions
from gateway.adapters.prompt_store import ensure_standard
from gateway.domain import standard_prompt
from signalbox.contracts import ids
from signalbox.contracts.assessments import OutcomeScore
from signalbox.contracts.config import LlmDeciderConfig
from signalbox.contracts.errors import TransientError
from signalbox.contracts.events import LlmDecisionMade, OutcomeScored
from signalbox.contracts.values import Action, SourceType
from signalbox.testing.examples import NOON, D, a_decision, a_moment

PROMPTS = "/api/ai-trading/prompts"
DRAFT = {"id": "mine", "name": "Mine", "system": "Be brief.", "user": "{{market}}"}
MODEL = {
    "id": "gpt",
    "provider": "openai",
    "api_key": "k",
    "model": "a-model",
    "symbols": ["AAPL", "MSFT"],
}
FINE = {"problems": [], "variables": ["market"]}


@pytest.fixture
def gateway(gateway: Any) -> Any:
    """One whose llm-decider has nothing against any template."""
    gateway.service.answers["llm-decider", "check_prompt"] = FINE
    return gateway


def prompts_told(gateway: Any) -> list[tuple[str, int, str]]:
    """The versions that decisions use, as llm-decider is told."""
    raw = json.loads(gateway.service.buckets["CONFIG", "llm-decider"])
    document = LlmDeciderConfig.model_validate(raw["document"])
    return [(p.prompt_id, p.version, p.user) for p in document.prompts]


async def test_a_good_prompt_is_there_from_the_start(gateway: Any) -> None:
    async with gateway() as web:
        (found,) = (await web.get(PROMPTS)).json()["items"]
        whole = (await web.get(f"{PROMPTS}/standard")).json()
    assert (found["id"], found["active_version"], found["built_in"]) == ("standard", 1, True)
    assert (whole["system"], whole["user"]) == (standard_prompt.SYSTEM, standard_prompt.USER)
    assert [(a["version"], a["by"]) for a in whole["activations"]] == [(1, "setup")]


async def test_new_words_of_the_program_wait_for_a_person(
    gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standard_prompt, "USER", "{{market}} anew")
    for _ in range(2):
        await gateway.context.configuration.restore()
    async with gateway() as web:
        (found,) = (await web.get(PROMPTS)).json()["items"]
    assert (found["active_version"], found["latest_version"]) == (1, 2)


async def test_versions_never_change_and_rolling_back_moves_the_pointer(gateway: Any) -> None:
    async with gateway() as web:
        await web.post("/api/ai-trading/config", json=MODEL)
        first = await web.post(PROMPTS, json=DRAFT)
        assert (first.status_code, first.json()["version"]) == (201, 1)
        await web.post("/api/ai-trading/config", json={"id": "gpt", "prompt_template": "mine"})
        second = await web.post(PROMPTS, json=DRAFT | {"user": "{{price}}"})
        assert (second.json()["version"], second.json()["active_version"]) == (2, 1)
        assert prompts_told(gateway) == [("mine", 1, "{{market}}")]
        await web.post(f"{PROMPTS}/mine/activate", json={"version": 2})
        assert prompts_told(gateway) == [("mine", 2, "{{price}}")]
        back = await web.post(f"{PROMPTS}/mine/activate", json={"version": 1})
        assert prompts_told(gateway) == [("mine", 1, "{{market}}")]
        versions = (await web.get(f"{PROMPTS}/mine/versions")).json()["items"]
    assert [(v["version"], v["active"], v["user"]) for v in versions] == [
        (2, False, "{{price}}"),
        (1, True, "{{market}}"),
    ]
    assert versions[0]["hash"] != versions[1]["hash"] == back.json()["hash"]
    assert [(a["previous"], a["version"], a["by"]) for a in back.json()["activations"]] == [
        (2, 1, "admin"),
        (1, 2, "admin"),
        (None, 1, "admin"),
    ]
    assert back.json()["used_by"] == ["gpt"]


async def test_the_same_words_are_the_same_version(gateway: Any) -> None:
    async with gateway() as web:
        await web.post(PROMPTS, json=DRAFT)
        again = await web.post(PROMPTS, json=DRAFT)
        assert (again.status_code, again.json()["version"]) == (200, 1)
        third = await web.post(PROMPTS, json=DRAFT | {"user": "{{price}}", "activate": True})
        assert (third.json()["active_version"], third.json()["latest_version"]) == (2, 2)
        old = await web.post(PROMPTS, json=DRAFT | {"activate": True})
        assert (old.status_code, old.json()["version"]) == (200, 1)
        assert (old.json()["active_version"], old.json()["latest_version"]) == (1, 2)


async def test_a_template_that_cannot_be_used_is_refused_by_line_and_column(gateway: Any) -> None:
    problems = [
        {"part": "user", "line": 3, "column": 8, "message": "no variable is called 'pricee'"},
        {"part": "user", "line": 5, "column": 1, "message": "this brace is never closed"},
    ]
    gateway.service.answers["llm-decider", "check_prompt"] = {"problems": problems}
    async with gateway() as web:
        refused = await web.post(PROMPTS, json=DRAFT)
        (only,) = (await web.get(PROMPTS)).json()["items"]
    problem = refused.json()
    assert refused.status_code == 422
    assert problem["detail"] == (
        "user, line 3, column 8: no variable is called 'pricee'; and 1 more"
    )
    places = [(e["field"], e["line"], e["column"], e["message"]) for e in problem["errors"]]
    assert places == [(e["part"], e["line"], e["column"], e["message"]) for e in problems]
    assert only["id"] == "standard"


async def test_nothing_is_saved_while_llm_decider_cannot_check_it(gateway: Any) -> None:
    away = TransientError("llm-decider is not running; nobody answered")
    gateway.service.answers["llm-decider", "check_prompt"] = away
    async with gateway() as web:
        answer = await web.post(PROMPTS, json=DRAFT)
        assert (answer.status_code, "not running" in answer.text) == (503, True)
        assert (await web.get(f"{PROMPTS}/mine")).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("gone/activate", {"version": 1}, 404),
        ("standard/activate", {"version": 9}, 404),
        ("standard/activate", {"version": 0}, 422),
        ("", DRAFT | {"user": ""}, 422),
        ("", DRAFT | {"user": "x" * 8001}, 422),
        ("preview", {}, 422),
        ("preview", {"prompt_id": "standard"}, 422),
        ("preview", {"prompt_id": "standard", "version": 7, "symbols": ["AAPL"]}, 404),
    ],
)
async def test_bad_requests(gateway: Any, path: str, body: Any, status: int) -> None:
    async with gateway() as web:
        answer = await web.post(f"{PROMPTS}/{path}".rstrip("/"), json=body)
    assert answer.status_code == status, answer.text


async def test_pages_of_versions(gateway: Any) -> None:
    async with gateway() as web:
        for number in range(5):
            await web.post(PROMPTS, json=DRAFT | {"user": f"{{{{market}}}} {number}"})
        seen: list[int] = []
        following: str | None = ""
        while following is not None:
            page = (await web.get(f"{PROMPTS}/mine/versions?limit=2{following}")).json()
            seen += [v["version"] for v in page["items"]]
            following = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert seen == [5, 4, 3, 2, 1]


async def test_a_preview_sends_the_stored_words_or_the_draft(gateway: Any) -> None:
    shown = {
        "system": "s",
        "user": "AAPL 210.50",
        "tokens_estimated": 120,
        "cost_usd_estimated": "0.0004",
        "cost_usd_worst": "0.01",
        "warnings": ["No news is known."],
    }
    gateway.service.answers["llm-decider", "preview"] = shown
    async with gateway() as web:
        await web.post("/api/ai-trading/config", json=MODEL)
        stored = await web.post(
            f"{PROMPTS}/preview", json={"prompt_id": "standard", "config_id": "gpt"}
        )
        await web.post(f"{PROMPTS}/preview", json={"user": "{{price}}", "symbols": ["IBM"]})
    assert stored.json() == shown
    first, second = [body for _, verb, body, *_ in gateway.service.asked if verb == "preview"]
    assert (first["user"], first["symbols"]) == (standard_prompt.USER, ["AAPL", "MSFT"])
    assert first["config_id"] == "gpt"
    assert second == {"system": "", "user": "{{price}}", "symbols": ["IBM"]}


def scored(config: str, key: str, moved: str) -> list[Any]:
    """A decision that became a signal, and how that turned out."""
    signal_id = ids.signal_id(SourceType.LLM, config, key)
    made = a_decision(trigger_key=key, prompt_version="standard@1", signal_id=signal_id)
    score = OutcomeScore(
        signal_id=signal_id,
        source_type=SourceType.LLM,
        source_id=config,
        symbol="AAPL",
        action=Action.BUY,
        confidence=D("0.7"),
        horizon_s=3600,
        entry_price=D(200),
        exit_price=D(201),
        forward_return=D(moved),
        at=NOON,
    )
    moment = a_moment()
    return [moment.event(LlmDecisionMade, made), moment.event(OutcomeScored, score)]


async def test_every_version_says_how_it_has_done(gateway: Any) -> None:
    moment = a_moment()
    events = [*scored("gpt", "a", "0.01"), *scored("gpt", "b", "-0.02"), *scored("gpt", "c", "1")]
    held = a_decision(trigger_key="d", action=Action.HOLD, abstained=True, confidence=None)
    refused = a_decision(trigger_key="e", outcome="refused", action=None, confidence=None)
    other = a_decision(trigger_key="f", prompt_version="standard@2")
    events += [moment.event(LlmDecisionMade, made) for made in (held, refused, other)]
    gateway.feed(*events)
    async with gateway() as web:
        (version,) = (await web.get(f"{PROMPTS}/standard/versions")).json()["items"]
    used = version["usage"]
    assert (used["decisions"], used["answered"], used["refused"]) == (5, 4, 1)
    assert (used["buys"], used["holds"], used["abstained"]) == (3, 1, 1)
    assert (used["validity"], used["cost_usd"]) == ("0.8", "0.005")
    assert (version["scored"]["count"], version["scored"]["hit_rate"]) == (3, "0.6667")


def test_a_version_is_kept_once_in_any_database(gateway: Any) -> None:
    with gateway.service.db.begin() as sql:
        for _ in range(3):
            ensure_standard(sql, NOON)
        rows = sql.execute(select(prompt_versions)).all()
    assert [(row.prompt_id, row.version) for row in rows] == [("standard", 1)]
