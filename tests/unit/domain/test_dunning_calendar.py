"""The organization's calendar decides, also where its hours of business lie on another day in UTC."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.calendar.send_window import first_waking_moment, local_date
from shared.domain.dunning import Defer, Reason, Refuse, judge, plan, with_notices
from shared.domain.dunning.simulation import simulate
from shared.domain.records.notice import Notice, moved
from shared.domain.records.policy import Organization, SendWindow
from tests.worlds.dunning_world import (
    EMAIL,
    MONDAY,
    PRINT,
    SMS,
    S,
    World,
    a_bill,
    a_book,
    a_guarantor,
    an_account,
    an_organization,
    at,
    by_channel,
)

GUAM, HONOLULU = ZoneInfo("Pacific/Guam"), ZoneInfo("Pacific/Honolulu")
MORNING = SendWindow(opens=time(8), closes=time(9, 30))
"""On Guam: late in the evening of the day before, in UTC."""
EVENING = SendWindow(opens=time(16), closes=time(18))
"""In Honolulu: early in the morning of the day after, in UTC."""
ELSEWHERE = pytest.mark.parametrize(
    ("zone", "window"), [(GUAM, MORNING), (HONOLULU, EVENING)], ids=["Guam", "Honolulu"]
)


def practice_in(zone: ZoneInfo, window: SendWindow, **settings: Any) -> Organization:
    return an_organization(time_zone=zone.key, send_window=window, quiet_until=time(8), **settings)


def world_in(zone: ZoneInfo, window: SendWindow, *bills: Any, **settings: Any) -> World:
    """An account of which every channel can be used, on the first Monday of the year."""
    account = an_account(time_zones=(zone.key,))
    return World(practice_in(zone, window, **settings), a_book(*bills, account=account), at("2026-01-05 00:00", zone))


def refused(world: World) -> set[tuple[date, str, str]]:
    """What wasn't sent: the local day, the channel, and why."""
    return {
        (local_date(row.scheduled_for, world.organization.zone), row.channel, row.reason)
        for row in world.book.notices
        if row.status in {S.WILL_NOT_SEND, S.CANCELLED}
    }


@ELSEWHERE
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"skip_paper_when_electronic_available": True},
        {"no_dunning_limit": True},
        {"configuration_id": "text-first"},
        {"minimum_print": 60_00},
    ],
)
def test_an_account_hears_the_same_on_the_same_days_wherever_its_practice_is(
    zone: ZoneInfo, window: SendWindow, settings: dict[str, Any]
) -> None:
    """Days are local everywhere; the second bill's letters meet the first one's paper cycle."""
    bills = (a_bill("A"), a_bill("B", on=MONDAY + timedelta(days=24), balance=70_00))
    worlds = [world_in(place, window, *bills, **settings) for place in (zone, ZoneInfo("Europe/London"))]
    for world in worlds:
        world.run_until(at("2026-06-30 00:00", world.organization.zone))
    there, here = worlds
    assert there.story() == here.story()
    assert refused(there) == refused(here)
    assert there.story()[0][0] == "2026-01-05"


@ELSEWHERE
def test_planning_again_on_the_same_day_changes_nothing(zone: ZoneInfo, window: SendWindow) -> None:
    """Neither what waits nor what was refused; the bill's first day is that of the notice."""
    account = an_account(a_guarantor(email=""), time_zones=(zone.key,))
    world = World(practice_in(zone, window), a_book(account=account), at("2026-01-05 00:00", zone))
    assert {row.status for row in world.plan().notices} == {S.SCHEDULED, S.WILL_NOT_SEND}
    for clock in ("00:01", "07:59"):
        assert plan(world.book, world.organization, at(f"2026-01-05 {clock}", zone)).notices == ()


def sent_today(zone: ZoneInfo, window: SendWindow) -> tuple[World, Notice]:
    """An email went today, with an id that isn't the day's; another bill came since."""
    world = world_in(zone, window, configuration_id="paperless-30")
    row = by_channel(world.plan().notices)[EMAIL]
    went = moved(replace(row, notice_id="ntc_retried"), S.SENT, row.scheduled_for, "email", sent_at=row.scheduled_for)
    world.now = row.scheduled_for + timedelta(minutes=1)
    world.change(bills=(a_bill("A"), a_bill("B")), notices=(went,))
    return world, row


