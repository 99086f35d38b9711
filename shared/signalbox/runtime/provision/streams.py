"""Streams, consumers and buckets as the server should have them.

Existing ones are updated in place and never emptied.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError

from signalbox.contracts.errors import TransientError
from signalbox.contracts.subjects import MAX_MESSAGE_BYTES, STREAMS, Stream
from signalbox.runtime.natsserver import OLDEST
from signalbox.runtime.provision.files import public_keys, read_credentials
from signalbox.runtime.provision.permissions import PROVISION, inbox_prefix
from signalbox.runtime.topology import BUCKETS, CONFIG_BUCKET, CONSUMERS, KEYS_BUCKET, Consumer

_SECOND = 1_000_000_000
_DUPLICATE_WINDOW = 600 * _SECOND
_NOT_FOUND = {10059, 10014}  # stream, consumer
_TIMEOUT_S = 10.0
_TRIES, _PAUSE_S = 20, 0.5  # for a server that comes up just now
_BUCKET_BYTES = 64 << 20
_CONFIG_HISTORY = 10

Settings = dict[str, Any]


class ProvisioningFailed(TransientError):
    """The server refused, or could not be reached."""


@dataclass(slots=True)
class Report:
    """What was done, and what could not be."""

    done: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def stream_settings(stream: Stream, *, replicas: int, most_bytes: int) -> Settings:
    """What a stream should be. Money is refused rather than forgotten."""
    forgets = not stream.money or stream.per_subject > 0
    return {
        "name": stream.name,
        "subjects": list(stream.subjects),
        "storage": "file",
        "retention": "limits",
        "discard": "old" if forgets else "new",
        "persist_mode": "default" if stream.money or replicas > 1 else "async",
        "max_msgs": -1,
        "max_age": int(stream.max_age.total_seconds()) * _SECOND,
        "max_bytes": min(stream.max_bytes, most_bytes),
        "max_msgs_per_subject": stream.per_subject,
        "max_msg_size": MAX_MESSAGE_BYTES,
        "duplicate_window": _DUPLICATE_WINDOW,
        "num_replicas": replicas,
        "allow_direct": True,
        "deny_delete": stream.money,
        "deny_purge": stream.money,
    }


def bucket_settings(bucket: str, *, replicas: int, most_bytes: int) -> Settings:
    """What the stream under a key-value bucket should be."""
    return {
        "name": f"KV_{bucket}",
        "subjects": [f"$KV.{bucket}.>"],
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "persist_mode": "default",
        "max_msgs": -1,
        "max_bytes": min(_BUCKET_BYTES, most_bytes),
        "max_msgs_per_subject": _CONFIG_HISTORY if bucket == CONFIG_BUCKET else 1,
        "max_msg_size": MAX_MESSAGE_BYTES,
        "duplicate_window": _DUPLICATE_WINDOW,
        "num_replicas": replicas,
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "deny_delete": True,
        "deny_purge": False,
    }


def consumer_settings(consumer: Consumer) -> Settings:
    """What a durable should be; raw, because the client library has no fields for pinning."""
    settings: Settings = {
        "durable_name": consumer.durable,
        "name": consumer.durable,
        "ack_policy": "explicit",
        "ack_wait": 30 * _SECOND,
        "max_ack_pending": 5000,
        "max_deliver": -1,
        "deliver_policy": "new" if consumer.only_new else "all",
        "replay_policy": "instant",
        "filter_subject": consumer.filter_subject or "",
        "headers_only": False,
    }
    if consumer.pinned:
        settings["priority_groups"] = [consumer.durable]
        settings["priority_policy"] = "pinned_client"
        settings["priority_timeout"] = 3 * _SECOND
    return settings


def drift(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Settings:
    """The wanted settings that the server has otherwise; a larger size limit is left alone."""
    changed = {
        key: value for key, value in wanted.items() if found.get(key, _absent(value)) != value
    }
    if "max_bytes" in changed and found.get("max_bytes", 0) > wanted["max_bytes"]:
        del changed["max_bytes"]
    return changed


def _merged(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Settings:
    """What the server has, with every difference put right."""
    return {k: v for k, v in found.items() if k != "metadata"} | drift(wanted, found)


def _absent(value: object) -> object:
    """The server leaves out what is at its default."""
    return value if value in ("", False, "default") else None


class Provisioner:
    """Brings one server to what the topology says."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self.report = Report()

    async def run(self, keys: Mapping[str, str], *, replicas: int = 1) -> Report:
        """Make and correct everything; what cannot be corrected is reported."""
        room = int((await self._ask("INFO", {}))["limits"].get("max_storage", -1))
        # Every copy counts against the account's limit.
        parts = (len(STREAMS) + len(BUCKETS)) * replicas
        share = room // parts if room > 0 else 1 << 62
        for stream in STREAMS:
            await self._stream(stream_settings(stream, replicas=replicas, most_bytes=share))
        for bucket in BUCKETS:
            await self._stream(bucket_settings(bucket, replicas=replicas, most_bytes=share))
        for consumer in CONSUMERS:
            await self._consumer(consumer)
        await self._keys(keys)
        return self.report

    async def _stream(self, wanted: Settings) -> None:
        name = wanted["name"]
        found = await self._look_up(f"STREAM.INFO.{name}")
        if found is None:
            await self._ask(f"STREAM.CREATE.{name}", wanted)
            self.report.done.append(f"made stream {name}")
            return
        whole = _merged(found["config"], wanted)
        await self._correct(
            f"stream {name}", f"STREAM.UPDATE.{name}", whole, drift(wanted, found["config"])
        )

    async def _consumer(self, consumer: Consumer) -> None:
        name = f"{consumer.stream}.{consumer.durable}"
        wanted = consumer_settings(consumer)
        found = await self._look_up(f"CONSUMER.INFO.{name}")
        subject = f"CONSUMER.CREATE.{name}"
        if consumer.filter_subject:
            subject = f"{subject}.{consumer.filter_subject}"
        body: Settings = {"stream_name": consumer.stream, "config": wanted, "action": "create"}
        if found is None:
            await self._ask(subject, body)
            self.report.done.append(f"made consumer {name}")
            return
        body = {**body, "config": _merged(found["config"], wanted), "action": "update"}
        await self._correct(f"consumer {name}", subject, body, drift(wanted, found["config"]))

    async def _correct(
        self, what: str, subject: str, body: Settings, changed: Mapping[str, Any]
    ) -> None:
        if not changed:
            return
        words = ", ".join(f"{key} should be {value!r}" for key, value in changed.items())
        try:
            await self._ask(subject, body)
        except ProvisioningFailed as error:
            self.report.problems.append(f"{what}: {words}; it cannot be changed in place ({error})")
        else:
            self.report.done.append(f"corrected {what}: {words}")

    async def _keys(self, keys: Mapping[str, str]) -> None:
        js = self._nc.jetstream(timeout=_TIMEOUT_S)
        bucket = await js.key_value(KEYS_BUCKET)
        for service, key in keys.items():
            if await self._stored(service) != key.encode():
                await bucket.put(service, key.encode())
                self.report.done.append(f"published the public key of {service}")

    async def _stored(self, service: str) -> bytes | None:
        subject = f"$JS.API.DIRECT.GET.KV_{KEYS_BUCKET}.$KV.{KEYS_BUCKET}.{service}"
        answer = await self._nc.request(subject, b"", timeout=_TIMEOUT_S)
        return None if (answer.headers or {}).get("Status") else answer.data

    async def _look_up(self, subject: str) -> Settings | None:
        answer = await self._request(subject, {})
        if answer.get("error", {}).get("err_code") in _NOT_FOUND:
            return None
        return _checked(answer, subject)

    async def _ask(self, subject: str, body: Settings) -> Settings:
        return _checked(await self._request(subject, body), subject)

    async def _request(self, subject: str, body: Settings) -> Settings:
        try:
            answer = await self._nc.request(
                f"$JS.API.{subject}", json.dumps(body).encode() if body else b"", timeout=_TIMEOUT_S
            )
        except NatsError as error:
            raise ProvisioningFailed(f"{subject}: {error!r}") from error
        answered: Settings = json.loads(answer.data)
        return answered


