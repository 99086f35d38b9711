"""docs/quantconnect.md says what the code does."""

import re
from pathlib import Path

import pytest

from qc_ingest import adapters
from qc_ingest.domain.health import NotTaken, Trouble, clock_hint, explain
from qc_ingest.domain.judge import Status
from qc_ingest.domain.pages import Kind

GUIDE = (Path(__file__).parents[3] / "docs" / "quantconnect.md").read_text(encoding="utf-8")
_AREAS = "account|backtests|compile|files|live|nodes|object|optimizations|organizations|projects"


def section(title: str) -> str:
    return GUIDE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> list[str]:
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_every_endpoint_is_in_the_table_and_no_other() -> None:
    (folder,) = adapters.__path__
    code = "\n".join(p.read_text(encoding="utf-8") for p in Path(folder).glob("*.py"))
    used = set(re.findall(rf'"(authenticate|(?:{_AREAS})/[a-z/]+)"', code))
    lists = {Kind.INSIGHTS: "insights", Kind.FILLS: "orders"}
    assert 'f"live/{name}/read"' in code
    used |= {f"live/{name}/read" for name in lists.values()}
    listed = first_cells(section("Every endpoint used"))
    assert len(listed) == len(set(listed))
    assert set(listed) == used


def test_every_status_of_a_word_is_explained() -> None:
    text = section("What the status says")
    assert set(first_cells(text.split("What became of")[1])) == {s.value for s in Status}


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_is_explained_in_the_words_that_are_shown(trouble: Trouble) -> None:
    said = explain(trouble, "Detail", user_id="4711", skew_s=None)
    rows = re.findall(r"\| false \| `([^`]+)` \|", section("What the status says"))
    fits = [row for row in rows if all(part.strip() in said for part in row.split("…"))]
    assert len(fits) == 1, said


def test_the_notes_are_explained_in_the_words_that_are_shown() -> None:
    rows = re.findall(r"\| true \| `([^`]+)` \|", section("What the status says"))
    for said in (NotTaken(2, 7, "why").words(), clock_hint(600).strip()):
        assert any(all(part.strip() in said for part in row.split("…")) for row in rows), said
