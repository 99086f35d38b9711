"""The grammar of prompts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_decider.domain import templates
from llm_decider.domain.templates import Problem, check, names_used, render
from llm_decider.domain.variables import BY_NAME, VARIABLES
from signalbox.contracts.errors import Malformed

USER = "Decide on {{symbols}}.\n{{market}}"


@pytest.mark.parametrize(
    ("user", "line", "column", "word"),
    [
        pytest.param("{{symbols}} {{nonsense}}", 1, 13, "nonsense", id="unknown name"),
        pytest.param("{{symbols}}\n\n  {{markets}}", 3, 3, "{{market}}?", id="near miss"),
        pytest.param("{{symbols}} {{", 1, 13, "not followed", id="opened at the end"),
        pytest.param("{{symbols}} {{market", 1, 13, "not followed", id="not closed"),
        pytest.param("{{symbols}}\nmarket}}", 2, 7, "closes nothing", id="not opened"),
        pytest.param("{{symbols}} {{Market}}", 1, 13, "small letter", id="capital letter"),
        pytest.param("{{symbols}} {{a.b}}", 1, 13, "small letter", id="dots"),
        pytest.param("{{symbols}} {{news|upper}}", 1, 13, "small letter", id="filter"),
        pytest.param("{{symbols}} {{}}", 1, 13, "no placeholder", id="empty name"),
        pytest.param("{{symbols}} {{\nmarket}}", 1, 13, "not followed", id="line end inside"),
        pytest.param('{{symbols}} {"a": {"b": 1}}', 1, 26, "a space between", id="JSON"),
        pytest.param("{{symbols}}{{{market}}}", 1, 12, "not followed", id="three braces"),
        pytest.param("{{market}}\n{{market}}", 2, 1, "second time", id="block twice"),
        pytest.param("{{symbols}}\n a\0b", 2, 3, "U+0000", id="control character"),
        pytest.param("Buy or sell?\n{{news}}", 1, 1, "which symbols", id="no symbol"),
        pytest.param(" \n", 1, 1, "empty", id="empty"),
        pytest.param("{{symbols}}\n" + "x" * 8000, 2, 7989, "8012 characters", id="too long"),
    ],
)
def test_check_names_the_place_and_the_fault(user: str, line: int, column: int, word: str) -> None:
    problem = check("", user)[0]
    assert (problem.part, problem.line, problem.column) == ("user", line, column)
    assert word in problem.message


@pytest.mark.parametrize(
    "user",
    [
        USER,
        "{{symbol}}",
        "{{  symbols  }} {{interval}} {{interval}}",
        'Answer like {"symbol": "A"} about {{price}} } {',
    ],
)
def test_check_has_nothing_to_say_about_a_good_template(user: str) -> None:
    assert check("Bars of {{interval}}.", user) == ()


@pytest.mark.parametrize("name", [v.name for v in VARIABLES if not v.trusted])
def test_check_refuses_text_of_others_among_the_rules(name: str) -> None:
    (problem,) = check(f"Rules\n{{{{{name}}}}}", USER)
    assert (problem.part, problem.line, problem.column) == ("system", 2, 1)
    assert "others wrote" in problem.message


def test_check_lists_every_problem_in_reading_order() -> None:
    found = check("{{a}}", "{{symbols}} {{b}}\n}} {{c}}")
    places = [(p.part, p.line, p.column) for p in found]
    assert places == [("system", 1, 1), ("user", 1, 13), ("user", 2, 1), ("user", 2, 4)]
    assert all(isinstance(p, Problem) for p in found)


def test_render_reads_no_value_again() -> None:
    values = {"news": "{{price}} {{secret}} }} {{", "price": "1"}
    assert render("{{news}}|{{ price }}", values) == "{{price}} {{secret}} }} {{|1"


@pytest.mark.parametrize("template", ["{{price}}", "a {{", "}}", "{{A}}"])
def test_render_refuses_what_it_cannot_fill(template: str) -> None:
    with pytest.raises(Malformed):
        render(template, {})


@given(st.text(alphabet=st.sampled_from("{} \nabs_1.A"), max_size=60))
def test_what_check_accepts_renders_and_what_it_refuses_does_not(text: str) -> None:
    values = {name: f"<{name}>" for name in BY_NAME}
    marks = [p for p in check("", "{{symbols}}" + text) if "second time" not in p.message]
    if marks:
        assert all(p.line >= 1 and p.column >= 1 for p in marks)
        with pytest.raises(Malformed):
            render(text, values)
    else:
        assert "{{" not in render(text, values)


@given(st.dictionaries(st.sampled_from(sorted(BY_NAME)), st.text(max_size=30), min_size=1))
def test_rendering_keeps_every_value_as_it_is(values: dict[str, str]) -> None:
    template = "|".join(f"{{{{{name}}}}}" for name in values)
    assert names_used(template) == tuple(values)
    assert render(template, values) == "|".join(values.values())


def test_every_variable_describes_itself() -> None:
    for variable in VARIABLES:
        assert names_used(f"{{{{{variable.name}}}}}") == (variable.name,)
        assert variable.description.endswith(".")
        assert 0 < len(variable.example) <= variable.max_chars
    assert templates.MAX_CHARS == 8_000  # as the contract of a version has it
