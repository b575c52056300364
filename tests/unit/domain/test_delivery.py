"""Sending one notice: judged again, claimed, given to the provider once, recorded."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.domain.account.contacts import BILL_TO
from shared.domain.account.reconciliation import NEEDS_MANUAL_REVIEW, lease_ended
from shared.domain.delivery.orders import (
    LONGEST_SENDING_LEASE,
    SENDING_LEASE,
    Accepted,
    Order,
    Postponed,
    ProviderAnswer,
    Rejected,
    Unanswered,
    answered,
    deferred,
    failure,
    held_back,
    may_be_taken,
    refused,
    uncomposable,
)
from shared.domain.dunning.decision import Defer, Refuse
from shared.domain.records.notice import BillLevel, Notice, StatusChange, moved
from shared.domain.records.policy import DunningSettings
from shared.domain.records.statement import BillTo
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import (
    AccountStatus,
    BillStatus,
    Channel,
    CommunicationStatus,
    NoticeStatus,
    NotificationType,
)
from shared.storage import keys
from shared.storage.races import TRIES, BusyError
from tests.worlds.examples import NOW, account, bill, book, notice, organization
from tests.worlds.memory_table import refusal
from tests.worlds.sending_world import IDS, Provider, World, queued, world

CLAIM = COMMIT = "transact_write_items"
RECORD = "put_item"
"""The calls to the table by which a notice is claimed and recorded, and an account changed."""


def statuses(row: Notice) -> list[NoticeStatus]:
    return [entry.status for entry in row.status_history]


def delivered(row: Notice) -> Notice:
    """The row as the provider's event leaves it."""
    return moved(row, NoticeStatus.DELIVERED, NOW, "provider")


def given_up(row: Notice) -> Notice:
    """The row as the clock leaves it when nobody has reported back for long; a second time, it is scheduled again."""
    return lease_ended(row, NOW + SENDING_LEASE, NOW)


# --- the way it goes -----------------------------------------------


def test_a_notice_is_claimed_sent_once_and_recorded_in_three_calls() -> None:
    it = world()
    it.deliver()
    assert len(it.provider.sent) == 1
    assert it.calls == ["query", "get_item", CLAIM, RECORD]
    assert it.row.status is NoticeStatus.SENT
    assert (it.row.sent_at, it.row.provider_message_id, it.row.attempt) == (NOW, "m-1", 1)
    assert it.row.sent_to == "a***@example.com"
    assert it.row.lease_until is None


def test_the_history_tells_by_whom_at_which_level_with_which_template() -> None:
    it = world()
    it.deliver()
    assert statuses(it.row) == [NoticeStatus.SENDING, NoticeStatus.SENT]
    assert {(entry.actor, entry.level, entry.template_id) for entry in it.row.status_history} == {
        ("send_email", 1, "<System Default>")
    }


LATER = NOW + timedelta(minutes=1)
WAITING = queued(channel=Channel.SMS)
SENDING = notice(channel=Channel.SMS, status=NoticeStatus.SENDING, attempt=1, lease_until=NOW + SENDING_LEASE)
SECOND = replace(SENDING, attempt=2, possible_duplicate=True)
LEFT: dict[str, tuple[Callable[[], Notice], str]] = {
    "refused": (lambda: refused(WAITING, Refuse(reason=Reason.PAYMENT_MADE), LATER), "payment made"),
    "put off": (
        lambda: deferred(WAITING, Defer(until=LATER, reason=Reason.OUTSIDE_HOURS), LATER),
        "outside the permitted hours",
    ),
    "held back": (lambda: held_back(WAITING, LATER, "full", LATER), "full"),
    "not composed": (lambda: uncomposable(WAITING, "no template", LATER), "no template"),
    "accepted": (lambda: answered(SENDING, Accepted(message_id="m-1"), LATER), ""),
    "rejected": (lambda: answered(SENDING, Rejected(reason="refused"), LATER), "refused"),
    "undeliverable": (lambda: answered(SENDING, Rejected(reason="unknown", undeliverable=True), LATER), "unknown"),
    "postponed": (lambda: answered(SENDING, Postponed(reason="slower", pause=SENDING_LEASE), LATER), "slower"),
    "silent again": (lambda: answered(SECOND, Unanswered(reason="silence"), LATER), NEEDS_MANUAL_REVIEW),
}


