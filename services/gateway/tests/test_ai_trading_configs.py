"""Language models: keys that go nowhere else, addresses that are refused, what is told."""

import json
import re
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.adapters.llm_tables import llm_trading_configs
from gateway.adapters.primary_tables import config_versions
from gateway.domain.llm_bodies import DecisionBody, LlmConfigBody
from gateway.domain.llm_edits import save_model, sealed_key
from gateway.domain.llm_urls import check_base_url
from gateway.domain.setup import Setup
from gateway.starting import Environment, start
from signalbox.contracts import payloads as p
from signalbox.contracts.config import LlmDeciderConfig, PromptVersion
from signalbox.contracts.errors import Conflict, Malformed, NotFound
from signalbox.contracts.events import StateChanged
from signalbox.testing.examples import NOON, a_moment

KEY = "sk-canary-7f21c09ab4"
CONFIG = "/api/ai-trading/config"
MODEL: dict[str, Any] = {
    "id": "gpt",
    "name": "Mine",
    "provider": "openai",
    "api_key": KEY,
    "model": "a-model",
    "symbols": ["AAPL", "MSFT", "AAPL"],
}


def told(gateway: Any) -> LlmDeciderConfig:
    """What llm-decider reads in the bucket."""
    raw = json.loads(gateway.service.buckets["CONFIG", "llm-decider"])
    return LlmDeciderConfig.model_validate(raw["document"])


async def save(web: Any, **body: Any) -> Any:
    return await web.post(CONFIG, json=body)


async def test_a_key_is_sealed_to_llm_decider_and_shown_never_again(gateway: Any) -> None:
    async with gateway() as web:
        made = await save(web, **MODEL)
        assert made.status_code == 201, made.text
        texts = [made.text]
        for path in (CONFIG, f"{CONFIG}/gpt", "/api/ai-trading/status"):
            texts.append((await web.get(path)).text)
    shown = made.json()
    assert (shown["api_key_hint"], shown["symbols"]) == (KEY[-4:], ["AAPL", "MSFT"])
    (model,) = told(gateway).models
    opened = gateway.service.llm_box.open(model.key_sealed, config_id="gpt", field="key")
    assert opened == KEY
    with gateway.service.db.begin() as sql:
        rows = sql.execute(select(llm_trading_configs)).all()
        stored = repr(rows) + repr(sql.execute(select(config_versions)).all())
    messages = " ".join(m.body.decode() for m in gateway.service.sent)
    for text in (*texts, stored, messages):
        assert KEY not in text
    assert model.key_sealed not in " ".join(texts)


async def test_what_the_page_tells_people_to_send_is_taken(gateway: Any) -> None:
    page = (Path(__file__).parents[3] / "docs" / "llm-trading.md").read_text()
    bodies = [json.loads(one) for one in re.findall(r"-d '(\{.*?\})'", page, re.DOTALL)]
    openai, claude, local, asked = bodies
    async with gateway() as web:
        for body in (openai, claude):
            assert (await save(web, **body)).status_code == 201
        answer = await save(web, **local)
    assert answer.status_code == 422
    assert "SIGNALBOX_LLM_PRIVATE_URLS=true" in answer.json()["detail"]
    assert "SIGNALBOX_LLM_PRIVATE_URLS=true" in page
    check_base_url(local["provider"], local["base_url"], private=True)
    assert DecisionBody.model_validate(asked | {"config_id": "local"}).dry_run


async def test_defaults_are_modest(gateway: Any) -> None:
    async with gateway() as web:
        made = (await save(web, **MODEL)).json()
    assert made["prompt_template"] == "standard"
    assert made["budget"] == {"day_usd": "1", "month_usd": "20"}
    assert (made["every"], made["cache_s"], made["target"]) == (15, 300, "real")
    assert (made["todo"], made["warnings"]) == ("", [])
    (prompt,) = told(gateway).prompts
    assert (prompt.prompt_id, prompt.version) == ("standard", 1)
    assert "{{" in prompt.user


