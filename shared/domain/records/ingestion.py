"""An ingestion: one file of statements, and what became of each of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.records.file_reading import FileReading
from shared.domain.records.partner_event import EventType, OutboxEntry, outbox_entry, partner_event
from shared.domain.records.stored import StoredRecord
from shared.domain.vocabulary.words import IngestionResult


class IngestionStatus(StrEnum):
    """Where a file stands."""

    # docs/rules.md#ingestion-result
    PROCESSING = "Processing"
    SUCCESS = "Success"
    FAILED = "Failed"


class IngestionSource(StrEnum):
    """How a file came."""

    REQUEST = "Request"
    UPLOAD = "Upload"
    DROP = "Drop"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something wrong with a statement: where, as a JSON pointer relative to it, and what; never the value itself."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """The result of one statement of a file. `statement_id` is None where it couldn't be read."""

    statement_id: str | None
    result: IngestionResult
    warnings: tuple[Remark, ...] = ()
    errors: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many statements of a file came to which result; the four add up to the total."""

    created: int = 0
    updated: int = 0
    ignored: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All statements."""
        return self.created + self.updated + self.ignored + self.failed

    def plus(self, rows: Iterable[StatementRow]) -> "Counts":
        """These and those of further rows."""
        results = [row.result for row in rows]
        return Counts(
            created=self.created + results.count(IngestionResult.CREATED),
            updated=self.updated + results.count(IngestionResult.UPDATED),
            ignored=self.ignored + results.count(IngestionResult.IGNORED),
            failed=self.failed + results.count(IngestionResult.FAILED),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingestion(StoredRecord):
    """A file of statements.

    ingestion_id: begins with the time, so that ids sort by it. problem: why a file as a whole couldn't be taken.
    upload_until: when the address to upload the file to stops working.
    as_of: the time to judge the file by, in a stack that lets one be named; None: the clock's.
    content: names the content that is being worked on, so that another under the same name isn't taken for it.
    reading: how far the reading of a file in the drop bucket has come.
    due_at: when the clockwork takes the file up again, unless it is done by then; None: it has nothing to take up.
    revision: counts the writes, so that of two that work on one file the one that lost it stops.
    """

    ingestion_id: str
    partner_id: str
    source: IngestionSource
    file_name: str = ""
    status: IngestionStatus = IngestionStatus.PROCESSING
    counts: Counts = field(default_factory=Counts)
    created_at: datetime
    finished_at: datetime | None = None
    upload_until: datetime | None = None
    as_of: datetime | None = None
    content: str = ""
    problem: str = ""
    reading: FileReading = field(default_factory=FileReading)
    due_at: datetime | None = None
    revision: int = 0

    def seen_at(self, now: datetime) -> "Ingestion":
        """As it stands at an instant: an upload that never came has failed."""
        waits = self.status is IngestionStatus.PROCESSING and not self.content and self.upload_until is not None
        if not waits or self.upload_until is None or now <= self.upload_until:
            return self
        return replace(self, status=IngestionStatus.FAILED, problem="No file was uploaded in time.")


def finished(ingestion: Ingestion) -> OutboxEntry | None:
    """The event of a file that is done, or has failed; None: it isn't done."""
    if ingestion.finished_at is None:
        return None
    kind, file = EventType.INGESTION_FINISHED, ingestion.ingestion_id
    event = partner_event(kind, ingestion.finished_at, ingestionId=file)
    return outbox_entry([event], partner_id=ingestion.partner_id)
