"""The envelope of every event: CloudEvents attributes, and where the event comes from."""

from datetime import datetime
from typing import Any, ClassVar, Literal, Self, get_args
from uuid import UUID

from signalbox.contracts.values import UtcTime, Value


class Event(Value):
    """The envelope: CloudEvents attributes, and where the event comes from.

    `correlationid` is the id of the first event of the chain (the signal's), `causationid` the id
    of the event that led to this one. `sequence` is gapless per subject where it is set.
    """

    TYPE: ClassVar[str]  # the one value of `type` that a subclass allows
    STREAM: ClassVar[str]

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str  # the service that speaks
    type: str
    time: UtcTime  # wall time at which it was made
    subject: str
    correlationid: UUID
    causationid: UUID | None = None
    configversion: int = 0
    sequence: int | None = None
    data: Any

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        (cls.TYPE,) = get_args(cls.model_fields["type"].annotation)

    @classmethod
    def key(cls, data: Any) -> UUID:
        """The event's id, from its payload alone."""
        raise TypeError(f"{cls.__name__} has no id rule")

    @classmethod
    def address(cls, data: Any) -> str:
        """The subject it is published on, from its payload alone."""
        raise TypeError(f"{cls.__name__} has no subject rule")

    @classmethod
    def of(
        cls,
        data: Any,
        *,
        source: str,
        time: datetime,
        configversion: int = 0,
        cause: "Event | None" = None,
        sequence: int | None = None,
    ) -> Self:
        """Make the event of `data`, following `cause` where there is one."""
        event_id = cls.key(data)
        return cls(
            id=event_id,
            source=source,
            type=cls.TYPE,
            time=time,
            subject=cls.address(data),
            correlationid=cause.correlationid if cause else event_id,
            causationid=cause.id if cause else None,
            configversion=configversion,
            sequence=sequence,
            data=data,
        )

    def encode(self) -> bytes:
        """The event as the JSON that travels."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=True)
