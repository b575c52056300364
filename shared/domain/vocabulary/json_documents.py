"""JSON as statement files carry it: numbers exact, and what would spoil a whole file let through to be judged later.

The decoder is the standard library's. So that one bad statement doesn't fail its neighbours, it goes on at `NaN`, raw
control characters, endless numbers and fields that appear twice; the contract finds them by their pointers.
"""

import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from shared.domain.vocabulary.json_pointers import parts_of

type Json = dict[str, Any]
"""A decoded JSON object."""

MOST_DEPTH = 40
"""How deeply a statement may be nested; its own fields need eight levels."""

MOST_NUMBER_DIGITS = 60
"""Longer numbers fit no field of a statement, and making integers of them is slow."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """An object that has a field twice."""

    members: dict[str, Any]
    twice: tuple[str, ...]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Ambiguous:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    times = Counter(name for name, _ in pairs)
    return Ambiguous(members, tuple(name for name, count in times.items() if count > 1))


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= MOST_NUMBER_DIGITS else Decimal("NaN")


def _fraction(digits: str) -> Decimal:
    try:
        return Decimal(digits if len(digits) <= MOST_NUMBER_DIGITS else "NaN")
    except InvalidOperation:  # an exponent that even Decimal can't hold
        return Decimal("NaN")


DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_fraction, parse_constant=Decimal, strict=False
)


def too_deep(text: str, value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether a value is nested more deeply than MOST_DEPTH; `text` is what it was decoded from."""
    if text.count("{") + text.count("[") <= MOST_DEPTH:
        return False
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer if isinstance(outer, list) else _members(outer).values())
            if isinstance(inner, dict | list | Ambiguous)
        ]
        if not level:
            return False
    return True


def _members(value: dict[str, Any] | Ambiguous) -> dict[str, Any]:
    return value.members if isinstance(value, Ambiguous) else value


def pointed_at(document: Any, pointer: str) -> Any:  # noqa: ANN401 - any JSON
    """What a JSON pointer (RFC 6901) points at in a decoded document; None where there is nothing.

    Numbers compare by their value, however they are written: `74.6` and `"74.60"` are the same amount.
    """
    found = document
    for name in parts_of(pointer):
        if isinstance(found, dict | Ambiguous):
            found = _members(found).get(name)
        elif isinstance(found, list) and name.isascii() and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return _amount(found)


def _amount(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            return value
        return number if number.is_finite() else value
    return value
