"""What follows when an electronic notice comes back: an opt-out, a letter days later; how errors clear themselves."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.account.worklist import cleared_by
from shared.domain.delivery.orders import Rejected, failure
from shared.domain.delivery.settlement import DeliveryOutcome, settle
from shared.domain.dunning import plan
from shared.domain.dunning.decision import Rule
from shared.domain.records.book import Change
from shared.domain.records.notice import Notice, moved
from shared.domain.records.policy import MessageContacts
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.words import Channel, NoticeStatus
from tests.worlds.dunning_world import (
    DUE,
    EMAIL,
    FINAL,
    INITIAL,
    PRINT,
    SMS,
    World,
    a_book,
    a_guarantor,
    a_preset,
    an_account,
    an_organization,
    at,
)
from tests.worlds.examples import as_if

S = NoticeStatus
SENT_ON = "2026-01-05"
"""A Monday."""


@pytest.fixture(autouse=True)
def _steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preset of electronic steps, of which the second is a reminder."""
    preset = a_preset((0, INITIAL, (EMAIL,)), (30, DUE, (EMAIL, SMS)), (60, FINAL, (EMAIL,)))
    monkeypatch.setattr("shared.domain.dunning.situation.chosen", lambda _: preset)


def a_world(now: str = f"{SENT_ON} 08:00", **settings: Any) -> World:
    """An account that only email reaches, at an organization with these settings."""
    account = an_account(a_guarantor(mobile_phone=""))
    return World(organization=an_organization(**settings), book=a_book(account=account), now=at(now))


def apply(world: World, change: Change | None) -> None:
    assert change is not None
    world.book, world.planning_at = world.book.after(change), change.account.planning_at or world.planning_at


def tell(world: World, outcome: DeliveryOutcome, row: Notice | None = None) -> None:
    """The provider says something about a notice that was sent, the last one unless told otherwise."""
    last = row or world.sent[-1]
    apply(world, settle(world.book, last.notice_id, outcome, "m-1", world.now, world.organization))


def a_returned_reminder(outcome: DeliveryOutcome, **settings: Any) -> World:
    """The reminder of February 4 went by email, and came back the same day."""
    world = a_world(**settings)
    world.run_until(at("2026-02-04 18:00"))
    assert [row.notification_type for row in world.sent] == [INITIAL, DUE]
    tell(world, outcome)
    return world


def test_a_reminder_that_the_provider_dropped_goes_again_once_and_nothing_is_planned_beside_it() -> None:
    world = a_world()
    world.run_until(at("2026-02-04 18:00"))
    [first, reminder] = world.sent
    tell(world, DeliveryOutcome.DROPPED)
    [waiting] = world.pending()
    assert (waiting.notice_id, waiting.level, waiting.sent_at) == (reminder.notice_id, 2, None)
    world.run_until(at("2026-02-20 12:00"))
    assert [row.notice_id for row in world.sent] == [first.notice_id, reminder.notice_id, reminder.notice_id]
    assert not world.sent[-1].possible_duplicate


# --- opting out -----------------------------------------------


@pytest.mark.parametrize("switched_on", [True, False])
def test_a_message_that_came_back_for_good_opts_out_of_its_channel_only_where_that_is_switched_on(
    *, switched_on: bool
) -> None:
    world = a_returned_reminder(DeliveryOutcome.BOUNCED, opt_out_after_undeliverable=switched_on)
    assert world.book.account.opt_outs.email is switched_on
    assert world.book.account.undeliverable == {EMAIL}
    assert [event.event for event in world.book.history] == (["OptedOut"] if switched_on else [])


def test_a_message_that_came_back_for_now_opts_nobody_out() -> None:
    world = a_returned_reminder(DeliveryOutcome.BOUNCED_FOR_NOW, opt_out_after_undeliverable=True)
    assert not world.book.account.opt_outs.email


def test_an_opt_out_after_a_return_stops_what_is_pending_on_that_channel() -> None:
    world = a_world(opt_out_after_undeliverable=True)
    world.run_until(at("2026-01-05 18:00"))
    world.now = at("2026-02-04 08:00")
    world.sweep()
    assert [row.channel for row in world.pending()] == [EMAIL]
    tell(world, DeliveryOutcome.BOUNCED)
    assert world.pending() == []


