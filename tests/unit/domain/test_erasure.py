"""What is left of a person after an erasure: each field of each record is erased, or stays on purpose."""

from dataclasses import MISSING, Field, fields, replace
from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.account.erasure import (
    ErasureCause,
    StillNeeded,
    erased,
    erased_task,
    last_activity,
    old_enough,
    still_needed,
)
from shared.domain.records.account import AccountSummary, HoldDetail, Objection, WrongAnswers
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import BillLevel, StatusChange, StoredLetter
from shared.domain.records.payment import Allocation, Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.records.processor import Dispute, DisputeState, Refund, RefundState
from shared.domain.records.statement import BillTo, OptOuts
from shared.domain.records.task import Task, TaskKind, TaskStatus
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import (
    BillStatus,
    BillType,
    Channel,
    Hold,
    LinkStatus,
    NoticeStatus,
    NotificationType,
    ObjectionKind,
    Processor,
)
from tests.worlds.examples import NOW, account, as_if, bill, notice

LATER = NOW + timedelta(days=1)
CANARY = "Ada Canary of Juniper Way"
BY_STAFF = HistoryEvent(at=NOW, event="NoteAdded", actor="key:k1", reason=CANARY, text=CANARY, by="Sam Staff")
BY_A_RULE = HistoryEvent(at=NOW, event="BillMoved", actor="partner", reason="moved to another account")
MONEY = HistoryEvent(at=NOW, event="PaymentPosted", actor="key:k1", reason="cash", facts={"balance": "1.00"})
REFUNDED = replace(BY_STAFF, event="PaymentTakenBack", text="", facts={"paymentId": "pay_1"})

ACCOUNT = account(
    as_read="{}",
    bill_to=BillTo(name=CANARY, email="payer@example.com", mobile_phone="+15185550122"),
    opt_outs=OptOuts(email=True),
    undeliverable=frozenset({Channel.EMAIL}),
    stopped_numbers=frozenset({"hash"}),
    holds=frozenset({Hold.BANKRUPTCY}),
    hold_details=(HoldDetail(hold=Hold.BANKRUPTCY, reason=CANARY, since=NOW, by="Sam Staff"),),
    time_zones=("America/New_York",),
    credit=-1,
    wrong_answers=WrongAnswers(count=3),
    version=4,
    planning_at=NOW,
    settings_version=2,
    objections=(Objection(task_id="tsk_1", kind=ObjectionKind.NOT_MINE, said_at=NOW, words="hash"),),
    remind_on=LATER.date(),
    summary=AccountSummary(credit=-1, notice_ids=("ntc_1",)),
)
BILL = bill(
    as_read="{}",
    bill_type=BillType.LIFETIME,
    status=BillStatus.CANCELLED,
    status_reason=CANARY,
    level_floor=1,
    renotify_at=NOW,
    paid=1,
    last_payment_at=NOW,
    posted_transactions=frozenset({"t"}),
    amends=("S-0",),
    moved_to="G-2",
    ingestion_id="ing_1",
    fingerprint="f",
    document=CANARY.encode(),
    patient_names=(CANARY,),
    patient_contacts=(CANARY,),
    history=(BY_STAFF, BY_A_RULE, MONEY, REFUNDED),
)
NOTICE = notice(
    as_read="{}",
    channel=Channel.PRINT,
    notification_type=NotificationType.RECEIPT,
    status=NoticeStatus.ARCHIVED,
    reason=CANARY,
    lease_until=NOW,
    attempt=1,
    sent_at=NOW,
    delivered_at=NOW,
    template_id="t",
    sent_to="1** J****** W**",
    provider_message_id="m",
    letter=StoredLetter(pages=1, sha256="0"),
    possible_duplicate=True,
    to_test_contact=True,
    ingestion_ids=("ing_1",),
    configuration_id="c",
    message_type=NotificationType.INITIAL,
    payment_id="pay_1",
    link_id="lnk_1",
    send_to="billTo",
    status_history=(StatusChange(status=NoticeStatus.ARCHIVED, at=NOW, actor="key:k1", reason=CANARY),),
    moves_read=1,
)
PAYMENT = Payment(
    as_read="{}",
    payment_id="pay_1",
    amount=1,
    method="cash",
    received_on=NOW.date(),
    posted_at=NOW,
    transaction_id="t",
    allocations=(Allocation(statement_id="S-1", amount=1),),
    credit=1,
    link_id="lnk_1",
    reverses="pay_0",
    reason=CANARY,
    by="Sam Staff",
)
LINK = PaymentLink(
    as_read="{}",
    link_id="lnk_1",
    org_id="org_1",
    account_id="G-1",
    statement_id="S-1",
    notice_id="ntc_1",
    token_hash="t",
    code_hash="c",
    status=LinkStatus.OPENED,
    created_at=NOW,
    expires_at=NOW,
    verified_hash="v",
    verified_until=NOW,
    staff_name=CANARY,
    sent_to="a**@example.com",
)
CHECKOUT = Checkout(
    as_read="{}",
    reference="dln_1",
    org_id="org_1",
    account_id="G-1",
    link_id="lnk_1",
    statement_id="S-1",
    amount=1,
    created_at=NOW,
    completed_at=NOW,
    declined_at=NOW,
    expired_at=NOW,
    processor=Processor.STRIPE,
    over=True,
    session_id="cs_1",
    processor_payment="pi_1",
    pending_at=NOW,
    refunds=(Refund(amount=1, state=RefundState.MADE, reason=CANARY, by="Sam Staff"),),
    refunded=1,
    disputes=(Dispute(dispute_id="dp_1", amount=1, state=DisputeState.WON, heard_at=NOW),),
    unposted=1,
    events=("evt_1",),
)
BOOK = AccountBook(
    account=ACCOUNT,
    bills=(BILL,),
    notices=(NOTICE,),
    payments=(PAYMENT,),
    links=(LINK,),
    checkouts=(CHECKOUT,),
    history=(BY_STAFF,),
)

