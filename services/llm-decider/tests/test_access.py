"""Which client a config gets: shared by key and address, loaded late, closed when unused."""

import subprocess
import sys
from typing import Any

import pytest

from llm_decider.adapters.providers import Addresses, Providers
from llm_decider.domain.shapes import Ask, Failure, Question, Reply
from signalbox.contracts.config import LlmConfig
from signalbox.contracts.errors import PermanentError
from signalbox.runtime.secrets import NoBox, SecretBox, new_key_pair, seal
from signalbox.testing.bodies import completion
from signalbox.testing.scripted import Step, scripted

QUESTION = Question(("AAPL",), "Rules.", "Data.", {}, {}, frozenset(), {}, 3600, "0")
ASK = Ask(QUESTION, "gpt-4o-mini", max_tokens=500, timeout_s=5.0)
PRIVATE, PUBLIC = new_key_pair()
ADDRESSES = Addresses("https://openai.test/v1", "https://claude.test", "http://sandbox.test/")


def config(name: str = "m", key: str = "sk-canary-5f0d6b3e9a41", **over: Any) -> LlmConfig:
    given = {
        "id": name,
        "name": name,
        "provider": "openai",
        "wire": "chat",
        "key_sealed": seal(PUBLIC, config_id=name, field="key", plaintext=key),
        "model": "gpt-4o-mini",
        "prompt_id": "p",
        "symbols": ("AAPL",),
    }
    return LlmConfig.model_validate(given | over)


@pytest.mark.parametrize(
    ("over", "address"),
    [
        ({}, "https://openai.test/v1"),
        ({"provider": "claude"}, "https://claude.test"),
        ({"base_url": "http://127.0.0.1:11434/v1"}, "http://127.0.0.1:11434/v1"),
        ({"target": "sandbox"}, "http://sandbox.test/openai/v1"),
        ({"target": "sandbox", "provider": "claude"}, "http://sandbox.test/anthropic"),
        (
            {"target": "sandbox", "base_url": "http://127.0.0.1:11434/v1"},
            "http://sandbox.test/openai/v1",
        ),
    ],
)
def test_where_a_config_is_asked(over: dict[str, Any], address: str) -> None:
    assert ADDRESSES.of(config(**over)) == address


async def test_configs_with_one_key_share_the_limit_of_calls_and_others_do_not() -> None:
    providers = Providers(ADDRESSES, SecretBox(PRIVATE))
    one, same, other = (
        providers.open(made) for made in (config("a"), config("b"), config("c", "sk-other-123"))
    )
    claude = providers.open(config("d", provider="claude"))
    accesses = [vars(line)["_access"] for line in (one, same, other, claude)]
    assert accesses[0] is accesses[1]
    assert len({id(access) for access in accesses}) == 3


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (config("z", key_sealed=config("a").key_sealed), "another place"),
        (config(key_sealed="nonsense"), "does not open"),
        (config(key=""), "Enter it again"),
        (config(key="sk-two\nlines"), "Enter it again"),
        (config(key="sk-with space"), "Enter it again"),
        (config(key="ключ"), "Enter it again"),
    ],
)
def test_a_key_that_cannot_be_used(made: LlmConfig, says: str) -> None:
    with pytest.raises(PermanentError, match=says) as caught:
        Providers(ADDRESSES, SecretBox(PRIVATE)).open(made)
    assert "sk-two" not in str(caught.value)
    with pytest.raises(PermanentError, match="no key"):
        Providers(ADDRESSES, NoBox()).open(made)


async def test_a_changed_key_takes_effect_and_the_old_client_is_closed() -> None:
    async with scripted(Step(200, completion())) as script:
        providers = Providers(Addresses(script.url, script.url, script.url), SecretBox(PRIVATE))
        before, after = config(key="sk-before-0001"), config(key="sk-after-0002")
        assert isinstance(await providers.open(before).ask(ASK), Reply)
        await providers.keep([after])
        assert isinstance(await providers.open(after).ask(ASK), Reply)
        await providers.keep([])
        assert isinstance(await providers.open(after).ask(ASK), Reply), "opened again"
        await providers.close()
    keys = [seen.headers["authorization"] for seen in script.seen]
    assert keys == ["Bearer sk-before-0001", "Bearer sk-after-0002", "Bearer sk-after-0002"]


async def test_a_config_whose_key_does_not_open_keeps_nothing_from_being_closed() -> None:
    providers = Providers(ADDRESSES, SecretBox(PRIVATE))
    providers.open(config())
    await providers.keep([config(key_sealed="nonsense")])
    assert vars(providers)["_accesses"] == {}


async def test_closing_ends_no_call_with_an_exception() -> None:
    async with scripted(Step(200, completion())) as script:
        providers = Providers(Addresses(script.url, script.url, script.url), SecretBox(PRIVATE))
        line = providers.open(config())
        assert isinstance(await line.ask(ASK), Reply)
        await providers.close()
        assert isinstance(await line.ask(ASK), Reply | Failure)
        await line.close()


@pytest.mark.parametrize("provider", ["openai", "claude"])
def test_a_library_is_loaded_by_the_first_call_that_needs_it(provider: str) -> None:
    code = f"""
import asyncio, sys
from llm_decider.adapters.providers import Addresses, Providers
from llm_decider.domain.shapes import Ask, Question
from signalbox.contracts.config import LlmConfig

class Open:
    def open(self, sealed, *, config_id, field):
        return sealed

def loaded():
    return [name for name in ("openai", "anthropic") if name in sys.modules]

providers = Providers(Addresses(*["http://127.0.0.1:1/v1"] * 3), Open())
ask = Ask(Question((), "", "", {{}}, {{}}, frozenset(), {{}}, 1, ""), "m", 500, 9.0)
made = LlmConfig(id="m", name="m", provider={provider!r}, key_sealed="sk-12345678",
    model="m", prompt_id="p", symbols=("A",))
line, before = providers.open(made), loaded()
asyncio.run(line.ask(ask))
print(before, loaded())
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    package = "openai" if provider == "openai" else "anthropic"
    assert ran.stdout.strip() == f"[] ['{package}']"
