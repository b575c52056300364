"""What is made up of an organization that its partner doesn't say."""

import pytest

from shared.domain.records.policy import LONGEST_DEFAULT_SHORT_NAME, with_short_name
from tests.worlds.examples import organization


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Lakeside Pediatrics", "Lakeside Pediatrics"),
        ("Northside Family Practice", "Northside Family"),
        ("Smith, Jones & Partners", "Smith, Jones"),
        ("Otorhinolaryngological Associates", "Otorhinolaryngologic"),
        ("Exactly twenty chars", "Exactly twenty chars"),
    ],
)
def test_a_short_name_is_the_first_whole_words_of_the_name(name: str, short: str) -> None:
    made = with_short_name(organization(name=name, short_name="")).short_name
    assert made == short
    assert len(made) <= LONGEST_DEFAULT_SHORT_NAME


def test_a_short_name_that_was_said_stays() -> None:
    said = organization(name="Northside Family Practice", short_name="Northside Doctors Group")
    assert with_short_name(said) == said
