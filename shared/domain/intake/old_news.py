"""Whether a statement is older than what is known (docs/rules.md#old-news): no file brings back what was paid."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from shared.domain.intake.arrival import IntakeContext
from shared.domain.paying.posting import CREDIT, credit_on
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.ingestion import Remark
from shared.domain.records.statement import Statement
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.money import Cents, cents
from shared.domain.vocabulary.words import BillStatus

OLDER_STATEMENT = Remark("/statementDate", "is older than the bill's latest statement")
PAYMENT_STANDS = Remark("/totalBalance", "doesn't know of a payment or credit that was posted; what was posted stands")

POSTED, REVERSED = "PaymentPosted", "PaymentReversed"


def is_older(statement: Statement, bills: Sequence[Bill]) -> bool:
    """Whether a statement is dated before the latest of its bill, which for Lifetime bills are those of its patients.

    One without a date is of the day that it is processed. What asks for nothing is never old: it stops all
    communication.
    """
    if statement.statement_date is None or statement.total_balance <= 0:
        return False
    return any(statement.statement_date < bill.statement_date for bill in bills)


def standing_balance(
    book: AccountBook | None, bill: Bill | None, statement: Statement, context: IntakeContext
) -> Cents | None:
    """The bill's balance, where the statement asks for exactly what was owed before something that we posted.

    It has to be dated on or before the day of each payment that it doesn't know of; a credit that was used is ours
    alone to know, whatever the date. None: its balance is the practice's word.
    """
    stated = statement.total_balance
    if book is None or bill is None or bill.status is BillStatus.CANCELLED or stated <= max(bill.balance, 0):
        return None
    used = credit_on(book, bill)
    if used > 0 and stated == bill.balance + used:
        return bill.balance
    dated = statement.statement_date or context.today
    return bill.balance if _was_owed(stated, dated, book, bill, context) else None


def _was_owed(stated: Cents, dated: date, book: AccountBook, bill: Bill, context: IntakeContext) -> bool:
    """Go back from posting to posting, as far as each led to the balance that followed."""
    balance = bill.balance
    for event in reversed(bill.history):
        if event.event not in {POSTED, REVERSED}:
            continue
        by_credit = event.reason == CREDIT
        if cents(Decimal(event.facts["balance"])) != balance:
            return False
        if not by_credit and dated > _day(event, book, context):
            return False
        amount = cents(Decimal(event.facts["amount"]))
        balance += amount if event.event == POSTED else -amount
        if event.event == POSTED and balance == stated:
            return True
    return False


def _day(event: HistoryEvent, book: AccountBook, context: IntakeContext) -> date:
    """The day of a payment: when it was received, or posted, whichever was later."""
    posted = event.at.astimezone(context.organization.zone).date()
    payment = book.payment(event.facts["paymentId"])
    return max(posted, payment.received_on) if payment else posted
