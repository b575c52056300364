"""The notice's state machine: the table is whole, and nothing moves a notice past it."""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise, product

import pytest

from shared.domain.account.contacts import Contact, contact_for
from shared.domain.account.queue_actions import POSSIBLE, ActionRefusedError, QueueAction, act
from shared.domain.account.reconciliation import lease_ended, unknown
from shared.domain.account.worklist import clear
from shared.domain.delivery.orders import (
    Accepted,
    Postponed,
    ProviderAnswer,
    Rejected,
    Unanswered,
    answered,
    answered_late,
    claimed,
    deferred,
    failure,
    may_be_taken,
    refused,
    uncomposable,
)
from shared.domain.delivery.settlement import DeliveryOutcome, settle
from shared.domain.dunning import plan
from shared.domain.dunning.decision import Defer, Refuse, Send
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.records.book import Change
from shared.domain.records.notice import CANCELLABLE, PENDING, Notice, StatusChange, moved
from shared.domain.records.transitions import (
    ALLOWED,
    BORN,
    ON_THE_CLOCK,
    TRANSITIONS,
    By,
    ForbiddenTransitionError,
    require,
    statuses_moved,
)
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel, Hold, NoticeStatus
from shared.storage.items import notice_item
from tests.worlds.bounds import some
from tests.worlds.examples import NOW, account, book, notice, organization

S = NoticeStatus
LATER = NOW + timedelta(hours=1)
MOVES = {(move.since, move.to) for move in TRANSITIONS if move.since is not None}
QUIET = {S.SCHEDULED, S.QUEUED, S.SENDING, S.UNKNOWN}
"""Statuses that say nothing of how an earlier sending ended."""
ERRORS = {S.UNDELIVERABLE_CAN_RETRY, S.UNDELIVERABLE_PERMANENT, S.DELIVERY_ERROR, S.QUEUEING_ERROR}

ANSWERS: tuple[ProviderAnswer, ...] = (
    Accepted(message_id="m-1"),
    Rejected(reason="refused"),
    Rejected(reason="no such address", undeliverable=True),
    Postponed(reason="slower", pause=timedelta(minutes=2)),
    Unanswered(reason="the provider may have it"),
)


def path(end: S, begin: tuple[S, ...] = ()) -> tuple[S, ...]:
    """The shortest way through the table to a status; `begin`: the way that goes on from here."""
    ways: deque[tuple[S, ...]] = deque([begin] if begin else [(born,) for born in sorted(BORN)])
    seen = set()
    while ways:
        way = ways.popleft()
        if way[-1] is end and way != begin:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways.extend((*way, to) for since, to in sorted(MOVES) if since is way[-1] and (to is end or to in QUIET))
    raise AssertionError(f"no way to {end} from {begin}")


def row(way: tuple[S, ...], **changes: object) -> Notice:
    """A notice that came by a way."""
    history = tuple(StatusChange(status=status, at=NOW, actor="test") for status in way)
    known = {"lease_until": NOW, "attempt": int(S.SENDING in way), "sent_at": NOW if S.SENT in way else None}
    return notice(status=way[-1], status_history=history, **(known | changes))


def every_row() -> Iterator[Notice]:
    """A notice in every status, on every channel: as it usually comes there, in doubt, and marked."""
    for status, channel, doubted, marked in product(S, Channel, (False, True), (False, True)):
        if channel.electronic or not doubted:
            begin = (S.SCHEDULED, S.SENDING, S.UNKNOWN) if doubted else ()
            yield row(path(status, begin), channel=channel, possible_duplicate=marked)


ROWS = tuple(every_row())


# --- the table -----------------------------------------------


def test_the_table_tells_of_every_status() -> None:
    assert {move.to for move in TRANSITIONS} == set(S)
    assert {move.since for move in TRANSITIONS} == {None, *S}


def test_every_status_can_be_reached_from_birth() -> None:
    assert all(path(status)[-1] is status for status in some(S))


def test_a_notice_is_born_scheduled_or_as_a_decision_that_it_will_not_be_sent() -> None:
    assert {S.SCHEDULED, S.WILL_NOT_SEND} == BORN


def test_each_row_of_the_table_stands_once_and_says_why() -> None:
    assert len(set(TRANSITIONS)) == len(TRANSITIONS)
    assert all(move.why for move in some(TRANSITIONS))


@pytest.mark.parametrize("status", [S.DELIVERED, S.WILL_NOT_SEND, S.CANCELLED, S.ARCHIVED])
def test_what_is_over_is_on_no_clock_and_moved_by_no_sender(status: S) -> None:
    """Only news leads out: a later word of the provider, or a cause that comes back on the notice's own day."""
    by = {move.by for move in TRANSITIONS if move.since is status and move.to is not S.SENT}
    assert not by & {By.SCHEDULER, By.ACCOUNT}
    assert (status, S.SENDING) not in ALLOWED
    assert status not in ON_THE_CLOCK


