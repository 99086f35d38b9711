"""The limits of the code, each a function of one parsed file that returns its complaints."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

FUNCTION_LINES = 50
FILE_LINES = 300
TEST_FILE_LINES = 400
POSITIONAL = 5
NESTING = 3

TYPE_IGNORE = re.compile(r"type:\s*ignore(?P<code>\[[\w, -]+\])?(?P<reason>.*)")
NOQA = re.compile(r"noqa(?P<code>:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?(?P<reason>.*)", re.IGNORECASE)
REASON = re.compile(r"[A-Za-z].{3,}")

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
AT_IMPORT = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.ClassDef, *FUNCTIONS)
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "monotonic"),
    ("time", "perf_counter"),
}
DICE = {"uuid1", "uuid4", "random", "secrets"}


@dataclass(frozen=True)
class Source:
    """One Python file: where it lies, seen from the root of the repository, and its text."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @property
    def is_test(self) -> bool:
        return "tests" in self.path.parts or self.path.name == "conftest.py"

    @property
    def is_pure(self) -> bool:
        """Whether this holds rules or contracts, which know no clock and no dice."""
        parts = self.path.parts
        if parts[:3] == ("shared", "signalbox", "contracts"):
            return not self.is_test
        return parts[0] == "services" and (parts[3:4] in (("domain.py",), ("domain",)))

    @property
    def is_record(self) -> bool:
        """Whether this is one step of a schema's history: lists of columns, never edited again."""
        return self.path.parts[-3:-1] == ("migrations", "versions")

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS))

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def imported(self) -> set[str]:
        """The top-level packages that are imported anywhere in the file."""
        names = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module or "")
        return {name.partition(".")[0] for name in names}

    def comments(self) -> Iterator[tuple[int, str]]:
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


Check = Callable[[Source], Iterator[str]]


def at(source: Source, line: int, what: str) -> str:
    return f"{source.path}:{line}: {what}"


def name_of(node: ast.expr) -> str:
    """The last part of a dotted name: `b` of `a.b`, `a` of `a`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def short_functions(source: Source) -> Iterator[str]:
    for function in source.functions() if not source.is_record else ():
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > FUNCTION_LINES:
            yield at(source, function.lineno, f"{function.name} has {lines} lines")


def short_files(source: Source) -> Iterator[str]:
    lines = len(source.text.splitlines())
    if lines > (TEST_FILE_LINES if source.is_test or source.is_record else FILE_LINES):
        yield at(source, lines, f"{lines} lines")


def few_positional_parameters(source: Source) -> Iterator[str]:
    for function in source.functions():
        names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
        count = len(names) - (names[:1] in (["self"], ["cls"]))
        if count > POSITIONAL:
            yield at(source, function.lineno, f"{function.name} has {count} positional parameters")


def depth_of(node: ast.AST) -> int:
    """How deep blocks lie in each other below this node. An `elif` lies beside its `if`."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            continue  # measured by itself
        beside = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        step = 1 if isinstance(child, BLOCKS) and not beside else 0
        deepest = max(deepest, step + depth_of(child))
    return deepest


def shallow_nesting(source: Source) -> Iterator[str]:
    for function in source.functions():
        depth = depth_of(function)
        if depth > NESTING:
            yield at(source, function.lineno, f"{function.name} nests {depth} deep")


def init_is_one_sentence(source: Source) -> Iterator[str]:
    if source.path.name != "__init__.py":
        return
    said = ast.get_docstring(source.tree) or ""
    if len(source.tree.body) != 1 or not said.endswith(".") or ". " in said:
        yield at(source, 1, "holds more or less than one sentence")


def absolute_imports(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield at(source, node.lineno, "a relative import")


def reasoned_suppressions(source: Source) -> Iterator[str]:
    for line, comment in source.comments():
        for pattern in (TYPE_IGNORE, NOQA):
            found = pattern.search(comment)
            if found and not (found["code"] and REASON.search(found["reason"])):
                yield at(source, line, f"needs a code and a reason: {comment}")


def acknowledged_publishes(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.Attribute, ast.Name)) and name_of(node) == "publish_async":
            yield at(source, node.lineno, "publish_async loses errors; publish waits for its ack")


def is_impure(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute) and (name_of(node.value), node.attr) in CLOCKS:
        return True
    if isinstance(node, ast.Name | ast.Attribute):
        return name_of(node) in DICE
    if isinstance(node, ast.ImportFrom) and node.module in DICE:
        return True
    return isinstance(node, ast.alias) and node.name in DICE


def no_clock_or_dice_in_rules(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree) if source.is_pure else ():
        if is_impure(node):
            line = getattr(node, "lineno", 1)
            yield at(source, line, f"a clock or dice in a rule: {ast.unparse(node)}")


def no_binary_fractions_in_rules(source: Source) -> Iterator[str]:
    """A statistic may be a binary fraction when the line says `# float: why`."""
    if not source.is_pure:
        return
    said = {line for line, comment in source.comments() if comment.startswith("# float: ")}
    for call in source.calls():
        named = isinstance(call.func, ast.Name) and call.func.id == "float"
        if named and call.lineno not in said:
            yield at(source, call.lineno, "float() in a rule; amounts are Decimal")


def batches_only_in_the_runtime(source: Source) -> Iterator[str]:
    if source.path.parts[:3] == ("shared", "signalbox", "runtime"):
        return
    for call in source.calls():
        if name_of(call.func) == "PullSub" and any(
            k.arg == "batch" and not (isinstance(k.value, ast.Constant) and k.value.value is False)
            for k in call.keywords
        ):
            yield at(source, call.lineno, "a batch subscription outside the runtime")


def no_any_outside_adapters(source: Source) -> Iterator[str]:
    parts = source.path.parts
    if parts[0] != "services" or source.is_test or {"adapters", "migrations"} & {*parts}:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name | ast.Attribute) and name_of(node) == "Any":
            yield at(source, node.lineno, "Any outside an adapter")


def is_guard(statement: ast.stmt) -> bool:
    """`if __name__ == ...` or `if TYPE_CHECKING`."""
    if not isinstance(statement, ast.If):
        return False
    test = statement.test
    return name_of(test.left if isinstance(test, ast.Compare) else test) in (
        "__name__",
        "TYPE_CHECKING",
    )


def is_statement_of_fact(statement: ast.stmt) -> bool:
    """A docstring, an index of a table above, the completion of a model that names a later one."""
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    if isinstance(value, ast.Call):
        return name_of(value.func) in ("Index", "model_rebuild")
    return isinstance(value, ast.Constant)


def no_work_at_import(source: Source) -> Iterator[str]:
    if source.is_test or source.path.parts[-2:] == ("migrations", "env.py"):
        return
    for statement in source.tree.body:
        allowed = isinstance(statement, AT_IMPORT)
        if not (allowed or is_guard(statement) or is_statement_of_fact(statement)):
            yield at(source, statement.lineno, "work at import time")


CHECKS: tuple[Check, ...] = (
    short_functions,
    short_files,
    few_positional_parameters,
    shallow_nesting,
    init_is_one_sentence,
    absolute_imports,
    reasoned_suppressions,
    acknowledged_publishes,
    no_clock_or_dice_in_rules,
    no_binary_fractions_in_rules,
    batches_only_in_the_runtime,
    no_any_outside_adapters,
    no_work_at_import,
)
