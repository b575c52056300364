"""What of a statement is read although it is written otherwise (docs/rules.md, Reading what partners send).

The models of `statement_bodies.py` take each member as it is plainly written. What they refuse comes here: where its
meaning is beyond doubt the plain form takes its place, and where it means nothing, nothing; the models then read again.
So a plain statement costs no more for it. Whatever is mended is told, but for white space.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic_core import ErrorDetails

from shared.contracts.plain_text import OVERRIDES, PARAGRAPHS
from shared.contracts.statement_bodies import FIRST_YEAR, LAST_YEAR, PLACEHOLDERS

type FieldPlace = tuple[int | str, ...]

_OVERRIDE = re.compile(f"[{OVERRIDES}]")
_BREAKS = re.compile(r" *[\t\n\v\f\r\x85\u2028\u2029]+ *")
_LINE_ENDS = re.compile(r" *(?:\r\n|[\n\r\x85\u2028\u2029]) *")

_ZONE = r"(?:[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?(?:\[[\w/+-]{1,40}\])?"
_MIDNIGHT = re.compile(
    rf"(\d{{4}}-\d\d-\d\d)(?:[Tt]| +)(?:00:00(?::00(?:[.,]0{{1,12}})?)?|12:00(?::00(?:[.,]0{{1,12}})?)? ?AM) *{_ZONE}",
    re.ASCII,
)
"""A day and its first instant: RFC 3339, its extension RFC 9557, and the forms of SQL databases."""

_DAY = re.compile(r"(\d{4})-\d\d-\d\d", re.ASCII)

_NOTHING = frozenset(("na", "nil", "none", "null", "unk", "unknown", "notknown", "notgiven", "notprovided"))
"""What is written for a date that nobody knows, in letters only."""

YES = frozenset(("true", "y", "yes", "1", "t", "on"))
NO = frozenset(("false", "n", "no", "0", "f", "off"))

WITHOUT_NAME = frozenset(("billTo", "provider"))
OPTIONAL_PARTS = frozenset(("billTo", "provider", "visits", "charges"))
"""Members that may be absent as a whole. An entry of a list among them may be empty likewise."""


@dataclass(frozen=True, slots=True)
class Mend:
    """What stands in a value's place, and why, to be told; empty: only white space is different."""

    value: Any
    why: str = ""


@dataclass(frozen=True, slots=True)
class Mended:
    """A document with its mends: where each is, and what is to be told of it."""

    document: Any
    told: tuple[tuple[FieldPlace, str], ...]


def mended(document: Any, faults: Iterable[ErrorDetails]) -> Mended | None:  # noqa: ANN401 - any decoded JSON
    """The document as the models can read it, as far as what they refused can be mended; None: nothing of it can."""
    mends = dict[FieldPlace, Mend]()
    for fault in faults:
        place, mend = _mend(document, fault)
        if mend is not None:
            mends[place] = mend
    if not mends:
        return None
    copy = _copied(document)
    for place in sorted(mends, key=len, reverse=True):
        _put(copy, place, mends[place].value)
    parts = {place for place, mend in mends.items() if mend.value is None}
    # What stood inside a part that is absent now needn't be told.
    told = ((place, mend.why) for place, mend in mends.items() if mend.why and not _is_inside(place, parts))
    return Mended(copy, tuple(told))


def _mend(document: Any, fault: ErrorDetails) -> tuple[FieldPlace, Mend | None]:  # noqa: ANN401 - any decoded JSON
    """The place that a fault is mended at, and how; None: it can't be."""
    place, value = fault["loc"], fault["input"]
    part = _empty_part(document, place)
    if part is not None:
        return part
    if fault["type"] == "string_pattern_mismatch":
        as_message = fault.get("ctx", {}).get("pattern") == PARAGRAPHS
        return place, _text(value, as_message=as_message)
    mender = MENDERS.get(fault["type"])
    return place, mender(value) if mender else None


def _empty_part(document: Any, place: FieldPlace) -> tuple[FieldPlace, Mend] | None:  # noqa: ANN401 - any decoded JSON
    """The innermost optional part around a fault that is empty, or has no name where that is all it is for."""
    for length in range(len(place), 0, -1):
        part = place[:length]
        name = part[-1] if isinstance(part[-1], str) else part[-2]
        if name not in OPTIONAL_PARTS:
            continue
        value = _at(document, part)
        if is_hollow(value):
            return part, Mend(None, "is empty; taken as absent")
        if part[-1] in WITHOUT_NAME and isinstance(value, dict) and is_hollow(value.get("name")):
            return part, Mend(None, "has no name; taken as absent")
    return None


def is_hollow(value: Any) -> bool:  # noqa: ANN401 - any decoded JSON
    """Whether there is nothing in a value, however deep one looks: null, blank, or made of nothing else."""
    if isinstance(value, dict):
        return all(map(is_hollow, value.values()))
    if isinstance(value, list):
        return all(map(is_hollow, value))
    return value is None or (isinstance(value, str) and not value.strip())


