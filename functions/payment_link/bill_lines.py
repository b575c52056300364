"""What the pages say of a bill, once the question is answered: whose it is, and which visits it is for."""

from dataclasses import dataclass
from datetime import date

from shared.domain.records.bill import Bill

MOST_VISITS = 3
"""How many visits of a bill are named; it is a page to pay on, the statement has them all."""


@dataclass(frozen=True, slots=True)
class BillSubject:
    """Whose bill it is, and the first days of the visits that it is for."""

    names: str = ""
    days: tuple[date, ...] = ()
    more: bool = False


def bill_subject(bill: Bill) -> BillSubject:
    """Read from the bill's document; nothing of one that can't be read."""
    # Reading statements is slow to load, and the pages before the answer don't need it.
    from shared.contracts.statements import UnreadableStatementError, read_document  # noqa: PLC0415 - see above

    try:
        patients = read_document(bill.document).patients
    except (UnreadableStatementError, ValueError):
        return BillSubject()
    names = (f"{patient.first_name} {patient.last_name}".strip() for patient in patients)
    days = sorted({visit.date for patient in patients for visit in patient.visits})
    return BillSubject(", ".join(dict.fromkeys(names)), tuple(days[:MOST_VISITS]), len(days) > MOST_VISITS)