@ELSEWHERE
def test_a_second_email_is_planned_for_another_of_the_practices_days(zone: ZoneInfo, window: SendWindow) -> None:
    world, _ = sent_today(zone, window)
    assert local_date(by_channel(world.plan().notices)[EMAIL].scheduled_for, zone) == date(2026, 1, 6)


@ELSEWHERE
def test_a_second_email_is_put_off_to_another_of_the_practices_days(zone: ZoneInfo, window: SendWindow) -> None:
    """By whoever is about to send it."""
    world, row = sent_today(zone, window)
    second = replace(row, bills=(replace(row.bills[0], statement_id="B"),), scheduled_for=world.now)
    verdict = judge(second, with_notices(world.book, (second,)), world.organization, world.now)
    assert isinstance(verdict, Defer)
    assert (verdict.reason, local_date(verdict.until, zone)) == (Reason.SENT_TODAY, date(2026, 1, 6))


def test_an_email_on_its_way_has_the_next_one_wait_for_another_day() -> None:
    """It may still be handed over today, whatever day it was planned for."""
    world, row = sent_today(GUAM, MORNING)
    going = replace(world.book.notices[0], status=S.SENDING, sent_at=None)
    second = replace(row, bills=(replace(row.bills[0], statement_id="B"),), scheduled_for=world.now)
    world.change(notices=(going, second))
    verdict = judge(second, world.book, world.organization, world.now)
    assert isinstance(verdict, Defer)
    assert (verdict.reason, local_date(verdict.until, GUAM)) == (Reason.SENT_TODAY, date(2026, 1, 6))


@ELSEWHERE
def test_a_letter_yields_to_the_email_that_told_of_the_same_round(zone: ZoneInfo, window: SendWindow) -> None:
    """The last step came round again today, and the email of this morning tells of it."""
    account = an_account(a_guarantor(mobile_phone=""), time_zones=(zone.key,))
    book = a_book(a_bill(on=MONDAY - timedelta(days=120)), account=account)
    world = World(practice_in(zone, window, no_dunning_limit=True), book, at("2026-01-05 00:00", zone))
    waiting = by_channel(world.plan().notices)
    email, letter = waiting[EMAIL], waiting[PRINT]
    world.now = letter.scheduled_for
    went = moved(email, S.SENT, world.now, "email", sent_at=world.now)
    world.organization = practice_in(zone, window, no_dunning_limit=True, skip_paper_when_electronic_available=True)
    verdict = judge(letter, with_notices(world.book, (went,)), world.organization, world.now)
    assert isinstance(verdict, Refuse)
    assert verdict.reason is Reason.ELECTRONIC_AVAILABLE


@ELSEWHERE
def test_a_round_that_was_told_of_this_morning_is_not_told_of_again(zone: ZoneInfo, window: SendWindow) -> None:
    """Neither today nor tomorrow, whatever has the account planned."""
    world = world_in(zone, window, a_bill(on=MONDAY - timedelta(days=120)), no_dunning_limit=True)
    world.run_until(at("2026-01-05 19:00", zone))
    assert len(world.sent) == 3
    for later in ("2026-01-05 19:00", "2026-01-06 00:00", "2026-01-07 00:00"):
        assert plan(world.book, world.organization, at(later, zone)).notices == ()


@ELSEWHERE
def test_the_days_until_a_letter_count_from_the_practices_day_of_the_return(zone: ZoneInfo, window: SendWindow) -> None:
    world = world_in(zone, window, a_bill(on=MONDAY - timedelta(days=45)), configuration_id="gentle-45")
    world.organization = practice_in(
        zone, window, configuration_id="gentle-45", drop_to_paper_after_undeliverable_days=2
    )
    email = by_channel(world.plan().notices)[EMAIL]
    back = moved(email, S.UNDELIVERABLE_PERMANENT, email.scheduled_for, "provider", sent_at=email.scheduled_for)
    world.change(notices=(back,))
    world.change_account(undeliverable=frozenset({EMAIL}))
    assert world.plan().next_planning_at == at("2026-01-07 00:00", zone)


