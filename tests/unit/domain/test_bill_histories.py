"""What payments and statements leave behind: histories that tell who did what when and why, and the rows they write."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from shared.contracts.statements import read_payment_update, read_statement
from shared.domain.intake.arrival import Arrival, IntakeContext, Received
from shared.domain.intake.moving import depart
from shared.domain.intake.payment_updates import receive_payment_update
from shared.domain.intake.receive import receive_statement
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.ingestion import Remark
from shared.domain.records.notice import BillLevel, Notice, StatusChange
from shared.domain.records.payment import Allocation, Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.records.policy import DunningSettings, Organization
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.json_documents import DECODER
from shared.domain.vocabulary.words import (
    AccountStatus,
    AddressStatus,
    BillAging,
    BillStatus,
    BillType,
    Channel,
    CreditUse,
    DunningReset,
    IngestionResult,
    Language,
    LinkStatus,
    NoticeStatus,
    NotificationType,
)
from tests.worlds.examples import NOW, account, bill, book, notice, organization, the, with_rule
from tests.worlds.statement_examples import payment_update, statement

S = NoticeStatus
LATER = NOW + timedelta(days=40)
TODAY = NOW.date()
LINK = PaymentLink(
    link_id="lnk_1",
    org_id="org_1",
    account_id="G-1",
    token_hash="t",
    created_at=NOW,
    expires_at=NOW + timedelta(days=9),
)


def event(name: str, reason: str = "", at: datetime = LATER, actor: str = "test", **facts: str) -> HistoryEvent:
    return HistoryEvent(at=at, event=name, actor=actor, reason=reason, facts=facts)


# --- payments -----------------------------------------------


def posted(
    amount: int,
    before: AccountBook | None = None,
    practice: Organization | None = None,
    payment_id: str = "pay_1",
    **changes: Any,
) -> Change:
    received = PaymentReceived(
        payment_id=payment_id, amount=amount, method=changes.pop("method", "card"), received_on=TODAY, **changes
    )
    change = post_payment(before or book(), practice or organization(), received, LATER, "test")
    assert change is not None
    return change


def test_a_payment_is_recorded_with_where_it_went() -> None:
    change = posted(80_00, transaction_id="T-1")
    assert change.payments == (
        Payment(
            payment_id="pay_1",
            amount=80_00,
            method="card",
            received_on=TODAY,
            posted_at=LATER,
            transaction_id="T-1",
            allocations=(Allocation(statement_id="S-1", amount=74_60),),
            credit=5_40,
            by="test",
        ),
    )
    assert change.history == (event("PaymentReceived", paymentId="pay_1", method="card"),)
    assert change.account == account(credit=5_40, planning_at=LATER)
    assert change.bills[0].posted_transactions == {"T-1"}


def test_a_paid_bill_tells_what_was_paid_and_that_it_is_paid() -> None:
    (after,) = posted(74_60).bills
    assert after.history == (
        event("PaymentPosted", "card", paymentId="pay_1", amount="74.60", balance="0.00"),
        event("BillPaid"),
    )
    assert (after.status, after.status_reason, after.posted_transactions) == (BillStatus.PAID, "", frozenset())


def test_a_cent_is_a_payment_and_can_be_all_that_is_owed() -> None:
    (after,) = posted(1, book(bills=(bill(balance=1),))).bills
    assert (after.status, after.paid) == (BillStatus.PAID, 1)
    (part,) = posted(1, book(bills=(bill(balance=2),))).bills
    assert (part.status, part.balance) == (BillStatus.DUE, 1)


def a_paid_bill(**changes: Any) -> AccountBook:
    return book(bills=(bill(status=BillStatus.PAID, status_reason="x", balance=0, paid=74_60, **changes),))


def test_money_that_goes_back_opens_the_bill_again_and_tells_so() -> None:
    (after,) = posted(-1, a_paid_bill(), method="refund").bills
    assert (after.status, after.status_reason, after.balance) == (BillStatus.DUE, "", 1)
    assert after.history == (
        event("PaymentReversed", "refund", paymentId="pay_1", amount="0.01", balance="0.01"),
        event("BillReopened", "refund"),
    )


def test_a_chargeback_suspends_the_bill_and_tells_so() -> None:
    (after,) = posted(-74_60, a_paid_bill(), method="Chargeback").bills
    assert (after.status, after.status_reason) == (BillStatus.SUSPENDED, "chargeback")
    assert after.history[1:] == (event("BillSuspended", "chargeback"),)


def test_money_that_goes_back_onto_a_credit_opens_nothing() -> None:
    (after,) = posted(-5_00, a_paid_bill(), statement_id="S-1").bills
    assert after.balance == 5_00
    below = book(bills=(bill(status=BillStatus.PAID, balance=-5_00, paid=5_00),))
    (still_paid,) = posted(-5_00, below, statement_id="S-1").bills
    assert (still_paid.status, still_paid.balance) == (BillStatus.PAID, 0)


@pytest.mark.parametrize(
    ("credit", "paid", "gone", "from_bill", "credit_after"),
    [
        (0, 10_00, 4_00, 4_00, 0),
        (3_00, 10_00, 4_00, 4_00, 3_00),  # what was paid on the bill goes back first
        (3_00, 10_00, 12_00, 10_00, 1_00),  # what the bill never had comes out of the credit
        (3_00, 0, 2_00, 0, 1_00),
        (3_00, 0, 3_00, 0, 0),
        (3_00, 0, 5_00, 2_00, 0),
        (0, 0, 1, 1, 0),
        (1, 0, 1, 0, 0),
        (-2_00, 10_00, 4_00, 4_00, -2_00),
    ],
)
def test_money_that_goes_back_from_a_named_bill(
    credit: int, paid: int, gone: int, from_bill: int, credit_after: int
) -> None:
    before = book(account=account(credit=credit), bills=(bill(paid=paid),))
    # What is left of the credit is not used at once here.
    change = posted(-gone, before, organization(credit_use=CreditUse.KEEP), statement_id="S-1")
    shares = [(share.statement_id, share.amount) for share in change.payments[0].allocations]
    assert shares == ([("S-1", -from_bill)] if from_bill else [])
    assert change.account.credit == credit_after


def test_money_that_goes_back_from_no_named_bill_comes_from_the_credit_then_from_the_last_paid() -> None:
    bills = (
        bill("S-1", paid=10_00),
        bill("S-2", paid=1, created_at=NOW + timedelta(days=1)),
        bill("S-3", created_at=NOW + timedelta(days=2)),
    )
    change = posted(-5_01, book(account=account(credit=2_00), bills=bills))
    assert [(share.statement_id, share.amount) for share in change.payments[0].allocations] == [
        ("S-2", -1),
        ("S-1", -3_00),
    ]
    assert change.account.credit == 0


def test_the_oldest_bill_is_that_which_arrived_first_on_the_practices_calendar() -> None:
    night = datetime(2026, 3, 2, 3, tzinfo=UTC)  # the first in New York
    bills = (
        bill("S-1", created_at=night + timedelta(hours=3), statement_date=date(2026, 1, 1)),
        bill("S-2", created_at=night, statement_date=date(2026, 2, 2)),
    )
    assert posted(1_00, book(bills=bills)).payments[0].allocations[0].statement_id == "S-2"


@pytest.mark.parametrize(
    ("age", "reset", "age_after", "level"),
    [
        (40, DunningReset.ZERO, 0, 1),
        (70, DunningReset.MINUS_ONE, 30, 2),
        (40, DunningReset.MINUS_ONE, 0, 1),
        (10, DunningReset.MINUS_ONE, 0, 1),
    ],
)
def test_a_reset_by_payment_begins_a_new_period_and_tells_so(
    age: int, reset: DunningReset, age_after: int, level: int
) -> None:
    practice = with_rule(reset, minimum_amount=1_00)
    before = bill(effective_created_date=LATER.date() - timedelta(days=age), renotify_at=NOW)
    (after,) = posted(1_00, book(bills=(before,)), practice).bills
    assert after.age_on(LATER.date()) == age_after
    assert (after.level_floor, after.renotify_at) == (level, None)
    assert after.aging_period == f"{LATER.date()}#pay_1"
    assert after.history[-1] == event(
        "AgingReset", "payment rule met", dunningReset=str(reset), level=str(level), paymentId="pay_1"
    )


def test_only_a_payment_that_leaves_something_to_pay_resets_and_none_that_goes_back() -> None:
    practice = with_rule(DunningReset.ZERO, minimum_amount=1)
    assert posted(74_60, practice=practice).bills[0].aging_period == "S-1/1"
    assert posted(-1_00, book(bills=(bill(paid=5_00),)), practice).bills[0].aging_period == "S-1/1"
    assert posted(1, practice=practice).bills[0].aging_period != "S-1/1"


def test_what_was_asked_of_a_bill_that_is_paid_is_stopped_with_its_reason() -> None:
    asked = notice(notification_type=NotificationType.ON_DEMAND)
    (stopped,) = posted(74_60, book(notices=(asked,))).notices
    assert (stopped.status, stopped.reason) == (S.WILL_NOT_SEND, "payment made")
    assert (stopped.status_history[-1].at, stopped.status_history[-1].actor) == (LATER, "test")
    assert posted(74_59, book(notices=(asked,))).notices == ()


def test_a_cent_that_pays_the_rest_stops_what_is_pending_as_paid() -> None:
    (stopped,) = posted(1, book(bills=(bill(balance=1),), notices=(notice(),))).notices
    assert (stopped.status, stopped.reason) == (S.WILL_NOT_SEND, "payment made")


def receipts(change: Change) -> list[Notice]:
    return [row for row in change.notices if row.notification_type is NotificationType.RECEIPT]


def test_a_receipt_is_a_row_of_its_own_for_each_payment_through_a_link() -> None:
    before = book(bills=(bill(), bill("S-2")), links=(LINK,))
    (receipt,) = receipts(posted(74_60, before, link_id="lnk_1"))
    entry = StatusChange(status=S.SCHEDULED, at=LATER, actor="test", reason="payment made")
    assert receipt == Notice(
        notice_id=f"rcp_{sha256(b'pay_1').hexdigest()[:24]}",
        org_id="org_1",
        account_id="G-1",
        channel=Channel.EMAIL,
        notification_type=NotificationType.RECEIPT,
        bills=(BillLevel(statement_id="S-1", aging_period="S-1/1", level=0),),
        scheduled_for=LATER,
        created_at=LATER,
        payment_id="pay_1",
        status_history=(entry,),
    )
    assert receipts(posted(1, before, link_id="lnk_1"))
    assert not receipts(posted(-1, replace(before, bills=(bill(paid=5),)), link_id="lnk_1"))
    assert not receipts(posted(1, before))


def test_a_receipt_for_a_patient_is_left_to_the_sender_to_address() -> None:
    nowhere = account(guarantor=replace(account().guarantor, email=""))
    asked = notice(send_to="patient", status=S.SENT)
    before = book(account=nowhere, links=(replace(LINK, notice_id="ntc_1"),), notices=(asked,))
    assert [row.send_to for row in receipts(posted(1, before, link_id="lnk_1"))] == ["patient"]
    assert not receipts(posted(1, replace(before, notices=()), link_id="lnk_1"))


# --- statements -----------------------------------------------


def arrival(statement_id: str = "S-1", **changes: Any) -> Arrival:
    document = json.dumps(statement(statement_id, **changes))
    read = read_statement(DECODER.decode(document))
    return Arrival(
        statement=read.statement,
        document=document.encode(),
        warnings=read.warnings,
        language_given=read.language_given,
        unusable=read.unusable,
    )


def delivered(bill_type: BillType = BillType.EPISODIC, at: datetime = LATER, **dunning: Any) -> IntakeContext:
    practice = organization(dunning=DunningSettings(**dunning))
    return IntakeContext(organization=practice, bill_type=bill_type, ingestion_id="ing-2", now=at)


def a_book(first: str = "S-1", bill_type: BillType = BillType.EPISODIC, **changes: Any) -> AccountBook:
    """A book as its first statement made it."""
    change = receive_statement(None, arrival(first, **changes), delivered(bill_type, NOW)).change
    assert change is not None
    return AccountBook(account=change.account).after(change)


def changed(before: AccountBook, delivery: IntakeContext, statement_id: str = "S-1", **changes: Any) -> AccountBook:
    change = receive_statement(before, arrival(statement_id, **changes), delivery).change
    assert change is not None
    return before.after(change)


def told(name: str, reason: str = "", **facts: str) -> HistoryEvent:
    return replace(event(name, reason, actor="partner"), facts={"ingestionId": "ing-2", **facts})


@pytest.mark.parametrize(
    ("changes", "dunning", "expected"),
    [
        ({"statementMessage": "x"}, {}, [told("BillUpdated")]),
        ({"totalBalance": "5.00"}, {}, [told("BillUpdated", "balance changed")]),
        ({"totalBalance": "0.00"}, {}, [told("BillCancelled", "balance is zero")]),
        (
            {"resetBill": True},
            {"enable_bill_reset": True},
            [told("BillUpdated"), told("AgingReset", "the statement asked for it")],
        ),
        (
            {"statementMessage": "x"},
            {"reset_on_fields_changing": True, "reset_fields": ("/statementMessage",)},
            [told("BillUpdated"), told("AgingReset", "/statementMessage changed")],
        ),
        (
            {"dunningStatus": "Final"},
            {"bill_aging": BillAging.BASED_ON_DUNNING_STATUS},
            [told("BillUpdated"), told("AgingMoved", "dunning status of the statement", level="4")],
        ),
    ],
)
def test_a_bills_history_tells_what_a_statement_did(
    changes: dict[str, Any], dunning: dict[str, Any], expected: list[HistoryEvent]
) -> None:
    before = a_book()
    after = changed(before, delivered(**dunning), **changes)
    assert list(the(after).history) == [*the(before).history, *expected]
    assert after.account.planning_at == LATER


def test_a_bill_that_was_over_tells_that_it_is_open_again() -> None:
    over = changed(a_book(), delivered(), totalBalance="0.00")
    again = the(changed(over, delivered()))
    assert again.history[-2:] == (
        told("BillReopened", "a statement with a balance"),
        told("AgingReset", "opened again"),
    )
    assert again.aging_period == f"S-1/{len(again.history)}"
    assert again.created_at == NOW


@pytest.mark.parametrize("fields_set", [True, False])
def test_a_changed_field_resets_only_where_both_settings_say_so(*, fields_set: bool) -> None:
    dunning: dict[str, Any] = {"reset_on_fields_changing": True} if fields_set else {"reset_fields": ("/totalBilled",)}
    after = changed(a_book(), delivered(**dunning), totalBilled="999.00")
    assert the(after).effective_created_date == TODAY


def test_an_update_keeps_what_payments_and_resets_left_on_the_bill() -> None:
    kept: dict[str, Any] = {
        "level_floor": 2,
        "renotify_at": NOW,
        "paid": 5_00,
        "last_payment_at": NOW,
        "posted_transactions": frozenset({"T-1"}),
    }
    before = a_book()
    after = the(changed(replace(before, bills=(replace(the(before), **kept),)), delivered(), statementMessage="x"))
    assert {name: getattr(after, name) for name in kept} == kept
    assert after.created_at == NOW


def test_a_new_bill_has_nothing_paid_and_nothing_counted_as_sent() -> None:
    new = the(a_book())
    assert (new.level_floor, new.renotify_at, new.paid, new.last_payment_at) == (0, None, 0, None)
    assert (new.posted_transactions, new.aging_period) == (frozenset(), "S-1/1")


def test_a_new_stretch_of_aging_forgets_what_counted_for_the_old_one() -> None:
    before = a_book()
    counted = replace(the(before), level_floor=3, renotify_at=NOW)
    after = the(changed(replace(before, bills=(counted,)), delivered(enable_bill_reset=True), resetBill=True))
    assert (after.level_floor, after.renotify_at) == (0, None)


def test_a_step_named_above_the_present_one_stays_in_its_period_and_one_below_begins_another() -> None:
    settings = delivered(bill_aging=BillAging.BASED_ON_DUNNING_STATUS)
    before = a_book()
    above, below = (the(changed(before, settings, dunningStatus=named)) for named in ("Final", "Initial"))
    assert (above.aging_period, above.age_on(LATER.date())) == ("S-1/1", 90)
    assert (below.aging_period, below.age_on(LATER.date())) == (f"S-1/{len(below.history)}", 0)


def test_a_type_is_taken_for_a_bill_that_has_come_to_no_step_yet() -> None:
    """Its effective date lies ahead, as that of a bill moved by hand may."""
    before = a_book()
    ahead = replace(the(before), effective_created_date=LATER.date() + timedelta(days=3))
    settings = delivered(bill_aging=BillAging.BASED_ON_DUNNING_STATUS)
    after = the(changed(replace(before, bills=(ahead,)), settings, dunningStatus="Final"))
    assert after.age_on(LATER.date()) == 90


# --- what a statement answers -----------------------------------------------


def test_warnings_are_answered_whatever_becomes_of_the_statement() -> None:
    bad: dict[str, Any] = {"guarantor__email": "nonsense"}
    warned = [Remark("/guarantor/email", arrival(**bad).warnings[0].detail)]
    before = a_book(**bad)
    archived = replace(delivered(), organization=organization(account_status=AccountStatus.ARCHIVED))
    refused = receive_statement(before, arrival(**bad), archived)
    ignored = receive_statement(before, arrival(**bad), delivered())
    updated = receive_statement(before, arrival(**bad, statementMessage="x"), delivered())
    assert [list(each.warnings) for each in (refused, ignored, updated)] == [warned] * 3
    assert refused.errors == (Remark("/clientId", "The organization is archived and takes no statements."),)


def test_a_balance_older_than_a_payment_is_told_with_the_other_warnings() -> None:
    before = a_book()
    paid = replace(the(before), last_payment_at=LATER)
    settings = delivered(days_to_ignore_after_transaction=3)
    outdated = receive_statement(replace(before, bills=(paid,)), arrival(statementMessage="x"), settings)
    assert outdated == Received(
        result=IngestionResult.IGNORED, warnings=(Remark("/totalBalance", "is older than a recent payment"),)
    )


@pytest.mark.parametrize(("asks_for", "result"), [("0.01", IngestionResult.IGNORED), ("0.00", IngestionResult.UPDATED)])
def test_a_balance_of_a_cent_can_be_old_and_one_of_zero_never_is(asks_for: str, result: IngestionResult) -> None:
    before = a_book()
    paid = replace(the(before), last_payment_at=LATER)
    received = receive_statement(
        replace(before, bills=(paid,)),
        arrival(totalBalance=asks_for, statementDate="2026-03-01"),
        delivered(days_to_ignore_after_transaction=3),
    )
    assert received.result is result


def test_the_day_of_a_payment_is_that_of_the_practices_calendar() -> None:
    before = a_book()
    paid_at = datetime(2026, 4, 10, 2, tzinfo=UTC)  # still the ninth in New York
    paid = replace(the(before), last_payment_at=paid_at)
    received = receive_statement(
        replace(before, bills=(paid,)),
        arrival(statementDate="2026-04-10", statementMessage="x"),
        delivered(at=datetime(2026, 4, 11, 15, tzinfo=UTC), days_to_ignore_after_transaction=3),
    )
    assert received.result is IngestionResult.UPDATED


def test_a_dunning_status_without_a_step_is_told() -> None:
    settings = delivered(bill_aging=BillAging.BASED_ON_DUNNING_STATUS)
    assert receive_statement(a_book(), arrival(dunningStatus="17"), settings).warnings == (
        Remark("/dunningStatus", "names no step of the organization's dunning configuration"),
    )


# --- Lifetime, and other guarantors -----------------------------------------------


def test_an_amended_bill_gives_way_and_what_is_under_way_goes_on_with_the_new_one() -> None:
    before = a_book(bill_type=BillType.LIFETIME)
    about = BillLevel(statement_id="S-1", aging_period="S-1/1", level=1)
    other = BillLevel(statement_id="S-0", aging_period="x", level=1)
    going = Checkout(
        reference="dln_1", org_id="org_1", account_id="G-1", link_id="l", statement_id="S-1", amount=1, created_at=NOW
    )
    link = replace(LINK, statement_id="S-1")
    before = replace(
        before,
        notices=(
            notice(bills=(other, about)),
            notice(notice_id="ntc_2", status=S.SENT),
            notice(notice_id="ntc_3", bills=(other,)),
        ),
        links=(
            link,
            replace(link, link_id="lnk_2", status=LinkStatus.PAID),
            replace(link, link_id="lnk_3", statement_id="S-0"),
        ),
        checkouts=(
            going,
            replace(going, reference="dln_2", completed_at=NOW),
            replace(going, reference="dln_3", statement_id="S-0"),
        ),
    )
    after = changed(before, delivered(BillType.LIFETIME), "S-2")
    replaced, new = the(after), the(after, "S-2")
    assert (replaced.status, replaced.status_reason) == (BillStatus.CANCELLED, "replaced by statement S-2")
    assert replaced.history[-1] == told("BillReplaced", "replaced by statement S-2")
    assert new.history[-1] == told("BillAmended", "a later statement for the same patient account")
    assert (new.created_at, new.amends, new.aging_period) == (NOW, ("S-1",), "S-1/1")
    rows = {row.notice_id: row for row in after.notices}
    assert rows["ntc_1"].bills == (other, replace(about, statement_id="S-2"))
    assert rows["ntc_2"].statement_ids == ("S-1",)
    assert (rows["ntc_3"].statement_ids, rows["ntc_3"].status) == (("S-0",), S.CANCELLED)
    assert [each.statement_id for each in after.links] == ["S-2", "S-1", "S-0"]
    assert [each.statement_id for each in after.checkouts] == ["S-2", "S-1", "S-0"]


def test_of_two_active_bills_of_its_patients_a_lifetime_statement_leaves_one() -> None:
    """The later one goes on, with what was paid on both and what is known as posted on either."""
    first = a_book(bill_type=BillType.LIFETIME)
    one = replace(the(first), paid=5_00, last_payment_at=NOW, posted_transactions=frozenset({"T-1"}))
    two = replace(one, statement_id="S-0", created_at=NOW + timedelta(days=1), paid=7_00)
    two = replace(two, posted_transactions=frozenset({"T-0"}), aging_period="S-0/1")
    after = changed(replace(first, bills=(two, one)), delivered(BillType.LIFETIME), "S-2")
    left = the(after, "S-2")
    assert (left.amends, left.paid, left.aging_period) == (("S-0", "S-1"), 12_00, "S-0/1")
    assert (left.posted_transactions, left.last_payment_at) == (frozenset({"T-0", "T-1"}), NOW)
    assert [(the(after, name).status, the(after, name).paid) for name in ("S-0", "S-1")] == [
        (BillStatus.CANCELLED, 0),
        (BillStatus.CANCELLED, 0),
    ]


def test_a_lifetime_statement_whose_own_bill_is_active_updates_that_one_and_takes_the_place_of_others() -> None:
    first = a_book(bill_type=BillType.LIFETIME)
    second = replace(the(first), statement_id="S-0", created_at=NOW + timedelta(days=1))
    after = changed(replace(first, bills=(the(first), second)), delivered(BillType.LIFETIME), totalBalance="1.00")
    assert (the(after).balance, the(after).amends, the(after, "S-0").status) == (1_00, ("S-0",), BillStatus.CANCELLED)


def test_a_lifetime_bill_that_was_over_is_opened_again_by_its_own_statement() -> None:
    over = changed(a_book(bill_type=BillType.LIFETIME), delivered(BillType.LIFETIME), totalBalance="0.00")
    again = the(changed(over, delivered(BillType.LIFETIME)))
    assert [each.event for each in again.history][-2:] == ["BillReopened", "AgingReset"]


def test_an_episodic_statement_never_amends_another_bill() -> None:
    after = changed(a_book(bill_type=BillType.LIFETIME), delivered(), "S-2")
    assert (the(after, "S-2").amends, the(after).status) == ((), BillStatus.DUE)


def test_a_bill_let_go_stays_behind_cancelled_with_its_reason() -> None:
    before = replace(a_book(), notices=(notice(),))
    released = depart(before, ["S-1"], before.account.guarantor, "G-2", delivered())
    assert released is not None
    [moved], change = released.bills, released.left
    (left,) = change.bills
    assert (left.status, left.status_reason, left.moved_to) == (
        BillStatus.CANCELLED,
        "moved to another guarantor",
        "G-2",
    )
    assert left.history[-1] == told("BillMoved", "moved to another guarantor")
    assert moved == replace(the(before), history=left.history)
    assert change.account == replace(before.account, planning_at=LATER)
    (stopped,) = change.notices
    assert (stopped.status_history[-1].at, stopped.status_history[-1].actor) == (LATER, "partner")


def test_a_bill_that_comes_back_goes_on_where_the_other_account_had_brought_it() -> None:
    before = a_book()
    released = depart(before, ["S-1"], before.account.guarantor, "G-2", delivered())
    assert released is not None
    came_back = receive_statement(before.after(released.left), arrival(statementMessage="x"), delivered(), [released])
    assert came_back.change is not None
    assert [each.event for each in came_back.change.bills[0].history] == ["BillCreated", "BillMoved", "BillUpdated"]


def test_a_bill_that_was_over_elsewhere_begins_here_with_its_history() -> None:
    """Its statement makes a new bill (Lifetime), and what happened before isn't forgotten."""
    gone = replace(the(a_book()), moved_to="G-2", status=BillStatus.CANCELLED)
    received = receive_statement(replace(a_book(), bills=(gone,)), arrival(statementMessage="x"), delivered())
    assert received.change is not None
    assert received.change.bills[0].history[0].event == "BillCreated"


