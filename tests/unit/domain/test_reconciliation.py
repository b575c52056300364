"""A message that a provider may have: one wait, one marked second sending, then a person; and news that comes late."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.account.contacts import Contact
from shared.domain.account.ledger import dunning_notices, moment_of, stopped
from shared.domain.account.queue_actions import QueueAction, act
from shared.domain.account.reconciliation import (
    LETTER_PAUSE,
    NEEDS_MANUAL_REVIEW,
    OVERDUE,
    POSSIBLY_SENT,
    SENT_ONCE_MORE,
    STUCK_AFTER,
    lease_ended,
    leases_ended,
    possibly_sent,
    sent_once_more,
    sent_twice,
    stuck,
    unknown,
)
from shared.domain.delivery.orders import (
    Accepted,
    Postponed,
    ProviderAnswer,
    Rejected,
    Unanswered,
    answered,
    answered_late,
    claimed,
    failure,
    held_back,
)
from shared.domain.delivery.settlement import DeliveryOutcome, settle
from shared.domain.dunning import judge, plan
from shared.domain.dunning.decision import Defer, Send
from shared.domain.records.notice import BillLevel, Notice, moved
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel, NoticeStatus
from tests.worlds.examples import NOW, bill, book, notice, organization

S = NoticeStatus
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LEASE_UNTIL = NOW + timedelta(minutes=15)
NO_ANSWER = Unanswered(reason="the provider may have it")


def sending(row: Notice) -> Notice:
    """The row as claimed once more."""
    contact = Contact(channel=row.channel, name="Ada Example", destination="ada@example.com")
    send = Send(notification_type=row.notification_type, level=1, bills=row.bills, template_id="", contact=contact)
    return claimed(row, send, "lnk_1", NOW)


def given_up(**changes: Any) -> Notice:
    """A row that was sent once, and nobody knows whether it went."""
    new = moved(notice(**changes), S.SCHEDULED, NOW, "scheduler", "step due")
    return answered(sending(new), NO_ANSWER, NOW)


def scheduled_again(**changes: Any) -> Notice:
    return lease_ended(given_up(**changes), NOW + HOUR, LEASE_UNTIL)


def sent_again(**changes: Any) -> Notice:
    return sending(scheduled_again(**changes))


def entry(row: Notice) -> tuple[S, datetime, str, str]:
    """What the row's history says last: status, time, by whom, why."""
    last = row.status_history[-1]
    return last.status, last.at, last.actor, last.reason


def word(row: Notice, outcome: DeliveryOutcome, attempt: int | None = 1, message_id: str = "m-1") -> Notice | None:
    """The row after a word about it; None: it changes nothing."""
    change = settle(book(notices=(row,)), "ntc_1", outcome, message_id, NOW + HOUR, organization(), attempt)
    return change.notices[0] if change and change.notices else None


# --- the clock -----------------------------------------------


@pytest.mark.parametrize(("channel", "wait"), [(Channel.EMAIL, HOUR), (Channel.SMS, 4 * HOUR)])
def test_a_message_that_may_have_gone_is_looked_at_again_after_its_channels_wait(
    channel: Channel, wait: timedelta
) -> None:
    row = given_up(channel=channel)
    assert (row.status, row.lease_until) == (S.UNKNOWN, NOW + wait)
    died = lease_ended(sending(notice(channel=channel)), NOW, LEASE_UNTIL)
    assert (died.status, died.lease_until) == (S.UNKNOWN, NOW + wait)


def test_when_no_word_came_it_is_scheduled_for_now_and_marked() -> None:
    row = scheduled_again()
    assert (row.status, row.scheduled_for, row.lease_until) == (S.SCHEDULED, NOW + HOUR, None)
    assert row.possible_duplicate
    assert row.reason == SENT_ONCE_MORE
    assert entry(row) == (S.SCHEDULED, NOW + HOUR, "scheduler", SENT_ONCE_MORE)


