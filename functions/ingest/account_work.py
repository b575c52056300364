"""What of a file one account has to take, and what that comes to."""

from dataclasses import dataclass, field

from shared.domain.account.number_stops import NumberStop
from shared.domain.intake.arrival import Arrival, IntakeContext
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.ingestion import Remark, StatementRow
from shared.domain.records.statement import PaymentUpdate
from shared.domain.vocabulary.words import BillType, IngestionResult


@dataclass(frozen=True, slots=True)
class FileStatement:
    """One readable statement on its way to its account. warnings: what was mended of a payment update."""

    place: int
    content: Arrival | PaymentUpdate
    warnings: tuple[Remark, ...] = ()

    @property
    def statement_id(self) -> str:
        """The statement that it is about."""
        return self.content.statement.statement_id if isinstance(self.content, Arrival) else self.content.statement_id

    @property
    def mobile_phone(self) -> str:
        """The guarantor's mobile number, in E.164; "": none is given."""
        return "" if isinstance(self.content, PaymentUpdate) else self.content.statement.guarantor.mobile_phone

    @property
    def patients(self) -> tuple[str, ...]:
        """The patient accounts of a statement."""
        if isinstance(self.content, PaymentUpdate):
            return ()
        return tuple(patient.account_id for patient in self.content.statement.patients)

    @property
    def client_id(self) -> str:
        """The organization that it is for, as the partner names it."""
        return self.content.statement.client_id if isinstance(self.content, Arrival) else self.content.client_id

    @property
    def size(self) -> int:
        """How long its document is, in bytes."""
        return len(self.content.document) if isinstance(self.content, Arrival) else 0


@dataclass(slots=True)
class AccountWork:
    """What one account has to take, in the order of the file.

    elsewhere: statements that another account has. holders: with Lifetime bills, which account has the active bill of
    each patient account. stops: what the numbers in the file last said about texts. read: the accounts decided on, as
    they were read last. waits: an account before it in the file has to be done first, as it is about the same
    patient. raced: somebody else was quicker, perhaps with the same new statement for another account.
    """

    delivery: IntakeContext
    account_id: str
    is_known: bool
    items: list[FileStatement] = field(default_factory=list)
    elsewhere: dict[str, str] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    stops: dict[str, NumberStop] = field(default_factory=dict)
    read: dict[str, AccountBook] = field(default_factory=dict)
    waits: bool = False
    raced: bool = False

    @property
    def org_id(self) -> str:
        """The organization that the account is at."""
        return self.delivery.organization.org_id

    @property
    def is_lifetime(self) -> bool:
        """Whether the statements are about Lifetime bills."""
        return self.delivery.bill_type is BillType.LIFETIME


@dataclass(slots=True)
class IntakeDecision:
    """What the first items of an account's work come to: changes to write together, and the rows that they make."""

    changes: list[Change]
    rows: dict[int, StatementRow]
    rest: list[FileStatement]


def failed(statement_id: str | None, *errors: Remark) -> StatementRow:
    """The row of a statement that couldn't be taken."""
    return StatementRow(statement_id=statement_id, result=IngestionResult.FAILED, errors=errors)