# --- texts ----------------------------------------------------------------------------------------------------


def one_line(value: str) -> str:
    """A text on one line: without the white space around it, line ends as blanks, and without overrides."""
    return value.strip() if value.isprintable() else _BREAKS.sub(" ", _OVERRIDE.sub("", value).strip())


def paragraphs(value: str) -> str:
    """A text on as many lines as it has, each line's end written as one line feed; otherwise like one_line."""
    lines = _LINE_ENDS.sub("\n", _OVERRIDE.sub("", value)).split("\n")
    return "\n".join(map(one_line, lines)).strip()


def has_overrides(value: str) -> bool:
    """Whether a text turns the direction of what stands behind it around."""
    return _OVERRIDE.search(value) is not None


TURNED = "held signs that turn the direction of writing; they are left out"


def _text(value: Any, *, as_message: bool = False) -> Mend | None:  # noqa: ANN401 - any decoded JSON
    if not isinstance(value, str):
        return None
    plain = paragraphs(value) if as_message else one_line(value)
    return Mend(plain, TURNED if has_overrides(value) else "") if plain != value else None


# --- amounts, dates, yes and no -------------------------------------------------------------------------------


def _decimals(value: Any) -> Mend | None:  # noqa: ANN401 - any decoded JSON
    amount = Decimal(value)  # the validator that refused it has made one of it
    whole = amount.quantize(Decimal("0.01"))
    return Mend(str(whole), "has more than two decimals; the others are zeros") if whole == amount else None


def _midnight(value: Any) -> Mend | None:  # noqa: ANN401 - any decoded JSON
    if not isinstance(value, str):
        return None
    text = one_line(value)
    found = _MIDNIGHT.fullmatch(text)
    if found:
        return Mend(found[1], "is written as a midnight; taken as that day")
    return Mend(text) if text != value else None


def _optional_date(value: Any) -> Mend | None:  # noqa: ANN401 - any decoded JSON
    found = _midnight(value)
    text = found.value if found else value
    if not isinstance(text, str):
        return None
    return Mend(None, "is what is written for no date; taken as unknown") if _is_no_date(text) else found


def _is_no_date(text: str) -> bool:
    """Whether a text says that there is no date: a year that no date of ours has, no digit but 0 or 9, or a word."""
    day = _DAY.fullmatch(text)
    if day and (not FIRST_YEAR <= int(day[1]) <= LAST_YEAR or text in _PLACEHOLDER_DAYS):
        return True
    signs = {character for character in text.casefold() if character.isalnum()}
    return len(signs) == 0 or signs in ({"0"}, {"9"}) or words_in(text) in _NOTHING


_PLACEHOLDER_DAYS = frozenset(day.isoformat() for day in PLACEHOLDERS)


def _flag(value: Any) -> Mend | None:  # noqa: ANN401 - any decoded JSON
    if isinstance(value, str) and not value.strip():
        return Mend(None)
    said = yes_or_no(value)
    return None if said is None else Mend(said, "" if is_quoted(value) else f"is taken as {str(said).lower()}")


def yes_or_no(value: Any) -> bool | None:  # noqa: ANN401 - any decoded JSON
    """What a word or number says that is used for yes or no; None: it is neither."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return value if isinstance(value, bool) else None
    word = str(value).strip().casefold()
    return True if word in YES else False if word in NO else None


def is_quoted(value: Any) -> bool:  # noqa: ANN401 - any decoded JSON
    """Whether a value is JSON's own true or false in quotes."""
    return isinstance(value, str) and value.strip().casefold() in ("true", "false")


def words_in(text: str) -> str:
    """The letters and digits of a text in lower case, without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if character.isalnum())


MENDERS: dict[str, Callable[[Any], Mend | None]] = {
    "decimals": _decimals,
    "date": _midnight,
    "optional_date": _optional_date,
    "flag": _flag,
    "text": _text,
}
"""By the kind of fault (pydantic's, or a validator's of `statement_bodies.py`), what may be done about it."""


# --- places in a document -------------------------------------------------------------------------------------


def _at(document: Any, place: FieldPlace) -> Any:  # noqa: ANN401 - any decoded JSON
    for part in place:
        document = document[part]
    return document


def _copied(value: Any) -> Any:  # noqa: ANN401 - any decoded JSON
    if isinstance(value, dict):
        return {name: _copied(member) for name, member in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _put(document: Any, place: FieldPlace, value: Any) -> None:  # noqa: ANN401 - any decoded JSON
    _at(document, place[:-1])[place[-1]] = value


def _is_inside(place: FieldPlace, parts: set[FieldPlace]) -> bool:
    return any(place[:length] in parts for length in range(1, len(place)))
