"""A partner's own cadence (docs/rules.md#own-cadence): what is wrong with one, and how its steps become ages."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calendar.steps import current_step, level_at, next_due_day
from shared.domain.dunning import forecast
from shared.domain.dunning.explanation import explain_bills
from shared.domain.dunning.situation import Situation
from shared.domain.records.cadences import PlacedStep, cadence_faults, faults_at, on_ages
from shared.domain.records.policy import DunningConfiguration, DunningSettings, Step
from shared.domain.records.presets import CONFIGURATIONS, chosen
from shared.domain.vocabulary.words import Channel, NotificationType
from tests.worlds.dunning_world import (
    DUE,
    EMAIL,
    FINAL,
    INITIAL,
    MONDAY,
    PAST_DUE,
    PRINT,
    World,
    a_bill,
    a_book,
    an_organization,
    at,
)

NOW = at("2026-01-05 00:00")


def step(kind: NotificationType = DUE, *channels: Channel, **day: Any) -> Step:
    return Step(notification_type=kind, channels=channels or (EMAIL,), **day)


def own(*steps: Step, paper: int = 25, cycle: int = 30) -> DunningConfiguration:
    return DunningConfiguration(
        configuration_id="dcf_1",
        name="Own",
        dunning_cycle_days=cycle,
        paper_cycle_days=paper,
        steps=steps,
        partner_id="par_1",
        version=1,
    )


def settings(configuration: DunningConfiguration, **others: Any) -> dict[str, Any]:
    return {"configuration_id": "dcf_1", "own_configuration": configuration, **others}


AROUND_DUE = own(
    step(INITIAL, bill_age=0),
    step(DUE, days_from_due=-7),
    step(DUE, days_from_due=0),
    step(PAST_DUE, days_from_due=1),
    step(FINAL, EMAIL, PRINT, days_from_due=30),
)


def pointers(*steps: Step, paper: int | None = 0) -> list[str]:
    placed = [PlacedStep(place, each) for place, each in enumerate(steps)]
    return [fault.pointer for fault in cadence_faults(placed, paper)]


@pytest.mark.parametrize("name", ["bill_age", "days_from_due"])
def test_days_rise_and_no_two_steps_share_one(name: str) -> None:
    """Of steps that count from the same day; other steps may stand between them."""
    pointer = {"bill_age": "/steps/2/billAge", "days_from_due": "/steps/2/daysFromDue"}[name]
    other = step(days_from_due=5) if name == "bill_age" else step(bill_age=5)
    for day, wrong in ((10, [pointer]), (9, [pointer]), (11, [])):
        first: dict[str, Any] = {name: 10}
        last: dict[str, Any] = {name: day}
        assert pointers(step(**first), other, step(**last)) == wrong


def test_a_step_may_lie_before_the_due_date() -> None:
    assert pointers(step(days_from_due=-14), step(days_from_due=-7), step(days_from_due=0)) == []


@pytest.mark.parametrize("first", [INITIAL, DUE, PAST_DUE, FINAL])
@pytest.mark.parametrize("second", [INITIAL, DUE, PAST_DUE, FINAL])
def test_no_step_is_milder_than_the_one_above(first: NotificationType, second: NotificationType) -> None:
    order = [INITIAL, DUE, PAST_DUE, FINAL]
    wrong = order.index(second) < order.index(first)
    assert pointers(step(first, bill_age=0), step(second, bill_age=9)) == ["/steps/1/notificationType"] * wrong


@pytest.mark.parametrize(("paper", "wrong"), [(0, []), (20, []), (21, ["/paperCycleDays"])])
def test_letters_lie_a_paper_cycle_apart(paper: int, wrong: list[str]) -> None:
    """A step of email between them changes nothing; with one letter alone any cycle is right."""
    steps = step(INITIAL, PRINT, bill_age=0), step(DUE, EMAIL, bill_age=5), step(DUE, PRINT, bill_age=20)
    assert pointers(*steps, paper=paper) == wrong
    assert pointers(*steps[:2], paper=365) == []


def test_every_fault_is_found_at_once() -> None:
    steps = step(FINAL, PRINT, bill_age=5), step(DUE, PRINT, bill_age=9), step(INITIAL, EMAIL, bill_age=9)
    assert pointers(*steps, paper=30) == [
        "/steps/2/billAge",
        "/steps/1/notificationType",
        "/steps/2/notificationType",
        "/paperCycleDays",
    ]


@pytest.mark.parametrize(("days", "ages"), [(30, [0, 23, 30, 31, 60]), (10, [0, 3, 10, 11, 40])])
def test_days_from_the_due_date_follow_the_organizations_due_days(days: int, ages: list[int]) -> None:
    configuration = chosen(DunningSettings(**settings(AROUND_DUE, days_until_due=days)))
    assert [each.bill_age for each in configuration.steps] == ages
    assert [each.cycle for each in configuration.steps] == [age // 30 + 1 for age in ages]
    assert not list(faults_at(AROUND_DUE, days))


@pytest.mark.parametrize("days", [0, 6, 7])
def test_due_days_that_put_a_step_before_the_bill_or_the_step_above_are_told(days: int) -> None:
    """Seven days before a due date that is seven days off is the day of the first step."""
    assert any("step 2" in fault for fault in faults_at(AROUND_DUE, days))


def test_due_days_that_put_letters_closer_than_the_paper_cycle_are_told() -> None:
    letters = own(step(INITIAL, PRINT, bill_age=0), step(FINAL, PRINT, days_from_due=5))
    assert not list(faults_at(letters, 20))
    assert any("paper cycle" in fault for fault in faults_at(letters, 19))


@given(
    st.lists(st.tuples(st.booleans(), st.integers(-400, 400)), min_size=1, max_size=8),
    st.integers(0, 365),
    st.integers(0, 500),
)
def test_whatever_the_due_days_are_a_bill_is_at_one_step_and_comes_to_the_next_ones_only(
    rows: list[tuple[bool, int]], days: int, age: int
) -> None:
    """Total: no due days break the calendar of steps, and levels never fall as a bill ages."""
    steps = [step(days_from_due=day) if from_due else step(bill_age=abs(day)) for from_due, day in rows]
    configuration = on_ages(own(*steps), days)
    ages = [each.bill_age for each in configuration.steps]
    assert all(0 <= earlier <= later for earlier, later in pairwise([0, *ages]))
    bill = a_bill(on=date(2026, 1, 5))
    day = bill.effective_created_date + timedelta(days=age)
    current = current_step(configuration, bill, day, no_limit=False)
    coming = next_due_day(configuration, bill, day, no_limit=False)
    assert (current.level if current else 0) == level_at(configuration, age)
    assert coming is None or coming > day


def test_steps_that_meet_on_one_day_send_the_last_of_them_alone() -> None:
    """Due at once: the reminder of seven days before would have been before the bill."""
    world = World(an_organization(**settings(AROUND_DUE, days_until_due=0)), a_book(), NOW)
    world.run_until(at("2026-01-06 23:00"))
    assert [(day, level) for day, _, _, level in world.story()] == [("2026-01-05", 3), ("2026-01-06", 4)]


def test_a_preset_is_chosen_whatever_own_configuration_lies_beside_it() -> None:
    """A copy that isn't of the id chosen counts for nothing."""
    assert chosen(DunningSettings(own_configuration=AROUND_DUE)) == CONFIGURATIONS["standard-30"]


