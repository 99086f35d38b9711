"""Troubles that people were told of and that are not over."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alarm:
    """One of them."""

    code: str
    about: str
    order_id: str = ""  # where it is an order's, and over with that
    detail: str = ""  # at most 256 characters; another one is told anew
