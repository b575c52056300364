"""JSON pointers (RFC 6901): where in a document something stands."""

import re
from collections.abc import Iterable

POINTER = re.compile(r"(/([^~/]|~[01])+)+")
"""A pointer below the root whose every part has a name."""


def pointer_to(parts: Iterable[int | str]) -> str:
    """The pointer to a member by the names and places on the way to it; "" is the whole document."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def parts_of(pointer: str) -> list[str]:
    """The names and places on the way that a pointer goes; none for the whole document."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
