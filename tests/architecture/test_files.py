"""What no file may hold, and what some must."""

import ast
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import PurePosixPath

import pytest

from scripts.build_web import WEB, fits, numbers, wanted_node
from tests.architecture.checks import Source, name_of
from tests.architecture.project import ROOT, files, sources, text_of

MIB = 1024 * 1024
LOCKS = (
    *("requirements.lock", "requirements-dev.lock"),
    *("requirements-data.lock", "requirements-clients.lock", "requirements-node.lock"),
)
ADDRESS = re.compile(r"://|--(?:extra-)?index-url|--find-links|--trusted-host|(?:^|[\s=])/\w")
HASHED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==\S+ \\$")
SETTING = re.compile(r"SIGNALBOX_[A-Z0-9_]+")
LISTED = re.compile(r"^#?(?P<name>[A-Z][A-Z0-9_]+)=(?P<value>.*)$")

# Written in parts, so that this file does not hold what it forbids.
FORBIDDEN = {
    "a package registry's host": [
        ".".join(parts)
        for parts in [
            ("pypi", "org"),
            ("files", "python" + "hosted", "org"),
            ("registry", "npmjs", "org"),
            ("registry", "yarnpkg", "com"),
            ("deb", "debian", "org"),
            ("proxy", "golang", "org"),
            ("static", "crates", "io"),
        ]
    ],
    "a path of one machine": ["/".join(("", name, "")) for name in ("work", "root")],
    "unfinished work": ["".join(parts) for parts in [("TO", "DO"), ("FIX", "ME")]],
    "an empty promise": ["Not" + "ImplementedError"],
}


def complaints_about(text: str) -> list[str]:
    """Which forbidden things a text holds, by kind. A word counts whole, an address anywhere."""
    return [
        kind
        for kind, wanted in FORBIDDEN.items()
        for word in wanted
        if re.search(rf"(?<![\w.]){re.escape(word)}" + r"(?!\w)" * word[-1].isalpha(), text)
    ]


def test_no_file_holds_what_belongs_elsewhere() -> None:
    found = [(str(path), kind) for path in files() for kind in complaints_about(text_of(path))]
    assert found == []


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_a_forbidden_text_is_noticed(kind: str) -> None:
    assert {*complaints_about(f"see {FORBIDDEN[kind][0]}x/y, {FORBIDDEN[kind][0]} ")} == {kind}
    assert complaints_about("a network, a rootless method, mastodon") == []


def too_large(sizes: dict[str, int]) -> list[str]:
    return [name for name, size in sizes.items() if size > MIB]


def test_no_file_is_larger_than_a_mebibyte() -> None:
    assert too_large({"small": MIB, "large": MIB + 1}) == ["large"]
    assert too_large({str(path): (ROOT / path).stat().st_size for path in files()}) == []


def faults_of_lock(text: str) -> list[str]:
    """Lines of a lock that name an address, and packages without a hash."""
    faults = [line for line in text.splitlines() if ADDRESS.search(line)]
    pins = re.split(r"\n(?=[A-Za-z0-9])", "\n" + re.sub(r"(?m)^#.*\n?", "", text))[1:]
    return faults + [
        pin for pin in pins if not HASHED.match(pin.split("\n")[0]) or "--hash=sha256:" not in pin
    ]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_names_versions_and_hashes_only(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "==" in text
    assert faults_of_lock(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "a==1 \\\n    --hash=sha256:0\nb @ https://host/b.whl \\\n    --hash=sha256:0",
        "--find-links somewhere\na==1 \\\n    --hash=sha256:0",
        "# pip-compile --output-file=/tmp/a.lock\na==1 \\\n    --hash=sha256:0",
        "a==1\nb==1 \\\n    --hash=sha256:0",
        "a>=1 \\\n    --hash=sha256:0",
    ],
    ids=["address", "option", "path", "no hash", "no version"],
)
def test_a_faulty_lock_is_noticed(text: str) -> None:
    assert faults_of_lock(text)


def test_development_uses_the_versions_that_run() -> None:
    """Every version of the runtime lock is in the development lock."""
    run, develop = (
        {line for line in (ROOT / name).read_text().splitlines() if "==" in line}
        for name in LOCKS[:2]
    )
    assert run <= develop


def prefix_of(settings: ast.ClassDef) -> str:
    """The `env_prefix` that a class sets itself, else the one all services share."""
    for node in ast.walk(settings):
        if isinstance(node, ast.keyword) and node.arg == "env_prefix":
            return str(ast.literal_eval(node.value))
    return "SIGNALBOX_"


def setting_of(field: ast.AnnAssign, prefix: str) -> str:
    for keyword in field.value.keywords if isinstance(field.value, ast.Call) else ():
        if keyword.arg in ("alias", "validation_alias"):
            return str(ast.literal_eval(keyword.value))
    return prefix + name_of(field.target).upper()


def settings_of(source: Source) -> Iterator[str]:
    """The environment variables that a file reads: fields of settings, and names spelled out."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and SETTING.fullmatch(str(node.value)):
            yield str(node.value)
        elif isinstance(node, ast.ClassDef) and any("Settings" in name_of(b) for b in node.bases):
            fields = (field for field in node.body if isinstance(field, ast.AnnAssign))
            yield from (setting_of(field, prefix_of(node)) for field in fields)


def settings_listed() -> list[str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return [found["name"] for line in lines if (found := LISTED.match(line))]


def test_every_setting_is_in_the_example() -> None:
    said = (s for s in sources() if not s.is_test and "testing" not in s.path.parts)
    read = {name for source in said for name in settings_of(source)}
    assert sorted(read - {*settings_listed()}) == []


def test_a_setting_is_found_by_field_alias_and_name() -> None:
    text = """
class Settings(ServiceSettings):
    max_bots: int = 3
    key: SecretStr = Field(alias="OPENAI_API_KEY")

home = os.environ["SIGNALBOX_HOME"]
"""
    found = {*settings_of(Source(PurePosixPath("settings.py"), text))}
    assert found == {"SIGNALBOX_MAX_BOTS", "OPENAI_API_KEY", "SIGNALBOX_HOME"}


def test_the_example_explains_each_setting_once_and_holds_no_key() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    assert len({*settings_listed()}) == len(settings_listed())
    for above, line in pairwise(lines):
        if found := LISTED.match(line):
            assert re.match(r"^# [A-Z]", above), f"{line} has no comment above it"
            assert not (re.search("KEY|SECRET|PASSWORD", found["name"]) and found["value"]), line


@pytest.mark.parametrize(
    ("version", "taken"),
    [
        *[("18.20.8", False), ("20.18.3", False), ("20.19.0", True), ("21.7.3", False)],
        *[("22.11.0", False), ("22.12.0", False), ("22.13.0", True), ("23.11.1", False)],
        *[("24.0.0", True), ("25.1.0", True), ("", False)],
    ],
)
def test_node_builds_the_page_where_its_tools_take_it(version: str, taken: bool) -> None:
    assert fits(numbers(version), wanted_node()) is taken


def test_every_tool_of_the_page_takes_the_node_that_is_asked_for() -> None:
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    assert locked[""]["engines"]["node"] == wanted_node()
    wanted = {name: one["engines"]["node"] for name, one in locked.items() if "engines" in one}
    least = [numbers(part.strip("^>= ")) for part in wanted_node().split("||")]
    assert [
        (name, ".".join(map(str, version)), ranges)
        for name, ranges in wanted.items()
        for version in least
        if not fits(version, ranges)
    ] == []