@pytest.mark.parametrize(("second", "actor"), [(NO_ANSWER, "send_email"), (None, "scheduler")])
def test_a_second_silence_is_left_to_people(second: ProviderAnswer | None, actor: str) -> None:
    row = sent_again()
    row = answered(row, second, NOW) if second else lease_ended(row, NOW, LEASE_UNTIL)
    assert (row.status, row.lease_until, row.reason) == (S.UNKNOWN, None, NEEDS_MANUAL_REVIEW)
    assert entry(row) == (S.UNKNOWN, NOW, actor, NEEDS_MANUAL_REVIEW)
    assert row.possible_duplicate
    assert row.attempt == 2


def test_what_staff_had_sent_once_more_isnt_sent_a_third_time_by_itself() -> None:
    change = act(book(notices=(given_up(),)), "ntc_1", QueueAction.RETRY, NOW, "staff")
    assert change is not None
    row = answered(sending(change.notices[0]), NO_ANSWER, NOW)
    assert (row.status, row.lease_until) == (S.UNKNOWN, None)


def test_an_unknown_notice_that_may_not_go_again_loses_its_lease() -> None:
    for row in (given_up(), replace(given_up(), channel=Channel.PRINT)):
        left = replace(row, possible_duplicate=row.channel.electronic, lease_until=NOW)
        after = lease_ended(left, NOW, LEASE_UNTIL)
        assert (after.status, after.lease_until, after.reason) == (S.UNKNOWN, None, NEEDS_MANUAL_REVIEW)
        assert entry(after) == (S.UNKNOWN, NOW, "scheduler", NEEDS_MANUAL_REVIEW)


def test_a_letter_is_queued_again_whatever_became_of_it() -> None:
    letter = sending(notice(channel=Channel.PRINT))
    for after in (answered(letter, NO_ANSWER, NOW), unknown(letter, NOW, "x"), lease_ended(letter, NOW, LEASE_UNTIL)):
        assert after.status is S.QUEUED
        assert not after.possible_duplicate


@pytest.mark.parametrize(("why", "told"), [((), POSSIBLY_SENT), (("the store is away",), "the store is away")])
def test_a_letter_that_the_store_didnt_answer_about_is_written_again_after_a_pause(
    why: tuple[str, ...], told: str
) -> None:
    row = unknown(sending(notice(channel=Channel.PRINT)), NOW, "render_print", *why)
    assert entry(row) == (S.QUEUED, NOW, "render_print", told)
    assert (row.reason, row.lease_until) == (told, NOW + LETTER_PAUSE)


def test_a_pause_before_the_second_sending_changes_nothing_about_the_doubt() -> None:
    row = answered(sent_again(), Postponed(reason="slower", pause=HOUR), NOW)
    assert (row.status, row.attempt) == (S.SCHEDULED, 1)
    assert row.possible_duplicate
    assert possibly_sent(row)
    assert word(row, DeliveryOutcome.DELIVERED) is not None


# --- a word while the second sending waits, or was stopped ------------------------------------


def queued_again() -> Notice:
    return moved(scheduled_again(), S.QUEUED, NOW, "scheduler", lease_until=LEASE_UNTIL)


def paid_meanwhile() -> Notice:
    return stopped(scheduled_again(), NOW, "processor", Reason.PAYMENT_MADE)


def held_meanwhile() -> Notice:
    return stopped(queued_again(), NOW, "staff", Reason.HOLD_DISPUTE)


WAITING = [scheduled_again(), queued_again(), paid_meanwhile(), held_meanwhile()]


