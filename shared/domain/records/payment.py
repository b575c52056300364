"""Money that came in, however it came."""

from dataclasses import dataclass
from datetime import date, datetime

from shared.domain.records.stored import StoredRecord
from shared.domain.vocabulary.money import Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """How much of a payment went to which bill (cents)."""

    statement_id: str
    amount: Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment(StoredRecord):
    """A posted payment. `payment_id` is derived from its origin, so that the same money can't be posted twice.

    amount: cents, negative for money that went back; 0 where only credit was used. It is always the sum of the
    allocations and the credit. credit: what no bill took; negative: what came out of the account's credit.
    reverses: the payment that this one takes back, whole or in part. reason, by: why, and who posted it.
    """

    payment_id: str
    amount: Cents
    method: str
    received_on: date
    posted_at: datetime
    transaction_id: str = ""
    allocations: tuple[Allocation, ...] = ()
    credit: Cents = 0
    link_id: str = ""
    reverses: str = ""
    reason: str = ""
    by: str = ""

    @property
    def reference(self) -> str:
        """By what the payer and the practice call it: the transaction's number, else its id."""
        return self.transaction_id or self.payment_id

    @property
    def statement_ids(self) -> tuple[str, ...]:
        """The statements that it went to."""
        return tuple(allocation.statement_id for allocation in self.allocations)