@pytest.mark.parametrize("channel", [EMAIL, SMS])
def test_an_address_that_the_provider_refuses_at_once_opts_out_too(channel: Channel) -> None:
    organization = an_organization(opt_out_after_undeliverable=True)
    row = as_if(a_sent_row(channel=channel), S.SENDING, at("2026-01-05 12:00"), "x", attempt=1)
    book = a_book(notices=(row,))
    answer = Rejected(reason="no such address", undeliverable=True)
    change = failure(book, row, answer, at("2026-01-05 12:00"), organization)
    assert change is not None
    assert getattr(change.account.opt_outs, channel)
    assert change.account.undeliverable == {channel}
    assert change.account.planning_at == at("2026-01-05 12:00")
    assert [notice.status for notice in change.notices] == [S.UNDELIVERABLE_PERMANENT]


@pytest.mark.parametrize(
    ("row", "organization"),
    [
        ({"send_to": "patient"}, {}),
        ({}, {"test_contacts": MessageContacts(email="test@example.org")}),
    ],
)
def test_what_came_back_from_somebody_else_says_nothing_of_the_guarantor(
    row: dict[str, Any], organization: dict[str, Any]
) -> None:
    practice = an_organization(opt_out_after_undeliverable=True, **organization)
    book = a_book(notices=(a_sent_row(**row),))
    change = settle(book, "n-1", DeliveryOutcome.BOUNCED, "m-1", at("2026-01-05 12:00"), practice)
    assert change is not None
    assert change.account.undeliverable == frozenset()
    assert not change.account.opt_outs.email


# --- the letter some days later -----------------------------------------------


@pytest.mark.parametrize("outcome", [DeliveryOutcome.BOUNCED, DeliveryOutcome.BOUNCED_FOR_NOW])
@pytest.mark.parametrize(
    ("days", "letter_on"),
    [(None, None), (0, "2026-02-05"), (1, "2026-02-05"), (3, "2026-02-09"), (20, "2026-02-24")],
)
def test_a_reminder_that_came_back_goes_by_letter_after_the_days_that_are_set(
    outcome: DeliveryOutcome, days: int | None, letter_on: str | None
) -> None:
    world = a_returned_reminder(outcome, drop_to_paper_after_undeliverable_days=days)
    world.run_until(at("2026-03-01 12:00"))
    letters = [line for line in world.story() if line[1] == PRINT]
    assert letters == ([(letter_on, PRINT, DUE, 2)] if letter_on else [])


def test_the_account_is_looked_at_again_on_the_day_of_the_letter_and_the_explanation_names_it() -> None:
    world = a_returned_reminder(DeliveryOutcome.BOUNCED, drop_to_paper_after_undeliverable_days=9)
    planned = world.plan()
    assert planned.next_planning_at == at("2026-02-13 00:00")
    found = [
        finding.found for finding in planned.findings if finding.rule is Rule.CHANNELS and finding.channel is PRINT
    ]
    assert "electronic notices are undeliverable: goes by letter from 2026-02-13" in found


def test_once_the_letter_went_the_account_waits_for_its_next_step() -> None:
    world = a_returned_reminder(DeliveryOutcome.BOUNCED, drop_to_paper_after_undeliverable_days=3)
    world.run_until(at("2026-02-10 12:00"))
    assert world.plan().next_planning_at == at("2026-03-06 00:00")


@pytest.mark.parametrize(("level", "step"), [(1, INITIAL), (3, FINAL)])
def test_initial_and_final_notices_never_drop(level: int, step: Any) -> None:
    world = a_world(drop_to_paper_after_undeliverable_days=1)
    end = at(SENT_ON + " 18:00") + timedelta(days=30 * (level - 1) + 3)
    world.run_until(end)
    assert world.sent[-1].notification_type == step
    tell(world, DeliveryOutcome.BOUNCED)
    world.run_until(end + timedelta(days=10))
    assert PRINT not in {row.channel for row in world.sent}


