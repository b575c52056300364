"""Bodies of the webhook endpoints of the partner API."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from shared.contracts.webhook_urls import LONGEST_URL, read_url
from shared.contracts.wire import Instant, WireModel, Word
from shared.domain.records.partner_event import EventType
from shared.domain.records.webhook import (
    EndpointStatus,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookStatus,
)


def _url(value: str) -> str:
    read_url(value, loopback=True)  # whether this stack may call this machine, the route says
    return value


def _each_once(value: list[EventType]) -> list[EventType]:
    if len(set(value)) < len(value):
        raise ValueError("must name each event once")
    return value


class WebhookEndpointBody(WireModel):
    """Where a partner wants to be told of what."""

    url: Annotated[str, AfterValidator(_url), Field(max_length=LONGEST_URL, examples=["https://example.com/dunlin"])]
    events: Annotated[list[Word[EventType]], Field(min_length=1), AfterValidator(_each_once)] = Field(
        examples=[["bill.paid", "payment.posted"]]
    )
    status: Word[EndpointStatus] = Field(
        default=EndpointStatus.ENABLED, description="To a Disabled one nothing goes, and nothing is kept for it."
    )

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> "WebhookEndpointBody":
        """What is said of an endpoint as stored."""
        return cls(url=endpoint.url, events=_in_order(endpoint), status=endpoint.status)


class WebhookEndpointAnswer(WireModel):
    """A webhook endpoint."""

    read_only = ("endpointId", "disabledBy", "createdAt", "previousSecretUntil")

    endpoint_id: str
    url: str
    events: list[EventType]
    status: EndpointStatus
    disabled_by: str | None = Field(description="`Partner`, or `Gone`: the receiver answered 410.")
    created_at: Instant
    previous_secret_until: Instant | None = Field(
        description="Until then deliveries are signed with the secret before the newest, too."
    )

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> "WebhookEndpointAnswer":
        """An endpoint as stored."""
        return cls(**_facts(endpoint))


class WebhookEndpointWithSecret(WebhookEndpointAnswer):
    """A webhook endpoint with a secret that was just made, which can't be had again."""

    secret: str = Field(description="What deliveries are signed with, by the Standard Webhooks spec.")

    @classmethod
    def showing(cls, endpoint: WebhookEndpoint, secret: str) -> "WebhookEndpointWithSecret":
        """An endpoint as stored, and its newest secret."""
        return cls(**_facts(endpoint), secret=secret)


class WebhookEndpointsPage(WireModel):
    """A page of webhook endpoints, the oldest first."""

    items: list[WebhookEndpointAnswer]
    next_cursor: str | None


class WebhookAttemptAnswer(WireModel):
    """One call of a receiver."""

    at: Instant
    status_code: int | None = Field(description="Of its answer; null: it gave none.")
    problem: str | None = Field(
        description="Why it gave none: Timeout, ConnectionFailed, UnknownHost, or AddressRefused where it isn't on the "
        "public internet."
    )

    @classmethod
    def of(cls, attempt: WebhookAttempt) -> "WebhookAttemptAnswer":
        """An attempt as stored."""
        return cls(at=attempt.at, status_code=attempt.status or None, problem=attempt.problem or None)


class WebhookDeliveryAnswer(WireModel):
    """One event on its way to one endpoint."""

    delivery_id: str
    event_id: str = Field(description="`webhook-id` of every attempt: an event that comes twice is known by it.")
    type: EventType
    data: dict[str, str] = Field(description="The ids that the event names.")
    status: WebhookStatus
    occurred_at: Instant
    next_attempt_at: Instant | None
    attempts: list[WebhookAttemptAnswer]

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> "WebhookDeliveryAnswer":
        """A delivery as stored."""
        return cls(
            delivery_id=delivery.delivery_id,
            event_id=delivery.event.event_id,
            type=delivery.event.type,
            data=dict(delivery.event.ids),
            status=delivery.status,
            occurred_at=delivery.event.at,
            next_attempt_at=delivery.due_at,
            attempts=[WebhookAttemptAnswer.of(attempt) for attempt in delivery.attempts],
        )


class WebhookDeliveriesPage(WireModel):
    """A page of deliveries, newest first."""

    items: list[WebhookDeliveryAnswer]
    next_cursor: str | None


def _in_order(endpoint: WebhookEndpoint) -> list[EventType]:
    return [event for event in EventType if event in endpoint.events]


def _facts(endpoint: WebhookEndpoint) -> dict[str, Any]:
    replaced = [secret.until for secret in endpoint.secrets if secret.until]
    return {
        "endpoint_id": endpoint.endpoint_id,
        "url": endpoint.url,
        "events": _in_order(endpoint),
        "status": endpoint.status,
        "disabled_by": endpoint.disabled_by or None,
        "created_at": endpoint.created_at,
        "previous_secret_until": max(replaced, default=None),
    }
