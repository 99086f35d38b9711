"""What every test may use."""

pytest_plugins = ("signalbox.testing.servers",)
