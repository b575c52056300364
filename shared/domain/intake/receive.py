"""A partner's statement makes a bill, brings one up to date, or closes it (docs/rules.md#statement-and-bill)."""

from dataclasses import replace
from datetime import datetime

from shared.domain.account.account_changes import change_account
from shared.domain.intake.account_after import account_after, first_opt_outs
from shared.domain.intake.arrival import (
    ACTIVE,
    MOVED,
    OPT_OUT_FIELD,
    Arrival,
    IntakeContext,
    Received,
    refusal_of_intake,
    with_event,
    without_cause,
)
from shared.domain.intake.bill_after import bill_after
from shared.domain.intake.credit_after import credit_after
from shared.domain.intake.old_news import OLDER_STATEMENT, PAYMENT_STANDS, is_older, standing_balance
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.ingestion import Remark
from shared.domain.records.notice import CANCELLABLE, Notice, moved
from shared.domain.records.statement import Statement
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.words import (
    BillStatus,
    BillType,
    ConsentSource,
    IngestionResult,
    LinkStatus,
)


def receive_statement(
    book: AccountBook | None, arrival: Arrival, context: IntakeContext, moved: Bill | None = None
) -> Received:
    """What a statement does to its account's book; None: the account is new.

    `moved` is the statement's bill as another account had it until now (`release_bill`): it goes on here.
    """
    refusal = refusal_of_intake(context.organization)
    if refusal:
        return Received(result=IngestionResult.FAILED, warnings=arrival.warnings, errors=(refusal,))
    known = moved or (book.bill(arrival.statement.statement_id) if book else None)
    if known and not known.moved_to and moved is None and known.fingerprint == arrival.fingerprint:
        return Received(result=_result_before(known, context), warnings=arrival.warnings)
    before = _bill_before(book, known, arrival.statement, context.bill_type)
    if is_older(arrival.statement, _latest(book, before, arrival.statement, context.bill_type)):
        return Received(result=IngestionResult.IGNORED, warnings=(*arrival.warnings, OLDER_STATEMENT))
    if _is_outdated(book, before, arrival.statement, context):
        outdated = Remark("/totalBalance", "is older than a recent payment")
        return Received(result=IngestionResult.IGNORED, warnings=(*arrival.warnings, outdated))
    arrival, stands = _with_what_stands(book, before, arrival, context)
    bill, unused = bill_after(before, arrival, context)
    change = _change(book, before, bill, arrival, context)
    change, unfollowed = credit_after(book, change, arrival.statement, context)
    return Received(
        result=IngestionResult.UPDATED if before else IngestionResult.CREATED,
        change=change,
        warnings=(*arrival.warnings, *stands, *unused, *unfollowed),
    )


def _with_what_stands(
    book: AccountBook | None, before: Bill | None, arrival: Arrival, context: IntakeContext
) -> tuple[Arrival, tuple[Remark, ...]]:
    """The statement with the balance that stands against its own, and the warning that says so."""
    balance = standing_balance(book, before, arrival.statement, context)
    if balance is None:
        return arrival, ()
    return replace(arrival, statement=replace(arrival.statement, total_balance=balance)), (PAYMENT_STANDS,)


def release_bill(
    book: AccountBook, statement_id: str, new_account_id: str, context: IntakeContext
) -> tuple[Bill, Change] | None:
    """Let a bill go because its statement came for another guarantor: the bill as it was, and what changes here.

    It stays behind Cancelled, and what was going to be sent about it is stopped. None: the bill isn't here (any more).
    """
    bill = book.bill(statement_id)
    if bill is None or bill.moved_to:
        return None
    left = with_event(
        replace(bill, status=BillStatus.CANCELLED, status_reason=MOVED, moved_to=new_account_id),
        context,
        "BillMoved",
        MOVED,
    )
    change = Change(account=replace(book.account, planning_at=context.now), bills=(left,))
    ended = without_cause(book.after(change), context.now)
    return replace(bill, history=left.history), replace(change, notices=ended)


def _result_before(known: Bill, context: IntakeContext) -> IngestionResult:
    """What an identical statement comes to: Ignored, or if this very file brought it, what it came to then.

    So a file that is worked on again after a crash reports the same as it would have without.
    """
    if known.ingestion_id != context.ingestion_id:
        return IngestionResult.IGNORED
    mine = {event.event for event in known.history if event.facts.get("ingestionId") == context.ingestion_id}
    return IngestionResult.CREATED if "BillCreated" in mine else IngestionResult.UPDATED


# --- which bill it is about -----------------------------------------------------------------------------------


