"""Print batches: an organization's letters of a day, in a manifest that closes the day for the print shop.

A letter waits from its claim on. When a day is over, a batch is closed: its manifest lists the letters that were stored
by then, and they wait no more. What isn't stored yet waits for the next batch. So each letter that was sent is in
exactly one manifest, that of its day or, if it was late, a later one. See docs/decisions/0010-print-batches.md.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from shared.domain.calendar.send_window import DAY, local_date, start_of_day
from shared.domain.records.notice import Notice
from shared.domain.records.partner_event import EventType, OutboxEntry, outbox_entry, partner_event
from shared.domain.records.stored import StoredRecord
from shared.domain.vocabulary.words import NoticeStatus

CLOSES_AFTER = timedelta(hours=1)
"""How long after its day a batch is closed: past any lease of a claim of that day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLetter:
    """A letter that no manifest has yet. day: of the organization's calendar, on which it was claimed."""

    account_id: str
    notice_id: str
    day: date
    claimed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintBatch(StoredRecord):
    """A closed batch: how many letters, with how many pages, and where in the print bucket its manifest lies."""

    org_id: str
    day: date
    closed_at: datetime
    count: int
    pages: int
    manifest: str

    @property
    def print_batch_id(self) -> str:
        """Its id."""
        return print_batch_id(self.org_id, self.day)


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch that isn't closed yet, with the number of letters that may come into it."""

    day: date
    count: int


class LetterState(StrEnum):
    """What a batch that is being closed does with a letter that waits."""

    LISTED = "listed"
    WAITS = "waits"
    DROPPED = "dropped"


def letter_key(org_id: str, notice_id: str) -> str:
    """Where a letter lies in the print bucket, its PDF and its job, without their endings."""
    return f"letters/{org_id}/{notice_id}"


def print_batch_id(org_id: str, day: date) -> str:
    """The id of an organization's batch of a day."""
    return f"{org_id}_{day.isoformat()}"


def closes_at(day: date, zone: ZoneInfo) -> datetime:
    """When the batch of a local day is closed, in UTC."""
    return start_of_day(day + DAY, zone) + CLOSES_AFTER


def last_closable_day(now: datetime, zone: ZoneInfo) -> date:
    """The last local day whose batch may be closed by now."""
    return local_date(now.astimezone(UTC) - CLOSES_AFTER, zone) - DAY


def batch_of(day: date, closed_through: date | None, closable: date) -> date:
    """The batch that a letter claimed on a day belongs to, while those up to `closed_through` are closed.

    A late one belongs to the next to be closed: where that is overdue for days, to the last that may be (`closable`).
    """
    if closed_through is None or day > closed_through:
        return day
    return max(closed_through + DAY, closable)


def next_batch(letters: Iterable[WaitingLetter], closed_through: date | None, closable: date) -> date | None:
    """The batch to be closed next, the oldest; None: no letter waits."""
    return min((batch_of(letter.day, closed_through, closable) for letter in letters), default=None)


def open_batches(letters: Iterable[WaitingLetter], closed_through: date | None, closable: date) -> list[OpenBatch]:
    """The batches that letters wait for, newest first."""
    counts = Counter(batch_of(letter.day, closed_through, closable) for letter in letters)
    return [OpenBatch(day, counts[day]) for day in sorted(counts, reverse=True)]


def letter_state(row: Notice | None) -> LetterState:
    """What becomes of a letter that waits, by its row.

    While it is being sent that isn't known. One that waits to be sent, or won't be, is dropped: a claim puts it among
    those that wait again.
    """
    if row is not None and row.status is NoticeStatus.SENDING:
        return LetterState.WAITS
    if row is not None and row.letter is not None:
        return LetterState.LISTED
    return LetterState.DROPPED


def batch_closed(batch: PrintBatch) -> OutboxEntry | None:
    """The event of a batch that has just been closed."""
    kind, of = EventType.PRINT_BATCH_CLOSED, batch.org_id
    event = partner_event(kind, batch.closed_at, orgId=of, printBatchId=batch.print_batch_id)
    return outbox_entry([event], org_id=of)
