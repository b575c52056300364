"""What one share of money does to one bill, whichever way it comes or goes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.money import Cents, dollars
from shared.domain.vocabulary.words import BillStatus

CREDIT = "credit"
"""The method of a posting that moves money between the account's credit and its bills; none comes in or goes out."""

CHARGEBACK = "chargeback"
"""The method whose money that went back leaves its bill Suspended, not Due (docs/rules.md#money-that-goes-back)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingNote:
    """What a bill's history says of a posting: which, how, when and by whom."""

    payment_id: str
    method: str
    now: datetime
    actor: str


def oldest_first(bills: Iterable[Bill], organization: Organization) -> list[Bill]:
    """Bills in the order in which payments go to them: by the day they arrived, then by their own dates.

    A reset of aging doesn't make a bill younger here: whoever has half paid a bill pays the other half first.
    """

    def age(bill: Bill) -> tuple[date, date, date, str]:
        arrived = bill.created_at.astimezone(organization.zone).date()
        return arrived, bill.statement_date, bill.effective_created_date, bill.statement_id

    return sorted(bills, key=age)


def newest_first(bills: Iterable[Bill], organization: Organization) -> list[Bill]:
    """Bills in the order in which money is taken back from them."""
    return oldest_first(bills, organization)[::-1]


def standing_bill(book: AccountBook, statement_id: str) -> Bill | None:
    """The bill of a statement, or the one that has replaced it by now (Lifetime); None: it isn't here (any more)."""
    standing = [bill for bill in book.bills if statement_id in bill.statement_ids and not bill.moved_to]
    return max(standing, key=lambda bill: (bill.status is not BillStatus.CANCELLED, len(bill.amends)), default=None)


def credit_on(book: AccountBook, bill: Bill) -> Cents:
    """How much of the account's credit pays a bill at present."""
    shares = (share for payment in book.payments if payment.method == CREDIT for share in payment.allocations)
    return sum(share.amount for share in shares if share.statement_id in bill.statement_ids)


def settled(bill: Bill, share: Cents, note: PostingNote) -> Bill:
    """A bill after its share of the money (negative: given back), with what happened in its history."""
    if share == 0:
        return bill
    balance = bill.balance - share
    facts = {"paymentId": note.payment_id, "amount": dollars(abs(share)), "balance": dollars(balance)}
    # A credit is no transaction of the day: it doesn't make a practice's balance old.
    paid_at = bill.last_payment_at if note.method == CREDIT else note.now
    bill = replace(bill, balance=balance, paid=bill.paid + share, last_payment_at=paid_at)
    if share > 0:
        bill = _noted(bill, note, "PaymentPosted", note.method, facts)
        paid = _with_status(bill, BillStatus.PAID, "")
        return _noted(paid, note, "BillPaid", "", {}) if balance == 0 else bill
    bill = _noted(bill, note, "PaymentReversed", note.method, facts)
    if note.method.casefold() == CHARGEBACK:
        return _noted(_with_status(bill, BillStatus.SUSPENDED, CHARGEBACK), note, "BillSuspended", CHARGEBACK, {})
    # A bill that a person cancelled stays so; one that was merely at zero is owed again.
    at_zero = bill.status is BillStatus.CANCELLED and balance + share == 0
    if balance > 0 and (bill.status is BillStatus.PAID or at_zero):
        return _noted(_with_status(bill, BillStatus.DUE, ""), note, "BillReopened", note.method, {})
    return bill


def _with_status(bill: Bill, status: BillStatus, reason: str) -> Bill:
    return replace(bill, status=status, status_reason=reason)


def _noted(bill: Bill, note: PostingNote, event: str, reason: str, facts: dict[str, str]) -> Bill:
    entry = HistoryEvent(at=note.now, event=event, actor=note.actor, reason=reason, facts=facts)
    return replace(bill, history=(*bill.history, entry))
