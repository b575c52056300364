"""A JSON pointer names what it points at, whatever signs a name holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.vocabulary.json_pointers import POINTER, parts_of, pointer_to

NAMES = st.lists(st.text(max_size=6) | st.sampled_from(["~", "/", "~1", "~0", "~01", "a/b", ""]), max_size=4)


@given(NAMES)
def test_the_way_that_a_pointer_goes_is_read_back_as_it_was(names: list[str]) -> None:
    assert parts_of(pointer_to(names)) == names


@given(NAMES.filter(lambda names: bool(names) and all(names)))
def test_every_pointer_to_a_named_member_is_well_formed(names: list[str]) -> None:
    assert POINTER.fullmatch(pointer_to(names))


@pytest.mark.parametrize(
    ("pointer", "parts"),
    [("", []), ("/a", ["a"]), ("/patients/0/firstName", ["patients", "0", "firstName"]), ("/~01", ["~1"])],
)
def test_a_pointer_goes_from_the_whole_document_down(pointer: str, parts: list[str]) -> None:
    assert parts_of(pointer) == parts
    assert pointer_to(parts) == pointer


@pytest.mark.parametrize("broken", ["a", "/", "/a/", "/~", "/~2", "/a//b"])
def test_what_names_no_member_is_no_pointer_to_one(broken: str) -> None:
    assert not POINTER.fullmatch(broken)