@pytest.mark.parametrize(
    "change",
    [
        {"provider": "claude"},
        {"base_url": "https://models.example.com/v1"},
        {"target": "sandbox"},
    ],
)
async def test_a_stored_key_goes_only_where_it_was_entered_for(
    gateway: Any, change: dict[str, Any]
) -> None:
    async with gateway() as web:
        await save(web, **MODEL)
        before = told(gateway)
        refused = await save(web, id="gpt", **change)
        assert refused.status_code == 422
        assert "needs its api_key too" in refused.json()["detail"]
        assert told(gateway) == before
        allowed = await save(web, id="gpt", api_key="another-key", **change)
    assert allowed.status_code == 200, allowed.text
    (model,) = told(gateway).models
    opened = gateway.service.llm_box.open(model.key_sealed, config_id="gpt", field="key")
    assert opened == "another-key"


async def test_what_is_left_out_stays_and_null_clears(gateway: Any) -> None:
    async with gateway() as web:
        await save(web, **MODEL, temperature="0.2", every=5, move="0.01", budget={"day_usd": "3"})
        await save(web, id="gpt", every=None, temperature=None, budget={"month_usd": None})
        kept = (await web.get(f"{CONFIG}/gpt")).json()
    assert (kept["every"], kept["temperature"], kept["move"]) == (None, None, "0.01")
    assert kept["budget"] == {"day_usd": "3", "month_usd": None}
    (model,) = told(gateway).models
    assert (model.budget.day_usd, model.budget.month_usd) == (D(3), None)


@pytest.mark.parametrize(
    ("over", "words"),
    [
        pytest.param({"api_key": None}, "needs api_key", id="no key"),
        pytest.param({"model": None, "symbols": None}, "needs model and symbols", id="no model"),
        pytest.param({"id": "total"}, "stands for all models", id="name of all budgets"),
        pytest.param({"prompt_template": "gone"}, "no prompt 'gone'", id="no prompt"),
        pytest.param({"bot": "gone"}, "no bot 'gone'", id="no bot"),
        pytest.param({"fallback": "gone"}, "no LLM config 'gone'", id="no fallback"),
        pytest.param({"fallback": "gpt"}, "another config than this", id="its own fallback"),
        pytest.param({"provider": "claude", "wire": "chat"}, "chat is for OpenAI", id="wire"),
        pytest.param({"move": "0"}, "move: ", id="a move of nothing"),
        pytest.param({"temperature": "NaN"}, "temperature: ", id="no number"),
        pytest.param({"symbols": ["aapl"]}, "symbols.0: ", id="no symbol"),
        pytest.param({"base_url": "http://10.0.0.1/v1"}, "private network", id="private"),
        pytest.param(
            {"base_url": "https://a.example.com/v1", "target": "sandbox"},
            "talks to the sandbox",
            id="sandbox elsewhere",
        ),
        pytest.param({"surprise": 1}, "surprise: is not known here", id="unknown field"),
    ],
)
async def test_what_does_not_fit_is_refused_in_words(
    gateway: Any, over: dict[str, Any], words: str
) -> None:
    async with gateway() as web:
        answer = await save(web, **(MODEL | over))
    assert answer.status_code in {404, 422}, answer.text
    assert words in answer.json()["detail"]
    assert told(gateway).models == ()
    assert KEY not in answer.text


@pytest.mark.parametrize(
    ("provider", "url", "private", "words"),
    [
        ("openai", "https://models.example.com/v1", False, ""),
        ("claude", "https://models.example.com/anthropic", False, ""),
        ("claude", "https://models.example.com/v1/", False, "leave out /v1"),
        ("openai", "http://models.example.com/v1", True, "use https"),
        ("openai", "http://127.0.0.1:11434/v1", False, "SIGNALBOX_LLM_PRIVATE_URLS"),
        ("openai", "http://127.0.0.1:11434/v1", True, ""),
        ("openai", "http://ollama:11434/v1", False, "SIGNALBOX_LLM_PRIVATE_URLS"),
        ("openai", "http://ollama:11434/v1", True, ""),
        ("openai", "https://box.lan/v1", False, "SIGNALBOX_LLM_PRIVATE_URLS"),
        ("openai", "https://localhost./v1", False, "SIGNALBOX_LLM_PRIVATE_URLS"),
        ("openai", "https://169.254.169.254./v1", True, "no model server"),
        ("openai", "https://a.%6cocalhost/v1", False, "plain characters"),
        ("openai", "https://[::1]/v1", False, "SIGNALBOX_LLM_PRIVATE_URLS"),
        ("openai", "https://[::ffff:10.0.0.1]/v1", False, "SIGNALBOX_LLM_PRIVATE_URLS"),
        ("openai", "https://169.254.169.254/v1", True, "no model server"),
        ("openai", "https://[::ffff:169.254.169.254]/v1", True, "no model server"),
        ("openai", "https://0.0.0.0/v1", True, "no model server"),
        ("openai", "https://2130706433/v1", True, "in full"),
        ("openai", "https://127.1/v1", True, "in full"),
        ("openai", "https://0x7f.0x1/v1", True, "in full"),
        ("openai", "https://user:word@example.com/v1", True, "user and password"),
        ("openai", "https://example.com/v1?key=1", True, "what follows"),
        ("openai", "ftp://example.com", True, "https://host/path"),
        ("openai", "https:///v1", True, "https://host/path"),
        ("openai", "https://example.com:99999/v1", True, "not an address"),
        ("openai", "https://exa mple.com/v1", True, "plain characters"),
        ("openai", "https://exämple.com/v1", True, "plain characters"),
    ],
)
def test_base_urls(provider: str, url: str, private: bool, words: str) -> None:
    if not words:
        check_base_url(provider, url, private=private)
        return
    with pytest.raises(Malformed, match=words.replace("/", "\\/")):
        check_base_url(provider, url, private=private)


