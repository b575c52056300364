"""Bodies of the print batches of the partner API."""

from enum import StrEnum

from pydantic import Field

from shared.contracts.wire import Day, Instant, WireModel
from shared.domain.delivery.print_batch import OpenBatch, PrintBatch


class PrintBatchStatus(StrEnum):
    """Whether letters may still come into a batch."""

    OPEN = "Open"
    CLOSED = "Closed"


class PrintBatchAnswer(WireModel):
    """The letters of a day, for the print shop."""

    print_batch_id: str
    date: Day = Field(description="The day on the organization's calendar.")
    status: PrintBatchStatus
    count: int = Field(description="Letters in the manifest; while it is open, those that may come into it.")
    pages: int | None = Field(description="Pages of all its letters together, once it is closed.")
    closed_at: Instant | None
    manifest: str | None = Field(description="Where in the print bucket its manifest lies.")

    @classmethod
    def of(cls, batch: PrintBatch) -> "PrintBatchAnswer":
        """A closed batch."""
        return cls(
            print_batch_id=batch.print_batch_id,
            date=batch.day,
            status=PrintBatchStatus.CLOSED,
            count=batch.count,
            pages=batch.pages,
            closed_at=batch.closed_at,
            manifest=batch.manifest,
        )

    @classmethod
    def of_open(cls, print_batch_id: str, batch: OpenBatch) -> "PrintBatchAnswer":
        """A batch that isn't closed yet."""
        return cls(
            print_batch_id=print_batch_id,
            date=batch.day,
            status=PrintBatchStatus.OPEN,
            count=batch.count,
            pages=None,
            closed_at=None,
            manifest=None,
        )


class PrintBatchesPage(WireModel):
    """A page of an organization's print batches, newest first."""

    items: list[PrintBatchAnswer]
    next_cursor: str | None
