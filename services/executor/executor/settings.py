"""What the environment may say to the executor: what every service is told, and nothing of its
own.
"""

from signalbox.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Limits, accounts and switches come with the configuration, so that they have a version."""
