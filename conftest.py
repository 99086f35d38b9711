"""What every test may use."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import currently_in_test_context, settings

from signalbox.contracts.events import AlertRaised
from signalbox.contracts.notices import Alert
from tests.architecture.project import alerts_in_the_runbook

pytest_plugins = ("signalbox.testing.servers",)

# A deadline per example measures the machine, not the code.
settings.register_profile("signalbox", deadline=None, print_blob=True)
settings.load_profile("signalbox")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in a browser come last: its driver keeps an event loop in the thread that starts it."""
    items.sort(key=lambda item: "browser" in item.keywords)


@pytest.fixture(scope="session", autouse=True)
def every_alert_is_in_the_runbook() -> Iterator[None]:
    """Whatever alert a test has raised, its reader finds it there."""
    raised, key = set[str](), AlertRaised.key

    def noted(alert: Alert) -> UUID:
        if not currently_in_test_context():  # there codes are any text
            raised.add(alert.code)
        return key(alert)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AlertRaised, "key", noted)
        yield
    missing = raised - alerts_in_the_runbook()
    if missing:
        pytest.fail(f"docs/runbook.md does not say what to do about {', '.join(sorted(missing))}")