# --- the account -----------------------------------------------


def said_then(first: dict[str, Any], then: dict[str, Any]) -> Account:
    return changed(a_book(**first), delivered(), statementMessage="x", **then).account


def test_what_a_statement_says_of_the_guarantor_replaces_what_was_known() -> None:
    after = said_then(
        {},
        {
            "guarantor__mobilePhone": "+15185550177",
            "guarantor__homePhone": "+15185550178",
            "guarantor__language": "es",
        },
    ).guarantor
    assert (after.mobile_phone, after.home_phone) == ("+15185550177", "+15185550178")
    assert after.language is Language.SPANISH


def test_what_it_does_not_say_stands() -> None:
    first: dict[str, Any] = {"guarantor__homePhone": "+15185550178", "guarantor__language": "es"}
    silent = {f"guarantor__{name}": ... for name in ("email", "mobilePhone", "homePhone", "language")}
    before, after = a_book(**first).account.guarantor, said_then(first, silent).guarantor
    assert after == before
    assert (after.guarantor_id, after.home_phone) == ("G-1", "+15185550178")


@pytest.mark.parametrize(
    ("pointer", "member"), [("mobilePhone", "mobile_phone"), ("homePhone", "home_phone"), ("email", "email")]
)
def test_what_it_says_and_cant_be_used_isnt_used(pointer: str, member: str) -> None:
    known = {"guarantor__homePhone": "+15185550178"}
    assert getattr(said_then(known, {f"guarantor__{pointer}": "12"}).guarantor, member) == ""


