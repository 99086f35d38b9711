"""Who may do what: a viewer reads, a trader acts, an admin configures."""

from enum import StrEnum

from signalbox.contracts.values import Value


class Role(StrEnum):
    """Each role may do what the one before it may, and more."""

    VIEWER = "viewer"
    TRADER = "trader"
    ADMIN = "admin"

    def may(self, needed: "Role") -> bool:
        """Whether this role is enough where `needed` is asked for."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


class Person(Value):
    """Who is signed in."""

    user_id: str
    username: str
    role: Role
