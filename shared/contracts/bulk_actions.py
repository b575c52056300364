"""Bodies of actions on many notifications in the partner API."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.contracts.wire import Day, NamedLine, WireModel, Word
from shared.domain.vocabulary.words import Channel, NoticeStatus, NotificationType

MOST_AT_ONCE = 200
"""Notifications that one request acts on."""


GivenId = Annotated[str, Field(min_length=1, max_length=100)]
"""An id as a caller gives it."""


class BulkResult(StrEnum):
    """What became of one notification."""

    DONE = "Done"
    REFUSED = "Refused"
    NOT_FOUND = "NotFound"


class QueueFilterBody(WireModel):
    """Which notifications: those that fit every member that is given."""

    status: Word[NoticeStatus] | None = None
    channel: Word[Channel] | None = None
    notification_type: Word[NotificationType] | None = None
    configuration_id: NamedLine | None = None
    ingestion_id: NamedLine | None = None
    account_id: NamedLine | None = None
    statement_id: NamedLine | None = None
    attention: Literal[True] | None = None
    from_: Day | None = Field(default=None, alias="from", description="Scheduled on this day or later.")
    to: Day | None = Field(default=None, description="Scheduled on this day or earlier.")

    @model_validator(mode="after")
    def _says_something(self) -> "QueueFilterBody":
        if not self.query():
            raise ValueError("must have at least one member: an empty filter would be the whole queue")
        return self

    def query(self) -> dict[str, str]:
        """The filter as a list's query has it."""
        given = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {name: "true" if value is True else str(value) for name, value in given.items()}


class BulkActionBody(WireModel):
    """An action on many notifications, named by their ids or by a filter; the filter's that don't allow it are left."""

    action: Literal["cancel", "retry", "archive"]
    notification_ids: Annotated[list[GivenId], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = None
    filter: QueueFilterBody | None = None
    reason: Annotated[NamedLine, Field(max_length=200, description="Why; kept in each account's history.")]
    opt_out: bool = Field(default=False, description="Opt each guarantor out of the notification's channel as well.")
    dry_run: bool = Field(default=False, description="Only say what would be done.")

    @model_validator(mode="after")
    def _names_them_one_way(self) -> "BulkActionBody":
        if (self.notification_ids is None) == (self.filter is None):
            raise ValueError("must have either notificationIds or filter")
        return self


class BulkRow(WireModel):
    """What became of one notification, or would."""

    notification_id: str
    result: BulkResult
    detail: str | None = Field(description="Why nothing was done.")


class BulkCounts(WireModel):
    """How many."""

    total: int
    done: int
    refused: int
    not_found: int


class BulkActionAnswer(WireModel):
    """What was done; of a dry run, what would be."""

    dry_run: bool
    counts: BulkCounts
    more: bool = Field(description=f"The filter has more than the {MOST_AT_ONCE} of one request: send it again.")
    items: list[BulkRow]

    @classmethod
    def of(cls, rows: Sequence[BulkRow], *, dry_run: bool, more: bool) -> "BulkActionAnswer":
        """Rows with their counts."""
        by_result = Counter(row.result for row in rows)
        counts = BulkCounts(
            total=len(rows),
            done=by_result[BulkResult.DONE],
            refused=by_result[BulkResult.REFUSED],
            not_found=by_result[BulkResult.NOT_FOUND],
        )
        return cls(dry_run=dry_run, counts=counts, more=more, items=list(rows))
