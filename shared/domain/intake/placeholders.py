"""What a statement gives for a fact and is none: known to nobody (docs/rules.md#placeholders-are-not-facts).

A date that no calendar of ours has, and a phone number that is no person's, are left out while the statement is read.
Which birth dates can't be true depends on the day, so that is judged here.
"""

from dataclasses import replace
from datetime import date

from shared.domain.intake.arrival import Arrival
from shared.domain.records.ingestion import Remark

OLDEST_AGE = 120
"""In years: nobody of whom we hear is older."""


def with_true_birth_dates(arrival: Arrival, today: date) -> Arrival:
    """The arrival without birth dates in the future or over 120 years ago, each told; today: the organization's."""
    statement = arrival.statement
    warnings = list[Remark]()

    def known(day: date | None, pointer: str) -> date | None:
        if day is None or not _is_placeholder(day, today):
            return day
        warnings.append(Remark(f"{pointer}/dateOfBirth", "can't be a birth date; taken as unknown"))
        return None

    guarantor = replace(statement.guarantor, date_of_birth=known(statement.guarantor.date_of_birth, "/guarantor"))
    patients = tuple(
        replace(patient, date_of_birth=known(patient.date_of_birth, f"/patients/{n}"))
        for n, patient in enumerate(statement.patients)
    )
    if not warnings:
        return arrival
    return replace(
        arrival,
        statement=replace(statement, guarantor=guarantor, patients=patients),
        warnings=(*arrival.warnings, *warnings),
    )


def _is_placeholder(day: date, today: date) -> bool:
    return day > today or (day.year + OLDEST_AGE, day.month, day.day) < (today.year, today.month, today.day)
