"""Payments that the partner reports."""

import hashlib
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from shared.domain.intake.arrival import IntakeContext, Received, refusal_of_intake
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.paying.posting import standing_bill
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
    bill = standing_bill(book, update.statement_id) if book else None
    if book is None or bill is None:
        unknown = Remark("/statementId", "There is no bill for this statement.")
        return Received(result=IngestionResult.FAILED, errors=(unknown,))
    whole: Change | None = None
    after, done = book, set[int]()
    for place, received in enumerate(_payments(update, bill.statement_id)):
        posted = post_payment(after, context.organization, received, context.now, context.actor)
        if posted is not None:
            done.add(place)
            after, whole = after.after(posted), whole.then(posted) if whole else posted
    return Received(
        result=IngestionResult.UPDATED if whole else IngestionResult.IGNORED,
        change=whole,
        warnings=_warnings(update, done),
    )


def _payments(update: PaymentUpdate, statement_id: str) -> Iterable[PaymentReceived]:
    """The transactions as payments. One without an id is known by its file's bytes and its place there."""
    for place, transaction in enumerate(update.transactions):
        name = transaction.transaction_id or f"{update.origin}\n{place}"
        digest = hashlib.sha256(f"{update.statement_id}\n{name}".encode()).hexdigest()
        yield PaymentReceived(
            payment_id=f"ptn_{digest[:24]}",
            amount=transaction.amount,
            method=PARTNER_PAYMENT,
            received_on=transaction.transaction_date,
            transaction_id=transaction.transaction_id,
            statement_id=statement_id,
        )


def _warnings(update: PaymentUpdate, posted: AbstractSet[int]) -> tuple[Remark, ...]:
    """What is to say of each transaction without an id: it can't be told from a repeat."""
    return tuple(
        Remark(
            f"/partnerTransactions/{place}/transactionId",
            "is missing; it was posted, but can't be told from a repeat"
            if place in posted
            else "is missing; this file was taken before, so it wasn't posted again",
        )
        for place, transaction in enumerate(update.transactions)
        if not transaction.transaction_id and transaction.amount
    )
