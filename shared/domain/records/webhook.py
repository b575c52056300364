"""A partner's webhook endpoint, and the deliveries to it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.records.partner_event import EventType, PartnerEvent


class EndpointStatus(StrEnum):
    """Whether events go to it."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"


class DisabledBy(StrEnum):
    """Why nothing goes to it."""

    PARTNER = "Partner"
    GONE = "Gone"
    """Its receiver answered 410."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """A secret that events are signed with, encrypted. until: when it signs no more, having been replaced."""

    sealed: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """Where a partner wants to be told of events. revision: counts the writes, so that none overwrites another."""

    endpoint_id: str
    partner_id: str
    url: str
    events: frozenset[EventType]
    created_at: datetime
    status: EndpointStatus = EndpointStatus.ENABLED
    disabled_by: str = ""
    secrets: tuple[SealedSecret, ...] = ()
    revision: int = 0

    def takes(self, event: PartnerEvent) -> bool:
        """Whether an event goes to it."""
        return self.status is EndpointStatus.ENABLED and event.type in self.events

    def secrets_at(self, now: datetime) -> tuple[SealedSecret, ...]:
        """The secrets that an event is signed with: the newest, and those that it has replaced not long ago."""
        return tuple(secret for secret in self.secrets if secret.until is None or secret.until > now)


class WebhookStatus(StrEnum):
    """How far a delivery has come."""

    PENDING = "Pending"
    DELIVERED = "Delivered"
    FAILED = "Failed"


class NoAnswer(StrEnum):
    """Why an attempt has no status."""

    TIMEOUT = "Timeout"
    CONNECTION_FAILED = "ConnectionFailed"
    UNKNOWN_HOST = "UnknownHost"
    ADDRESS_REFUSED = "AddressRefused"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAttempt:
    """One call of a receiver. status: of its answer; 0: it gave none, because of `problem`."""

    at: datetime
    status: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One event on its way to one endpoint.

    delivery_id: begins with the time of the event, so that ids sort by it. round_began: when it was first due, or was
    sent again by the partner: retries count from there. due_at: of the next attempt; None: there is none.
    """

    delivery_id: str
    partner_id: str
    endpoint_id: str
    event: PartnerEvent
    created_at: datetime
    round_began: datetime
    status: WebhookStatus = WebhookStatus.PENDING
    attempts: tuple[WebhookAttempt, ...] = ()
    attempts_before: int = 0
    due_at: datetime | None = None
    revision: int = 0
