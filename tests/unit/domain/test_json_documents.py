"""How statement files are decoded: numbers exact, what would spoil a file let through, and pointers followed."""

import json
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.vocabulary.json_documents import (
    DECODER,
    MOST_DEPTH,
    MOST_NUMBER_DIGITS,
    Ambiguous,
    pointed_at,
    too_deep,
)

LONGEST = "1" * MOST_NUMBER_DIGITS


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("74.60", Decimal("74.60")),
        (LONGEST, int(LONGEST)),
        (f"{LONGEST[:-2]}.5", Decimal(f"{LONGEST[:-2]}.5")),
    ],
)
def test_a_number_is_exact_up_to_the_longest_one_read(written: str, number: Any) -> None:
    read = DECODER.decode(written)
    assert (read, type(read)) == (number, type(number))


@pytest.mark.parametrize("written", [f"{LONGEST}1", f"{LONGEST[:-1]}.5", "1e99999999999999999999", "NaN"])
def test_what_is_too_long_or_no_number_becomes_one_that_no_member_takes(written: str) -> None:
    """So that the contract finds it by its pointer, and its neighbours are read."""
    assert DECODER.decode(written).is_nan()


def test_an_object_with_a_member_twice_keeps_its_members_and_names_it() -> None:
    assert DECODER.decode('{"a": 1, "b": 2, "a": 3}') == Ambiguous({"a": 3, "b": 2}, ("a",))


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('{"b":0,"b":', "}")])
def test_a_value_is_too_deep_only_past_the_limit(opening: str, closing: str) -> None:
    """Whatever it is made of: lists, objects, or objects that have a member twice."""
    inside = "[]" if opening == "[" else "{}"
    for depth, expected in ((MOST_DEPTH - 1, False), (MOST_DEPTH, True)):
        text = opening * depth + inside + closing * depth
        assert too_deep(text, DECODER.decode(text)) is expected


def test_a_wide_value_is_not_deep() -> None:
    wide = json.dumps([[{}] for _ in range(MOST_DEPTH)])
    assert not too_deep(wide, DECODER.decode(wide))


DOCUMENT = {
    "a/b": {"c~d": "x"},
    "list": [{"n": 1}, {"n": 2}],
    "true": True,
    "word": "Infinity",
    "twice": Ambiguous({"n": 7}, ("n",)),
}


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("/a~1b/c~0d", "x"),
        ("/list/1/n", Decimal(2)),
        ("/list/2", None),
        ("/list/2/n", None),
        ("/list/x", None),
        ("/list/-1", None),
        ("/list/²", None),
        ("/twice/n", Decimal(7)),
        ("/word/0", None),
        ("/missing/n", None),
    ],
)
def test_a_pointer_leads_to_a_member_or_to_nothing(pointer: str, found: Any) -> None:
    assert pointed_at(DOCUMENT, pointer) == found


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Decimal("74.6"), "74.60", True),
        (74, "74", True),
        ("74.60", "74.61", False),
        (1, True, False),
        ("Infinity", "inf", False),
        ("x", "y", False),
    ],
)
def test_amounts_compare_by_their_value_however_they_are_written(one: Any, other: Any, *, same: bool) -> None:
    """What is no finite number compares as it stands; and true is no number."""
    found = [pointed_at({"m": value}, "/m") for value in (one, other)]
    assert ((type(found[0]), found[0]) == (type(found[1]), found[1])) is same