@pytest.mark.parametrize(("leave", "reason"), LEFT.values(), ids=LEFT)
def test_the_history_tells_when_and_by_whom_a_notice_was_left_as_it_is_and_nothing_is_waited_for(
    leave: Callable[[], Notice], reason: str
) -> None:
    row = leave()
    assert row.status_history[-1] == StatusChange(status=row.status, at=LATER, actor="send_sms", reason=reason, level=1)
    assert (row.reason, row.lease_until) == (reason, None)


def test_a_silence_keeps_its_reason_and_is_the_channels_word() -> None:
    row = answered(SENDING, Unanswered(reason="silence"), LATER)
    entry = row.status_history[-1]
    assert (entry.status, entry.at, entry.actor, entry.reason) == (NoticeStatus.UNKNOWN, LATER, "send_sms", "silence")


def test_a_batch_reads_its_organization_once() -> None:
    it = world(row=queued(channel=Channel.EMAIL))
    delivery = it.sender()
    for _ in range(10):
        delivery.deliver(*IDS, NOW)
    assert it.calls.count("get_item") == 1


@pytest.mark.parametrize(
    ("queued_until", "then"),
    [
        (timedelta(minutes=1), SENDING_LEASE),
        (SENDING_LEASE, SENDING_LEASE),
        (LONGEST_SENDING_LEASE, LONGEST_SENDING_LEASE),
        (timedelta(days=1), SENDING_LEASE),
    ],
)
def test_a_notice_in_the_providers_hands_keeps_its_queues_lease_if_that_is_long_enough_and_not_too_long(
    queued_until: timedelta, then: timedelta
) -> None:
    it = world(row=replace(queued(), lease_until=NOW + queued_until))
    it.provider.prepare = lambda order: lambda: seen.append(it.row) or Accepted(message_id="m-1")  # type: ignore[method-assign, func-returns-value] # looks at the row in the middle
    seen: list[Notice] = []
    it.deliver()
    assert [(row.status, row.lease_until) for row in seen] == [(NoticeStatus.SENDING, NOW + then)]


def test_a_notice_that_is_sent_again_is_no_longer_known_by_its_earlier_message() -> None:
    it = world(Unanswered(reason="no answer"), row=queued(attempt=1, provider_message_id="m-0"))
    it.deliver()
    assert (it.row.attempt, it.row.provider_message_id) == (2, "")


def test_a_letter_that_an_earlier_attempt_had_stored_has_the_link_that_is_printed_on_it() -> None:
    it = world(Accepted(message_id="letter.pdf", link_id="lnk_printed"), row=queued(channel=Channel.PRINT))
    it.deliver()
    assert (it.row.status, it.row.link_id) == (NoticeStatus.SENT, "lnk_printed")


def test_the_message_follows_the_level_of_the_moment_not_of_the_plan() -> None:
    it = world(bills=(bill(effective_created_date=NOW.date() - timedelta(days=61)),))
    it.deliver()
    assert (it.row.level, it.row.notification_type) == (3, NotificationType.PAST_DUE)
    assert it.row.bills == (BillLevel(statement_id="S-1", aging_period="S-1/1", level=3),)


@pytest.mark.parametrize(
    "status",
    [status for status in NoticeStatus if status not in {NoticeStatus.QUEUED, NoticeStatus.SCHEDULED}],
)
def test_a_message_that_comes_again_does_nothing(status: NoticeStatus) -> None:
    it = world(row=notice(status=status))
    assert it.deliver() is None
    assert it.provider.orders == []
    assert it.row == notice(status=status)


def test_a_notice_whose_lease_was_given_back_may_go_when_its_time_has_come() -> None:
    assert may_be_taken(notice(scheduled_for=NOW), NOW)
    assert not may_be_taken(notice(scheduled_for=NOW + timedelta(seconds=1)), NOW)


@pytest.mark.parametrize(
    "unknown",
    [
        (keys.collection("org_1", "G-1"), keys.ROOT),
        (keys.organization("org_1"), keys.ROOT),
        (keys.collection("org_1", "G-1"), f"{keys.NOTICE_SORT}ntc_1"),
    ],
    ids=["account", "organization", "notice"],
)
def test_a_message_about_what_is_not_there_does_nothing(unknown: tuple[str, str]) -> None:
    it = world()
    del it.ledger.table.items[unknown]
    assert it.deliver() is None
    assert it.provider.sent == []


