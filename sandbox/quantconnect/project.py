"""A project: code, parameters, and what they say about the rule that stands for it here."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

CREATED = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
START, END = "signalbox_start", "signalbox_end"

NEW_FILES = {
    "Py": {
        "main.py": "from AlgorithmImports import *\n\n\n"
        "class NewAlgorithm(QCAlgorithm):\n    def initialize(self):\n"
        "        self.set_cash(100000)\n",
        "research.ipynb": '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 2}\n',
    },
    "C#": {
        "Main.cs": "namespace QuantConnect.Algorithm.CSharp;\n\n"
        "public class NewAlgorithm : QCAlgorithm\n{\n"
        "    public override void Initialize() => SetCash(100000);\n}\n",
        "Research.ipynb": '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 2}\n',
    },
}


@dataclass(slots=True)
class File:
    """One file of a project."""

    content: str
    modified: datetime


@dataclass(slots=True)
class Project:
    """A project. The sandbox runs the rule that its parameters name, never its code."""

    id: int
    name: str
    language: str = "Py"
    description: str = ""
    created: datetime = CREATED
    modified: datetime = CREATED
    parameters: dict[str, str] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    libraries: list[int] = field(default_factory=list)
    lean_version: int = -1
    lean_environment: int = 1
    nodes: list[str] = field(default_factory=list)  # empty: chosen automatically
    is_demo: bool = False  # deployed as soon as there is a market

    @property
    def honours_dates(self) -> bool:
        """Whether its code reads the parameters for start and end of a backtest."""
        return any(START in file.content for file in self.files.values())


def demo_projects() -> list[Project]:
    """What the account holds at first."""
    momentum = _demo(23456781, "Momentum desk", "Sandbox: momentum on AAPL", _MOMENTUM_CODE)
    momentum.parameters = {
        "rule": "momentum",
        "symbols": "AAPL",
        "resolution": "minute",
        "backtest_resolution": "daily",
        "lookback": "5",
    }
    breadth = _demo(23456782, "Breadth desk", "Sandbox: daily breadth of ten names", _BREADTH_CODE)
    breadth.parameters = {"rule": "breadth", "lookback": "5"}
    return [momentum, breadth]


def _demo(id_: int, name: str, description: str, code: str) -> Project:
    files = {"main.py": File(code, CREATED)}
    return Project(id_, name, description=description, files=files, is_demo=True)


_NOTE = '''"""The sandbox does not run this code: it follows the rule that the parameters name."""

from AlgorithmImports import *


'''
_MOMENTUM_CODE = (
    _NOTE
    + """class MomentumDesk(QCAlgorithm):
    def initialize(self):
        start = self.get_parameter("signalbox_start", "")
        end = self.get_parameter("signalbox_end", "")
        if start:
            self.set_start_date(datetime.strptime(start, "%Y-%m-%d"))
        if end:
            self.set_end_date(datetime.strptime(end, "%Y-%m-%d"))
        self.set_cash(100000)
        self.add_equity("AAPL", Resolution.MINUTE)
"""
)
_BREADTH_CODE = (
    _NOTE
    + """class BreadthDesk(QCAlgorithm):
    def initialize(self):
        self.set_cash(100000)
        for ticker in ("CVX", "GE", "IBM", "JNJ", "JPM", "KO", "MSFT", "PG", "WMT", "XOM"):
            self.add_equity(ticker, Resolution.DAILY)
"""
)
