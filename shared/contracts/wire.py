"""What all bodies of the partner API have in common: camelCase, exact money, instants in UTC, no unknown fields."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Never, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from shared.contracts.plain_text import NO_CONTROL_CHARACTERS, UNREADABLE
from shared.domain.vocabulary.json_documents import MOST_DEPTH, MOST_NUMBER_DIGITS, Json, too_deep
from shared.domain.vocabulary.money import Cents, cents, dollars

MOST_AMOUNT_DIGITS = 12
"""More than an amount may have before its point."""

NOT_JSON = "The body isn't JSON."
NESTED_TOO_DEEPLY = f"The body is nested more deeply than {MOST_DEPTH} levels."
BOUNDLESS = "The body has a number beyond all bounds."

_AMOUNT = re.compile(r"-?[0-9]{1,8}(\.[0-9]{1,2})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}", re.ASCII)


class WireModel(BaseModel):
    """A body, or a part of one. Types aren't bent: "true" is no boolean and 1 is no string."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        frozen=True,
        strict=True,
        extra="forbid",
        defer_build=True,  # a cold start builds only the models that its first request needs
    )

    read_only: ClassVar[tuple[str, ...]] = ()
    """Members that a PATCH may repeat, as from a GET, but not change."""


def _cents(value: object) -> Cents:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("must be an amount such as 74.60")  # noqa: TRY004 - pydantic reports ValueError only
    text = str(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= MOST_AMOUNT_DIGITS:
        # Written out, unless that would be a string of a million zeros.
        text = f"{value:f}"
    if not _AMOUNT.fullmatch(text):
        raise ValueError("must be an amount with at most eight digits and two decimals")
    return cents(Decimal(text))


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _date(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("must be a date such as 2026-01-31")
    return date.fromisoformat(value)


def _time(value: object) -> object:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError("must be a time of day such as 09:45")
    return time.fromisoformat(value)


def _line(value: str) -> str:
    if UNREADABLE.search(value):
        raise ValueError(NO_CONTROL_CHARACTERS)
    return value.strip()


def _named_line(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


Money = Annotated[
    Cents,
    PlainSerializer(dollars, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d{1,8}\.\d{2}$", "examples": ["74.60"]}),
]
"""An amount in an answer: cents inside, written as a decimal string."""

GivenMoney = Annotated[
    Money,
    BeforeValidator(_cents),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^-?\d{1,8}(\.\d{1,2})?$"},
                {"type": "number", "exclusiveMinimum": -1e8, "exclusiveMaximum": 1e8},
            ],
            "examples": ["74.60", 74.6],
        },
        mode="validation",
    ),
]
"""An amount in a body that partners send: a decimal string or an exact JSON number of dollars; cents inside."""

Instant = Annotated[
    datetime,
    PlainSerializer(_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T14:45:00.000Z"]}),
]
"""An RFC 3339 instant, written in UTC."""

Day = Annotated[date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]
"""A calendar date."""

TimeOfDay = Annotated[
    time,
    BeforeValidator(_time),
    PlainSerializer(lambda value: value.strftime("%H:%M"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{2}:\d{2}$", "examples": ["09:45"]}),
]
"""A time of day to the minute, on some clock that its field names."""

Line = Annotated[str, AfterValidator(_line)]
"""One line of text, without control characters, stripped."""

NamedLine = Annotated[str, AfterValidator(_line), AfterValidator(_named_line)]
"""One line of text with something on it."""

_Word = TypeVar("_Word")
Word = Annotated[_Word, Field(strict=False)]
"""A word of a closed vocabulary, given by its value."""


class UnreadableBodyError(ValueError):
    """A body that isn't JSON as we take it. Its text says why, and is shown to whoever sent it."""


def _no_constant(_: str) -> Never:
    raise UnreadableBodyError(NOT_JSON)


def _whole(digits: str) -> int:
    if len(digits) > MOST_NUMBER_DIGITS:
        raise UnreadableBodyError(BOUNDLESS)
    return int(digits)


def _fraction(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except ArithmeticError:  # an exponent that even Decimal can't hold
        raise UnreadableBodyError(BOUNDLESS) from None


def _object(pairs: list[tuple[str, Any]]) -> Json:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise UnreadableBodyError("The body has an object with the same field twice.")
    return fields


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_fraction, parse_constant=_no_constant
)


def parse(raw: bytes) -> object:
    """Read JSON with exact decimals. Raises UnreadableBodyError for what isn't JSON (RFC 8259: no NaN, no infinities).

    And for what programs read differently, or that nobody means: a field twice in one object, of which one reader takes
    the first and another the last; nesting deeper than MOST_DEPTH; numbers without bounds; halves of surrogate pairs,
    which are no Unicode, and could be neither stored nor answered.
    """
    try:
        text = raw.decode("utf-8-sig")
        document: object = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise UnreadableBodyError("The body isn't UTF-8.") from None
    except json.JSONDecodeError:
        raise UnreadableBodyError(NOT_JSON) from None
    except RecursionError:
        raise UnreadableBodyError(NESTED_TOO_DEEPLY) from None
    if too_deep(text, document):
        raise UnreadableBodyError(NESTED_TOO_DEEPLY)
    try:
        json.dumps(document, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise UnreadableBodyError("The body has broken Unicode in it.") from None
    return document


def merge_patch(document: Mapping[str, Any], patch: Mapping[str, Any]) -> Json:
    """A JSON merge patch (RFC 7396): fields replace fields, objects merge, null removes."""
    merged = dict(document)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            before = merged.get(name)
            merged[name] = merge_patch(before if isinstance(before, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged
