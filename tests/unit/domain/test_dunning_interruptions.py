"""What changes between planning and sending, after the day's notice, and while nothing is sent, by example."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.domain.account.bill_status import level_sent
from shared.domain.records.policy import MessageContacts
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import AccountStatus, BillStatus, Channel, CommunicationStatus, Hold
from tests.worlds.dunning_world import (
    EMAIL,
    HOME,
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
)

NOW = at("2026-01-05 00:00")
TEXT_FIRST = an_organization(configuration_id="text-first")
STANDARD = an_organization()
UPDATES = an_organization(communications_on_bill_update=True)
BY_PAPER = an_account(a_guarantor(email="", mobile_phone=""))
TEST_CONTACTS = MessageContacts(email="test@example.com", mobile_phone="+12125550111", address=HOME)


def went(world: World) -> list[tuple[str, Channel, int]]:
    """Day, channel and level of what was sent."""
    return [(day[5:], Channel(channel), level) for day, channel, _, level in world.story()]


# --- another preset between planning and sending (docs/rules.md#higher-level-only) -----------------------------------


@pytest.mark.parametrize(
    "changed_at",
    ["2026-01-15 07:45", "2026-01-15 09:44", "2026-01-14 18:00"],
    ids=["on the day of the step", "just before the hours", "the evening before"],
)
def test_a_preset_chosen_before_a_planned_step_goes_brings_no_step_that_was_sent(changed_at: str) -> None:
    """Level 2 of text-first (age 10) is planned; in standard-30 the bill is at level 1, which a text has sent."""
    world = World(TEXT_FIRST, a_book(), NOW)
    world.run_until(at(changed_at))
    world.set_organization(STANDARD)
    world.run_until(at("2026-02-03 23:00"))
    assert went(world) == [("01-05", SMS, 1)]
    world.run_until(at("2026-02-04 23:00"))
    assert [entry for entry in went(world) if entry[0] == "02-04"] == [("02-04", c, 2) for c in (EMAIL, PRINT, SMS)]


def test_so_it_is_on_a_weekend_with_a_step_planned_for_monday() -> None:
    world = World(TEXT_FIRST, a_book(a_bill(on=at("2026-01-07 12:00").date())), at("2026-01-07 00:00"))
    world.run_until(at("2026-01-17 12:00"))
    assert [notice.level for notice in world.pending()] == [2, 2]
    world.set_organization(STANDARD)
    world.run_until(at("2026-02-01 00:00"))
    assert went(world) == [("01-07", SMS, 1)]


def test_a_queued_notice_too_brings_no_step_that_was_sent() -> None:
    """What the channel has already is judged when it is sent."""
    world = World(TEXT_FIRST, a_book(), NOW)
    world.run_until(at("2026-01-15 08:00"))
    email = next(notice for notice in world.pending() if notice.channel is EMAIL)
    queued = replace(email, status=S.QUEUED)
    world.book = replace(world.book, notices=tuple(queued if n == email else n for n in world.book.notices))
    world.organization = STANDARD
    world.now = at("2026-01-15 12:00")
    world.deliver(queued)
    assert [entry for entry in went(world) if entry[1] is EMAIL] == []


# --- after the day's notice (docs/rules.md#after-the-days-notice) -----------------------------------------------------


def test_a_bill_that_comes_after_the_days_notice_waits_on_all_channels() -> None:
    """A's email went; B's text, a channel that carried nothing today, waits for the next business day."""
    world = World(TEXT_FIRST, a_book(a_bill("A", on=at("2025-11-06 12:00").date())), NOW)
    world.run_until(at("2026-01-05 17:50"))
    assert went(world) == [("01-05", EMAIL, 4)]
    world.add(a_bill("B", on=at("2026-01-05 12:00").date()))
    world.run_until(at("2026-01-07 00:00"))
    assert went(world) == [("01-05", EMAIL, 4), ("01-06", SMS, 1)]


def test_it_joins_nothing_that_is_left_of_the_day_and_goes_on_its_channels_together() -> None:
    """The email of the day went, its text and letter are still to go: they go without the bill that came since."""
    world = World(STANDARD, a_book(), NOW)
    world.run_until(at("2026-01-05 09:00"))
    world.now = at("2026-01-05 12:00")
    world.deliver(next(notice for notice in world.pending() if notice.channel is EMAIL))
    assert went(world) == [("01-05", EMAIL, 1)]
    world.add(a_bill("B"))
    world.run_until(at("2026-01-08 00:00"))
    days = {notice.channel: set[str]() for notice in world.sent}
    for notice in world.sent:
        if "B" in notice.statement_ids and notice.sent_at:
            days[notice.channel].add(f"{notice.sent_at:%m-%d}")
    assert days == {EMAIL: {"01-06"}, SMS: {"01-06"}, PRINT: set()}
    refused = [n for n in world.book.notices if n.channel is PRINT and n.status is S.WILL_NOT_SEND]
    assert [(notice.statement_ids, notice.reason) for notice in refused] == [(("B",), Reason.PAPER_CYCLE)]


# --- updates (docs/rules.md#notice-after-update) ----------------------------------------------------------------------


def test_an_updates_letter_that_the_paper_cycle_refuses_is_not_made_up_for_and_takes_none_away() -> None:
    """A's letter of day 0; B's refused on day 3, and again when its balance changes; A's Due letter goes on day 30."""
    world = World(UPDATES, a_book(a_bill("A"), account=BY_PAPER), NOW)
    world.run_until(at("2026-01-08 00:00"))
    world.add(a_bill("B", on=at("2026-01-08 12:00").date()))
    world.run_until(at("2026-01-12 08:00"))
    world.change_bill("B", balance=60_00, renotify_at=world.now)
    world.run_until(at("2026-01-13 00:00"))
    refused = [n for n in world.book.notices if n.channel is PRINT and n.reason == Reason.PAPER_CYCLE]
    assert [notice.statement_ids for notice in refused] == [("B",), ("B",)]
    world.run_until(at("2026-01-31 00:00"))
    world.change_account()
    world.run_until(at("2026-02-05 00:00"))
    assert went(world) == [("01-05", PRINT, 1), ("02-04", PRINT, 2)]
    assert world.sent[-1].statement_ids == ("A",)