def _bill_before(book: AccountBook | None, known: Bill | None, statement: Statement, kind: BillType) -> Bill | None:
    """The bill that a statement brings up to date: its own, or the active one of its patient account (Lifetime).

    None: it makes a new one. A Lifetime statement whose own bill has ended amends the one that replaced it.
    """
    if kind is BillType.EPISODIC or (known and known.status in ACTIVE):
        return known
    active = [bill for bill in _of_patients(book, statement) if bill.status in ACTIVE]
    return max(active, key=lambda bill: bill.created_at, default=known)


def _of_patients(book: AccountBook | None, statement: Statement) -> list[Bill]:
    """The Lifetime bills of a statement's patient accounts."""
    patients = {patient.account_id for patient in statement.patients}
    return [
        bill
        for bill in (book.bills if book else ())
        if bill.bill_type is BillType.LIFETIME and patients.intersection(bill.patient_account_ids)
    ]


def _latest(book: AccountBook | None, before: Bill | None, statement: Statement, kind: BillType) -> list[Bill]:
    """The bills whose statements may be later than this one: its own, or with Lifetime bills all of its patients'."""
    own = [before] if before else []
    return own if kind is BillType.EPISODIC else [*own, *_of_patients(book, statement)]


def _is_outdated(book: AccountBook | None, before: Bill | None, statement: Statement, context: IntakeContext) -> bool:
    """Whether a balance is older than a recent payment (docs/rules.md#days-to-ignore).

    A statement without a date doesn't say how old its balance is: it is taken for old when it asks for more than is
    owed since the payment. What asks for nothing is never old: it stops all communication.
    """
    days = context.organization.dunning.days_to_ignore_after_transaction
    related = [before] if before else []
    if context.bill_type is BillType.LIFETIME:
        related += _of_patients(book, statement)
    payments = [bill.last_payment_at for bill in related if bill.last_payment_at]
    if days == 0 or not payments or statement.total_balance <= 0:
        return False
    paid_on = max(payments).astimezone(context.organization.zone).date()
    if (context.today - paid_on).days > days:
        return False
    if statement.statement_date is None:
        return statement.total_balance > max(bill.balance for bill in related)
    return statement.statement_date <= paid_on


# --- the account and what hangs on the bill -------------------------------------------------------------------


def _change(
    book: AccountBook | None, before: Bill | None, bill: Bill, arrival: Arrival, context: IntakeContext
) -> Change:
    """All that the statement changes at its account."""
    account = account_after(book.account if book else None, arrival, context)
    if book is None:
        return Change(account=account, bills=(bill,), history=first_opt_outs(account, context))
    amended = before if before and before.statement_id != bill.statement_id else None
    change = Change(account=replace(book.account, planning_at=context.now), bills=(bill,))
    if amended:
        change = _amending(book, amended, bill, context)
    source, wording = ConsentSource.PARTNER_STATEMENT, OPT_OUT_FIELD
    about_account = change_account(
        book.after(change), account, context.now, Actor.PARTNER, source=source, wording=wording
    )
    if about_account:
        change = change.then(about_account)
    return change.then(Change(account=change.account, notices=without_cause(book.after(change), context.now)))


def _amending(book: AccountBook, amended: Bill, bill: Bill, context: IntakeContext) -> Change:
    """The amended bill gives way to the new one, and what is under way about it goes on with that one."""
    reason = f"replaced by statement {bill.statement_id}"
    # What was paid goes on with the new bill, so that the same money doesn't show on two.
    replaced = replace(amended, status=BillStatus.CANCELLED, status_reason=reason, paid=0)
    return Change(
        account=replace(book.account, planning_at=context.now),
        bills=(with_event(replaced, context, "BillReplaced", reason), bill),
        notices=tuple(
            _renamed(notice, amended.statement_id, bill.statement_id, context.now)
            for notice in book.notices
            if notice.status in CANCELLABLE and amended.statement_id in notice.statement_ids
        ),
        links=tuple(
            replace(link, statement_id=bill.statement_id)
            for link in book.links
            if link.statement_id == amended.statement_id and link.status in {LinkStatus.SENT, LinkStatus.OPENED}
        ),
        checkouts=tuple(
            replace(checkout, statement_id=bill.statement_id)
            for checkout in book.checkouts
            if checkout.statement_id == amended.statement_id and checkout.completed_at is None
        ),
    )


def _renamed(notice: Notice, old: str, new: str, now: datetime) -> Notice:
    """The notice about the new bill. Its history says so: no row is written without an entry (storage/notices.py)."""
    entries = (replace(entry, statement_id=new) if entry.statement_id == old else entry for entry in notice.bills)
    renamed = moved(notice, notice.status, now, Actor.PARTNER, f"replaced by statement {new}", bills=tuple(entries))
    return replace(renamed, reason=notice.reason)
