"""Every posting of an account, oldest first, with the balance after each: charges, what lowered them, and all money."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from enum import StrEnum

from shared.domain.paying.moved_money import PAYMENT_MOVED
from shared.domain.paying.posting import CREDIT, standing_bill
from shared.domain.paying.reversals import REFUND, REVERSAL
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.payment import Payment
from shared.domain.records.policy import Organization
from shared.domain.records.statement import Statement
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.words import BillStatus

AT_THE_PRACTICE, BY_STATEMENT, CANCELLED = "practice", "statement", "cancelled"
"""How a posting came that isn't a payment of ours: a charge's own column, the statement's balance, a closed bill."""


class PostingKind(StrEnum):
    """What a posting is."""

    CHARGE = "Charge"
    INSURANCE_PAID = "InsurancePaid"
    ADJUSTMENT = "Adjustment"
    PAYMENT = "Payment"
    CREDIT = "Credit"
    REFUND = "Refund"
    REVERSAL = "Reversal"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPosting:
    """One posting. amount: cents, positive for what raises the balance. balance: the account's after it.

    statement_id: the bill; empty: the account's credit. reference: a payment's or transaction's id.
    """

    at: datetime
    kind: PostingKind
    amount: Cents
    statement_id: str = ""
    method: str = ""
    reference: str = ""
    by: str = ""
    balance: Cents = 0


def account_ledger(
    book: AccountBook, statements: Mapping[str, Statement], organization: Organization
) -> list[LedgerPosting]:
    """All postings of an account, whose last balance is what its bills owe less its credit.

    `statements` are the documents of its bills by their ids, as far as they can be read. What a document doesn't
    itemize is an adjustment by statement, so that the column adds up.
    """
    standing = [bill for bill in book.bills if not replaced(bill)]
    postings = [posting for bill in standing for posting in _of_bill(book, bill, statements, organization)]
    for payment in book.payments:
        postings += _of_payment(book, payment)
    balance, ledger = 0, list[LedgerPosting]()
    for posting in sorted(postings, key=lambda posting: posting.at):
        balance += posting.amount
        ledger.append(replace(posting, balance=balance))
    return ledger


def payments_on(book: AccountBook, bill: Bill) -> list[tuple[Payment, Cents]]:
    """The payments of a bill with its share of each, oldest first; credits that were used are among them.

    A payment that went along with its bill and came back is one payment.
    """
    found = dict[str, tuple[Payment, Cents]]()
    for payment in sorted(book.payments, key=lambda payment: (payment.posted_at, payment.payment_id)):
        share = sum(share.amount for share in payment.allocations if share.statement_id in bill.statement_ids)
        moved = payment.reverses if payment.method in {PAYMENT_MOVED, CREDIT} else ""
        own = book.payment(moved) or payment
        _, before = found.get(own.payment_id, (own, 0))
        found[own.payment_id] = own, before + share
    return [(payment, share) for payment, share in found.values() if share]


def posting_kind(payment: Payment) -> PostingKind:
    """What a payment's posting is."""
    kinds = {CREDIT: PostingKind.CREDIT, REFUND: PostingKind.REFUND, REVERSAL: PostingKind.REVERSAL}
    known = kinds.get(payment.method)
    if known:
        return known
    return PostingKind.PAYMENT if payment.amount >= 0 else PostingKind.REVERSAL


def replaced(bill: Bill) -> bool:
    """Whether another bill or account goes on with it."""
    return bool(bill.moved_to) or bill.status_reason.startswith("replaced by statement ")


def _of_bill(
    book: AccountBook, bill: Bill, statements: Mapping[str, Statement], organization: Organization
) -> Iterator[LedgerPosting]:
    statement = statements.get(bill.statement_id)
    itemized = list(_itemized(bill, statement, organization)) if statement else []
    yield from itemized
    left = bill.balance - sum(posting.amount for posting in itemized)
    left += sum(share for _, share in payments_on(book, bill))
    if left:
        kind = PostingKind.ADJUSTMENT if itemized else PostingKind.CHARGE
        yield LedgerPosting(
            at=bill.created_at,
            kind=kind,
            amount=left,
            statement_id=bill.statement_id,
            method=BY_STATEMENT,
            by=Actor.PARTNER,
        )
    if bill.status is BillStatus.CANCELLED and bill.balance:
        closed = bill.history[-1] if bill.history else None
        yield LedgerPosting(
            at=closed.at if closed else bill.created_at,
            kind=PostingKind.ADJUSTMENT,
            amount=-bill.balance,
            statement_id=bill.statement_id,
            method=CANCELLED,
            by=closed.actor if closed else "",
        )


def _itemized(bill: Bill, statement: Statement, organization: Organization) -> Iterator[LedgerPosting]:
    for charge in (charge for patient in statement.patients for visit in patient.visits for charge in visit.charges):
        columns = (
            (PostingKind.CHARGE, charge.billed, ""),
            (PostingKind.INSURANCE_PAID, -abs(charge.insurance_paid), ""),
            (PostingKind.ADJUSTMENT, -abs(charge.adjustment), ""),
            (PostingKind.PAYMENT, -abs(charge.patient_paid), AT_THE_PRACTICE),
        )
        for kind, amount, method in columns:
            if amount:
                yield LedgerPosting(
                    at=_morning(charge.date, organization),
                    kind=kind,
                    amount=amount,
                    statement_id=bill.statement_id,
                    method=method,
                    reference=charge.code,
                    by=Actor.PARTNER,
                )


def _morning(day: date, organization: Organization) -> datetime:
    return datetime.combine(day, time(), organization.zone)


def _of_payment(book: AccountBook, payment: Payment) -> Iterator[LedgerPosting]:
    def posting(amount: Cents, statement_id: str = "") -> LedgerPosting:
        return LedgerPosting(
            at=payment.posted_at,
            kind=posting_kind(payment),
            amount=amount,
            statement_id=statement_id,
            method=payment.method,
            reference=payment.transaction_id or payment.payment_id,
            by=payment.by,
        )

    for share in payment.allocations:
        bill = standing_bill(book, share.statement_id)
        if bill is not None:
            yield posting(-share.amount, bill.statement_id)
    if payment.credit:
        yield posting(-payment.credit)
