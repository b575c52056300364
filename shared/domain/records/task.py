"""A task: something only a person can settle, with what is known about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

from shared.domain.records.stored import StoredRecord


class TaskKind(StrEnum):
    """What there is to settle."""

    UNMATCHED_PAYMENT = "UnmatchedPayment"
    CREDIT_LEFT = "CreditLeft"
    PATIENT_OBJECTION = "PatientObjection"
    REPLY_TO_READ = "ReplyToRead"
    DELIVERY_UNKNOWN = "DeliveryUnknown"
    TOO_MANY_BILLS = "TooManyBills"


class TaskStatus(StrEnum):
    """Whether it is settled."""

    OPEN = "Open"
    RESOLVED = "Resolved"


PERSONAL = frozenset({"text"})
"""The facts that hold a person's own words: kept only until somebody has read them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(StoredRecord):
    """Something for staff to settle, at an organization.

    task_id: begins with the time, so that ids sort by it (`task_id_at`). account_id, statement_id, payment_id: what it
    is about; empty: not about one. facts: what is known beside. resolution: how it was settled, in a person's words;
    resolved_by: who did, as histories name them.
    """

    task_id: str
    org_id: str
    kind: TaskKind
    created_at: datetime
    account_id: str = ""
    statement_id: str = ""
    payment_id: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    status: TaskStatus = TaskStatus.OPEN
    resolution: str = ""
    note: str = ""
    resolved_at: datetime | None = None
    resolved_by: str = ""


def task_id_at(moment: datetime, *causes: str) -> str:
    """The id of the task that a moment and its causes make: always the same, so that none is made twice."""
    digest = sha256("\n".join(causes).encode()).hexdigest()
    return f"tsk_{moment.astimezone(UTC):%Y%m%dT%H%M%S%f}-{digest[:12]}"


def resolved(task: Task, resolution: str, now: datetime, actor: str, *, statement_id: str = "", note: str = "") -> Task:
    """The task as settled: what a person wrote is let go of, and it may be about a bill that was found for it."""
    return replace(
        task,
        status=TaskStatus.RESOLVED,
        statement_id=statement_id or task.statement_id,
        facts={name: value for name, value in task.facts.items() if name not in PERSONAL},
        resolution=resolution,
        note=note,
        resolved_at=now,
        resolved_by=actor,
    )
