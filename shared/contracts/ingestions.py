"""What partners get to know about the files that they send (docs/rules.md#ingestion-result)."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from shared.contracts.wire import Instant, Line, WireModel
from shared.domain.records.ingestion import Counts, Ingestion, IngestionSource, IngestionStatus, Remark, StatementRow
from shared.domain.vocabulary.words import IngestionResult


class RemarkAnswer(WireModel):
    """Something wrong with a statement: where, by a JSON pointer relative to it, and what."""

    pointer: str
    detail: str

    @classmethod
    def of(cls, remark: Remark) -> "RemarkAnswer":
        """Show a remark."""
        return cls(pointer=remark.pointer, detail=remark.detail)


class StatementRowAnswer(WireModel):
    """What became of one statement. `statementId` is null where it couldn't be read."""

    statement_id: str | None
    result: IngestionResult
    warnings: list[RemarkAnswer]
    errors: list[RemarkAnswer]

    @classmethod
    def of(cls, row: StatementRow) -> "StatementRowAnswer":
        """Show a row."""
        return cls(
            statement_id=row.statement_id,
            result=row.result,
            warnings=[RemarkAnswer.of(remark) for remark in row.warnings],
            errors=[RemarkAnswer.of(remark) for remark in row.errors],
        )


class CountsAnswer(WireModel):
    """How many statements came to which result; the four add up to the total."""

    total: int
    created: int
    updated: int
    ignored: int
    failed: int

    @classmethod
    def of(cls, counts: Counts) -> "CountsAnswer":
        """Show counts."""
        return cls(
            total=counts.total,
            created=counts.created,
            updated=counts.updated,
            ignored=counts.ignored,
            failed=counts.failed,
        )


class StatementsAnswer(WireModel):
    """The answer to a file that came in one request, with a row for each statement in the order of the file."""

    ingestion_id: str
    status: IngestionStatus
    counts: CountsAnswer
    statements: list[StatementRowAnswer]

    @classmethod
    def of(cls, ingestion: Ingestion, rows: Sequence[StatementRow]) -> "StatementsAnswer":
        """Show an ingestion with its rows."""
        return cls(
            ingestion_id=ingestion.ingestion_id,
            status=ingestion.status,
            counts=CountsAnswer.of(ingestion.counts),
            statements=[StatementRowAnswer.of(row) for row in rows],
        )


class IngestionAnswer(WireModel):
    """An ingestion as it stands, also while it runs. `problem` says why a file as a whole couldn't be taken.

    bytesTaken, bytesTotal: how much of an uploaded or dropped file was taken in, once it is being read.
    """

    ingestion_id: str
    status: IngestionStatus
    source: IngestionSource
    file_name: str | None
    counts: CountsAnswer
    bytes_taken: int | None
    bytes_total: int | None
    created_at: Instant
    finished_at: Instant | None
    problem: str | None

    @classmethod
    def of(cls, ingestion: Ingestion) -> "IngestionAnswer":
        """Show an ingestion."""
        return cls(
            ingestion_id=ingestion.ingestion_id,
            status=ingestion.status,
            source=ingestion.source,
            file_name=ingestion.file_name or None,
            counts=CountsAnswer.of(ingestion.counts),
            bytes_taken=ingestion.reading.taken_bytes if ingestion.reading.size else None,
            bytes_total=ingestion.reading.size or None,
            created_at=ingestion.created_at,
            finished_at=ingestion.finished_at,
            problem=ingestion.problem or None,
        )


class IngestionsPage(WireModel):
    """A page of ingestions, newest first."""

    items: list[IngestionAnswer]
    next_cursor: str | None


class StatementRowsPage(WireModel):
    """A page of rows, in the order of the file."""

    items: list[StatementRowAnswer]
    next_cursor: str | None


class NewUpload(WireModel):
    """Asks for an address to upload a file to."""

    file_name: Annotated[Line, Field(max_length=255)] | None = None


class UploadAnswer(WireModel):
    """Where to PUT the file, and until when."""

    ingestion_id: str
    upload_url: str
    expires_at: Instant
