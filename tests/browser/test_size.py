"""How much comes over the wire before the overview stands."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "services" / "gateway" / "gateway" / "static"
MOST = 500_000  # bytes, compressed
LINK = re.compile(r"(?:src|href)=\"(/[^\"]+)\"")

pytestmark = pytest.mark.browser


def on_the_wire(path: str) -> int:
    """Bytes of a file as it is served."""
    file = STATIC / path.lstrip("/")
    packed = file.with_name(f"{file.name}.gz")
    return (packed if packed.exists() else file).stat().st_size


def wanted_at_first() -> set[str]:
    """What index.html names, the overview's own script and what that imports, the latin font."""
    found = {"/index.html", *LINK.findall((STATIC / "index.html").read_text())}
    scripts = {path.name: path.read_text() for path in (STATIC / "assets").glob("*.js")}
    entry = "".join(text for name, text in scripts.items() if f"/assets/{name}" in found)
    (home,) = set(re.findall(r"\bHome-[\w-]+\.js", entry))
    waiting = [home]
    while waiting:
        name = waiting.pop()
        if f"/assets/{name}" not in found:
            found.add(f"/assets/{name}")
            static_imports = re.findall(r"(?:from|import)\s*\"\./([\w-]+\.js)\"", scripts[name])
            waiting += static_imports
    styles = re.findall(r"assets/(Home-[\w-]+\.css)", entry)
    fonts = [path.name for path in (STATIC / "assets").glob("inter-latin-wght*.woff2")]
    return found | {f"/assets/{name}" for name in (*styles, *fonts)}


def test_the_first_load_is_small() -> None:
    files = wanted_at_first()
    sizes = {path: on_the_wire(path) for path in files}
    assert len(sizes) >= 5
    assert sum(sizes.values()) <= MOST, sizes
