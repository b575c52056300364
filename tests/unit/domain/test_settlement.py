"""What a provider's word does to a notice and to its account."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.account.contacts import BILL_TO, GUARANTOR, PATIENT
from shared.domain.delivery.orders import Accepted, answered_late
from shared.domain.delivery.settlement import DeliveryOutcome, row_alone, settle
from shared.domain.records.book import Change
from shared.domain.records.notice import Notice, moved
from shared.domain.records.policy import MessageContacts
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.reasons import HOLD_REASONS
from shared.domain.vocabulary.words import Channel, Hold, NoticeStatus
from tests.worlds.examples import NOW, account, as_if, book, notice, organization

S = NoticeStatus
SENT = notice(status=S.SENT, sent_at=NOW, lease_until=NOW)
LATER = NOW + timedelta(hours=2)


def told(outcome: DeliveryOutcome, row: Notice = SENT, *others: Notice) -> Change | None:
    return settle(book(notices=(row, *others)), row.notice_id, outcome, "m-1", LATER)


@pytest.mark.parametrize(
    ("outcome", "since", "status", "reason"),
    [
        (DeliveryOutcome.ACCEPTED, S.UNKNOWN, S.SENT, ""),
        (DeliveryOutcome.ACCEPTED, S.SENDING, S.SENT, ""),
        (DeliveryOutcome.DELIVERED, S.SENDING, S.DELIVERED, ""),
        (DeliveryOutcome.DELIVERED, S.SENT, S.DELIVERED, ""),
        (DeliveryOutcome.DELIVERED, S.UNKNOWN, S.DELIVERED, ""),
        (DeliveryOutcome.BOUNCED, S.DELIVERED, S.UNDELIVERABLE_PERMANENT, "bounced permanently"),
        (DeliveryOutcome.BOUNCED_FOR_NOW, S.SENT, S.UNDELIVERABLE_CAN_RETRY, "bounced for now"),
        (DeliveryOutcome.REJECTED, S.SENT, S.DELIVERY_ERROR, "refused by the provider"),
    ],
)
def test_a_word_moves_the_notice(outcome: DeliveryOutcome, since: S, status: S, reason: str) -> None:
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
        (DeliveryOutcome.ACCEPTED, S.SENT),
        (DeliveryOutcome.DELIVERED, S.DELIVERED),
        (DeliveryOutcome.DELIVERED, S.CANCELLED),
        (DeliveryOutcome.BOUNCED, S.UNDELIVERABLE_PERMANENT),
        (DeliveryOutcome.BOUNCED_FOR_NOW, S.DELIVERED),
        (DeliveryOutcome.REJECTED, S.ARCHIVED),
    ],
)
def test_a_word_that_is_late_or_repeated_changes_nothing(outcome: DeliveryOutcome, since: S) -> None:
    """Whatever it says."""
    assert told(outcome, replace(SENT, status=since)) is None


@pytest.mark.parametrize(
    ("outcome", "since", "alone"),
    [
        (DeliveryOutcome.ACCEPTED, S.SENDING, True),
        (DeliveryOutcome.ACCEPTED, S.UNKNOWN, True),
        (DeliveryOutcome.DELIVERED, S.SENDING, True),
        (DeliveryOutcome.DELIVERED, S.SENT, True),
        (DeliveryOutcome.DELIVERED, S.UNKNOWN, True),
        (DeliveryOutcome.DELIVERED, S.UNDELIVERABLE_CAN_RETRY, False),
        (DeliveryOutcome.BOUNCED, S.SENT, False),
        (DeliveryOutcome.BOUNCED_FOR_NOW, S.SENT, False),
        (DeliveryOutcome.REJECTED, S.SENT, False),
        (DeliveryOutcome.DROPPED, S.SENT, False),
    ],
)
def test_only_that_a_message_arrived_is_its_rows_own_matter(outcome: DeliveryOutcome, since: S, alone: bool) -> None:  # noqa: FBT001 - a table's column
    """Also where its account is to be planned at this very instant, so that nothing of it seems to change."""
    before = book(account=account(planning_at=LATER), notices=(replace(SENT, status=since),))
    change = settle(before, "ntc_1", outcome, "m-1", LATER)
    assert change is not None
    assert (row_alone(before, change) is not None) is alone


def test_what_clears_an_error_or_opts_out_is_more_than_its_rows_matter() -> None:
    """Both are decided with the account."""
    failed = notice(notice_id="ntc_0", status=S.DELIVERY_ERROR, scheduled_for=NOW - timedelta(days=9))
    clearing = book(notices=(as_if(failed, S.DELIVERY_ERROR, NOW - timedelta(days=9), "provider"), SENT))
    complained = book(notices=(SENT,))
    for before, outcome in ((clearing, DeliveryOutcome.DELIVERED), (complained, DeliveryOutcome.COMPLAINED)):
        change = settle(before, "ntc_1", outcome, "m-1", LATER, organization())
        assert change is not None
        assert len(change.notices) == (2 if before is clearing else 1)
        assert row_alone(before, change) is None


def test_a_word_about_an_unknown_notice_changes_nothing() -> None:
    """Another account's, perhaps."""
    assert settle(book(notices=(SENT,)), "ntc_other", DeliveryOutcome.DELIVERED, "m-1", LATER) is None