STOPS: dict[str, tuple[Callable[[World], None], Callable[[World], None]]] = {
    "hold": (
        lambda w: w.change_account(holds=frozenset({Hold.DISPUTE})),
        lambda w: w.change_account(holds=frozenset()),
    ),
    "suspended bill": (
        lambda w: w.change_bill("A", status=BillStatus.SUSPENDED),
        lambda w: w.change_bill("A", status=BillStatus.DUE),
    ),
    "disabled": (
        lambda w: w.set_organization(replace(w.organization, communication_status=CommunicationStatus.DISABLED)),
        lambda w: w.set_organization(replace(w.organization, communication_status=CommunicationStatus.ENABLED)),
    ),
    "suspended organization": (
        lambda w: w.set_organization(replace(w.organization, account_status=AccountStatus.SUSPENDED)),
        lambda w: w.set_organization(replace(w.organization, account_status=AccountStatus.ACTIVE)),
    ),
}


@pytest.mark.parametrize("stop", STOPS)
def test_an_update_while_nothing_is_sent_brings_nothing_afterwards(stop: str) -> None:
    """The step was sent before; the next one comes in its time."""
    off, on = STOPS[stop]
    world = World(UPDATES, a_book(), NOW)
    world.run_until(at("2026-01-07 00:00"))
    before = went(world)
    off(world)
    world.run_until(at("2026-01-08 00:00"))
    world.change_bill("A", balance=40_00, renotify_at=world.now)
    world.run_until(at("2026-01-09 00:00"))
    on(world)
    world.run_until(at("2026-02-03 23:00"))
    assert went(world) == before
    world.run_until(at("2026-02-04 23:00"))
    assert {entry[2] for entry in went(world)[len(before) :]} == {2}


@pytest.mark.parametrize("stop", ["hold", "suspended organization"])
def test_an_updates_notice_that_falls_into_a_stop_is_dropped(stop: str) -> None:
    """The update came before, its notice would have gone after the stop began."""
    off, on = STOPS[stop]
    world = World(UPDATES, a_book(), NOW)
    world.run_until(at("2026-01-07 20:00"))
    before = went(world)
    world.change_bill("A", balance=40_00, renotify_at=world.now)
    world.run_until(at("2026-01-07 21:00"))
    off(world)
    world.run_until(at("2026-01-09 00:00"))
    on(world)
    world.run_until(at("2026-01-20 00:00"))
    assert went(world) == before


def test_a_step_that_was_not_sent_before_a_hold_goes_after_it_whatever_came_meanwhile() -> None:
    world = World(UPDATES, a_book(account=an_account(holds=frozenset({Hold.DISPUTE}))), NOW)
    world.run_until(at("2026-01-07 00:00"))
    world.change_bill("A", balance=40_00, renotify_at=world.now)
    world.run_until(at("2026-01-08 00:00"))
    world.change_account(holds=frozenset())
    world.run_until(at("2026-01-09 00:00"))
    assert went(world) == [("01-08", channel, 1) for channel in (EMAIL, PRINT, SMS)]


# --- test mode (docs/rules.md#go-live) --------------------------------------------------------------------------------


def test_what_went_to_test_contacts_tells_no_patient_after_go_live() -> None:
    """Not repeated while test mode lasts; then the step that is current goes, letters too, and counts."""
    world = World(replace(STANDARD, test_contacts=TEST_CONTACTS), a_book(), NOW)
    world.run_until(at("2026-01-20 00:00"))
    assert went(world) == [("01-05", channel, 1) for channel in (EMAIL, PRINT, SMS)]
    assert level_sent(world.book, world.book.bills[0], world.organization) == 1
    world.set_organization(STANDARD)
    assert level_sent(world.book, world.book.bills[0], world.organization) == 0
    world.run_until(at("2026-01-30 00:00"))
    assert went(world)[3:] == [("01-20", channel, 1) for channel in (EMAIL, PRINT, SMS)]
    assert level_sent(world.book, world.book.bills[0], world.organization) == 1