def test_nothing_is_sent_again_without_waiting_for_its_turn() -> None:
    assert {since for since, to in ALLOWED if to is S.SENDING} == CANCELLABLE


def test_what_may_have_gone_leads_to_no_queue_directly() -> None:
    letters_only = (S.SENDING, S.QUEUED)
    assert {since for since, to in ALLOWED if to is S.QUEUED} == {S.SCHEDULED, S.QUEUED, S.SENDING}
    reasons = some(move.why for move in TRANSITIONS if (move.since, move.to) == letters_only)
    assert all("letter" in why for why in reasons)


@pytest.mark.parametrize("since", S)
def test_a_notice_moves_as_the_table_says_and_no_other_way(since: S) -> None:
    before = notice(status=since, status_history=(StatusChange(status=since, at=NOW, actor="test"),))
    for to in S:
        if (since, to) in ALLOWED:
            after = moved(before, to, LATER, "test", "why")
            assert (after.status, after.status_history[:-1]) == (to, before.status_history)
        else:
            with pytest.raises(ForbiddenTransitionError, match=f"from {since} to {to}"):
                moved(before, to, LATER, "test")


@pytest.mark.parametrize("status", sorted(set(S) - BORN - {to for since, to in ALLOWED if since is S.SCHEDULED}))
def test_a_new_notice_is_nowhere_else(status: S) -> None:
    with pytest.raises(ForbiddenTransitionError):
        moved(notice(), status, NOW, "test")


@pytest.mark.parametrize("status", sorted(set(S) - BORN))
def test_a_notice_is_born_nowhere_else(status: S) -> None:
    with pytest.raises(ForbiddenTransitionError, match=f"from nothing to {status}"):
        require(None, status)


@pytest.mark.parametrize("status", sorted(set(S) - {since for since, to in ALLOWED if to is S.SCHEDULED}))
def test_a_row_without_a_history_is_taken_for_new_only_while_it_is_scheduled(status: S) -> None:
    with pytest.raises(ForbiddenTransitionError):
        moved(notice(status=status), S.SCHEDULED, NOW, "test")


def test_a_move_that_needs_no_reason_gives_none() -> None:
    """Neither the reason that it had before."""
    after = moved(notice(reason="outside hours"), S.QUEUED, NOW, "test")
    assert (after.reason, after.status_history[-1].reason) == ("", "")


@pytest.mark.parametrize(
    ("by", "to", "since"),
    [
        (By.STAFF, S.SCHEDULED, ERRORS | {S.UNKNOWN}),
        (By.STAFF, S.CANCELLED, ERRORS | {S.SCHEDULED, S.QUEUED}),
        (By.PLANNER, S.WILL_NOT_SEND, {S.SCHEDULED, S.QUEUED, S.WILL_NOT_SEND, S.ARCHIVED}),
        (By.SENDER, S.SENDING, {S.SCHEDULED, S.QUEUED}),
        (By.STAFF, S.SENDING, set()),
    ],
)
def test_who_may_move_a_notice_to_a_status_may_from_where_it_is_and_a_new_one_is_nowhere(
    by: By, to: S, since: set[S]
) -> None:
    assert statuses_moved(by, to) == since


def test_what_people_may_do_is_what_the_table_says_of_staff() -> None:
    assert {
        QueueAction.CANCEL: {S.SCHEDULED, S.QUEUED} | ERRORS,
        QueueAction.RETRY: ERRORS | {S.UNKNOWN},
        QueueAction.ARCHIVE: ERRORS | {S.UNKNOWN, S.WILL_NOT_SEND, S.CANCELLED},
    } == POSSIBLE


def test_what_waits_for_its_time_is_what_may_still_be_stopped() -> None:
    stoppable = {since for since, to in ALLOWED if to is S.CANCELLED and since not in ERRORS}
    assert stoppable == CANCELLABLE == PENDING - {S.SENDING}


@pytest.mark.parametrize("status", S)
def test_the_due_index_holds_what_the_clock_moves(status: S) -> None:
    assert ("due_at" in notice_item(notice(status=status, lease_until=NOW))) is (status in ON_THE_CLOCK)


def test_an_unknown_notice_without_a_lease_is_left_to_people() -> None:
    assert "due_at" not in notice_item(notice(status=S.UNKNOWN, lease_until=None))


# --- everything that moves notices -----------------------------------------------
# None of these may raise ForbiddenTransitionError; what each does is said by its own tests.


def moves(before: Notice, change: Change | None) -> set[tuple[S, S]]:
    """The moves that a change makes of one row."""
    found = next((after for after in change.notices if after.notice_id == before.notice_id), None) if change else None
    if found is None:
        return set()
    statuses = [before.status, *(entry.status for entry in found.status_history[len(before.status_history) :])]
    return set(pairwise(statuses))


def made_by(*by: By) -> set[tuple[S | None, S]]:
    return {(move.since, move.to) for move in TRANSITIONS if move.by in by}


