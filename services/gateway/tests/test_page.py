"""How the page is served: files for good, its own addresses as itself, nothing from outside."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.routes import pages

SCRIPT = "console.log(1)"
NAMES = {"http://www.w3.org/2000/svg"}
DOCS = sorted(pages.DOCS.iterdir())
PACKED = {"accept-encoding": "gzip"}


@pytest.fixture
def built(gateway: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes a small page that is built, in the place of the real one, and a file beside it."""
    router, page = gateway.app.router, tmp_path / "page"
    monkeypatch.setattr(router, "default", pages.Page(page, router.default))

    def build() -> None:
        (page / "assets").mkdir(parents=True)
        (page / "index.html").write_text("<!doctype html><title>Signalbox</title>")
        (page / "icon.svg").write_text("<svg/>")
        (page / "assets" / "app-1a2b.js").write_text(SCRIPT)
        packed = gzip.compress(SCRIPT.encode())
        (page / "assets" / "app-1a2b.js.gz").write_bytes(packed)
        (tmp_path / "outside.js").write_text(SCRIPT)

    return build


async def test_without_a_build_the_page_says_how_to_make_one(gateway: Any, built: Any) -> None:
    async with gateway(None) as web:
        answers = [await web.get(path) for path in ("/", "/ai-trading")]
        docs = await web.get("/api/docs")
    assert all("make page" in answer.text for answer in answers)
    assert docs.status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/ai-trading", "/quantconnect/signals", "/login"]
)
async def test_its_own_addresses_answer_the_page(gateway: Any, built: Any, path: str) -> None:
    built()
    async with gateway(None) as web:
        answer = await web.get(path)
    assert "<title>Signalbox</title>" in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_file_named_by_its_content_is_kept_for_good(gateway: Any, built: Any) -> None:
    built()
    async with gateway(None) as web:
        script = await web.get("/assets/app-1a2b.js", headers={"accept-encoding": "identity"})
        packed = await web.get("/assets/app-1a2b.js", headers=PACKED)
        icon = await web.get("/icon.svg")
    assert script.text == packed.text == SCRIPT
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "content-encoding" not in script.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-type"] == "text/javascript; charset=utf-8"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert icon.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/api/nothing", 404, id="unknown path of the interface"),
        pytest.param("GET", "/hooks/nothing", 404, id="unknown hook"),
        pytest.param("GET", "/assets/gone.js", 404, id="file of an older build"),
        pytest.param("GET", "/gone.png", 404, id="unknown file"),
        pytest.param("GET", "/assets/%2e%2e/%2e%2e/outside.js", 404, id="outside"),
        pytest.param("GET", "/a%00.js", 404, id="a name that no file can have"),
        pytest.param("GET", f"/{'a' * 300}.js", 404, id="a name too long for a file"),
        pytest.param("POST", "/ai-trading", 404, id="a write"),
        pytest.param("GET", "/api/auth/logout", 405, id="wrong method"),
    ],
)
@pytest.mark.parametrize("coding", ["gzip", "identity"])
async def test_what_is_not_there_stays_a_problem(
    gateway: Any, built: Any, method: str, path: str, *, status: int, coding: str
) -> None:
    built()
    async with gateway(None) as web:
        answer = await web.request(method, path, headers={"accept-encoding": coding})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_long_answers_are_compressed_and_short_ones_are_not(gateway: Any) -> None:
    async with gateway() as web:
        long = await web.get("/api/reasons", headers=PACKED)
        short = await web.get("/api/auth/me", headers=PACKED)
    assert long.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in short.headers


async def test_every_file_of_the_description_is_served_as_what_it_is(gateway: Any) -> None:
    kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    async with gateway(None) as web:
        page = await web.get("/api/docs")
        linked = re.findall(r"(?:src|href)=\"(/api/docs/[^\"]+)\"", page.text)
        assert len(linked) == 4
        for link in linked:
            answer = await web.get(link)
            assert answer.status_code == 200, link
            assert answer.headers["content-type"].startswith(kinds[link.rpartition(".")[2]])


@pytest.mark.parametrize("file", DOCS, ids=lambda file: file.name)
def test_the_description_makes_no_markup_of_text_and_takes_nothing_from_outside(file: Path) -> None:
    text = file.read_text()
    banned = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(")
    assert [word for word in banned if word in text] == []
    assert set(re.findall(r"https?://[^\s\"')]+", text)) <= NAMES
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", text) == []
    assert len(text.splitlines()) <= 300