def _checked(answer: Settings, subject: str) -> Settings:
    if "error" in answer:
        raise ProvisioningFailed(
            f"{subject}: {answer['error'].get('description', answer['error'])}"
        )
    return answer


async def provision_streams(home: Path, url: str, *, replicas: int = 1) -> Report:
    """Connect as the provisioning user and bring the server up to date.

    Raises:
        ProvisioningFailed: the server cannot be reached, refuses the user, or is too old.
    """
    login = read_credentials(home, PROVISION)
    refused: list[Exception] = []

    async def note(error: Exception) -> None:
        refused.append(error)

    nc = Client()
    try:
        await nc.connect(
            url,
            user=login["user"],
            password=login["password"],
            inbox_prefix=inbox_prefix(PROVISION).encode(),
            name=PROVISION,
            allow_reconnect=False,
            max_reconnect_attempts=_TRIES,
            reconnect_time_wait=_PAUSE_S,  # type: ignore[arg-type]  # seconds; it takes fractions
            connect_timeout=5,
            error_cb=note,
        )
    except (NatsError, OSError) as error:
        cause = (refused or [error])[-1]  # closing may add to it
        await nc.close()
        if isinstance(cause, OSError):  # a time-out, too
            raise ProvisioningFailed(
                f"no nats-server can be reached at {url}: {cause!r}. Start it, or unset"
                " SIGNALBOX_NATS_URL for the one that comes with Signalbox"
            ) from error
        raise ProvisioningFailed(
            f"{url} does not let user {PROVISION} in: {cause!r}. An external server must be started"
            f" with the users of {home / 'nats' / 'nats.conf'}"
        ) from error
    try:
        version = nc.connected_server_version
        if (version.major, version.minor, version.patch) < OLDEST:
            raise ProvisioningFailed(
                f"the nats-server at {url} is {version.major}.{version.minor}.{version.patch};"
                f" {'.'.join(map(str, OLDEST))} or newer is needed. Start a newer one, or unset"
                " SIGNALBOX_NATS_URL for the one that comes with Signalbox"
            )
        return await Provisioner(nc).run(public_keys(home), replicas=replicas)
    finally:
        await nc.close()