@ELSEWHERE
def test_a_simulation_counts_by_the_practices_days(zone: ZoneInfo, window: SendWindow) -> None:
    world = world_in(zone, window)
    found = simulate([world.book], world.organization, world.organization.dunning, world.now, timedelta(days=2))
    assert {kind.day for kind in found.before} == {MONDAY}


@pytest.mark.parametrize(("asked", "goes"), [("03:00", "08:00"), ("09:00", "09:00"), ("23:00", "2026-01-06 08:00")])
def test_quiet_hours_are_looked_for_in_the_practices_day(asked: str, goes: str) -> None:
    """A text that staff ask for."""
    account, organization = an_account(time_zones=("Pacific/Guam",)), practice_in(GUAM, MORNING)
    expected = goes if " " in goes else f"2026-01-05 {goes}"
    assert first_waking_moment(organization, account, at(f"2026-01-05 {asked}", GUAM)) == at(expected, GUAM)


# --- hours that come and go with summer time -----------------------------------------------


def a_text_between_zones(organization: Organization, *zones: str) -> World:
    """A guarantor whom only texts reach, in one of some zones; the bill is of May."""
    account = an_account(a_guarantor(email="", address=None), time_zones=zones)
    bill = a_bill(on=date(2026, 5, 4))
    return World(organization, a_book(bill, account=account), at("2026-05-04 08:00", organization.zone))


def test_a_text_that_no_hour_is_permitted_for_in_summer_goes_when_winter_brings_one() -> None:
    """An afternoon in Los Angeles is a late morning on Guam only in winter. The last step was due in August."""
    organization = an_organization(
        time_zone="America/Los_Angeles", configuration_id="paperless-30", quiet_until=time(11)
    )
    world = a_text_between_zones(organization, "America/Los_Angeles", "Pacific/Guam")
    world.run_until(at("2026-09-01 00:00"))
    assert world.sent == []
    assert {reason for _, _, reason in refused(world)} >= {"no permitted hour"}
    world.run_until(at("2027-06-01 00:00"))
    assert world.story() == [("2026-11-02", "sms", "Final", 5)]


def test_a_text_that_waits_for_winter_goes_the_same_day_once_its_number_turns_out_to_be_near() -> None:
    """And it tells of the step of that day, not of the one in winter."""
    organization = an_organization(
        time_zone="America/Los_Angeles", configuration_id="paperless-30", quiet_until=time(11)
    )
    world = a_text_between_zones(organization, "America/Los_Angeles", "Pacific/Guam")
    world.change_bill("A", effective_created_date=date(2026, 8, 10))
    world.now = at("2026-10-07 08:00", organization.zone)
    waiting = by_channel(world.plan().notices)[SMS]
    assert (local_date(waiting.scheduled_for, organization.zone), waiting.level) == (date(2026, 11, 2), 4)
    world.change_account(time_zones=("America/Los_Angeles",))
    world.run_until(at("2026-10-08 00:00", organization.zone))
    assert world.story() == [("2026-10-07", "sms", "Due", 3)]
    assert world.sent[0].notice_id == waiting.notice_id


def test_what_no_season_permits_is_waited_for_no_longer_than_its_steps() -> None:
    world = a_text_between_zones(an_organization(configuration_id="paperless-30"), "Pacific/Honolulu", "Pacific/Guam")
    world.run_until(at("2027-06-01 00:00"))
    assert world.sent == []
    assert world.last_plan
    assert (world.planning_at, world.last_plan.rest_reason) == (None, "no open bill has a further step")


def test_a_text_without_an_hour_is_not_waited_for_where_another_channel_tells_of_the_step() -> None:
    """A channel refused beside one that goes isn't made up for (docs/rules.md#reached-step)."""
    organization = an_organization(
        time_zone="America/Los_Angeles", configuration_id="paperless-30", quiet_until=time(11)
    )
    account = an_account(time_zones=("America/Los_Angeles", "Pacific/Guam"))
    bill = a_bill(on=date(2026, 5, 4))
    planned = plan(a_book(bill, account=account), organization, at("2026-09-01 00:00", organization.zone))
    assert set(by_channel(planned.notices)) == {EMAIL}
    assert planned.next_planning_at is None