def test_when_it_was_sent_is_known_from_the_first_word_about_it() -> None:
    """A later one doesn't change it."""
    unknown, sent = (told(DeliveryOutcome.DELIVERED, row) for row in (replace(SENT, sent_at=None), SENT))
    assert unknown is not None
    assert sent is not None
    assert (unknown.notices[0].sent_at, sent.notices[0].sent_at) == (LATER, NOW)


@pytest.mark.parametrize(
    "outcome", [DeliveryOutcome.BOUNCED, DeliveryOutcome.BOUNCED_FOR_NOW, DeliveryOutcome.REJECTED]
)
def test_the_account_of_a_message_that_failed_is_planned_anew(outcome: DeliveryOutcome) -> None:
    """Its step may be untold now, and another channel or contact may tell of it."""
    change = told(outcome)
    assert change is not None
    assert change.account.planning_at == LATER


def test_what_the_provider_dropped_before_its_answer_was_recorded_waits_to_be_sent_again() -> None:
    """The answer, that it was accepted, comes to a row that says better."""
    sending = as_if(notice(), S.SENDING, NOW, "send_sms", attempt=1, lease_until=NOW)
    change = told(DeliveryOutcome.DROPPED, sending)
    assert change is not None
    (after,) = change.notices
    assert (after.status, after.scheduled_for, after.sent_at) == (S.SCHEDULED, LATER, None)
    assert after.lease_until is None
    assert change.account.planning_at == LATER
    assert answered_late(after, sending, Accepted(message_id="m-1"), LATER) is None


def test_what_the_provider_dropped_stays_away_where_a_hold_came_after_it_had_gone() -> None:
    """Nothing waits that has no cause."""
    held = replace(account(), holds=frozenset({Hold.DISPUTE}))
    change = settle(book(account=held, notices=(SENT,)), "ntc_1", DeliveryOutcome.DROPPED, "m-1", LATER)
    assert change is not None
    (after,) = change.notices
    assert (after.status, after.reason) == (S.CANCELLED, HOLD_REASONS[Hold.DISPUTE])
    assert (after.status_history[-1].at, after.status_history[-1].actor) == (LATER, "provider")


def test_a_message_that_arrived_asks_for_no_plan() -> None:
    """Nothing is different for the account."""
    change = told(DeliveryOutcome.DELIVERED)
    assert change is not None
    assert change.account == account()


def test_a_message_that_arrived_puts_the_errors_before_it_away_from_then_on() -> None:
    """Nobody needs to look at them any more."""
    failed = notice(notice_id="ntc_0", status=S.DELIVERY_ERROR, created_at=NOW - timedelta(days=1))
    failed = replace(failed, scheduled_for=failed.created_at)
    change = told(DeliveryOutcome.DELIVERED, SENT, failed)
    assert change is not None
    assert [(row.notice_id, row.status, row.status_history[-1].at) for row in change.notices] == [
        ("ntc_1", S.DELIVERED, LATER),
        ("ntc_0", S.ARCHIVED, LATER),
    ]


def test_a_complaint_opts_out_and_stops_what_is_pending_in_the_same_change() -> None:
    """The guarantor hears nothing more on that channel, from that moment."""
    waiting = notice(notice_id="ntc_2")
    text = notice(notice_id="ntc_3", channel=Channel.SMS)
    change = told(DeliveryOutcome.COMPLAINED, SENT, waiting, text)
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
    assert settle(complained, SENT.notice_id, DeliveryOutcome.COMPLAINED, "m-1", LATER) is None


def test_what_arrives_after_all_has_its_account_planned_anew_as_its_step_was_taken_for_untold() -> None:
    """A letter may have been planned in its place."""
    returned = replace(SENT, status=S.UNDELIVERABLE_CAN_RETRY, provider_message_id="m-1")
    change = told(DeliveryOutcome.DELIVERED, returned)
    assert change is not None
    assert (change.notices[0].status, change.account.planning_at) == (S.DELIVERED, LATER)


def test_once_a_sending_came_back_the_arrival_of_an_older_one_is_no_news() -> None:
    """Only people have had it sent again, knowing that it came back."""
    returned = moved(SENT, S.UNDELIVERABLE_CAN_RETRY, NOW, "provider")
    again = moved(returned, S.SCHEDULED, NOW, "key:k1")
    sending = moved(again, S.SENDING, NOW, "send_email", attempt=again.attempt + 1)
    assert settle(book(notices=(sending,)), "ntc_1", DeliveryOutcome.DELIVERED, "m-1", LATER, attempt=0) is None
    assert told(DeliveryOutcome.DELIVERED, sending) is not None


# --- whose word it is -----------------------------------------------

TEST_DESK = "desk@example.com"


