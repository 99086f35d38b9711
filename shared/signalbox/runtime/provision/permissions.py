"""What each NATS user may publish and hear. Pure; everything that is not listed is denied.

No user but `provision` may create a consumer. A consumer names the subject it delivers to, and the
server delivers there with its own rights, so whoever may create one can write anywhere. Hence
buckets are read by plain subscription and direct get, and past messages by direct get.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from signalbox.contracts.subjects import PREFIX
from signalbox.runtime.topology import (
    BUCKETS,
    CONFIG_BUCKET,
    CONSUMERS,
    KEYS_BUCKET,
    USERS,
    Consumer,
    User,
)

PROVISION = "provision"
COMMANDS = f"{PREFIX}.cmd"
_API = "$JS.API"


@dataclass(frozen=True, slots=True)
class Permissions:
    """The allow lists of one user; `refuse` takes away from `subscribe`."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    refuse: tuple[str, ...] = ()
    answers: bool = False  # may publish one message to the reply subject of each request it gets


def inbox_prefix(user: str) -> str:
    """Where answers to this user arrive; nobody else may listen there."""
    return f"_INBOX_{user}"


def permissions(
    user: User, *, consumers: Iterable[Consumer] = CONSUMERS, is_service: bool = True
) -> Permissions:
    """What `user` may do: its own words and consumers and, as a service, reading the buckets."""
    own = [consumer for consumer in consumers if consumer.durable == user.name]
    publish = [*user.publish]
    for consumer in own:
        publish += reading(consumer)
    for stream in sorted({*user.streams, *(consumer.stream for consumer in own)}):
        publish.append(f"{_API}.STREAM.INFO.{stream}")
    for stream in user.streams:
        publish += direct_get(stream)
    subscribe = [f"{inbox_prefix(user.name)}.>", *user.subscribe]
    if is_service:
        for bucket in BUCKETS:
            publish += bucket_reads(bucket, user)
            subscribe.append(f"$KV.{bucket}.{bucket_keys(bucket, user)}")
    asked = any(subject.startswith(f"{COMMANDS}.") for subject in user.subscribe)
    hears_all = f"{PREFIX}.>" in user.subscribe
    return Permissions(
        publish=tuple(publish),
        subscribe=tuple(subscribe),
        refuse=(f"{COMMANDS}.>",) if hears_all else (),
        answers=asked,
    )


def bucket_keys(bucket: str, user: User) -> str:
    """Which keys a user reads: all; of the configuration its own, unless it writes them."""
    if bucket == CONFIG_BUCKET and f"$KV.{bucket}.>" not in user.publish:
        return user.name
    return ">"


def bucket_reads(bucket: str, user: User) -> list[str]:
    """Reading a bucket by direct get."""
    keys = bucket_keys(bucket, user)
    if keys == ">":
        return [f"{_API}.STREAM.INFO.KV_{bucket}", *direct_get(f"KV_{bucket}")]
    return [f"{_API}.DIRECT.GET.KV_{bucket}.$KV.{bucket}.{keys}"]


def reading(consumer: Consumer) -> list[str]:
    """What a reader of a durable needs; servers acknowledge in a shorter or a longer form."""
    name = f"{consumer.stream}.{consumer.durable}"
    subjects = [
        f"{_API}.CONSUMER.MSG.NEXT.{name}",
        f"{_API}.CONSUMER.INFO.{name}",
        f"$JS.ACK.{name}.>",
        f"$JS.ACK.*.*.{name}.>",
    ]
    if consumer.pinned:
        subjects += [f"{_API}.CONSUMER.RESET.{name}", f"{_API}.CONSUMER.UNPIN.{name}"]
    return subjects


def direct_get(stream: str) -> list[str]:
    """Reading stored messages by sequence or subject, without a consumer."""
    return [f"{_API}.DIRECT.GET.{stream}", f"{_API}.DIRECT.GET.{stream}.>"]


READERS = ("reader",)  # users of other systems: they hear and read, and say nothing


def everyone() -> dict[str, Permissions]:
    """The rights of every user, by name."""
    rights = {user.name: permissions(user, is_service=user.name not in READERS) for user in USERS}
    return {**rights, PROVISION: provisioner()}


def provisioner() -> Permissions:
    """The one user that creates and changes streams, consumers and buckets."""
    return Permissions(
        publish=(f"{_API}.>", f"$KV.{KEYS_BUCKET}.>"), subscribe=(f"{inbox_prefix(PROVISION)}.>",)
    )


def matches(pattern: str, subject: str) -> bool:
    """Whether a subject is in a pattern, as the server sees it."""
    wanted, given = pattern.split("."), subject.split(".")
    for position, part in enumerate(wanted):
        if part == ">":
            return len(given) > position
        if position >= len(given) or part not in {"*", given[position]}:
            return False
    return len(wanted) == len(given)


def may_publish(rights: Permissions, subject: str) -> bool:
    """Whether the server lets a message on this subject in."""
    return any(matches(pattern, subject) for pattern in rights.publish)


def may_hear(rights: Permissions, subject: str) -> bool:
    """Whether the server delivers a message on this subject."""
    refused = any(matches(pattern, subject) for pattern in rights.refuse)
    return not refused and any(matches(pattern, subject) for pattern in rights.subscribe)