def test_a_contact_that_was_lost_with_an_earlier_step_drops_its_reminder_the_day_it_is_due() -> None:
    world = a_world(drop_to_paper_after_undeliverable_days=5)
    world.run_until(at("2026-01-06 12:00"))
    tell(world, DeliveryOutcome.BOUNCED)
    world.run_until(at("2026-02-28 12:00"))
    assert world.story()[1:] == [("2026-02-04", PRINT, DUE, 2)]


def test_a_contact_that_is_corrected_in_time_gets_the_reminder_itself() -> None:
    world = a_returned_reminder(DeliveryOutcome.BOUNCED, drop_to_paper_after_undeliverable_days=5)
    world.now = at("2026-02-06 08:00")
    corrected = a_guarantor(mobile_phone="", email="new@example.org")
    world.change_account(guarantor=corrected, undeliverable=frozenset())
    world.run_until(at("2026-02-20 12:00"))
    assert world.story()[2:] == [("2026-02-06", EMAIL, DUE, 2)]


def test_while_another_electronic_channel_of_the_step_is_there_it_is_the_one_that_goes() -> None:
    world = a_returned_reminder(DeliveryOutcome.BOUNCED, drop_to_paper_after_undeliverable_days=0)
    world.change_account(guarantor=a_guarantor())
    world.run_until(at("2026-02-20 12:00"))
    assert [line[1] for line in world.story()[2:]] == [SMS]


def test_a_channel_that_the_guarantor_opted_out_of_is_none_that_is_left() -> None:
    """The number is there, but no text may go; so the letter goes for the email that came back."""
    world = a_returned_reminder(DeliveryOutcome.BOUNCED, drop_to_paper_after_undeliverable_days=5)
    world.change_account(guarantor=a_guarantor(), opt_outs=OptOuts(sms=True))
    world.run_until(at("2026-02-20 12:00"))
    assert world.story()[2:] == [("2026-02-09", PRINT, DUE, 2)]


def test_a_failure_that_staff_tries_again_holds_the_letter_back() -> None:
    world = a_returned_reminder(DeliveryOutcome.BOUNCED_FOR_NOW, drop_to_paper_after_undeliverable_days=2)
    world.now = at("2026-02-05 12:00")
    failed = next(row for row in world.book.notices if row.status is S.UNDELIVERABLE_CAN_RETRY)
    again = moved(failed, S.SCHEDULED, world.now, "staff", "retry", scheduled_for=world.now)
    world.change(notices=tuple(again if row is failed else row for row in world.book.notices))
    world.run_until(at("2026-02-20 12:00"))
    assert PRINT not in {row.channel for row in world.sent}


def test_days_count_from_the_last_that_came_back() -> None:
    account = an_account()
    world = World(
        organization=an_organization(drop_to_paper_after_undeliverable_days=4),
        book=a_book(account=account),
        now=at(f"{SENT_ON} 08:00"),
    )
    world.run_until(at("2026-02-04 20:00"))
    email, text = (next(row for row in world.sent[1:] if row.channel is channel) for channel in (EMAIL, SMS))
    tell(world, DeliveryOutcome.BOUNCED, email)
    world.run_until(at("2026-02-09 12:00"))
    tell(world, DeliveryOutcome.BOUNCED, text)
    assert world.plan().next_planning_at == at("2026-02-13 00:00")


def test_an_opt_out_that_a_return_brought_drops_to_paper_at_once_only_where_that_is_switched_on_too() -> None:
    world = a_returned_reminder(
        DeliveryOutcome.BOUNCED,
        opt_out_after_undeliverable=True,
        drop_to_paper_on_opt_out=True,
        drop_to_paper_after_undeliverable_days=9,
    )
    world.run_until(at("2026-02-20 12:00"))
    assert [line[0] for line in world.story() if line[1] == PRINT] == ["2026-02-05"]


# --- errors that clear themselves -----------------------------------------------