# --- refused and put off -----------------------------------------------


def test_a_refused_notice_says_why_and_its_account_is_planned_anew() -> None:
    it = world(bills=(bill(status=BillStatus.PAID, balance=0),))
    it.deliver()
    assert it.provider.orders == []
    assert (it.row.status, it.row.reason) == (NoticeStatus.WILL_NOT_SEND, "payment made")
    assert it.book.account.planning_at == NOW
    assert it.calls == ["query", "get_item", COMMIT]


def test_an_organization_that_is_not_active_sends_nothing() -> None:
    it = world(practice=organization(account_status=AccountStatus.SUSPENDED))
    it.deliver()
    assert (it.row.status, it.row.reason) == (NoticeStatus.WILL_NOT_SEND, "organization is not active")


def test_what_is_queued_at_a_disabled_organization_still_goes() -> None:
    it = world(practice=organization(communication_status=CommunicationStatus.DISABLED))
    it.deliver()
    assert it.row.status is NoticeStatus.SENT


def test_outside_the_hours_a_notice_goes_back_until_they_open() -> None:
    it = world()
    it.deliver(NOW + timedelta(hours=12))
    assert it.provider.orders == []
    assert it.row.status is NoticeStatus.SCHEDULED
    assert it.row.scheduled_for.date() == date(2026, 3, 3)
    assert it.row.reason == "outside the permitted hours"
    assert it.row.lease_until is None


# --- races -----------------------------------------------


def test_a_payment_between_judging_and_claiming_stops_the_notice() -> None:
    it = world()
    it.before(CLAIM, lambda: it.others.change(bills=(bill(status=BillStatus.PAID, balance=0),)))
    it.deliver()
    assert it.provider.sent == []
    assert (it.row.status, it.row.reason) == (NoticeStatus.WILL_NOT_SEND, "payment made")


def test_a_change_that_does_not_matter_only_makes_it_judge_again() -> None:
    it = world()
    it.before(CLAIM, it.others.change)
    it.deliver()
    assert len(it.provider.sent) == 1
    assert it.row.status is NoticeStatus.SENT


def test_of_two_consumers_one_sends() -> None:
    it = world()
    other = World(it.ledger.elsewhere(), Provider())
    it.before(CLAIM, other.deliver)
    assert it.deliver() is None
    assert len(other.provider.sent) == 1
    assert it.provider.sent == []


def test_an_account_that_never_holds_still_sends_nothing_and_comes_back() -> None:
    it = world()

    def changed_again() -> None:
        it.others.change()
        it.before(CLAIM, changed_again)

    it.before(CLAIM, changed_again)
    with pytest.raises(BusyError):
        it.deliver()
    assert it.provider.sent == []
    assert it.calls.count(CLAIM) == TRIES
    assert it.row.status is NoticeStatus.QUEUED


def test_a_refusal_that_comes_too_late_is_judged_again() -> None:
    it = world(bills=(bill(status=BillStatus.PAID, balance=0),))
    it.before(COMMIT, lambda: it.others.change(bills=(bill(),)))
    it.deliver()
    assert it.row.status is NoticeStatus.SENT


# --- what the provider answers -----------------------------------------------


def test_no_answer_leaves_the_notice_unknown_and_it_is_not_taken_again() -> None:
    it = world(Unanswered(reason="the provider may have it"))
    it.deliver()
    assert (it.row.status, it.row.reason, it.row.attempt) == (NoticeStatus.UNKNOWN, "the provider may have it", 1)
    assert it.row.sent_to == "a***@example.com"
    assert it.deliver() is None
    assert len(it.provider.sent) == 1


def test_a_pause_at_the_provider_uses_up_no_attempt_and_loses_nothing() -> None:
    paused = Postponed(reason="sending is stopped at the provider", pause=timedelta(minutes=30))
    it = world(*[paused] * 5, Accepted(message_id="m-6"))
    now = NOW
    for _ in range(5):
        it.deliver(now)
        assert (it.row.status, it.row.attempt) == (NoticeStatus.SCHEDULED, 0)
        assert it.row.scheduled_for == now + timedelta(minutes=30)
        now = it.row.scheduled_for
    it.deliver(now)
    assert (it.row.status, it.row.attempt, it.row.provider_message_id) == (NoticeStatus.SENT, 1, "m-6")
    assert len(it.book.links) == 1


