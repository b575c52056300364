"""Payments that the partner reports."""

import hashlib
from collections.abc import Iterable
from datetime import date

from shared.domain.intake.arrival import IntakeContext, Received, refusal_of_intake
from shared.domain.paying.moved_bills import standing_for
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.ingestion import Remark
from shared.domain.records.statement import PaymentUpdate
from shared.domain.vocabulary.words import IngestionResult

PARTNER_PAYMENT = "partner"
"""The method of a payment that reached the practice and was reported by a payment update."""


def receive_payment_update(book: AccountBook | None, update: PaymentUpdate, context: IntakeContext) -> Received:
    """Post the transactions of a payment update; those that are posted already change nothing."""
    refusal = refusal_of_intake(context.organization)
    if refusal:
        return Received(result=IngestionResult.FAILED, errors=(refusal,))
    bill = standing_for(update.statement_id, book) if book else None
    if book is None or bill is None:
        unknown = Remark("/statementId", "There is no bill for this statement.")
        return Received(result=IngestionResult.FAILED, errors=(unknown,))
    whole: Change | None = None
    after = book
    for received in _payments(update, bill.statement_id):
        posted = post_payment(after, context.organization, received, context.now, context.actor)
        if posted is not None:
            after, whole = after.after(posted), whole.then(posted) if whole else posted
    return Received(result=IngestionResult.UPDATED if whole else IngestionResult.IGNORED, change=whole)


def _payments(update: PaymentUpdate, statement_id: str) -> Iterable[PaymentReceived]:
    """The transactions as payments. One without an id is known by its day and amount, and its place among equals."""
    equals = dict[tuple[date, int], int]()
    for transaction in update.transactions:
        if transaction.transaction_id:
            name = transaction.transaction_id
        else:
            same = (transaction.transaction_date, transaction.amount)
            equals[same] = equals.get(same, 0) + 1
            name = f"{transaction.transaction_date.isoformat()}\n{transaction.amount}\n{equals[same]}"
        digest = hashlib.sha256(f"{update.statement_id}\n{name}".encode()).hexdigest()
        yield PaymentReceived(
            payment_id=f"ptn_{digest[:24]}",
            amount=transaction.amount,
            method=PARTNER_PAYMENT,
            received_on=transaction.transaction_date,
            transaction_id=transaction.transaction_id,
            statement_id=statement_id,
        )