@pytest.mark.parametrize("send_to", [PATIENT, BILL_TO])
def test_somebody_elses_complaint_is_recorded_as_theirs_and_leaves_the_guarantor_opted_in(send_to: str) -> None:
    """What is sent to the guarantor goes on."""
    waiting = notice(notice_id="ntc_2")
    read = book(notices=(replace(SENT, send_to=send_to), waiting))
    change = settle(read, "ntc_1", DeliveryOutcome.COMPLAINED, "m-1", LATER, organization())
    assert change is not None
    assert change.account == account()
    assert [(row.notice_id, row.status) for row in change.notices] == [("ntc_1", S.DELIVERED)]
    assert [(event.at, event.event, event.actor, event.facts) for event in change.history] == [
        (LATER, "OptedOut", "provider", {"channel": "email", "source": "complaint", "party": send_to})
    ]


def test_somebody_elses_complaint_counts_after_the_message_was_delivered_and_once() -> None:
    """The provider may tell of it again; the notice has nothing more to hear of."""
    read = book(notices=(replace(SENT, send_to=PATIENT, status=S.DELIVERED),))
    change = settle(read, "ntc_1", DeliveryOutcome.COMPLAINED, "m-1", LATER, organization())
    assert change is not None
    assert (change.notices, [event.event for event in change.history]) == ((), ["OptedOut"])
    again = settle(read.after(change), "ntc_1", DeliveryOutcome.COMPLAINED, "m-1", LATER, organization())
    assert again is None


@pytest.mark.parametrize("outcome", sorted(set(DeliveryOutcome) - {DeliveryOutcome.COMPLAINED}))
def test_nothing_but_a_complaint_says_that_somebody_else_wants_no_more(outcome: DeliveryOutcome) -> None:
    """A message to a patient that arrived, or didn't, withdraws no consent."""
    sending = replace(SENT, send_to=PATIENT, status=S.SENDING)
    change = settle(book(notices=(sending,)), "ntc_1", outcome, "m-1", LATER, organization())
    assert change is not None
    assert change.history == ()


@pytest.mark.parametrize("send_to", [GUARANTOR, PATIENT, BILL_TO])
def test_a_test_contacts_complaint_closes_nothing(send_to: str) -> None:
    """It is nobody's whose bill it is."""
    testing = organization(test_contacts=MessageContacts(email=TEST_DESK))
    read = book(notices=(replace(SENT, send_to=send_to),))
    change = settle(read, "ntc_1", DeliveryOutcome.COMPLAINED, "m-1", LATER, testing, address=TEST_DESK)
    assert change is not None
    assert (change.account, change.history) == (account(), ())


@pytest.mark.parametrize("address", ["ada@example.com", "ADA@Example.com"])
def test_a_complaint_from_the_guarantors_address_is_the_guarantors_whoever_the_message_was_for(address: str) -> None:
    """A family may share one; its spelling doesn't matter."""
    read = book(notices=(replace(SENT, send_to=PATIENT),))
    change = settle(read, "ntc_1", DeliveryOutcome.COMPLAINED, "m-1", LATER, organization(), address=address)
    assert change is not None
    assert change.account.opt_outs == OptOuts(email=True)
    assert [event.facts.get("party", GUARANTOR) for event in change.history] == [GUARANTOR]


def test_a_second_complaint_from_the_guarantors_address_is_not_put_down_to_whom_the_message_was_for() -> None:
    """The guarantor opted out by the first."""
    read = book(account=account(opt_outs=OptOuts(email=True)), notices=(replace(SENT, send_to=PATIENT),))
    address = read.account.guarantor.email
    change = settle(read, "ntc_1", DeliveryOutcome.COMPLAINED, "m-1", LATER, organization(), address=address)
    assert change is not None
    assert (change.account, change.history) == (read.account, ())


def test_a_complaint_from_an_address_that_the_guarantor_had_before_closes_nothing() -> None:
    """It was corrected meanwhile: perhaps it was never theirs."""
    change = settle(
        book(notices=(SENT,)),
        "ntc_1",
        DeliveryOutcome.COMPLAINED,
        "m-1",
        LATER,
        organization(),
        address="old@example.com",
    )
    assert change is not None
    assert (change.account, change.history) == (account(), ())


@pytest.mark.parametrize(
    ("channel", "address", "undeliverable"),
    [
        (Channel.EMAIL, "ada@example.com", {Channel.EMAIL}),
        (Channel.EMAIL, "old@example.com", set()),
        (Channel.SMS, "+15185550111", {Channel.SMS}),
        (Channel.SMS, "+15185550199", set()),
    ],
)
def test_what_came_back_counts_against_the_address_that_it_went_to(
    channel: Channel, address: str, undeliverable: set[Channel]
) -> None:
    """A corrected one is used."""
    read = book(notices=(replace(SENT, channel=channel),))
    change = settle(read, "ntc_1", DeliveryOutcome.BOUNCED, "m-1", LATER, organization(), address=address)
    assert change is not None
    assert change.account.undeliverable == undeliverable
