"""Keys that come with the environment, as configuration."""

from datetime import datetime

from gateway.domain.connections import fingerprint
from gateway.domain.edits import QUANTCONNECT, SealedSecret, save_connection
from gateway.domain.quantconnect_bodies import ConnectionBody
from gateway.domain.setup import Setup, find
from signalbox.contracts.values import Target

KEY = "environment"


def is_known(setup: Setup, api_key: str, secret: str) -> bool:
    """Whether some config holds this key already."""
    wanted = fingerprint(QUANTCONNECT, api_key, secret)
    return any(connection.fingerprint == wanted for connection in setup.connections)


def import_key(
    setup: Setup, api_key: str, secret: SealedSecret, *, owner: str, at: datetime
) -> Setup:
    """Follow the real account that the environment names; a new token replaces the old one."""
    body = ConnectionBody(
        name="QuantConnect (from the environment)", api_key=api_key, target=Target.REAL
    )
    if find(setup.connections, KEY) is not None:
        body = ConnectionBody(api_key=api_key, target=Target.REAL)
    return save_connection(setup, body, secret, key=KEY, owner=owner, at=at).setup
