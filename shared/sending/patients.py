"""The patient of a bill, to whom a notice on demand may go. Patients live in the documents of bills."""

from shared.domain.records.bill import Bill
from shared.domain.records.statement import Patient


def patient_of(bill: Bill) -> Patient:
    """The first patient of a bill's statement. Raises UnreadableStatementError for a document that can't be read."""
    from shared.contracts.statements import read_document  # noqa: PLC0415 - slow, and few notices go to a patient

    return read_document(bill.document).patients[0]