def test_a_forecast_by_an_own_cadence_is_what_then_happens() -> None:
    organization = an_organization(**settings(AROUND_DUE))
    foreseen = forecast(a_book(), organization, NOW, timedelta(days=70))
    world = World(organization, a_book(), NOW)
    world.run_until(NOW + timedelta(days=70))
    assert sorted((notice.level, notice.channel) for notice in foreseen) == sorted(
        (level, channel) for _, channel, _, level in world.story()
    )
    assert len(foreseen) == 6


def test_the_explanation_speaks_of_the_own_cadences_step() -> None:
    """Seven days before the due date the second step is current."""
    organization = an_organization(**settings(AROUND_DUE))
    bill = a_bill(on=MONDAY - timedelta(days=23))
    found = explain_bills(Situation(book=a_book(bill), organization=organization, now=NOW))
    assert any("step 2" in finding.found or "level 2" in finding.found for finding in found)


def test_a_new_version_sends_only_what_is_higher_than_what_went() -> None:
    """As with another preset (docs/rules.md#higher-level-only)."""
    world = World(an_organization(**settings(AROUND_DUE)), a_book(), NOW)
    world.run_until(at("2026-01-28 23:00"))
    assert [level for *_, level in world.story()] == [1, 2]
    sooner = own(step(INITIAL, bill_age=0), step(DUE, bill_age=10), step(PAST_DUE, bill_age=20))
    world.set_organization(an_organization(**settings(sooner)))
    world.run_until(at("2026-01-29 23:00"))
    assert [level for *_, level in world.story()] == [1, 2, 3]
    world.set_organization(an_organization(**settings(own(step(INITIAL, bill_age=0), step(DUE, bill_age=1)))))
    world.run_until(at("2026-02-10 23:00"))
    assert [level for *_, level in world.story()] == [1, 2, 3]