def test_an_address_that_cannot_be_reached_is_remembered_and_the_account_planned_anew() -> None:
    it = world(Rejected(reason="the provider cannot send to this address", undeliverable=True))
    it.deliver()
    assert it.row.status is NoticeStatus.UNDELIVERABLE_PERMANENT
    assert it.book.account.undeliverable == {Channel.EMAIL}
    assert it.book.account.planning_at == NOW


def test_an_address_of_somebody_else_says_nothing_about_the_guarantors() -> None:
    row = queued(notification_type=NotificationType.ON_DEMAND, send_to=BILL_TO)
    payer = BillTo(name="Acme Insurance", email="claims@example.org")
    it = world(Rejected(reason="x", undeliverable=True), row=row, account=account(bill_to=payer))
    it.deliver()
    assert it.row.status is NoticeStatus.UNDELIVERABLE_PERMANENT
    assert it.book.account.undeliverable == frozenset()


def test_a_refused_message_is_a_delivery_error_and_leaves_the_address_alone() -> None:
    it = world(Rejected(reason="the provider refused the message"))
    it.deliver()
    assert (it.row.status, it.row.reason) == (NoticeStatus.DELIVERY_ERROR, "the provider refused the message")
    assert it.row.status_history[-1].at == NOW
    assert it.book.account.undeliverable == frozenset()
    assert it.book.account.planning_at == NOW


def test_a_rejection_of_a_notice_that_is_in_the_book_no_longer_changes_nothing() -> None:
    assert failure(book(), SENDING, Rejected(reason="refused"), NOW) is None


def test_an_address_that_cannot_be_reached_opts_out_of_its_channel_where_the_organization_wants_it() -> None:
    practice = organization(dunning=DunningSettings(opt_out_after_undeliverable=True))
    it = world(Rejected(reason="the provider cannot send to this address", undeliverable=True), practice=practice)
    it.deliver()
    assert it.book.account.opt_outs.email


def test_a_text_that_goes_clears_the_errors_before_it_on_that_number_with_one_change_more() -> None:
    it = world(row=queued(channel=Channel.SMS))
    failed = notice(notice_id="ntc_0", channel=Channel.SMS, bills=(), created_at=NOW - timedelta(days=30))
    it.others.change(notices=(replace(failed, status=NoticeStatus.DELIVERY_ERROR),))
    it.deliver()
    rows = {row.notice_id: row.status for row in it.book.notices}
    assert rows == {"ntc_0": NoticeStatus.ARCHIVED, "ntc_1": NoticeStatus.SENT}
    assert it.calls == ["query", "get_item", CLAIM, RECORD, "query", COMMIT]


def test_a_rejection_that_was_settled_otherwise_meanwhile_changes_nothing() -> None:
    it = world(Rejected(reason="the provider refused the message"))

    def events_first(order: Order) -> Callable[[], ProviderAnswer]:
        def send() -> ProviderAnswer:
            it.move(delivered)
            return Rejected(reason="the provider refused the message")

        return send

    it.provider.prepare = events_first  # type: ignore[method-assign] # an event comes while the call is under way
    it.deliver()
    assert it.row.status is NoticeStatus.DELIVERED


def test_an_event_that_was_quicker_than_the_record_stands() -> None:
    it = world()
    it.before(RECORD, lambda: it.move(delivered))
    it.deliver()
    assert it.row.status is NoticeStatus.DELIVERED


def test_a_record_that_only_met_another_transaction_is_written_again() -> None:
    """DynamoDB refuses a write while a transaction is at the row, also one that fails in the end."""
    it = world()

    def conflict() -> None:
        raise refusal("TransactionConflictException", RECORD)

    it.before(RECORD, conflict)
    it.deliver()
    assert (it.row.status, it.row.provider_message_id) == (NoticeStatus.SENT, "m-1")