def a_sent_row(**changes: Any) -> Notice:
    """An email of January 5."""
    world = a_world()
    planned = plan(world.book, world.organization, world.now).notices
    row = next(notice for notice in planned if notice.channel is EMAIL)
    facts: dict[str, Any] = {"sent_at": at("2026-01-05 11:00")}
    return moved(replace(row, notice_id="n-1"), S.SENT, at("2026-01-05 11:00"), "x", **facts | changes)


def later(row: Notice, **changes: Any) -> Notice:
    facts: dict[str, Any] = {"notice_id": "n-2", "sent_at": at("2026-02-04 11:00")}
    return replace(row, **facts | changes)


@pytest.mark.parametrize("status", [S.UNDELIVERABLE_CAN_RETRY, S.UNDELIVERABLE_PERMANENT, S.DELIVERY_ERROR])
def test_an_error_clears_by_itself_once_a_later_email_is_delivered(status: NoticeStatus) -> None:
    failed = moved(a_sent_row(), status, at("2026-01-05 12:00"), "provider", "came back")
    book = a_book(notices=(failed, later(a_sent_row())))
    change = settle(book, "n-2", DeliveryOutcome.DELIVERED, "m-2", at("2026-02-04 12:00"))
    assert change is not None
    assert {row.notice_id: row.status for row in change.notices} == {"n-1": S.ARCHIVED, "n-2": S.DELIVERED}
    cleared = next(row for row in change.notices if row.notice_id == "n-1")
    assert (cleared.status_history[-1].actor, cleared.reason) == ("system", "a later notice to this contact succeeded")
    assert [entry.status for entry in cleared.status_history] == [S.SCHEDULED, S.SENT, status, S.ARCHIVED]


@pytest.mark.parametrize(
    ("success", "clears"),
    [
        ({"status": S.DELIVERED}, True),
        ({"status": S.SENT}, False),
        ({"status": S.DELIVERED, "channel": SMS}, False),
        ({"status": S.DELIVERED, "send_to": "patient"}, False),
        ({"status": S.DELIVERED, "sent_at": at("2026-01-04 11:00")}, False),
    ],
)
def test_only_a_later_success_with_the_same_contact_clears_an_error(success: dict[str, Any], *, clears: bool) -> None:
    failed = moved(a_sent_row(), S.DELIVERY_ERROR, at("2026-01-05 12:00"), "provider", "came back")
    cleared = cleared_by(a_book(notices=(failed,)), later(a_sent_row(), **success), at("2026-02-04 12:00"))
    assert bool(cleared) is clears


def test_of_texts_and_letters_it_is_enough_that_they_were_taken() -> None:
    for channel in (SMS, PRINT):
        failed = moved(a_sent_row(channel=channel), S.DELIVERY_ERROR, at("2026-01-05 12:00"), "provider")
        success = later(a_sent_row(channel=channel), status=S.SENT)
        assert cleared_by(a_book(notices=(failed,)), success, at("2026-02-04 12:00"))


@pytest.mark.parametrize("status", [S.UNKNOWN, S.SENT, S.WILL_NOT_SEND, S.CANCELLED, S.SCHEDULED, S.ARCHIVED])
def test_what_is_no_error_stays_as_it_is(status: NoticeStatus) -> None:
    before = as_if(a_sent_row(), status, at("2026-01-05 12:00"), "x")
    success = later(a_sent_row(), status=S.DELIVERED)
    assert cleared_by(a_book(notices=(before,)), success, at("2026-02-04 12:00")) == ()


def test_a_cleared_error_still_counts_for_its_step_as_it_did() -> None:
    failed = moved(a_sent_row(), S.UNDELIVERABLE_CAN_RETRY, at("2026-01-05 12:00"), "provider")
    [cleared] = cleared_by(a_book(notices=(failed,)), later(a_sent_row(), status=S.DELIVERED), at("2026-01-06 12:00"))
    organization, now = an_organization(), at("2026-01-06 12:00")
    before, after = (plan(a_book(notices=(row,)), organization, now) for row in (failed, cleared))
    assert (after.notices, after.next_planning_at) == (before.notices, before.next_planning_at)
