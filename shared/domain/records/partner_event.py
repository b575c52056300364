"""An event: something that happened and that partners are told by webhook, in ids alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256


class EventType(StrEnum):
    """What partners can be told of."""

    INGESTION_FINISHED = "ingestion.finished"
    BILL_PAID = "bill.paid"
    PAYMENT_POSTED = "payment.posted"
    NOTIFICATION_FAILED = "notification.failed"
    ACCOUNT_OPTED_OUT = "account.opted_out"
    TASK_OPENED = "task.opened"
    PRINT_BATCH_CLOSED = "print_batch.closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerEvent:
    """Something that happened. ids: of what it happened to, by their names in the API; nothing else is said of it."""

    event_id: str
    type: EventType
    at: datetime
    ids: Mapping[str, str]


def partner_event(kind: EventType, at: datetime, **ids: str) -> PartnerEvent:
    """An event about these ids, of which empty ones are left out.

    Its id is made from all that it says, so that one decided twice is known again.
    """
    said = {name: value for name, value in ids.items() if value}
    facts = (kind, at.astimezone(UTC).isoformat(), *(f"{name}={value}" for name, value in sorted(said.items())))
    digest = sha256("\n".join(facts).encode()).hexdigest()
    return PartnerEvent(event_id=f"evt_{digest[:24]}", type=kind, at=at, ids=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """Events that wait to be given to whoever subscribed to them. Either an organization's or a partner's own."""

    org_id: str = ""
    partner_id: str = ""
    events: tuple[PartnerEvent, ...]

    @property
    def entry_id(self) -> str:
        """Made from its events, so that a write that is repeated writes it over itself."""
        return sha256("\n".join(event.event_id for event in self.events).encode()).hexdigest()[:32]


def outbox_entry(events: Iterable[PartnerEvent], *, org_id: str = "", partner_id: str = "") -> OutboxEntry | None:
    """The events as one entry; None: there are none."""
    found = tuple(events)
    return OutboxEntry(org_id=org_id, partner_id=partner_id, events=found) if found else None
