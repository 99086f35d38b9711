"""Saves one item of the configuration for a route."""

from collections.abc import Callable
from typing import TypeVar

from fastapi import Response, status

from gateway.adapters.user_store import Session
from gateway.domain.edits import Saved
from gateway.domain.setup import Setup
from gateway.routes.context import Context

I = TypeVar("I")  # noqa: E741 - one item of the configuration


async def save(
    context: Context, who: Session, response: Response, rule: Callable[[Setup, int], Saved[I]]
) -> tuple[I, Setup]:
    """Apply the rule in one transaction; 201 for something new, 200 for a change."""
    done: list[Saved[I]] = []

    def edit(setup: Setup, version: int) -> Setup:
        done.append(rule(setup, version))
        return done[-1].setup

    changed = await context.configure(edit, who.person)
    response.status_code = status.HTTP_201_CREATED if done[-1].created else status.HTTP_200_OK
    return done[-1].item, changed.setup