@pytest.mark.parametrize(
    ("then", "status"),
    [
        ({"guarantor__addressStatus": "N"}, AddressStatus.INVALID),
        ({"guarantor__address": ..., "guarantor__addressStatus": ...}, AddressStatus.QUESTIONABLE),
        ({"guarantor__address": ..., "guarantor__addressStatus": "N"}, AddressStatus.INVALID),
        ({"guarantor__addressStatus": ...}, None),
    ],
)
def test_the_status_of_an_address_belongs_to_the_address(then: dict[str, Any], status: AddressStatus | None) -> None:
    """One given anew without a status has none."""
    assert said_then({"guarantor__addressStatus": "D"}, then).guarantor.address_status is status


def test_a_new_account_has_what_its_first_statement_says() -> None:
    new = a_book(electronicOptOut="E").account
    assert (new.org_id, new.account_id, new.opt_outs, new.planning_at) == ("org_1", "G-1", OptOuts(email=True), NOW)


@pytest.mark.parametrize(
    ("known", "said", "after"),
    [
        (OptOuts(print=True), "E", OptOuts(email=True, print=True)),
        (OptOuts(print=True), "B", OptOuts(email=True, sms=True)),
        (OptOuts(email=True), "M", OptOuts(email=True, sms=True)),
        (OptOuts(sms=True), None, OptOuts(sms=True)),
    ],
)
def test_an_opt_out_is_added_to_those_known_and_paper_stays_open_last(
    known: OptOuts, said: str | None, after: OptOuts
) -> None:
    before = a_book()
    closed = replace(before, account=replace(before.account, opt_outs=known))
    assert changed(closed, delivered(), statementMessage="x", electronicOptOut=said).account.opt_outs == after