def test_two_new_ones_of_one_name_never_become_one() -> None:
    body = LlmConfigBody.model_validate({**MODEL, "id": None})
    secret = sealed_key("openai", KEY, "sealed")
    prompt = PromptVersion(prompt_id="standard", version=1, name="S", system="", user="u")
    fields: dict[str, Any] = {"key": "mine", "owner": "o", "at": NOON}
    first = save_model(Setup(prompts=(prompt,)), body, secret, **fields)
    with pytest.raises(Conflict, match="'mine' was added a moment ago"):
        save_model(first.setup, body, secret, **fields)


async def test_a_fallback_is_of_the_same_kind_and_is_not_deleted(gateway: Any) -> None:
    async with gateway() as web:
        await save(web, **MODEL)
        await save(web, **(MODEL | {"id": "spare"}))
        assert (await save(web, id="gpt", fallback="spare")).status_code == 200
        moved = await save(web, id="spare", target="sandbox", api_key="k")
        assert moved.status_code == 422
        assert "never stand in for a real model" in moved.json()["detail"]
        refused = await web.delete(f"{CONFIG}/spare")
        assert (refused.status_code, "'gpt' falls back" in refused.text) == (409, True)
        assert (await save(web, id="gpt", fallback=None)).status_code == 200
        assert (await web.delete(f"{CONFIG}/spare")).status_code == 204
        assert (await web.get(f"{CONFIG}/spare")).status_code == 404


async def test_prompts_show_no_position_of_a_bot_that_is_gone(gateway: Any) -> None:
    async with gateway() as web:
        await web.post("/api/bots", json={"id": "alpha"})
        await save(web, **MODEL, bot="alpha")
        assert [b.id for b in told(gateway).bots] == ["alpha"]
        await web.delete("/api/bots/alpha")
    assert [m.bot for m in told(gateway).models] == [None]


async def test_a_test_waits_until_the_config_has_arrived_and_warns(gateway: Any) -> None:
    found = {
        "connected": True,
        "message": "Key and model are accepted.",
        "model": {"id": "a-model"},
        "warnings": ["It retires soon."],
        "left_out": ["temperature"],
    }
    answers = [NotFound("no model config 'gpt'"), found]
    gateway.service.answers["llm-decider", "test"] = lambda _body: answers.pop(0)
    async with gateway() as web:
        await save(web, **MODEL)
        answer = await web.post(f"{CONFIG}/gpt/test")
        missing = await web.post(f"{CONFIG}/gone/test")
    assert answer.json() == found
    assert (missing.status_code, answers) == (404, [])


