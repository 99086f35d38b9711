"""Credentials and the server's configuration, in files that only their owner reads.

A rerun keeps what is there.
"""

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from signalbox.contracts.subjects import MAX_MESSAGE_BYTES
from signalbox.runtime.provision.permissions import Permissions, everyone, inbox_prefix
from signalbox.runtime.secrets import new_key_pair
from signalbox.runtime.topology import SERVICES

SYSTEM = "sys"  # the operator's user: sees the server itself, none of its messages
DEFAULT_LISTEN = "127.0.0.1:4222"
MAX_PAYLOAD = 2 * MAX_MESSAGE_BYTES  # an answer to a command may hold a thousand bars
_MIN_STORE = 64 << 20
_ANSWER_WITHIN = "2m"


def prepare(home: Path) -> list[str]:
    """Make the home, all credentials and the public keys; say in words what was made."""
    said: list[str] = []
    for folder in (home, home / "credentials", home / "nats"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    public: dict[str, str] = {}
    for user in (*everyone(), SYSTEM):
        stored = _credentials(home, user, said)
        if user in SERVICES:
            public[user] = str(stored["public_key"])
    write_private(home / "credentials" / "public-keys.json", json.dumps(public, indent=2))
    return said


def read_credentials(home: Path, user: str) -> dict[str, str]:
    """What `prepare` wrote for a user."""
    stored: dict[str, str] = json.loads((home / "credentials" / f"{user}.json").read_text())
    return stored


def public_keys(home: Path) -> dict[str, str]:
    """The public key of every service."""
    keys: dict[str, str] = json.loads((home / "credentials" / "public-keys.json").read_text())
    return keys


def _credentials(home: Path, user: str, said: list[str]) -> dict[str, str]:
    path = home / "credentials" / f"{user}.json"
    if path.exists():
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            path.chmod(0o600)
            said.append(
                f"{path} could be read by others ({mode:04o}); it is private again, but replace"
                " it by deleting it and provisioning once more if anybody else uses this machine"
            )
        return read_credentials(home, user)
    made = {
        "user": user,
        "password": secrets.token_urlsafe(32),
        "inbox_prefix": inbox_prefix(user),
    }
    if user in SERVICES:
        made["private_key"], made["public_key"] = new_key_pair()
    write_private(path, json.dumps(made, indent=2))
    said.append(f"made {path}")
    return made


def write_private(path: Path, text: str) -> None:
    """Replace a file at once; nobody but the owner can read it at any moment."""
    if path.exists() and path.read_text() == text:
        path.chmod(0o600)
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def store_limit(store: Path) -> int:
    """Bytes that the streams may fill: what they fill now, and half of what is free."""
    used = sum(file.stat().st_size for file in store.rglob("*") if file.is_file())
    existing = next(folder for folder in (store, *store.parents) if folder.exists())
    return max(_MIN_STORE, used + shutil.disk_usage(existing).free // 2)


def server_config(
    credentials: Mapping[str, Mapping[str, str]],
    *,
    listen: str,
    store: str,
    sync_interval: str,
    max_file_store: int,
) -> dict[str, Any]:
    """The configuration of nats-server: one account, one user per service, denied by default."""
    rights = everyone()
    users = [_user(credentials[name], rights[name]) for name in rights]
    system = {k: credentials[SYSTEM][k] for k in ("user", "password")}
    return {
        "server_name": "signalbox",
        "listen": listen,
        "max_payload": MAX_PAYLOAD,
        "max_connections": 256,
        "ping_interval": "20s",
        "ping_max": 3,
        "write_deadline": "10s",
        "jetstream": {
            "store_dir": store,
            "max_memory_store": 16 << 20,
            "max_file_store": max_file_store,
            "sync_interval": sync_interval,
        },
        "accounts": {
            "SB": {
                "jetstream": {"max_file": max_file_store, "max_mem": 16 << 20},
                "users": users,
            },
            "SYS": {"users": [system]},
        },
        "system_account": "SYS",
    }


def _user(credentials: Mapping[str, str], rights: Permissions) -> dict[str, Any]:
    allowed: dict[str, Any] = {
        # An empty allow list would allow everything.
        "publish": {"allow": list(rights.publish)} if rights.publish else {"deny": [">"]},
        "subscribe": {"allow": list(rights.subscribe)},
    }
    if rights.refuse:
        allowed["subscribe"]["deny"] = list(rights.refuse)
    if rights.answers:
        allowed["allow_responses"] = {"max": 1, "expires": _ANSWER_WITHIN}
    return {
        "user": credentials["user"],
        "password": credentials["password"],
        "permissions": allowed,
    }


def write_server_config(
    home: Path,
    *,
    listen: str = DEFAULT_LISTEN,
    store: Path | None = None,
    sync_interval: str = "always",
) -> Path:
    """Write `nats/nats.conf` from the stored credentials."""
    store = store or (home / "nats" / "store").resolve()
    credentials = {name: read_credentials(home, name) for name in (*everyone(), SYSTEM)}
    config = server_config(
        credentials,
        listen=listen,
        store=str(store),
        sync_interval=sync_interval,
        max_file_store=store_limit(store),
    )
    path = home / "nats" / "nats.conf"
    write_private(path, json.dumps(config, indent=2) + "\n")
    return path


def renew_server_config(home: Path) -> None:
    """Bring the users in `nats/nats.conf` up to date. Where the server listens and stores stays;
    a file that is not of this form is somebody's own and left alone.
    """
    path = home / "nats" / "nats.conf"
    if not path.exists():
        write_server_config(home)
        return
    with contextlib.suppress(ValueError, KeyError):
        known = json.loads(path.read_text())
        store = known["jetstream"]
        write_server_config(
            home,
            listen=known["listen"],
            store=Path(store["store_dir"]),
            sync_interval=store["sync_interval"],
        )