ERASED: dict[str, set[str]] = {
    "Account": {
        *("as_read", "guarantor", "bill_to", "undeliverable", "stopped_numbers", "hold_details", "time_zones"),
        *("wrong_answers", "planning_at", "objections", "remind_on"),
    },
    "Bill": {"as_read", "status_reason", "document", "birth_dates", "patient_names", "patient_contacts", "history"},
    "Notice": {"as_read", "reason", "sent_to", "status_history"},
    "Payment": {"as_read", "reason"},
    "PaymentLink": {"as_read", "status", "staff_name", "sent_to", "verified_hash", "verified_until"},
    "Checkout": {"as_read", "refunds"},
    "Task": {"as_read", "resolution", "note"},
}
"""What an erasure changes of each record. All else of it stays: money, ids, times and words of ours."""


def changed(before: Any, after: Any) -> set[str]:
    return {field.name for field in fields(before) if getattr(before, field.name) != getattr(after, field.name)}


def is_set(record: Any, field: "Field[Any]") -> bool:
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return bool(getattr(record, field.name) != default)


def after() -> Change:
    change = erased(BOOK, ErasureCause.ON_REQUEST, LATER)
    assert change is not None
    return change


TASK = Task(
    as_read="{}",
    task_id="tsk_1",
    org_id="org_1",
    kind=TaskKind.REPLY_TO_READ,
    created_at=NOW,
    account_id="G-1",
    statement_id="S-1",
    payment_id="pay_1",
    facts={"saidAt": "now"},
    status=TaskStatus.RESOLVED,
    resolution=CANARY,
    note=CANARY,
    resolved_at=NOW,
    resolved_by="key:k1",
)


@pytest.mark.parametrize("kind", ERASED)
def test_each_field_of_a_record_is_erased_or_stays_on_purpose(kind: str) -> None:
    """A field that is new has to be set above, and is then either erased or known to say nothing of a person."""
    change = after()
    pairs = {
        "Account": (ACCOUNT, change.account),
        "Bill": (BILL, change.bills[0]),
        "Notice": (NOTICE, change.notices[0]),
        "Payment": (PAYMENT, change.payments[0]),
        "PaymentLink": (LINK, change.links[0]),
        "Checkout": (CHECKOUT, change.checkouts[0]),
        "Task": (TASK, erased_task(TASK)),
    }
    before, left = pairs[kind]
    assert [field.name for field in fields(before) if not is_set(before, field)] == []
    assert changed(before, left) == ERASED[kind]
    assert CANARY not in repr(left)
    assert CANARY.encode() not in getattr(left, "document", b"")


def test_nobody_is_left_to_be_named_or_reached() -> None:
    account_left = after().account
    assert {field.name for field in fields(account_left.guarantor) if is_set(account_left.guarantor, field)} <= {
        "first_name",
        "last_name",
    }
    assert account_left.guarantor.name == ""


def test_what_protects_the_person_and_what_a_rule_said_stays() -> None:
    change = after()
    assert (change.account.opt_outs, change.account.holds) == (ACCOUNT.opt_outs, ACCOUNT.holds)
    assert [event.reason for event in change.bills[0].history] == ["", BY_A_RULE.reason, MONEY.reason, ""]
    stopped = as_if(notice(sent_to="a"), NoticeStatus.CANCELLED, NOW, "key:k1", Reason.CANCELLED_BY_STAFF)
    left = erased(replace(BOOK, notices=(stopped,)), ErasureCause.BY_AGE, LATER)
    assert left is not None
    assert left.notices[0].reason == Reason.CANCELLED_BY_STAFF


