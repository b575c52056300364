"""A partner's statement makes a bill, brings one up to date, or closes it (docs/rules.md#statement-and-bill)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.account.account_changes import change_account
from shared.domain.account.number_stops import heed_stop
from shared.domain.intake.account_after import account_after, first_opt_outs, guarantor_after
from shared.domain.intake.addressable import unaddressable_ids
from shared.domain.intake.arrival import (
    ACTIVE,
    OPT_OUT_FIELD,
    Arrival,
    IntakeContext,
    Received,
    refusal_of_intake,
    with_event,
    without_cause,
)
from shared.domain.intake.bill_after import bill_after
from shared.domain.intake.bill_limit import has_too_many, refused_for_too_many
from shared.domain.intake.credit_after import credit_after
from shared.domain.intake.identity import BELONGS_TO_ANOTHER, RESERVED, is_reserved, same_person
from shared.domain.intake.moving import Departure, arrive
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

OLDER_THAN_PAYMENT = Remark("/totalBalance", "is older than a recent payment")


def receive_statement(
    book: AccountBook | None, arrival: Arrival, context: IntakeContext, departures: Sequence[Departure] = ()
) -> Received:
    """What a statement does to its account's book; None: the account is new.

    `departures` are bills that it takes along from other accounts (`moving.depart`): its own, and with Lifetime bills
    the active ones of its patients. They go on here. Where nothing changes here, nothing leaves there.
    """
    refusal = _refusal(book, arrival, context)
    if refusal:
        return Received(result=IngestionResult.FAILED, warnings=arrival.warnings, errors=(refusal,))
    known = _known(book, arrival.statement, departures)
    if known and _is_identical(known, arrival, departures):
        return Received(result=_result_before(known, context), warnings=arrival.warnings)
    opened = _opened(book, arrival, context, departures)
    here = opened[1] if opened else None
    bills = _bills_before(here, known, arrival.statement, context.bill_type)
    before = _joined(bills)
    if book and (before is None or departures) and has_too_many(book):
        return refused_for_too_many(book, arrival, context)
    old = _old_news(here, before, arrival.statement, context)
    if old:
        return Received(result=IngestionResult.IGNORED, warnings=(*arrival.warnings, old))
    unaddressable = () if before else unaddressable_ids(book, arrival)
    if unaddressable:
        return Received(result=IngestionResult.FAILED, warnings=arrival.warnings, errors=unaddressable)
    arrival, stands = _with_what_stands(here, before, arrival, context)
    bill, unused = bill_after(before, arrival, context)
    change = _change(here, bills, bill, arrival, context)
    change, unfollowed = credit_after(here, change, arrival.statement, context)
    after = (here or AccountBook(account=change.account)).after(change)
    heeded = heed_stop(after, arrival.number_stop, context.now)
    change = change.then(heeded) if heeded else change
    return Received(
        result=IngestionResult.UPDATED if before else IngestionResult.CREATED,
        change=opened[0].then(change) if opened else change,
        warnings=(*arrival.warnings, *stands, *unused, *unfollowed),
    )


def _old_news(
    book: AccountBook | None, before: Bill | None, statement: Statement, context: IntakeContext
) -> Remark | None:
    """Why a statement is older than what is known; None: it isn't."""
    if is_older(statement, _latest(book, before, statement, context.bill_type)):
        return OLDER_STATEMENT
    return OLDER_THAN_PAYMENT if _is_outdated(book, before, statement, context) else None


def _with_what_stands(
    book: AccountBook | None, before: Bill | None, arrival: Arrival, context: IntakeContext
) -> tuple[Arrival, tuple[Remark, ...]]:
    """The statement with the balance that stands against its own, and the warning that says so."""
    balance = standing_balance(book, before, arrival.statement, context)
    if balance is None:
        return arrival, ()
    return replace(arrival, statement=replace(arrival.statement, total_balance=balance)), (PAYMENT_STANDS,)


def _refusal(book: AccountBook | None, arrival: Arrival, context: IntakeContext) -> Remark | None:
    """Why a statement isn't taken: by whom it came, or because it is about somebody else than its account."""
    guarantor = arrival.statement.guarantor
    if is_reserved(guarantor.guarantor_id):
        return RESERVED
    if book and not same_person(book.account.guarantor, guarantor):
        return BELONGS_TO_ANOTHER
    return refusal_of_intake(context.organization)