def test_what_a_statement_stops_tells_by_whom_and_why() -> None:
    asked = notice(notice_id="ntc_2", notification_type=NotificationType.ON_DEMAND)
    of_account = notice(notice_id="ntc_3", notification_type=NotificationType.PAYMENT_LINK, bills=())
    before = replace(a_book(), notices=(notice(), asked, of_account))
    over = changed(before, delivered(), totalBalance="0.00")
    rows = {row.notice_id: row for row in over.notices}
    assert {row.reason for row in rows.values()} == {"bill is cancelled"}
    assert {(row.status_history[-1].at, row.status_history[-1].actor) for row in rows.values()} == {(LATER, "partner")}
    owing_more = replace(before, bills=(*before.bills, replace(before.bills[0], statement_id="S-2")))
    left = {row.notice_id: row.status for row in changed(owing_more, delivered(), totalBalance="0.00").notices}
    assert left == {"ntc_1": S.CANCELLED, "ntc_2": S.CANCELLED, "ntc_3": S.SCHEDULED}
    opted_out = changed(before, delivered(), statementMessage="x", electronicOptOut="E")
    assert {row.status_history[-1].actor for row in opted_out.notices if row.status is S.CANCELLED} == {"partner"}
    assert [(each.event, each.at, each.actor) for each in opted_out.history] == [("OptedOut", LATER, "partner")]


