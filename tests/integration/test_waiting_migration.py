"""What waited for a person before an upgrade is still listed after it."""

from pathlib import Path

import pytest
from sqlalchemy import inspect

from gateway.adapters.tables import metadata
from gateway.adapters.views.signals import list_pending
from gateway.domain.cursor import Page
from gateway.handlers import build_handlers
from signalbox.contracts.events import VerdictReached
from signalbox.contracts.values import Outcome, Reason
from signalbox.runtime import ledger
from signalbox.runtime.db import Database
from signalbox.runtime.migrating import migrate
from signalbox.testing.examples import a_moment, a_signal, a_verdict, raised

pytestmark = pytest.mark.integration


def has_column(home: Path, url: str | None) -> bool:
    db = Database.open("gateway", home=home, url=url)
    with db.begin() as sql:
        found = {one["name"] for one in inspect(sql).get_columns("rounds")}
    db.close()
    return "waits_until" in found


def test_an_older_database_still_lists_what_waits(tmp_path: Path, database_url: str | None) -> None:
    signal = a_signal()
    asks = a_verdict(signal, outcome=Outcome.PENDING, reason=Reason.AWAITS_APPROVAL)
    cause = raised()
    verdicts = [
        a_moment().event(VerdictReached, verdict, cause=cause, sequence=1)
        for verdict in (asks, a_verdict(signal, bot="beta"))
    ]
    migrate("gateway", home=tmp_path, url=database_url)
    db = Database.open("gateway", home=tmp_path, url=database_url)
    (mine,) = (one for one in build_handlers(lambda _: None) if one.stream == VerdictReached.STREAM)
    with db.begin() as sql:
        ledger.handle(sql, metadata, mine, verdicts, a_moment())
    db.close()
    while has_column(tmp_path, database_url):
        migrate("gateway", home=tmp_path, url=database_url, target="down")
    migrate("gateway", home=tmp_path, url=database_url)
    db = Database.open("gateway", home=tmp_path, url=database_url)
    with db.begin() as sql:
        found = list_pending(sql, Page()).items
    db.close()
    assert [(one.bot, one.valid_until) for one in found] == [("alpha", signal.valid_until)]
