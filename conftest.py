"""What every test may use."""

from hypothesis import settings

pytest_plugins = ("signalbox.testing.servers",)

# A deadline per example measures the machine, not the code.
settings.register_profile("signalbox", deadline=None, print_blob=True)
settings.load_profile("signalbox")
