"""The page's files: nothing from outside, nothing inline, nothing that makes text into markup."""

import re
from pathlib import Path
from typing import Any

import pytest

import gateway

STATIC = Path(gateway.__file__).parent / "static"
SCRIPTS = sorted(STATIC.glob("*.js"))
PAGES = sorted(STATIC.glob("*.html"))
NAMES = {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_a_script_never_makes_markup_of_text(file: Path) -> None:
    text = file.read_text()
    banned = (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
    )
    assert [word for word in banned if word in text] == []
    assert len(text.splitlines()) <= 300


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_a_script_imports_what_is_there(file: Path) -> None:
    for names, source in re.findall(r"import \{([^}]*)\} from \"./(\S+)\"", file.read_text()):
        exported = (STATIC / source).read_text()
        for name in names.split(","):
            found = re.search(rf"export (async )?(function|const|class) {name.strip()}\b", exported)
            assert found, f"{source} has no {name}"


@pytest.mark.parametrize("file", [*SCRIPTS, *PAGES, *STATIC.glob("*.css")], ids=lambda f: f.name)
def test_nothing_comes_from_outside(file: Path) -> None:
    assert set(re.findall(r"https?://[^\s\"')]+", file.read_text())) <= NAMES


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_a_page_has_nothing_inline(file: Path) -> None:
    text = file.read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", text) == []


async def test_every_file_of_a_page_is_served_as_what_it_is(gateway: Any) -> None:
    kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    async with gateway(None) as web:
        for path in ("/", "/api/docs"):
            page = await web.get(path)
            assert page.headers["content-type"].startswith("text/html")
            linked = re.findall(r"(?:src|href)=\"(/assets/[^\"]+)\"", page.text)
            assert linked
            for link in linked:
                answer = await web.get(link)
                assert answer.status_code == 200, link
                assert answer.headers["content-type"].startswith(kinds[link.rpartition(".")[2]])
                assert answer.headers["cache-control"] == "no-cache"
        again = await web.get("/assets/app.js", headers={"if-none-match": answer.headers["etag"]})
        gone = await web.get("/assets/nothing.js")
    assert again.status_code in {200, 304}
    assert (gone.status_code, gone.headers["content-type"]) == (404, "application/problem+json")