@pytest.mark.parametrize("row", WAITING, ids=lambda row: row.status)
@pytest.mark.parametrize("attempt", [1, None])
@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (DeliveryOutcome.ACCEPTED, S.SENT),
        (DeliveryOutcome.DELIVERED, S.DELIVERED),
        (DeliveryOutcome.BOUNCED, S.UNDELIVERABLE_PERMANENT),
        (DeliveryOutcome.BOUNCED_FOR_NOW, S.UNDELIVERABLE_CAN_RETRY),
        (DeliveryOutcome.REJECTED, S.DELIVERY_ERROR),
    ],
)
def test_a_word_about_the_first_sending_settles_it_and_the_second_never_goes(
    row: Notice, attempt: int | None, outcome: DeliveryOutcome, status: S
) -> None:
    after = word(row, outcome, attempt)
    assert after is not None
    assert (after.status, after.lease_until, after.provider_message_id) == (status, None, "m-1")
    assert not after.possible_duplicate
    assert after.status_history[:-1] == row.status_history


def test_a_notice_that_waits_for_the_first_time_hears_no_word() -> None:
    """It was never sent: the word is a mistake."""
    for row in (notice(), moved(notice(), S.QUEUED, NOW, "scheduler"), moved(notice(), S.CANCELLED, NOW, "staff")):
        assert word(row, DeliveryOutcome.DELIVERED, None) is None


def test_a_repeated_word_doesnt_undo_a_retry() -> None:
    """The bounce is known; staff had the notice sent again because of it."""
    bounced = word(given_up(), DeliveryOutcome.BOUNCED_FOR_NOW)
    assert bounced is not None
    change = act(book(notices=(bounced,)), "ntc_1", QueueAction.RETRY, NOW, "staff")
    assert change is not None
    (retried,) = change.notices
    assert not retried.possible_duplicate
    assert word(retried, DeliveryOutcome.BOUNCED_FOR_NOW) is None
    assert word(sending(retried), DeliveryOutcome.BOUNCED_FOR_NOW) is None


def test_only_what_was_given_to_the_provider_a_second_time_may_have_gone_twice() -> None:
    assert sent_twice(sent_again())
    assert sent_twice(answered(sent_again(), Accepted(message_id="m-2"), NOW))
    for row in (given_up(), *WAITING):
        assert not sent_twice(row)


def test_the_first_sending_after_a_silence_is_the_one_that_doubles_however_it_came_to_be_sent() -> None:
    slower = Postponed(reason="slower", pause=HOUR)
    assert sent_once_more(sent_again())
    assert sent_once_more(sending(queued_again()))
    assert not sent_once_more(sending(answered(sent_again(), slower, NOW)))


# --- a word while the second sending is under way, or gone ------------------------------------


def recorded() -> Notice:
    return answered(sent_again(), Accepted(message_id="m-2"), NOW)


def silent_again() -> Notice:
    return answered(sent_again(), NO_ANSWER, NOW)


SECOND = [sent_again(), recorded(), silent_again()]


@pytest.mark.parametrize("row", SECOND, ids=lambda row: row.status)
def test_the_first_sendings_arrival_is_the_notices_and_it_stays_marked(row: Notice) -> None:
    after = word(row, DeliveryOutcome.DELIVERED)
    assert after is not None
    assert (after.status, after.reason) == (S.DELIVERED, "an earlier sending of it arrived")
    assert after.possible_duplicate


@pytest.mark.parametrize("row", SECOND, ids=lambda row: row.status)
@pytest.mark.parametrize(
    "outcome", [DeliveryOutcome.BOUNCED, DeliveryOutcome.BOUNCED_FOR_NOW, DeliveryOutcome.REJECTED]
)
def test_the_first_sendings_return_says_nothing_of_the_second(row: Notice, outcome: DeliveryOutcome) -> None:
    assert settle(book(notices=(row,)), "ntc_1", outcome, "m-1", NOW, organization(), 1) is None


def test_a_word_that_doesnt_say_which_sending_it_is_about_is_told_apart_by_its_message() -> None:
    assert word(recorded(), DeliveryOutcome.BOUNCED, None, "m-1") is None
    assert word(recorded(), DeliveryOutcome.BOUNCED, None, "m-2") is not None


