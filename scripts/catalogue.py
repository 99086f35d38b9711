"""What the code says about its events and settings, gathered for the generated pages."""

import ast
import inspect
import io
import textwrap
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from signalbox.contracts import payloads, values
from signalbox.contracts.events import Event
from signalbox.contracts.subjects import PREFIX, STREAMS, Stream, untoken
from signalbox.runtime.provision.permissions import READERS
from signalbox.runtime.settings import ServiceSettings
from signalbox.runtime.topology import CONSUMERS, SERVICES, USERS

PREFIX_VARIABLE = "SIGNALBOX_"


class _Placeholder(str):
    """Stands for any payload: each attribute is `{its name}`, so an address becomes a template."""

    __slots__ = ()

    def __getattr__(self, name: str) -> "_Placeholder":
        return _Placeholder(f"{{{name}}}")


def address(event: type[Event]) -> str:
    """The subject of an event with `{parameters}`."""
    return ".".join(untoken(part) for part in event.address(_Placeholder()).split("."))


def parameters(template: str) -> list[str]:
    """The names in braces."""
    return [part[1:-1] for part in template.split(".") if part.startswith("{")]


def stream_of(event: type[Event]) -> Stream:
    """Where an event is stored."""
    return next(stream for stream in STREAMS if stream.name == event.STREAM)


def senders(event: type[Event]) -> list[str]:
    """Who may publish it."""
    template = address(event)
    return [user.name for user in USERS if any(_overlap(p, template) for p in user.publish)]


def receivers(event: type[Event]) -> list[str]:
    """Who reads it: by a durable, or as it is published. Readers of everything are left out."""
    template = address(event)
    found = {
        consumer.durable
        for consumer in CONSUMERS
        if consumer.stream == event.STREAM
        and _overlap(consumer.filter_subject or f"{PREFIX}.>", template)
    }
    for user in USERS:
        if user.name not in READERS and any(_overlap(p, template) for p in user.subscribe):
            found.add(user.name)
    return [name for name in (*SERVICES, "sandbox") if name in found]


def _overlap(pattern: str, template: str) -> bool:
    """Whether a subject can be in both, a parameter being any token."""
    left, right = pattern.split("."), template.split(".")
    for position, part in enumerate(left):
        if part == ">":
            return len(right) > position
        if position >= len(right):
            return False
        other = right[position]
        if part not in {"*", other} and not other.startswith("{"):
            return False
    return len(left) == len(right)


@dataclass(frozen=True, slots=True)
class Described:
    """One field or member as its class shows it."""

    name: str
    kind: str
    default: str
    meaning: str


def described(kind: type) -> list[Described]:
    """The lines of a class: name, type and default as written, and the comment beside them."""
    source = textwrap.dedent(inspect.getsource(kind))
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    body = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)).body
    found = []
    for node in body:
        note = comments.get(getattr(node, "lineno", 0), "")
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                default = ast.unparse(value) if value else ""
                found.append(Described(name, ast.unparse(annotation), default, note))
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.append(Described(name, "", ast.unparse(value), note))
    return [one for one in found if not one.kind.startswith("ClassVar")]


def payload_of(event: type[Event]) -> type[BaseModel]:
    """The class of an event's data."""
    found = event.model_fields["data"].annotation
    if not (isinstance(found, type) and issubclass(found, BaseModel)):
        raise TypeError(f"{event.__name__} does not say what its data is")
    return found


def _classes(module: ModuleType, base: type) -> Iterator[type]:
    for one in vars(module).values():
        if isinstance(one, type) and issubclass(one, base) and one.__module__ == module.__name__:
            yield one


def parts(events: tuple[type[Event], ...]) -> list[type[BaseModel]]:
    """The classes that payloads are made of and that are none themselves."""
    whole = {payload_of(event) for event in events}
    return [c for c in _classes(payloads, BaseModel) if c not in whole]


def words() -> list[type[StrEnum]]:
    """The closed lists of words."""
    return list(_classes(values, StrEnum))


def settings_classes() -> list[tuple[str, type[BaseSettings]]]:
    """Every Settings class by what it belongs to, the common part first."""
    found: list[tuple[str, type[BaseSettings]]] = [("Every service", ServiceSettings)]
    for name in (*SERVICES, "sandbox"):
        module = f"{name.replace('-', '_')}.settings"
        if find_spec(name.replace("-", "_")) and find_spec(module):
            found.append((name, import_module(module).Settings))
    found.append(("make run", import_module("scripts.up").Settings))
    return found


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable."""

    name: str
    default: str
    meaning: str


def variables(kind: type[BaseSettings]) -> list[Variable]:
    """The variables that a Settings class adds to its base."""
    inherited = () if kind is ServiceSettings else ServiceSettings.model_fields
    return [
        Variable(" or ".join(_names(name, field)), _default(field), field.description or "")
        for name, field in kind.model_fields.items()
        if name not in inherited
    ]


def _names(name: str, field: FieldInfo) -> list[str]:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices]
    return [str(alias)] if alias else [f"{PREFIX_VARIABLE}{name.upper()}"]


def _default(field: FieldInfo) -> str:
    value = None if field.is_required() else field.get_default(call_default_factory=True)
    if value is None or value in ([], ()):
        return "unset"
    if isinstance(value, SecretStr):
        return value.get_secret_value()  # a default is in the code for all to read
    return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
