"""What a person changes: an account, a bill's status, a notice of the queue."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.account.account_changes import as_staff_say, change_account, opted_out_of
from shared.domain.account.bill_status import StatusRefusedError, level_sent, set_status
from shared.domain.account.queue_actions import POSSIBLE, ActionRefusedError, QueueAction, act
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import BillLevel
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.words import BillStatus, Channel, Hold, NoticeStatus, NotificationType
from tests.worlds.examples import ADDRESS, NOW, account, bill, book, notice, organization

S = NoticeStatus
EMAIL, SMS, PRINT = Channel
LATER = NOW + timedelta(hours=2)
LEASED = {"status": S.QUEUED, "lease_until": LATER}


def changed(before: AccountBook, **changes: Any) -> Change:
    change = change_account(before, replace(before.account, **changes), LATER, "staff")
    assert change is not None
    return change


def ended(change: Change) -> list[tuple[str, str, str]]:
    return [(row.notice_id, row.status, row.reason) for row in change.notices]


# --- an account -----------------------------------------------


def test_an_account_that_is_as_it_was_is_no_change() -> None:
    """So nothing is planned again for it."""
    assert change_account(book(), account(), LATER, "staff") is None


def test_a_changed_account_is_planned_anew() -> None:
    """A hold lifted, or an address corrected, may let a step go."""
    change = changed(book(), holds=frozenset({Hold.DISPUTE}))
    assert (change.account.holds, change.account.planning_at) == (frozenset({Hold.DISPUTE}), LATER)


@pytest.mark.parametrize(
    ("channel", "elsewhere"),
    [
        (EMAIL, {"email": "new@example.com"}),
        (SMS, {"mobile_phone": "+15185550199"}),
        (PRINT, {"address": replace(ADDRESS, line1="14 Juniper Way")}),
    ],
)
def test_a_new_address_is_a_good_one_whatever_came_back_from_the_old(channel: Channel, elsewhere: Any) -> None:
    """And from the others."""
    bounced = account(undeliverable=frozenset(Channel))
    said = replace(bounced, guarantor=replace(bounced.guarantor, **elsewhere))
    assert as_staff_say(bounced, said).undeliverable == frozenset(Channel) - {channel}
    assert as_staff_say(bounced, replace(bounced, guarantor=replace(bounced.guarantor, last_name="New"))) == replace(
        bounced, guarantor=replace(bounced.guarantor, last_name="New")
    )


def test_staff_cannot_close_the_last_channel() -> None:
    said = account(opt_outs=OptOuts(email=True, sms=True, print=True))
    assert as_staff_say(account(), said).opt_outs == OptOuts(email=True, sms=True)


def test_a_hold_stops_what_is_pending() -> None:
    """With the hold as the reason, and without a lease."""
    pending = book(notices=(notice(), notice(notice_id="ntc_2", channel=SMS, **LEASED)))
    change = changed(pending, holds=frozenset({Hold.HARDSHIP}))
    assert ended(change) == [
        ("ntc_1", S.CANCELLED, "on hold: Hardship"),
        ("ntc_2", S.CANCELLED, "on hold: Hardship"),
    ]
    assert {row.lease_until for row in change.notices} == {None}
    assert {(row.status_history[-1].actor, row.status_history[-1].at) for row in change.notices} == {("staff", LATER)}


def test_an_opt_out_stops_its_channel_only() -> None:
    """The other channels go on."""
    pending = book(notices=(notice(), notice(notice_id="ntc_2", channel=SMS)))
    assert ended(changed(pending, opt_outs=OptOuts(sms=True))) == [("ntc_2", S.CANCELLED, "opted out of texts")]


@pytest.mark.parametrize(
    ("row", "stops"),
    [
        ({}, True),
        ({"status": S.QUEUED}, True),
        ({"status": S.SENDING}, False),
        ({"send_to": "patient"}, False),
        ({"channel": SMS}, False),
        ({"notification_type": NotificationType.PAYMENT_LINK}, False),
        ({"notification_type": NotificationType.RECEIPT}, False),
    ],
)
def test_an_opt_out_stops_messages_on_demand_to_the_guarantor_on_its_channel(
    row: dict[str, Any], *, stops: bool
) -> None:
    """What a person asked for just now still goes, and so does what is for somebody else."""
    asked = notice(**{"notification_type": NotificationType.ON_DEMAND} | row)
    change = changed(book(notices=(asked,)), opt_outs=OptOuts(email=True))
    assert ended(change) == ([("ntc_1", S.CANCELLED, "opted out of email")] if stops else [])
    assert {(row.status_history[-1].at, row.status_history[-1].actor) for row in change.notices} <= {(LATER, "staff")}


def test_a_message_on_demand_on_a_channel_closed_before_isnt_stopped_by_another_change() -> None:
    """Only what the change closes is closed by it."""
    asked = notice(notification_type=NotificationType.ON_DEMAND)
    before = book(account=account(opt_outs=OptOuts(email=True)), notices=(asked,))
    assert ended(changed(before, opt_outs=OptOuts(email=True, sms=True))) == []


def test_the_history_names_every_change() -> None:
    """By whom and when."""
    before = account(holds=frozenset({Hold.DISPUTE}), opt_outs=OptOuts(email=True))
    after = replace(
        before,
        holds=frozenset({Hold.HARDSHIP, Hold.BANKRUPTCY}),
        opt_outs=OptOuts(sms=True),
        guarantor=replace(before.guarantor, email="new@example.com"),
    )
    change = change_account(book(account=before), after, LATER, "staff", source="text message", wording="STOP")
    assert change is not None
    consent = {"source": "text message", "wording": "STOP"}
    assert [(event.event, event.facts) for event in change.history] == [
        ("HoldSet", {"hold": "Bankruptcy"}),
        ("HoldSet", {"hold": "Hardship"}),
        ("HoldLifted", {"hold": "Dispute"}),
        ("OptedOut", {"channel": "sms", **consent}),
        ("OptedIn", {"channel": "email", **consent}),
        ("ContactChanged", {}),
    ]
    assert {(event.at, event.actor) for event in change.history} == {(LATER, "staff")}


def test_a_channel_closed_by_a_way_that_isnt_told_has_no_source() -> None:
    """So the registry names none."""
    (event,) = changed(book(), opt_outs=OptOuts(email=True)).history
    assert event.facts == {"channel": "email", "source": "", "wording": ""}


def test_letters_opened_on_purpose_are_in_the_registry_as_whoever_opened_them_said() -> None:
    """They stay on as the last way only where nothing else is open, and something was closed just now."""
    for before, after in (
        (OptOuts(print=True), OptOuts(email=True)),
        (OptOuts(sms=True, print=True), OptOuts(sms=True)),
        (OptOuts(email=True, sms=True, print=True), OptOuts(email=True, sms=True)),
    ):
        known = book(account=account(opt_outs=before))
        change = change_account(known, account(opt_outs=after), LATER, "patient", source="page", wording="Letters")
        assert change is not None
        assert [event.facts["source"] for event in change.history] == ["page"] * len(change.history)
        assert ("OptedIn", "print") in [(event.event, event.facts["channel"]) for event in change.history]


@pytest.mark.parametrize(
    ("before", "channel", "after"),
    [
        (OptOuts(), EMAIL, OptOuts(email=True)),
        (OptOuts(email=True), SMS, OptOuts(email=True, sms=True)),
        (OptOuts(), PRINT, OptOuts(print=True)),
        (OptOuts(email=True), PRINT, OptOuts(email=True, print=True)),
        (OptOuts(email=True, sms=True), PRINT, OptOuts(email=True, sms=True)),
        (OptOuts(email=True, print=True), SMS, OptOuts(email=True, sms=True)),
    ],
)
def test_the_last_channel_stays_open_on_paper(before: OptOuts, channel: Channel, after: OptOuts) -> None:
    """Whichever is closed last."""
    assert opted_out_of(before, channel) == after


# --- a bill's status -----------------------------------------------


def status_set(before: AccountBook, status: BillStatus, reason: str = "asked for") -> Change | None:
    return set_status(before, "S-1", status, reason, LATER, "staff")


@pytest.mark.parametrize(
    ("status", "event"), [(BillStatus.SUSPENDED, "BillSuspended"), (BillStatus.CANCELLED, "BillCancelled")]
)
def test_a_bill_that_is_suspended_or_cancelled_stops_what_is_pending(status: BillStatus, event: str) -> None:
    """Its age goes on, and its history says who did it, and why."""
    change = status_set(book(notices=(notice(),)), status)
    assert change is not None
    (after,) = change.bills
    assert (after.status, after.status_reason) == (status, "asked for")
    assert after.effective_created_date == bill().effective_created_date
    assert [(entry.event, entry.at, entry.actor, entry.reason) for entry in after.history] == [
        (event, LATER, "staff", "asked for")
    ]
    assert ended(change) == [("ntc_1", S.CANCELLED, f"bill is {status.casefold()}")]
    assert (change.notices[0].status_history[-1].at, change.notices[0].status_history[-1].actor) == (LATER, "staff")
    assert change.account.planning_at == LATER


def test_a_notice_about_another_open_bill_too_isnt_stopped() -> None:
    """That bill still asks for it."""
    both = notice(bills=tuple(BillLevel(statement_id=name, aging_period="x", level=1) for name in ("S-1", "S-2")))
    change = status_set(book(bills=(bill(), bill("S-2")), notices=(both,)), BillStatus.SUSPENDED)
    assert change is not None
    assert ended(change) == []


@pytest.mark.parametrize("status", [BillStatus.SUSPENDED, BillStatus.CANCELLED])
def test_a_bill_is_opened_again(status: BillStatus) -> None:
    """From either."""
    change = status_set(book(bills=(bill(status=status),)), BillStatus.DUE)
    assert change is not None
    assert [(after.status, after.history[-1].event) for after in change.bills] == [(BillStatus.DUE, "BillReopened")]


@pytest.mark.parametrize("kind", [NotificationType.ON_DEMAND, NotificationType.PAYMENT_LINK])
@pytest.mark.parametrize(("status", "after"), [(BillStatus.CANCELLED, S.CANCELLED), (BillStatus.SUSPENDED, S.QUEUED)])
def test_what_staff_sent_about_a_bill_is_stopped_with_it_while_a_suspended_one_can_be_paid(
    kind: NotificationType, status: BillStatus, after: S
) -> None:
    """A receipt goes whatever becomes of the bill."""
    asked = notice(notification_type=kind, status=S.QUEUED)
    receipt = notice(notice_id="rcp_1", notification_type=NotificationType.RECEIPT)
    before = book(notices=(asked, receipt))
    change = status_set(before, status)
    assert change is not None
    assert [row.status for row in before.after(change).notices] == [after, S.SCHEDULED]
    ended_by = [(row.reason, row.status_history[-1].actor, row.status_history[-1].at) for row in change.notices]
    assert ended_by == ([("bill is cancelled", "staff", LATER)] if after is S.CANCELLED else [])


def test_a_status_that_the_bill_has_is_no_change_but_a_new_reason_is() -> None:
    """So the reason can be corrected."""
    suspended = book(bills=(bill(status=BillStatus.SUSPENDED, status_reason="asked for"),))
    assert status_set(suspended, BillStatus.SUSPENDED) is None
    change = status_set(suspended, BillStatus.SUSPENDED, "chargeback")
    assert change is not None
    assert change.bills[0].status_reason == "chargeback"


def test_an_unknown_bill_is_no_change() -> None:
    """Nothing to set."""
    assert set_status(book(), "S-9", BillStatus.DUE, "", LATER, "staff") is None


@pytest.mark.parametrize(
    ("known", "status", "why"),
    [
        (BillStatus.PAID, BillStatus.DUE, "A bill that is Paid can't be made Due."),
        (BillStatus.PAID, BillStatus.CANCELLED, "A bill that is Paid can't be made Cancelled."),
        (BillStatus.CANCELLED, BillStatus.SUSPENDED, "A bill that is Cancelled can't be made Suspended."),
        (BillStatus.DUE, BillStatus.PAID, "A bill that is Due can't be made Paid."),
    ],
)
def test_some_statuses_are_refused(known: BillStatus, status: BillStatus, why: str) -> None:
    """In words for the person."""
    with pytest.raises(StatusRefusedError) as refused:
        status_set(book(bills=(bill(status=known),)), status)
    assert str(refused.value) == why


@pytest.mark.parametrize("balance", [0, -5])
def test_a_bill_without_a_balance_isnt_made_due(balance: int) -> None:
    """There is nothing to ask for."""
    with pytest.raises(StatusRefusedError, match=r"^A bill without a balance can't be made Due\.$"):
        status_set(book(bills=(bill(status=BillStatus.CANCELLED, balance=balance),)), BillStatus.DUE)


def test_a_bill_of_a_cent_can_be_made_due() -> None:
    """It is owed."""
    assert status_set(book(bills=(bill(status=BillStatus.CANCELLED, balance=1),)), BillStatus.DUE)


def told_of(level: int, status: S = S.SENT, period: str = "S-1/1", name: str = "S-1") -> Any:
    entry = BillLevel(statement_id=name, aging_period=period, level=level)
    return notice(notice_id=f"ntc_{level}{status}", status=status, level=level, bills=(entry,))


def test_the_level_of_a_bill_is_the_highest_that_was_told_of() -> None:
    """In its present aging period, by what went or may have gone."""
    notices = (told_of(1), told_of(2, S.DELIVERED), told_of(3, S.UNKNOWN), told_of(4, S.CANCELLED))
    assert level_sent(book(notices=notices), bill(), organization()) == 3
    assert level_sent(book(notices=(told_of(2, period="S-1/0"), told_of(3, name="S-2"))), bill(), organization()) == 0


def test_a_level_counts_as_sent_by_a_reset_or_with_an_amended_statement() -> None:
    """Whichever is higher."""
    assert level_sent(book(notices=(told_of(1),)), bill(level_floor=2), organization()) == 2
    assert level_sent(book(notices=(told_of(3),)), bill(level_floor=2), organization()) == 3
    assert (
        level_sent(book(notices=(told_of(2),)), bill("S-2", aging_period="S-1/1", amends=("S-1",)), organization()) == 2
    )


# --- the queue -----------------------------------------------


def acted(row: Any, action: QueueAction, *, opt_out: bool = False, **changes: Any) -> Change:
    change = act(book(account=account(**changes), notices=(row,)), "ntc_1", action, LATER, "staff", opt_out=opt_out)
    assert change is not None
    return change


def test_a_cancelled_notice_says_who_cancelled_it_and_its_account_is_planned_anew() -> None:
    """It has no lease any more."""
    change = acted(notice(**LEASED), QueueAction.CANCEL)
    (after,) = change.notices
    assert (after.status, after.reason, after.lease_until) == (S.CANCELLED, "cancelled by staff", None)
    assert (after.status_history[-1].actor, after.status_history[-1].at) == ("staff", LATER)
    assert change.account == account(planning_at=LATER)


def test_an_archived_notice_keeps_its_reason() -> None:
    """So that the queue still tells why it failed."""
    change = acted(notice(status=S.DELIVERY_ERROR, reason="refused", lease_until=LATER), QueueAction.ARCHIVE)
    (after,) = change.notices
    assert (after.status, after.reason, after.lease_until) == (S.ARCHIVED, "refused", None)
    assert (after.status_history[-1].actor, after.status_history[-1].at) == ("staff", LATER)
    assert change.account.planning_at == LATER


def test_a_notice_tried_again_is_scheduled_for_now() -> None:
    """Its account needs no plan for that."""
    change = acted(notice(status=S.DELIVERY_ERROR, lease_until=LATER), QueueAction.RETRY)
    (after,) = change.notices
    assert (after.status, after.reason, after.scheduled_for, after.lease_until) == (S.SCHEDULED, "retry", LATER, None)
    assert (after.possible_duplicate, after.status_history[-1].actor, after.status_history[-1].at) == (
        False,
        "staff",
        LATER,
    )
    assert change.account == account()


def test_what_may_have_gone_is_marked_when_it_is_tried_again() -> None:
    """And stays marked."""
    assert acted(notice(status=S.UNKNOWN), QueueAction.RETRY).notices[0].possible_duplicate
    marked = notice(status=S.DELIVERY_ERROR, possible_duplicate=True)
    assert acted(marked, QueueAction.RETRY).notices[0].possible_duplicate


@pytest.mark.parametrize(
    ("row", "changes", "why"),
    [
        (
            {"status": S.UNDELIVERABLE_PERMANENT},
            {"undeliverable": frozenset({EMAIL})},
            "Messages to this contact bounced permanently: correct it first.",
        ),
        ({"status": S.UNKNOWN, "channel": PRINT}, {}, "A letter that may have gone isn't sent twice."),
        ({"status": S.SENT}, {}, "A notification that is Sent doesn't allow retry."),
    ],
)
def test_some_notices_cant_be_tried_again(row: dict[str, Any], changes: dict[str, Any], why: str) -> None:
    """In words for the person."""
    with pytest.raises(ActionRefusedError) as refused:
        acted(notice(**row), QueueAction.RETRY, **changes)
    assert str(refused.value) == why


def test_another_channels_contact_that_came_back_hinders_no_retry() -> None:
    """Nor does a letter that failed, as nothing of it went."""
    assert acted(notice(status=S.DELIVERY_ERROR), QueueAction.RETRY, undeliverable=frozenset({SMS}))
    assert acted(notice(status=S.DELIVERY_ERROR, channel=PRINT), QueueAction.RETRY)


@pytest.mark.parametrize("action", QueueAction)
@pytest.mark.parametrize("status", S)
def test_an_action_is_possible_in_its_statuses_only(action: QueueAction, status: S) -> None:
    """What was sent stays in the queue, because levels are read from it."""
    if status in POSSIBLE[action]:
        assert acted(notice(status=status), action)
    else:
        with pytest.raises(ActionRefusedError):
            acted(notice(status=status), action)


def test_an_unknown_notice_is_no_change() -> None:
    """Nothing to do."""
    assert act(book(), "ntc_9", QueueAction.CANCEL, LATER, "staff") is None


def test_cancelled_with_an_opt_out_the_channel_is_closed_and_what_else_waits_on_it_stops() -> None:
    """In one change."""
    waiting = notice(notice_id="ntc_2")
    before = book(notices=(notice(status=S.DELIVERY_ERROR), waiting))
    change = act(before, "ntc_1", QueueAction.CANCEL, LATER, "staff", opt_out=True)
    assert change is not None
    assert change.account.opt_outs == OptOuts(email=True)
    assert ended(change) == [
        ("ntc_1", S.CANCELLED, "cancelled by staff"),
        ("ntc_2", S.CANCELLED, "opted out of email"),
    ]
    assert [event.event for event in change.history] == ["OptedOut"]
    assert change.account.planning_at == LATER
    assert {row.status_history[-1].actor for row in change.notices} == {"staff"}


def test_nobody_is_opted_out_without_being_asked_for() -> None:
    """And a notice that is cancelled with an opt-out is ended once."""
    change = act(book(notices=(notice(),)), "ntc_1", QueueAction.CANCEL, LATER, "staff")
    assert change is not None
    assert change.account.opt_outs == OptOuts()
    pending = act(book(notices=(notice(),)), "ntc_1", QueueAction.CANCEL, LATER, "staff", opt_out=True)
    assert pending is not None
    assert ended(pending) == [("ntc_1", S.CANCELLED, "cancelled by staff")]


def test_an_opt_out_that_is_there_already_changes_only_the_notice() -> None:
    """And has the account planned again all the same."""
    change = acted(notice(), QueueAction.CANCEL, opt_out=True, opt_outs=OptOuts(email=True))
    assert ended(change) == [("ntc_1", S.CANCELLED, "cancelled by staff")]
    assert (change.history, change.account.planning_at) == ((), LATER)


def test_an_account_is_compared_as_a_whole() -> None:
    """Its key stays."""
    assert isinstance(changed(book(), credit=5).account, Account)