@pytest.mark.parametrize("row", SECOND, ids=lambda row: row.status)
@pytest.mark.parametrize("attempt", [2, None])
def test_the_second_sendings_return_counts(row: Notice, attempt: int | None) -> None:
    after = word(row, DeliveryOutcome.BOUNCED, attempt, "m-2")
    assert after is not None
    assert after.status is S.UNDELIVERABLE_PERMANENT


@pytest.mark.parametrize("row", [sent_again(), silent_again()], ids=lambda row: row.status)
def test_the_first_sendings_acceptance_is_enough_where_the_second_is_silent(row: Notice) -> None:
    after = word(row, DeliveryOutcome.ACCEPTED)
    assert after is not None
    assert (after.status, after.provider_message_id) == (S.SENT, "m-1")
    returned = word(after, DeliveryOutcome.BOUNCED)
    assert returned is not None
    assert returned.status is S.UNDELIVERABLE_PERMANENT


def test_what_was_delivered_comes_back_only_by_a_word_about_that_message() -> None:
    delivered = word(recorded(), DeliveryOutcome.DELIVERED)
    assert delivered is not None
    assert word(delivered, DeliveryOutcome.BOUNCED, 2, "m-2") is None
    assert word(delivered, DeliveryOutcome.BOUNCED, 1, "m-1") is not None


# --- an answer that comes after the lease ended ------------------------------------


TAKEN = sending(moved(notice(), S.SCHEDULED, NOW, "scheduler"))


@pytest.mark.parametrize("row", [given_up(), *WAITING], ids=lambda row: row.status)
def test_a_late_acceptance_is_never_lost(row: Notice) -> None:
    after = answered_late(row, TAKEN, Accepted(message_id="m-1"), NOW)
    assert after is not None
    assert (after.status, after.provider_message_id, after.possible_duplicate) == (S.SENT, "m-1", False)


@pytest.mark.parametrize("row", [given_up(), *WAITING], ids=lambda row: row.status)
def test_a_late_refusal_is_never_lost(row: Notice) -> None:
    change = failure(book(notices=(row,)), TAKEN, Rejected(reason="x", undeliverable=True), NOW)
    assert change is not None
    assert change.notices[0].status is S.UNDELIVERABLE_PERMANENT
    assert change.account.undeliverable == {Channel.EMAIL}


def test_a_late_pause_says_that_it_didnt_go() -> None:
    after = answered_late(given_up(), TAKEN, Postponed(reason="slower", pause=HOUR), NOW)
    assert after is not None
    assert (after.status, after.attempt, possibly_sent(after)) == (S.SCHEDULED, 0, False)
    assert answered_late(paid_meanwhile(), TAKEN, Postponed(reason="slower", pause=HOUR), NOW) is None


@pytest.mark.parametrize("row", [sent_again(), recorded(), notice(status=S.DELIVERED, attempt=1)])
def test_a_late_answer_says_nothing_of_a_later_sending_or_of_what_is_settled(row: Notice) -> None:
    assert answered_late(row, TAKEN, Accepted(message_id="m-1"), NOW) is None


def test_a_late_silence_is_nothing_new() -> None:
    assert answered_late(given_up(), TAKEN, NO_ANSWER, NOW) is None


# --- what it means for the levels ------------------------------------


@pytest.mark.parametrize("row", [paid_meanwhile(), held_meanwhile()], ids=lambda row: row.status)
def test_a_stopped_second_sending_leaves_the_step_told_because_the_first_may_have_arrived(row: Notice) -> None:
    (counted,) = dunning_notices(book(notices=(row,)))
    assert counted.status is S.UNKNOWN
    planned = plan(book(notices=(row,)), organization(), NOW + 2 * HOUR)
    assert not [other for other in planned.notices if other.status is S.SCHEDULED]


def silent_and_stopped() -> Notice:
    """Given to the provider at NOW, Unknown a minute later, scheduled again after an hour, stopped after two."""
    silent = answered(sending(moved(notice(), S.SCHEDULED, NOW - HOUR, "scheduler")), NO_ANSWER, NOW + MINUTE)
    return stopped(lease_ended(silent, NOW + HOUR, LEASE_UNTIL), NOW + 2 * HOUR, "staff", Reason.HOLD_DISPUTE)


