"""How many open bills one account may have before its new ones are refused (docs/rules.md#open-bill-limit)."""

from shared.domain.intake.arrival import Arrival, IntakeContext, Received
from shared.domain.intake.identity import GUARANTOR_ID
from shared.domain.records.book import AccountBook
from shared.domain.records.ingestion import Remark
from shared.domain.vocabulary.words import IngestionResult

MOST_OPEN_BILLS = 500
"""No person has so many: an account that does is many people under an id that means nobody, and no list knows it."""

TOO_MANY_BILLS = Remark(
    GUARANTOR_ID, f"has {MOST_OPEN_BILLS} open bills already, so it may stand for nobody; no further ones are taken"
)


def has_too_many(book: AccountBook) -> bool:
    """Whether an account takes no further bills."""
    return sum(bill.payable for bill in book.bills) >= MOST_OPEN_BILLS


def refused_for_too_many(book: AccountBook, arrival: Arrival, context: IntakeContext) -> Received:
    """The statement fails, for it would add to them."""
    return Received(result=IngestionResult.FAILED, warnings=arrival.warnings, errors=(TOO_MANY_BILLS,))
