"""Which step a bill is at, when the next one comes, and what a statement's dunning status names."""

from datetime import date, timedelta

import pytest

from shared.domain.calendar.steps import (
    current_step,
    effective_date_at_level,
    level_at,
    level_of_dunning_status,
    next_due_day,
)
from shared.domain.records.presets import configuration
from tests.worlds.dunning_world import a_bill

STANDARD, PAPERLESS = configuration("standard-30"), configuration("paperless-30")
START = date(2026, 1, 5)


@pytest.mark.parametrize(
    ("age", "level"), [(-1, 0), (0, 1), (29, 1), (30, 2), (59, 2), (60, 3), (89, 3), (90, 4), (900, 4)]
)
def test_the_current_step_is_the_last_one_whose_age_has_come(age: int, level: int) -> None:
    """Whatever was sent before."""
    assert level_at(STANDARD, age) == level
    current = current_step(STANDARD, a_bill(on=START), START + timedelta(days=age), no_limit=False)
    assert (current.level if current else 0) == level


@pytest.mark.parametrize(
    ("age", "no_limit", "round_", "due_age", "next_age"),
    [
        (-3, False, None, None, 0),
        (0, True, 0, 0, 30),
        (45, True, 0, 30, 60),
        (60, False, 0, 60, 90),
        (89, True, 0, 60, 90),
        (90, False, 0, 90, None),
        (90, True, 0, 90, 120),
        (119, True, 0, 90, 120),
        (120, True, 1, 120, 150),
        (120, False, 0, 90, None),
        (200, True, 3, 180, 210),
    ],
)
def test_a_step_is_due_on_its_day_and_the_last_one_may_come_round_again(
    age: int,
    no_limit: bool,  # noqa: FBT001 - a table
    round_: int | None,
    due_age: int | None,
    next_age: int | None,
) -> None:
    """Days are the effective created date plus the bill age; rounds are a dunning cycle apart."""
    day, bill = START + timedelta(days=age), a_bill(on=START)
    current = current_step(STANDARD, bill, day, no_limit=no_limit)
    assert (current.round if current else None) == round_
    assert (current.due_on if current else None) == (None if due_age is None else START + timedelta(days=due_age))
    coming = None if next_age is None else START + timedelta(days=next_age)
    assert next_due_day(STANDARD, bill, day, no_limit=no_limit) == coming


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("Initial", 1),
        ("Due", 2),  # the first of two
        ("PastDue", 4),
        ("Final", 5),
        (" Final ", 5),
        ("1", 1),
        ("5", 5),
        ("6", None),
        ("0", None),
        ("-1", None),
        ("01", None),
        ("final", None),
        ("OnDemand", None),
        ("", None),
        ("³", None),
    ],
)
def test_a_dunning_status_names_a_level_or_a_types_first_step(word: str, level: int | None) -> None:
    """The rule docs/rules.md#dunning-status; anything else is unknown."""
    assert level_of_dunning_status(PAPERLESS, word) == level


@pytest.mark.parametrize(("level", "moved"), [(1, "2026-03-31"), (2, "2026-03-01"), (4, "2025-12-31")])
def test_a_bill_is_put_at_a_step_by_moving_its_effective_created_date(level: int, moved: str) -> None:
    """It is then on that step's first day."""
    today = date(2026, 3, 31)
    effective = effective_date_at_level(STANDARD, level, today)
    assert effective == date.fromisoformat(moved)
    current = current_step(STANDARD, a_bill(on=effective), today, no_limit=False)
    assert current
    assert (current.level, current.due_on) == (level, today)