def stored_and_stopped() -> Notice:
    """A letter that was given to the store at NOW, queued again a minute later, and stopped after an hour."""
    queued = moved(moved(notice(channel=Channel.PRINT), S.SCHEDULED, NOW - HOUR, "x"), S.QUEUED, NOW - MINUTE, "x")
    again = lease_ended(sending(queued), NOW + MINUTE, LEASE_UNTIL)
    return stopped(again, NOW + HOUR, "staff", Reason.HOLD_DISPUTE)


@pytest.mark.parametrize(
    ("row", "since"), [(silent_and_stopped(), NOW + MINUTE), (stored_and_stopped(), NOW)], ids=["email", "letter"]
)
def test_what_may_have_gone_before_it_was_stopped_counts_as_of_then_and_not_for_why_it_was_stopped(
    row: Notice, since: datetime
) -> None:
    (counted,) = dunning_notices(book(notices=(row,)))
    assert (counted.status, counted.reason, moment_of(counted)) == (S.UNKNOWN, "", since)


def test_another_bill_is_never_added_to_a_second_sending_that_waits() -> None:
    """A late word about the first sending, which didn't speak of that bill, would count it as told."""
    tomorrow = NOW + timedelta(days=1)
    row = replace(scheduled_again(), scheduled_for=tomorrow)
    bills = (bill(), bill("S-2"))
    planned = plan(book(bills=bills, notices=(row,)), organization(), NOW).notices
    assert row.notice_id not in {other.notice_id for other in planned}
    (email,) = (other for other in planned if other.channel is Channel.EMAIL)
    assert (email.statement_ids, email.status) == (("S-2",), S.SCHEDULED)
    assert email.scheduled_for > tomorrow + timedelta(hours=12)


def test_of_two_that_wait_the_earlier_goes_and_neither_waits_for_ever() -> None:
    second = replace(scheduled_again(), scheduled_for=NOW + HOUR)
    other = (BillLevel(statement_id="S-2", aging_period="S-2/1", level=1),)
    first = moved(notice(notice_id="ntc_2", bills=other), S.QUEUED, NOW, "scheduler")
    read = book(bills=(bill(), bill("S-2")), notices=(first, second))
    assert isinstance(judge(first, read, organization(), NOW), Send)
    assert isinstance(judge(second, read, organization(), NOW + HOUR), Defer)
    gone = replace(first, status=S.SENT, sent_at=NOW)
    assert isinstance(judge(second, replace(read, notices=(gone, second)), organization(), NOW + 24 * HOUR), Send)


def test_a_first_sending_that_was_stopped_leaves_its_step_open() -> None:
    row = stopped(moved(notice(), S.QUEUED, NOW, "scheduler"), NOW, "staff", Reason.HOLD_DISPUTE)
    (counted,) = dunning_notices(book(notices=(row,)))
    assert counted.status is S.CANCELLED


# --- a letter that may lie in the bucket ------------------------------------


def letter_that_may_be_there() -> Notice:
    """A letter whose sender died, and so was queued again; nobody knows whether it was stored."""
    queued = moved(moved(notice(channel=Channel.PRINT), S.SCHEDULED, NOW, "x"), S.QUEUED, NOW, "x")
    return lease_ended(sending(queued), NOW, LEASE_UNTIL)


def test_a_letter_that_was_stopped_when_it_may_have_been_stored_isnt_followed_by_another_for_its_step() -> None:
    row = stopped(letter_that_may_be_there(), NOW, "staff", Reason.HOLD_DISPUTE)
    later = plan(book(notices=(row,)), organization(), NOW + 24 * HOUR)
    assert [other.channel for other in later.notices if other.channel is Channel.PRINT] == []
    never_claimed = stopped(moved(notice(channel=Channel.PRINT), S.QUEUED, NOW, "x"), NOW, "staff", Reason.HOLD_DISPUTE)
    later = plan(book(notices=(never_claimed,)), organization(), NOW + 24 * HOUR)
    assert [other.status for other in later.notices if other.channel is Channel.PRINT] == [S.SCHEDULED]


