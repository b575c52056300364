"""Bodies of an account's timeline and notes in the partner API."""

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contracts.plain_text import PARAGRAPHS
from shared.contracts.wire import Instant, Money, WireModel
from shared.domain.account.timeline import TimelineEntry, TimelineKind
from shared.domain.vocabulary.history import HistoryEvent

LONGEST_NOTE = 2_000


class NoteBody(WireModel):
    """A note of staff's about an account; patients never see it."""

    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NOTE, pattern=PARAGRAPHS)
    ] = Field(examples=["Asked for a copy of the statement by phone."])


class NoteAnswer(WireModel):
    """A note as it is kept."""

    note_id: str
    text: str
    at: Instant
    actor: str
    by: str | None = Field(description="The person whom the write named in `Dunlin-Actor`.")

    @classmethod
    def of(cls, note: HistoryEvent) -> "NoteAnswer":
        """A note as stored."""
        return cls(note_id=note.facts["noteId"], text=note.text, at=note.at, actor=note.actor, by=note.by or None)


class TimelineEntryAnswer(WireModel):
    """Something that happened to an account."""

    at: Instant
    kind: TimelineKind
    event: str = Field(examples=["BillCreated", "NotificationSent", "PaymentLinkOpened", "HoldSet", "NoteAdded"])
    actor: str
    by: str | None = Field(description="The person whom the write named in `Dunlin-Actor`.")
    reason: str | None
    statement_ids: list[str] = Field(description="The statements that it is about; empty: the whole account.")
    amount: Money | None = Field(description="Of a payment; negative for money that went back.")
    text: str | None = Field(description="Of a note.")
    facts: dict[str, str]

    @classmethod
    def of(cls, entry: TimelineEntry) -> "TimelineEntryAnswer":
        """An entry as it is read from the account."""
        event = entry.event
        return cls(
            at=event.at,
            kind=entry.kind,
            event=event.event,
            actor=event.actor,
            by=event.by or None,
            reason=event.reason or None,
            statement_ids=list(entry.statement_ids),
            amount=entry.amount,
            text=event.text or None,
            facts=event.facts,
        )


class TimelinePage(WireModel):
    """A page of an account's timeline, newest first."""

    items: list[TimelineEntryAnswer]
    next_cursor: str | None
