"""Prices: worked figures, what is not known, the worst case."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_decider.adapters.prices import SOURCE, price_call, price_worst
from llm_decider.domain.costs import Priced, Unpriced, most_tokens_in
from llm_decider.domain.shapes import Question, Usage
from signalbox.contracts.config import LlmConfig, TokenPrice

D = Decimal
AT = datetime(2026, 11, 23, tzinfo=UTC)
OWN = TokenPrice(input_usd=D("0.5"), output_usd=D(2))


def config(provider: str = "openai", model: str = "gpt-4o-mini", **over: Any) -> LlmConfig:
    given = {
        "id": "m",
        "name": "M",
        "provider": provider,
        "key_sealed": "x",
        "model": model,
        "prompt_id": "p",
        "symbols": ("AAPL",),
    }
    return LlmConfig.model_validate(given | over)


def usd(found: Priced | Unpriced) -> Decimal:
    assert isinstance(found, Priced), found
    return found.usd


@pytest.mark.parametrize(
    ("provider", "model", "usage", "cost"),
    [
        pytest.param("openai", "gpt-4o-mini", Usage(1000, 400, 0, 0, 500), "0.00042", id="cached"),
        pytest.param(
            "claude",
            "claude-haiku-4-5",
            Usage(8000, 4000, 1000, 2000, 500),
            "0.00915",
            id="two lifetimes",
        ),
        pytest.param(
            "claude", "claude-haiku-4-5", Usage(8000, 4000, 3000, 0, 500), "0.00765", id="one"
        ),
        pytest.param(
            "openai", "gpt-4o-mini", Usage(1000, 400, 0, 0, 500, 400), "0.00042", id="reasoning"
        ),
        pytest.param("openai", "gpt-5.4", Usage(272_000, 0, 0, 0, 0), "0.68", id="below a step"),
        pytest.param("openai", "gpt-5.4", Usage(272_001, 0, 0, 0, 0), "1.360005", id="past it"),
        pytest.param(
            "claude", "claude-haiku-5-5", Usage(100_001, 0, 0, 0, 0), "0.0500005", id="five times"
        ),
        pytest.param("openai", "gpt-5.6-sol", Usage(1000, 0, 1000, 0, 0), "0.005", id="written"),
        pytest.param("openai", "gpt-4o-mini", Usage(), "0", id="nothing"),
    ],
)
def test_worked_figures(provider: str, model: str, usage: Usage, cost: str) -> None:
    assert usd(price_call(config(provider, model), usage, AT)) == D(cost)


def test_the_price_is_that_of_the_day() -> None:
    usage = Usage(input_total=10**6, output_total=10**6)
    days = [datetime(2025, 6, day, 12, tzinfo=UTC) for day in (9, 10)]
    assert [usd(price_call(config(model="o3"), usage, day)) for day in days] == [50, 10]


def test_unit_prices_and_their_source_are_told() -> None:
    found = price_call(config("claude", "claude-haiku-4-5"), Usage(1), AT)
    assert isinstance(found, Priced)
    unit = found.unit
    assert (unit.source, unit.model) == (SOURCE, "claude-haiku-4-5")
    assert (unit.input, unit.cache_read, unit.output) == (D(1), D("0.1"), D(5))
    assert (unit.cache_write_5m, unit.cache_write_1h) == (D("1.25"), D(2))
    long = price_call(config(model="gpt-5.4"), Usage(300_000), AT)
    assert isinstance(long, Priced)
    assert (long.unit.input, long.unit.cache_write_5m) == (D(5), D(5))


def test_what_served_is_paid_and_else_what_was_asked_for() -> None:
    usage, asked = Usage(input_total=10**6), config(model="gpt-4o-mini")
    assert usd(price_call(asked, usage, AT, served_model="gpt-4o-mini-2024-07-18")) == D("0.15")
    assert usd(price_call(asked, usage, AT, served_model="gpt-5.4")) == 5
    assert usd(price_call(asked, usage, AT, served_model="who-knows")) == D("0.15")


@pytest.mark.parametrize(
    ("made", "where"),
    [
        (config(model="gpt-6.2-sol"), "OpenAI"),
        (config("claude", "gpt-4o-mini"), "Anthropic"),
        (config(model="llama3.2", base_url="http://u:pw@127.0.0.1:11434/v1"), "127.0.0.1"),
        (config(base_url="http://127.0.0.1:11434/v1"), "127.0.0.1"),
    ],
)
def test_no_price_is_no_zero(made: LlmConfig, where: str) -> None:
    for found in (price_call(made, Usage(10), AT), price_worst(made, 10, 10, AT)):
        assert isinstance(found, Unpriced)
        assert f"{made.model} at {where}" in found.message
        assert "pw" not in found.message


def test_a_known_host_has_its_own_prices() -> None:
    made = config(base_url="https://api.openai.com/v1")
    assert usd(price_call(made, Usage(10**6), AT)) == D("0.15")


def test_the_sandbox_costs_what_the_model_would() -> None:
    made = config(target="sandbox", base_url="http://127.0.0.1:1/v1")
    assert usd(price_call(made, Usage(10**6), AT)) == D("0.15")


def test_a_price_of_ones_own_goes_before_all_others() -> None:
    made = config(price=OWN)
    found = price_call(made, Usage(10**6, 400, 0, 0, 10**6), AT, served_model="gpt-5.4")
    assert isinstance(found, Priced)
    assert (found.usd, found.unit.source, found.unit.input) == (D("2.5"), "own", D("0.5"))
    free = config(model="llama3.2", price=TokenPrice(input_usd=D(0), output_usd=D(0)))
    assert usd(price_worst(free, 10**6, 10**6, AT)) == 0


def test_the_worst_case_writes_everything_to_the_cache() -> None:
    made = config("claude", "claude-haiku-4-5")
    assert usd(price_worst(made, 10**6, 10**6, AT)) == D("1.25") + 5
    assert usd(price_worst(config(), 10**6, 0, AT)) == D("0.15")
    assert usd(price_worst(config(model="gpt-5.4"), 272_001, 0, AT)) == D("1.360005")


MODELS = [
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-5.4"),
    ("openai", "gpt-5.6-luna"),
    ("openai", "gpt-6-luna"),
    ("claude", "claude-haiku-4-5"),
    ("claude", "claude-haiku-5-5"),
]
tokens = st.integers(0, 400_000)


@given(st.sampled_from(MODELS), tokens, tokens, st.data())
def test_no_call_within_its_bounds_costs_more_than_its_worst_case(
    which: tuple[str, str], most_in: int, most_out: int, data: st.DataObject
) -> None:
    total = data.draw(st.integers(0, most_in))
    read = data.draw(st.integers(0, total))
    written = data.draw(st.integers(0, total - read))
    usage = Usage(total, read, written, 0, data.draw(st.integers(0, most_out)))
    made = config(*which)
    assert usd(price_call(made, usage, AT)) <= usd(price_worst(made, most_in, most_out, AT))


def test_the_bound_counts_bytes() -> None:
    def bound(**over: Any) -> int:
        given: dict[str, Any] = {"system": "", "user": "", "schema": {}} | over
        return most_tokens_in(
            Question(
                ("A",), given["system"], given["user"], given["schema"], {}, frozenset(), {}, 1, ""
            )
        )

    nothing = bound()
    assert 200 <= nothing <= 1000
    assert bound(user="価格") == nothing + 6
    assert bound(system="abc") == nothing + 3
    assert bound(schema={"a": "bcd"}) == nothing + len('"a": "bcd"')


def test_a_cost_is_written_without_an_exponent() -> None:
    assert str(usd(price_call(config(), Usage(1000, 400, 0, 0, 500), AT))) == "0.00042"
    assert str(usd(price_call(config(price=OWN), Usage(10**8), AT))) == "50"