@pytest.mark.parametrize("stop", [False, True])
def test_a_letters_late_answer_settles_what_was_queued_again_or_stopped(stop: bool) -> None:  # noqa: FBT001 - a case
    row = letter_that_may_be_there()
    current = stopped(row, NOW, "staff", Reason.HOLD_DISPUTE) if stop else row
    after = answered_late(current, sending(notice(channel=Channel.PRINT)), Accepted(message_id="key"), NOW)
    assert after is not None
    assert (after.status, after.possible_duplicate) == (S.SENT, False)


def test_a_letter_that_the_store_surely_doesnt_have_is_in_no_doubt() -> None:
    row = answered(sending(notice(channel=Channel.PRINT)), Postponed(reason="slower", pause=HOUR), NOW)
    assert not possibly_sent(moved(row, S.QUEUED, NOW, "scheduler"))
    once_more = answered(sending(letter_that_may_be_there()), Postponed(reason="slower", pause=HOUR), NOW)
    assert possibly_sent(once_more)


# --- what is stuck ------------------------------------


def test_leases_that_end_in_a_row_are_counted_in_the_history() -> None:
    row = moved(notice(), S.QUEUED, NOW, "scheduler", lease_until=NOW)
    for ended in range(1, STUCK_AFTER + 1):
        assert not stuck(row, NOW)
        row = lease_ended(row, NOW, NOW)
        assert leases_ended(row) == ended
    assert stuck(row, NOW)
    taken = moved(row, S.SCHEDULED, NOW, "send_email", "outside the permitted hours")
    assert leases_ended(moved(taken, S.QUEUED, NOW, "scheduler")) == 0


def test_a_notice_that_its_provider_never_takes_is_stuck_until_it_goes() -> None:
    row = notice()
    for refused in range(STUCK_AFTER):
        assert not stuck(row, NOW), refused
        assert not stuck(sending(row), NOW), refused
        row = answered(sending(row), Postponed(reason="the provider could not be reached", pause=HOUR), NOW)
        row = moved(row, S.QUEUED, NOW, "scheduler", lease_until=NOW)
    assert stuck(row, NOW)
    assert stuck(sending(row), NOW)
    assert not stuck(answered(sending(row), NO_ANSWER, NOW), NOW)


def test_a_notice_that_waits_for_its_channel_is_not_stuck() -> None:
    row = sending(notice())
    for _ in range(2 * STUCK_AFTER):
        row = moved(replace(row, status=S.SCHEDULED), S.QUEUED, NOW, "scheduler", lease_until=NOW)
        row = held_back(row, NOW, "the provider's daily quota is used up", NOW)
    assert not stuck(row, NOW)


@pytest.mark.parametrize(
    ("row", "after"),
    [
        (notice(), OVERDUE),
        (notice(status=S.QUEUED, lease_until=NOW), OVERDUE),
        (notice(status=S.SENDING, lease_until=NOW), OVERDUE),
        (notice(status=S.UNKNOWN, lease_until=NOW), OVERDUE),
    ],
    ids=lambda value: getattr(value, "status", ""),
)
def test_what_the_clock_should_have_moved_long_ago_is_stuck(row: Notice, after: timedelta) -> None:
    assert not stuck(row, NOW + after)
    assert stuck(row, NOW + after + timedelta(seconds=1))


@pytest.mark.parametrize("status", sorted(set(S) - {S.SCHEDULED, S.QUEUED, S.SENDING}))
def test_what_waits_for_nobody_is_never_stuck(status: S) -> None:
    assert not stuck(notice(status=status), NOW + timedelta(days=9))
