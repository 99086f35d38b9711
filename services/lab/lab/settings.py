"""What the environment may say: nothing beyond what every service shares."""

from signalbox.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """The lab has no settings of its own."""
