"""Who acts, as histories name it."""

from enum import StrEnum


class Actor(StrEnum):
    """Who did something, where it wasn't staff with a key, nor a channel's function; those are named by themselves."""

    PARTNER = "partner"
    PATIENT = "patient"
    PROCESSOR = "processor"
    PROVIDER = "provider"
    RECIPIENT = "recipient"
    SCHEDULER = "scheduler"
    SYSTEM = "system"
