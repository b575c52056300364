"""One active Lifetime bill for a patient account, whoever the guarantor (docs/rules.md#lifetime-bill)."""

from collections.abc import Iterable, Mapping

from shared.domain.intake.arrival import ACTIVE
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, PatientClaim
from shared.domain.records.statement import Statement
from shared.domain.vocabulary.words import BillType


def active_bills(book: AccountBook, statement: Statement) -> list[Bill]:
    """The active Lifetime bills that an account has for a statement's patients."""
    patients = {patient.account_id for patient in statement.patients}
    return [bill for bill in book.bills if _is_active(bill) and patients.intersection(bill.patient_account_ids)]


def claims_of(bills: Iterable[Bill], account_id: str, holders: Mapping[str, str]) -> tuple[PatientClaim, ...]:
    """What an account has to claim that holds these bills from now on. holders: by patient account, as it was read."""
    patients = {name for bill in bills if _is_active(bill) for name in bill.patient_account_ids}
    return tuple(
        PatientClaim(patient_account_id=patient, read_account_id=holders.get(patient, ""))
        for patient in sorted(patients)
        if holders.get(patient) != account_id
    )


def _is_active(bill: Bill) -> bool:
    return bill.bill_type is BillType.LIFETIME and bill.status in ACTIVE and not bill.moved_to