def test_a_late_record_still_settles_a_notice_that_was_given_up() -> None:
    it = world()
    it.before(RECORD, lambda: it.move(given_up))
    it.deliver()
    assert statuses(it.row)[-2:] == [NoticeStatus.UNKNOWN, NoticeStatus.SENT]


def test_a_late_record_keeps_a_message_that_was_accepted_from_being_sent_once_more() -> None:
    it = world()

    def takes_long() -> None:
        it.move(given_up)
        it.move(given_up)

    it.before(RECORD, takes_long)
    it.deliver()
    assert statuses(it.row)[-3:] == [NoticeStatus.UNKNOWN, NoticeStatus.SCHEDULED, NoticeStatus.SENT]
    assert (it.row.provider_message_id, it.row.possible_duplicate) == ("m-1", False)
    assert it.deliver(NOW + timedelta(days=1)) is None
    assert len(it.provider.sent) == 1


def test_a_late_record_looks_again_when_the_clock_moves_the_row_under_it() -> None:
    it = world()

    def moves_on() -> None:
        if it.row.status is not NoticeStatus.SCHEDULED:
            it.move(given_up)
            it.before(RECORD, moves_on)

    it.before(RECORD, moves_on)
    it.deliver()
    assert it.row.status is NoticeStatus.SENT


def test_a_rejection_heard_of_late_settles_a_notice_that_was_given_up() -> None:
    it = world(Rejected(reason="the provider cannot send to this address", undeliverable=True))

    def slow(order: Order) -> Callable[[], ProviderAnswer]:
        def send() -> ProviderAnswer:
            it.move(given_up)
            it.move(given_up)
            return next(it.provider.answers)

        return send

    it.provider.prepare = slow  # type: ignore[method-assign] # the provider takes longer than the lease
    it.deliver()
    assert it.row.status is NoticeStatus.UNDELIVERABLE_PERMANENT
    assert it.book.account.undeliverable == {Channel.EMAIL}


def test_what_is_sent_once_more_is_judged_as_ever() -> None:
    it = world(Unanswered(reason="no answer"))
    it.deliver()
    it.move(lambda row: lease_ended(row, NOW + timedelta(hours=1), NOW))
    it.others.change(bills=(bill(status=BillStatus.PAID, balance=0),))
    it.deliver(NOW + timedelta(hours=1))
    assert (it.row.status, it.row.reason) == (NoticeStatus.WILL_NOT_SEND, "payment made")
    assert len(it.provider.sent) == 1


def test_what_is_unknown_and_what_is_sent_once_more_is_counted_for_operators(
    capsys: pytest.CaptureFixture[str],
) -> None:
    it = world(Unanswered(reason="no answer"), Accepted(message_id="m-2"))
    it.deliver()
    assert '"NoticeUnknown":[1.0]' in capsys.readouterr().out.replace(" ", "")
    it.move(lambda row: lease_ended(row, NOW + timedelta(hours=1), NOW))
    it.deliver(NOW + timedelta(hours=1))
    assert '"PossibleDuplicate":[1.0]' in capsys.readouterr().out.replace(" ", "")
    assert (it.row.status, it.row.possible_duplicate, it.row.attempt) == (NoticeStatus.SENT, True, 2)


def test_a_message_that_is_sent_once_more_is_counted_once_however_often_the_provider_asks_to_wait(
    capsys: pytest.CaptureFixture[str],
) -> None:
    slower = Postponed(reason="slower", pause=timedelta(minutes=1))
    it = world(Unanswered(reason="no answer"), slower, slower, Accepted(message_id="m-2"))
    it.deliver()
    now = NOW + timedelta(hours=1)
    it.move(lambda row: lease_ended(row, now, now))
    for _ in range(3):
        it.deliver(now)
        now += timedelta(minutes=1)
    assert it.row.status is NoticeStatus.SENT
    assert capsys.readouterr().out.replace(" ", "").count('"PossibleDuplicate":[1.0]') == 1


def test_a_message_that_cannot_be_composed_is_shown_to_people_and_never_looks_sent() -> None:
    it = world()
    it.provider.breaks = True
    it.deliver()
    assert it.row.status is NoticeStatus.DELIVERY_ERROR
    assert it.row.reason == "could not be composed (KeyError)"
    assert it.row.attempt == 0
    assert NoticeStatus.SENDING not in statuses(it.row)
