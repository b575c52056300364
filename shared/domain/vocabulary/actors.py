"""Who acts, as histories name it."""

from enum import StrEnum
from typing import Self


class Actor(StrEnum):
    """Who did something, where it wasn't staff with a key, nor a channel's function; those are named by themselves."""

    OPERATOR = "operator"
    PARTNER = "partner"
    PATIENT = "patient"
    PROCESSOR = "processor"
    PROVIDER = "provider"
    RECIPIENT = "recipient"
    SCHEDULER = "scheduler"
    SYSTEM = "system"


class NamedActor(str):
    """An actor with the name of the person behind it, as the caller gave it (docs/rules.md#person-behind).

    Every rule takes an actor as text. Whatever it writes into a history keeps the person too, so that no rule can
    forget them.
    """

    __slots__ = ("by",)

    by: str

    def __new__(cls, actor: str, by: str) -> Self:
        """An actor, and the person behind it."""
        named = super().__new__(cls, actor)
        named.by = by
        return named


def person_behind(actor: str) -> str:
    """The person whom an actor names; "": none."""
    return actor.by if isinstance(actor, NamedActor) else ""