# --- payment updates -----------------------------------------------


def update(*transactions: dict[str, Any]) -> Any:
    return read_payment_update(DECODER.decode(json.dumps(payment_update(*transactions)))).update


def test_each_transaction_of_an_update_is_a_payment_of_the_partners() -> None:
    same = {"transactionDate": "2026-03-03", "transactionAmt": "1.00"}
    received = receive_payment_update(a_book(), update(same, same, same | {"transactionId": "T-1"}), delivered())
    assert received.change is not None
    # Without an origin, which the intake of a file gives.
    names = ("\n0", "\n1", "T-1")
    assert [payment.payment_id for payment in received.change.payments] == [
        f"ptn_{sha256(f'S-1\n{name}'.encode()).hexdigest()[:24]}" for name in names
    ]
    assert {(payment.received_on, payment.method) for payment in received.change.payments} == {
        (date(2026, 3, 3), "partner")
    }
    assert {share.statement_id for payment in received.change.payments for share in payment.allocations} == {"S-1"}
    assert {each.actor for each in received.change.history} == {"partner"}


def test_an_update_pays_the_bill_that_it_names_though_another_is_older() -> None:
    before = a_book()
    older = replace(the(before), statement_id="S-0", created_at=NOW - timedelta(days=9))
    one = {"transactionDate": "2026-03-03", "transactionAmt": "1.00"}
    received = receive_payment_update(replace(before, bills=(*before.bills, older)), update(one), delivered())
    assert received.change is not None
    assert [each.statement_id for each in received.change.bills] == ["S-1"]


def test_an_archived_organization_takes_no_updates() -> None:
    archived = replace(delivered(), organization=organization(account_status=AccountStatus.ARCHIVED))
    assert receive_payment_update(a_book(), update(), archived) == Received(
        result=IngestionResult.FAILED,
        errors=(Remark("/clientId", "The organization is archived and takes no statements."),),
    )