async def test_the_page_warns_of_settings_that_the_model_does_not_take(gateway: Any) -> None:
    said = p.State(
        service="llm-decider",
        kind="connection",
        id="gpt",
        body={
            "connected": True,
            "warnings": ["It retires soon."],
            "left_out": ["temperature"],
            "last_ok_at": NOON.isoformat(),
            "last_error": "It limits our requests.",
            "trouble": "rate_limited",
            "next_at": (NOON + timedelta(minutes=1)).isoformat(),
        },
        at=NOON,
    )
    async with gateway() as web:
        await save(web, **MODEL, temperature="1")
        gateway.feed(a_moment().event(StateChanged, said))
        config = (await web.get(f"{CONFIG}/gpt")).json()
        (status,) = (await web.get("/api/ai-trading/status")).json()["items"]
    assert config["warnings"] == status["warnings"] == ["It retires soon."]
    assert config["left_out"] == ["temperature"]
    told_of = ("connected", "last_ok_at", "last_error", "trouble", "next_at")
    assert [status[name] for name in told_of] == [
        True,
        "2026-08-03T16:00:00Z",
        "It limits our requests.",
        "rate_limited",
        "2026-08-03T16:01:00Z",
    ]


def environment(home: Path, **over: Any) -> Environment:
    given: dict[str, Any] = {
        "home": home,
        "admin_password": None,
        "demo": False,
        "quantconnect_api_key": None,
        "quantconnect_api_secret": None,
    }
    return Environment(**(given | over))


async def test_keys_of_the_environment_are_kept_until_a_person_picks_a_model(
    gateway: Any, tmp_path: Path
) -> None:
    given = environment(tmp_path, openai_api_key=KEY, anthropic_api_key="sk-ant-canary")
    for _ in range(2):
        await start(gateway.context, given)
    assert told(gateway).models == ()
    async with gateway() as web:
        found = (await web.get(CONFIG)).json()["items"]
        assert [(c["provider"], c["is_active"]) for c in found] == [
            ("claude", False),
            ("openai", False),
        ]
        assert "pick model and symbols first" in found[0]["todo"]
        tested = await web.post(f"{CONFIG}/environment-openai/test")
        assert (tested.status_code, "pick model" in tested.text) == (409, True)
        early = await save(web, id="environment-openai", is_active=True)
        assert (early.status_code, "pick model" in early.text) == (422, True)
        picked = {"model": "a-model", "symbols": ["AAPL"], "is_active": True}
        await save(web, id="environment-openai", **picked)
    (model,) = told(gateway).models
    assert (model.target, model.active) == ("real", True)
    opened = gateway.service.llm_box.open(model.key_sealed, config_id=model.id, field="key")
    assert opened == KEY
    await start(gateway.context, environment(tmp_path, openai_api_key="sk-newer"))
    (newer,) = told(gateway).models
    opened = gateway.service.llm_box.open(newer.key_sealed, config_id=newer.id, field="key")
    assert (opened, newer.model, newer.active) == ("sk-newer", "a-model", True)


async def test_a_key_that_some_config_holds_is_not_imported_again(
    gateway: Any, tmp_path: Path
) -> None:
    async with gateway() as web:
        await save(web, **MODEL)
        await start(gateway.context, environment(tmp_path, openai_api_key=KEY))
        assert [c["id"] for c in (await web.get(CONFIG)).json()["items"]] == ["gpt"]


async def test_the_demo_asks_both_forms_on_the_sandbox(gateway: Any, tmp_path: Path) -> None:
    await start(gateway.context, environment(tmp_path, demo=True))
    models = told(gateway).models
    assert [(m.provider, m.target, m.active) for m in models] == [
        ("claude", "sandbox", True),
        ("openai", "sandbox", True),
    ]
    for model in models:
        box = gateway.service.llm_box
        assert box.open(model.key_sealed, config_id=model.id, field="key") == "sandbox-key"
    async with gateway() as web:
        for model in models:
            assert (await web.delete(f"{CONFIG}/{model.id}")).status_code == 204
        await start(gateway.context, environment(tmp_path, demo=True))
        assert (await web.get(CONFIG)).json()["items"] == []


async def test_a_document_that_fits_into_no_message_is_refused(gateway: Any) -> None:
    gateway.service.answers["llm-decider", "check_prompt"] = {"problems": [], "variables": []}
    long = "ä" * 8000
    async with gateway() as web:
        for number in range(12):
            prompt = {"id": f"p{number}", "system": long, "user": f"{number:02}{long[2:]}"}
            await web.post("/api/ai-trading/prompts", json=prompt)
            body = MODEL | {"id": f"m{number}", "prompt_template": f"p{number}"}
            last = await save(web, **body)
    assert last.status_code == 409
    assert "the configuration of llm-decider would take" in last.json()["detail"]
    sizes = [len(m.body) for m in gateway.service.sent]
    assert max(sizes) <= 256 * 1024
