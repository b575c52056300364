"""Bodies of the tasks of the partner API."""

from typing import Annotated

from pydantic import Field

from shared.contracts.wire import Instant, NamedLine, WireModel
from shared.domain.records.task import Task, TaskKind, TaskStatus


class TaskAnswer(WireModel):
    """Something for staff to settle."""

    task_id: str
    kind: TaskKind
    status: TaskStatus
    created_at: Instant
    account_id: str | None
    statement_id: str | None
    payment_id: str | None
    facts: dict[str, str] = Field(
        description="What is known beside. `text`, what a person wrote, is there until the task is resolved."
    )
    resolution: str | None
    note: str | None
    resolved_at: Instant | None
    resolved_by: str | None

    @classmethod
    def of(cls, task: Task) -> "TaskAnswer":
        """A task as stored."""
        return cls(
            task_id=task.task_id,
            kind=task.kind,
            status=task.status,
            created_at=task.created_at,
            account_id=task.account_id or None,
            statement_id=task.statement_id or None,
            payment_id=task.payment_id or None,
            facts=dict(task.facts),
            resolution=task.resolution or None,
            note=task.note or None,
            resolved_at=task.resolved_at,
            resolved_by=task.resolved_by or None,
        )


class TasksPage(WireModel):
    """A page of tasks, the oldest first."""

    items: list[TaskAnswer]
    next_cursor: str | None


class ResolutionBody(WireModel):
    """How a task was settled."""

    resolution: Annotated[NamedLine, Field(max_length=100)] = Field(description="In a few words, such as: opted out.")
    statement_id: Annotated[NamedLine, Field(max_length=64)] | None = Field(
        default=None,
        description="The bill that it turned out to be about. The money of an UnmatchedPayment is posted to it.",
    )
    note: Annotated[NamedLine, Field(max_length=1000)] | None = None