def _known(book: AccountBook | None, statement: Statement, departures: Sequence[Departure]) -> Bill | None:
    """The statement's own bill, as it comes along or as it is here."""
    coming = (bill for departure in departures for bill in departure.bills)
    own = next((bill for bill in coming if bill.statement_id == statement.statement_id), None)
    return own or (book.bill(statement.statement_id) if book else None)


def _is_identical(known: Bill, arrival: Arrival, departures: Sequence[Departure]) -> bool:
    """Whether the statement is what is stored already, to the letter.

    One whose bill is still active in another account is there under a key that means somebody else today, so it moves.
    """
    if known.moved_to or known.fingerprint != arrival.fingerprint:
        return False
    comes = any(known in departure.bills for departure in departures)
    return not comes or known.status not in ACTIVE


def _opened(
    book: AccountBook | None, arrival: Arrival, context: IntakeContext, departures: Sequence[Departure]
) -> tuple[Change, AccountBook] | None:
    """The account with all that comes along, before the statement is taken; None: it is new, and nothing comes."""
    if book is None and not departures:
        return None
    if book is None:
        account = account_after(None, arrival, context)
        persons = [departure.account.guarantor for departure in departures if departure.same]
        if persons:
            known = replace(guarantor_after(persons[0], arrival), guarantor_id=account.guarantor.guarantor_id)
            account = replace(account, guarantor=known)
        change = Change(account=account, history=first_opt_outs(account, context))
        here = AccountBook(account=account).after(change)
    else:
        change, here = Change(account=replace(book.account, planning_at=context.now)), book
    for departure in departures:
        came = arrive(here, departure, context)
        change, here = change.then(came), here.after(came)
    return change, here


def _result_before(known: Bill, context: IntakeContext) -> IngestionResult:
    """What an identical statement comes to: Ignored, or if this very file brought it, what it came to then.

    So a file that is worked on again after a crash reports the same as it would have without.
    """
    if known.ingestion_id != context.ingestion_id:
        return IngestionResult.IGNORED
    mine = {event.event for event in known.history if event.facts.get("ingestionId") == context.ingestion_id}
    return IngestionResult.CREATED if "BillCreated" in mine else IngestionResult.UPDATED


# --- which bill it is about -----------------------------------------------------------------------------------


def _bills_before(book: AccountBook | None, known: Bill | None, statement: Statement, kind: BillType) -> list[Bill]:
    """The bills that a statement brings up to date, the one that goes on first.

    It is the statement's own, or with Lifetime bills the active ones of its patient accounts, of which one is left
    (docs/rules.md#lifetime-bill). None: it makes a new one. A Lifetime statement whose own bill has ended amends those
    that replaced it.
    """
    own = [known] if known else []
    if kind is BillType.EPISODIC:
        return own
    active = [bill for bill in _of_patients(book, statement) if bill.status in ACTIVE]
    active.sort(key=lambda bill: bill.created_at, reverse=True)
    if known and known.status in ACTIVE:
        return [*own, *(bill for bill in active if bill.statement_id != known.statement_id)]
    # What was paid on its own, though it ended, stays with the statement.
    return [*active, *own]


def _joined(bills: Sequence[Bill]) -> Bill | None:
    """Several bills as the one that goes on, with what was paid on each; None: there is none."""
    if len(bills) <= 1:
        return bills[0] if bills else None
    first, others = bills[0], bills[1:]
    names = dict.fromkeys(name for bill in (first, *others) for name in bill.statement_ids)
    return replace(
        first,
        amends=tuple(name for name in names if name != first.statement_id),
        balance=sum(bill.balance for bill in bills if bill.status in ACTIVE),
        paid=sum(bill.paid for bill in bills),
        last_payment_at=max((bill.last_payment_at for bill in bills if bill.last_payment_at), default=None),
        posted_transactions=frozenset[str]().union(*(bill.posted_transactions for bill in bills)),
    )


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
    book: AccountBook | None, before: Sequence[Bill], bill: Bill, arrival: Arrival, context: IntakeContext
) -> Change:
    """All that the statement changes at its account."""
    account = account_after(book.account if book else None, arrival, context)
    if book is None:
        return Change(account=account, bills=(bill,), history=first_opt_outs(account, context))
    change = Change(account=replace(book.account, planning_at=context.now), bills=(bill,))
    for amended in before:
        if amended.statement_id != bill.statement_id:
            change = change.then(_amending(book.after(change), amended, bill, context))
    source, wording = ConsentSource.PARTNER_STATEMENT, OPT_OUT_FIELD
    about_account = change_account(
        book.after(change), account, context.now, context.actor, source=source, wording=wording
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
