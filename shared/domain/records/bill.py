"""A bill: what is owed for a statement."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.domain.records.stored import StoredRecord
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.words import BillStatus, BillType

BILL_CANCELLED = "BillCancelled"
"""The event that a bill's history has of its cancellation, with who cancelled it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill(StoredRecord):
    """What is owed for one statement, and how far its dunning has come.

    effective_created_date: the date that the bill's age counts from (docs/rules.md#bill-age).
    aging_period: names the stretch of aging that the bill is in; a reset starts a new one, and notices count only
        for the period that they were sent in. A Lifetime statement that amends a bill goes on with its period.
    level_floor: the level that a reset counts as sent (docs/rules.md#dunning-reset); 0: none.
    renotify_at: when an update asked that the current step be sent again; notices before it don't cover the step.
    patient_names, patient_contacts: last names of its patients; their email addresses and phone numbers.
    amends: the statements that this one replaced (Lifetime); what was sent about them in this period counts for it.
    moved_to: the account that the statement went on to; the bill that stays behind isn't found by its statement.
    ingestion_id: the file that it was last created or updated by.
    fingerprint: SHA-256 of the document as received, to know it again (docs/rules.md#identical-statement).
    document: the statement as the partner sent it, JSON in UTF-8.
    """

    statement_id: str
    bill_type: BillType = BillType.EPISODIC
    status: BillStatus = BillStatus.DUE
    status_reason: str = ""
    total_billed: Cents
    balance: Cents
    statement_date: date
    created_at: datetime
    effective_created_date: date
    aging_period: str
    level_floor: int = 0
    renotify_at: datetime | None = None
    paid: Cents = 0
    last_payment_at: datetime | None = None
    posted_transactions: frozenset[str] = frozenset()
    patient_account_ids: tuple[str, ...] = ()
    birth_dates: tuple[date, ...] = ()
    patient_names: tuple[str, ...] = ()
    patient_contacts: tuple[str, ...] = ()
    amends: tuple[str, ...] = ()
    moved_to: str = ""
    ingestion_id: str = ""
    fingerprint: str = ""
    document: bytes = b""
    history: tuple[HistoryEvent, ...] = ()

    @property
    def statement_ids(self) -> tuple[str, ...]:
        """The statement, and those that it replaced."""
        return (self.statement_id, *self.amends)

    @property
    def cancelled_by_staff(self) -> bool:
        """Whether staff cancelled it: then no statement with a balance opens it (docs/rules.md#staff-cancelled)."""
        cancellations = [entry for entry in self.history if entry.event == BILL_CANCELLED]
        return self.status is BillStatus.CANCELLED and bool(cancellations) and cancellations[-1].actor != Actor.PARTNER

    @property
    def open(self) -> bool:
        """Whether the bill is owed and may be dunned: Due, with something to pay."""
        return self.status is BillStatus.DUE and self.balance > 0

    @property
    def payable(self) -> bool:
        """Whether a patient can pay it: suspended bills can still be paid (docs/rules.md#suspended-bill)."""
        return self.status in {BillStatus.DUE, BillStatus.SUSPENDED} and self.balance > 0

    def age_on(self, day: date) -> int:
        """The bill's age in whole days on a day of the organization's calendar."""
        return (day - self.effective_created_date).days

    def due_date(self, days_until_due: int) -> date:
        """The date from which the bill, unpaid, is past due on the following day."""
        return self.effective_created_date + timedelta(days=days_until_due)

    def past_due(self, today: date, days_until_due: int) -> bool:
        """Whether the bill is owed and its due date has gone by."""
        return self.open and today > self.due_date(days_until_due)
