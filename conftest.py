"""What every test may use."""

import pytest
from hypothesis import settings

pytest_plugins = ("signalbox.testing.servers",)

# A deadline per example measures the machine, not the code.
settings.register_profile("signalbox", deadline=None, print_blob=True)
settings.load_profile("signalbox")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in a browser come last: its driver keeps an event loop in the thread that starts it."""
    items.sort(key=lambda item: "browser" in item.keywords)