def test_money_is_as_it_was() -> None:
    left = BOOK.after(after())
    assert [(each.balance, each.paid, each.total_billed) for each in left.bills] == [(74_60, 1, 120_00)]
    assert [(each.amount, each.allocations, each.credit) for each in left.payments] == [(1, PAYMENT.allocations, 1)]
    assert left.account.credit == ACCOUNT.credit


def test_who_is_erased_has_nothing_left_to_erase_but_notes_that_no_change_rewrites() -> None:
    left = BOOK.after(after())
    assert erased(left, ErasureCause.BY_AGE, LATER) is not None
    assert erased(replace(left, history=left.history[1:]), ErasureCause.BY_AGE, LATER) is None


def test_what_only_a_newer_version_wrote_is_erased_too() -> None:
    """It may be anything; a record that holds nothing else of a person isn't passed over for that."""
    left = BOOK.after(after())
    newer = replace(left.payments[0], as_read=f'{{"payer": "{CANARY}"}}')
    change = erased(replace(left, payments=(newer,), history=()), ErasureCause.BY_AGE, LATER)
    assert change is not None
    assert [payment.as_read for payment in change.payments] == [""]


PAID = bill(status=BillStatus.PAID, balance=0)
QUIET = AccountBook(account=account(), bills=(PAID,))


@pytest.mark.parametrize(
    ("book", "why"),
    [
        (QUIET, None),
        (replace(QUIET, bills=(PAID, bill("S-2"))), StillNeeded.OWES),
        (replace(QUIET, bills=(bill(status=BillStatus.SUSPENDED),)), StillNeeded.OWES),
        (replace(QUIET, bills=(bill(status=BillStatus.CANCELLED),)), None),
        (replace(QUIET, account=account(credit=1)), StillNeeded.CREDIT),
        (replace(QUIET, bills=(bill(status=BillStatus.PAID, balance=-1),)), StillNeeded.CREDIT),
        (replace(QUIET, notices=(notice(status=NoticeStatus.SENDING, lease_until=NOW),)), StillNeeded.ON_ITS_WAY),
        (replace(QUIET, notices=(notice(),)), StillNeeded.ON_ITS_WAY),
        (replace(QUIET, notices=(notice(status=NoticeStatus.UNKNOWN, lease_until=NOW),)), StillNeeded.ON_ITS_WAY),
        (replace(QUIET, notices=(notice(status=NoticeStatus.UNKNOWN),)), None),
        (replace(QUIET, notices=(notice(status=NoticeStatus.SENT),)), None),
    ],
)
def test_who_is_still_needed_is_not_erased(book: AccountBook, why: StillNeeded | None) -> None:
    assert still_needed(book) is why


def test_an_open_task_or_a_letter_that_no_manifest_has_keeps_the_person() -> None:
    sent = replace(QUIET, notices=(notice(status=NoticeStatus.SENT),))
    assert still_needed(sent, [replace(TASK, status=TaskStatus.OPEN)]) is StillNeeded.TASK_OPEN
    assert still_needed(sent, [TASK]) is None
    assert still_needed(sent, waiting_letters=frozenset({"ntc_1"})) is StillNeeded.LETTER_WAITS


@pytest.mark.parametrize(
    "further",
    [
        {"bills": (PAID, replace(PAID, statement_id="S-2", created_at=LATER))},
        {"bills": (replace(PAID, history=(replace(BY_A_RULE, at=LATER),)),)},
        {"payments": (replace(PAYMENT, posted_at=LATER),)},
        {"notices": (as_if(notice(), NoticeStatus.SENT, LATER, "send_email"),)},
        {"history": (replace(BY_STAFF, at=LATER),)},
    ],
    ids=["statement", "bill", "payment", "notice", "account"],
)
def test_age_counts_from_the_last_thing_that_happened(further: dict[str, Any]) -> None:
    book = replace(QUIET, **further)
    assert last_activity(book) == LATER
    assert not old_enough(book, 365, LATER + timedelta(days=365, seconds=-1))
    assert old_enough(book, 365, LATER + timedelta(days=365))


def test_an_erasure_makes_nobody_younger() -> None:
    left = QUIET.after(erased(QUIET, ErasureCause.BY_AGE, LATER) or Change(account=account()))
    assert left.history
    assert last_activity(left) == last_activity(QUIET)


def test_a_bill_level_says_nothing_of_a_person() -> None:
    assert {field.name for field in fields(BillLevel)} == {"statement_id", "aging_period", "level"}
    assert date(2015, 6, 7) not in after().bills[0].birth_dates
