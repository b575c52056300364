"""What a provider's word does to a notice and to its account."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.book import Change
from shared.domain.delivery import Accepted, answered_late
from shared.domain.notice import Notice
from shared.domain.reasons import HOLD_REASONS
from shared.domain.settlement import Outcome, settle
from shared.domain.statement import OptOuts
from shared.domain.words import Channel, Hold, NoticeStatus
from tests.examples import NOW, account, as_if, book, notice

S = NoticeStatus
SENT = notice(status=S.SENT, sent_at=NOW, lease_until=NOW)
LATER = NOW + timedelta(hours=2)


def told(outcome: Outcome, row: Notice = SENT, *others: Notice) -> Change | None:
    return settle(book(notices=(row, *others)), row.notice_id, outcome, "m-1", LATER)


@pytest.mark.parametrize(
    ("outcome", "since", "status", "reason"),
    [
        (Outcome.ACCEPTED, S.UNKNOWN, S.SENT, ""),
        (Outcome.ACCEPTED, S.SENDING, S.SENT, ""),
        (Outcome.DELIVERED, S.SENDING, S.DELIVERED, ""),
        (Outcome.DELIVERED, S.SENT, S.DELIVERED, ""),
        (Outcome.DELIVERED, S.UNKNOWN, S.DELIVERED, ""),
        (Outcome.BOUNCED, S.DELIVERED, S.UNDELIVERABLE_PERMANENT, "bounced for good"),
        (Outcome.BOUNCED_FOR_NOW, S.SENT, S.UNDELIVERABLE_CAN_RETRY, "bounced for now"),
        (Outcome.REJECTED, S.SENT, S.DELIVERY_ERROR, "refused by the provider"),
    ],
)
def test_a_word_moves_the_notice(outcome: Outcome, since: S, status: S, reason: str) -> None:
    """With its reason, the provider's id, and no lease any more."""
    change = told(outcome, replace(SENT, status=since))
    assert change is not None
    (after,) = change.notices
    assert (after.status, after.reason, after.provider_message_id, after.lease_until) == (status, reason, "m-1", None)
    assert after.status_history[-1].at == LATER
    assert after.status_history[-1].actor == "provider"
    assert after.delivered_at == (LATER if status is S.DELIVERED else None)


@pytest.mark.parametrize(
    ("outcome", "since"),
    [
        (Outcome.ACCEPTED, S.SENT),
        (Outcome.DELIVERED, S.DELIVERED),
        (Outcome.DELIVERED, S.CANCELLED),
        (Outcome.BOUNCED, S.UNDELIVERABLE_PERMANENT),
        (Outcome.BOUNCED_FOR_NOW, S.DELIVERED),
        (Outcome.REJECTED, S.ARCHIVED),
    ],
)
def test_a_word_that_is_late_or_repeated_changes_nothing(outcome: Outcome, since: S) -> None:
    """Whatever it says."""
    assert told(outcome, replace(SENT, status=since)) is None


def test_a_word_about_an_unknown_notice_changes_nothing() -> None:
    """Another account's, perhaps."""
    assert settle(book(notices=(SENT,)), "ntc_other", Outcome.DELIVERED, "m-1", LATER) is None


def test_when_it_was_sent_is_known_from_the_first_word_about_it() -> None:
    """A later one doesn't change it."""
    unknown, sent = (told(Outcome.DELIVERED, row) for row in (replace(SENT, sent_at=None), SENT))
    assert unknown is not None
    assert sent is not None
    assert (unknown.notices[0].sent_at, sent.notices[0].sent_at) == (LATER, NOW)


@pytest.mark.parametrize("outcome", [Outcome.BOUNCED, Outcome.BOUNCED_FOR_NOW, Outcome.REJECTED])
def test_the_account_of_a_message_that_failed_is_planned_anew(outcome: Outcome) -> None:
    """Its step may be untold now, and another channel or contact may tell of it."""
    change = told(outcome)
    assert change is not None
    assert change.account.planning_at == LATER


def test_what_the_provider_dropped_before_its_answer_was_recorded_waits_to_be_sent_again() -> None:
    """The answer, that it was accepted, comes to a row that says better."""
    sending = as_if(notice(), S.SENDING, NOW, "send_sms", attempt=1)
    change = told(Outcome.DROPPED, sending)
    assert change is not None
    (after,) = change.notices
    assert (after.status, after.scheduled_for, after.sent_at) == (S.SCHEDULED, LATER, None)
    assert change.account.planning_at == LATER
    assert answered_late(after, sending, Accepted(message_id="m-1"), LATER) is None


def test_what_the_provider_dropped_stays_away_where_a_hold_came_after_it_had_gone() -> None:
    """Nothing waits that has no cause."""
    held = replace(account(), holds=frozenset({Hold.DISPUTE}))
    change = settle(book(account=held, notices=(SENT,)), "ntc_1", Outcome.DROPPED, "m-1", LATER)
    assert change is not None
    (after,) = change.notices
    assert (after.status, after.reason) == (S.CANCELLED, HOLD_REASONS[Hold.DISPUTE])


def test_a_message_that_arrived_asks_for_no_plan() -> None:
    """Nothing is different for the account."""
    change = told(Outcome.DELIVERED)
    assert change is not None
    assert change.account == account()


def test_a_complaint_opts_out_and_stops_what_is_pending_in_the_same_change() -> None:
    """The guarantor hears nothing more on that channel, from that moment."""
    waiting = notice(notice_id="ntc_2")
    text = notice(notice_id="ntc_3", channel=Channel.SMS)
    change = told(Outcome.COMPLAINED, SENT, waiting, text)
    assert change is not None
    assert change.account.opt_outs == OptOuts(email=True)
    assert change.account.planning_at == LATER
    assert [(row.notice_id, row.status, row.reason) for row in change.notices] == [
        ("ntc_1", S.DELIVERED, ""),
        ("ntc_2", S.CANCELLED, "opted out of email"),
    ]
    assert [(event.event, event.actor, event.facts) for event in change.history] == [
        ("OptedOut", "provider", {"channel": "email", "source": "complaint", "wording": ""})
    ]


def test_a_second_complaint_changes_nothing() -> None:
    """Opted out is opted out."""
    arrived = replace(SENT, status=S.DELIVERED)
    complained = book(account=account(opt_outs=OptOuts(email=True)), notices=(arrived,))
    assert settle(complained, SENT.notice_id, Outcome.COMPLAINED, "m-1", LATER) is None