@pytest.mark.parametrize("outcome", DeliveryOutcome)
@pytest.mark.parametrize("attempt", [None, 0, 1])
def test_a_word_of_the_provider_moves_only_as_the_table_says(outcome: DeliveryOutcome, attempt: int | None) -> None:
    made = set[tuple[S, S]]()
    for before in ROWS:
        change = settle(book(notices=(before,)), "ntc_1", outcome, "m-1", LATER, organization(), attempt)
        made |= moves(before, change)
    assert made <= made_by(By.PROVIDER, By.ACCOUNT)


def test_every_move_that_the_table_gives_the_provider_is_made() -> None:
    made = set[tuple[S, S]]()
    for before, outcome in product(ROWS, DeliveryOutcome):
        made |= moves(before, settle(book(notices=(before,)), "ntc_1", outcome, "m-1", LATER, organization()))
    assert made >= made_by(By.PROVIDER)


@pytest.mark.parametrize("action", QueueAction)
@pytest.mark.parametrize("opt_out", [False, True])
def test_staff_move_only_as_the_table_says(action: QueueAction, *, opt_out: bool) -> None:
    made = set[tuple[S, S]]()
    for before in ROWS:
        with suppress(ActionRefusedError):
            change = act(book(notices=(before,)), "ntc_1", action, LATER, "staff", opt_out=opt_out)
            made |= moves(before, change)
    assert made
    assert made <= made_by(By.STAFF)


def test_every_move_that_the_table_gives_the_sender_is_made_and_no_other() -> None:
    contact = contact_for(Channel.EMAIL, book(), organization())
    assert isinstance(contact, Contact)
    made = set[tuple[S | None, S]]()
    for before in ROWS:
        send = Send(
            notification_type=before.notification_type, level=1, bills=before.bills, template_id="", contact=contact
        )
        after: list[Notice | None] = []
        if may_be_taken(before, NOW):
            after += [claimed(before, send, "lnk_1", NOW), uncomposable(before, "why", NOW)]
            after += [refused(before, Refuse(reason=Reason.NO_STEP_DUE), NOW)]
            after += [deferred(before, Defer(until=LATER, reason=Reason.OUTSIDE_HOURS), NOW)]
        if before.status is S.SENDING:
            after += [answered(before, answer, NOW) for answer in ANSWERS]
        after += [answered_late(before, before, answer, NOW) for answer in ANSWERS]
        made |= {(before.status, row.status) for row in after if row}
        taken = replace(before, status=S.SENDING)
        for answer in ANSWERS:
            if isinstance(answer, Rejected):
                made |= moves(before, failure(book(notices=(before,)), taken, answer, NOW, organization()))
    assert made == made_by(By.SENDER)


def test_every_move_that_the_clock_makes_of_leases_is_the_tables() -> None:
    made = {
        (before.status, lease_ended(before, NOW, LATER).status)
        for before in ROWS
        if before.status in {S.QUEUED, S.SENDING, S.UNKNOWN}
    }
    with_queues = {(S.SCHEDULED, S.QUEUED), (S.QUEUED, S.QUEUEING_ERROR)}
    assert made | with_queues == made_by(By.SCHEDULER)


def test_changes_to_an_account_stop_only_as_the_table_says() -> None:
    made = set[tuple[S, S]]()
    for before in ROWS:
        read = book(notices=(before,))
        paid = PaymentReceived(payment_id="pay_1", amount=74_60, method="card", received_on=NOW.date())
        made |= moves(before, post_payment(read, organization(), paid, NOW, "processor"))
    assert made <= made_by(By.ACCOUNT)
    assert made


def test_the_planner_moves_only_as_the_table_says_whatever_its_row_of_the_day_is_in() -> None:
    made = set[tuple[S, S]]()
    fresh = {row.channel: row for row in plan(book(), organization(), NOW).notices}
    for before, who in product(ROWS, (account(), account(holds=frozenset({Hold.DISPUTE})))):
        planned = fresh[before.channel]
        known = replace(
            planned, status=before.status, status_history=before.status_history, attempt=before.attempt, lease_until=NOW
        )
        read = book(account=who, notices=(known,))
        for now in (NOW, planned.scheduled_for, planned.scheduled_for + timedelta(days=8)):
            result = plan(read, organization(), now)
            made |= moves(known, Change(account=who, notices=result.notices))
    assert made
    assert made <= made_by(By.PLANNER)


def test_later_success_puts_away_only_as_the_table_says() -> None:
    success = notice(notice_id="ntc_9", status=S.DELIVERED, sent_at=LATER)
    made = {move for before in ROWS for move in moves(before, clear(book(notices=(before, success)), "ntc_9", LATER))}
    assert made == {(error, S.ARCHIVED) for error in ERRORS}


def test_a_letter_never_becomes_unknown() -> None:
    letter = notice(channel=Channel.PRINT, status=S.SENDING)
    assert unknown(letter, NOW, "render_print").status is S.QUEUED
