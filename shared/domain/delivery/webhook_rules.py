"""When an event is tried again, when it is given up, and what an answer does (docs/rules.md#webhook-retries)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from shared.domain.records.partner_event import PartnerEvent
from shared.domain.records.webhook import (
    DisabledBy,
    EndpointStatus,
    SealedSecret,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookStatus,
)
from shared.domain.vocabulary.spreading import spread

TAKEN_BY_RECEIVER = range(200, 300)
"""The statuses that say that an event was taken. A redirect isn't one: it isn't followed."""

WANTS_NO_MORE = 410
"""The status that says that nothing more is wanted, ever."""

RETRIED_FOR = timedelta(days=3)

RETRY_PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=8),
    timedelta(hours=12),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after each attempt that failed the next is made, at most: less than three days together."""

JITTER = 0.1
"""The share of a pause that it may be shorter by."""

SECRETS_OVERLAP = timedelta(hours=24)
"""How long a secret that was replaced still signs, beside the new one."""

MOST_SECRETS = 5
"""How many secrets sign at the same time, however often one is replaced."""

DELIVERIES_KEPT_FOR = timedelta(days=30)
"""How long the log keeps a delivery."""

FIRST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(minutes=15)
"""How long an endpoint is left alone when its receiver gave no answer: twice as long each time in a row."""


def delivery_of(event: PartnerEvent, endpoint: WebhookEndpoint, now: datetime) -> WebhookDelivery:
    """The delivery of an event to an endpoint, due at once: the same one however often it is asked for."""
    digest = sha256(f"{endpoint.endpoint_id}\n{event.event_id}".encode()).hexdigest()
    return WebhookDelivery(
        delivery_id=f"dlv_{event.at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{digest[:16]}",
        partner_id=endpoint.partner_id,
        endpoint_id=endpoint.endpoint_id,
        event=event,
        created_at=now,
        round_began=now,
        due_at=now,
    )


def attempted(delivery: WebhookDelivery, attempt: WebhookAttempt) -> WebhookDelivery:
    """The delivery after an attempt: delivered by any status of success, tried again otherwise, or given up."""
    attempts = (*delivery.attempts, attempt)
    if attempt.status in TAKEN_BY_RECEIVER:
        return replace(delivery, attempts=attempts, status=WebhookStatus.DELIVERED, due_at=None)
    if delivery.status is not WebhookStatus.PENDING:
        return replace(delivery, attempts=attempts)  # settled by another worker meanwhile, who had the same message
    pauses = RETRY_PAUSES[len(attempts) - delivery.attempts_before - 1 :]
    if attempt.status == WANTS_NO_MORE or not pauses:
        return replace(delivery, attempts=attempts, status=WebhookStatus.FAILED, due_at=None)
    pause = pauses[0] - spread(f"{delivery.delivery_id}/{len(attempts)}", pauses[0] * JITTER)
    return _due(replace(delivery, attempts=attempts), attempt.at + pause)


def put_off(delivery: WebhookDelivery, until: datetime) -> WebhookDelivery:
    """The delivery for a receiver that is being left alone until then: no attempt is made, and none is used up.

    One that another worker settled meanwhile stays as it is; it would be due again and again, and never attempted.
    """
    if delivery.status is not WebhookStatus.PENDING:
        return delivery
    return _due(delivery, until + spread(delivery.delivery_id, FIRST_REST))


def _due(delivery: WebhookDelivery, at: datetime) -> WebhookDelivery:
    if at > delivery.round_began + RETRIED_FOR:
        return abandoned(delivery)
    return replace(delivery, due_at=at)


def abandoned(delivery: WebhookDelivery) -> WebhookDelivery:
    """The delivery given up, because nothing goes to its endpoint any more, or for too long, unless it was settled."""
    if delivery.status is not WebhookStatus.PENDING:
        return delivery
    return replace(delivery, status=WebhookStatus.FAILED, due_at=None)


def sent_again(delivery: WebhookDelivery, now: datetime) -> WebhookDelivery:
    """The delivery sent again at a partner's wish, with all its retries before it. The event keeps its id."""
    return replace(
        delivery,
        status=WebhookStatus.PENDING,
        round_began=now,
        attempts_before=len(delivery.attempts),
        due_at=now,
    )


def rest(unanswered: int) -> timedelta:
    """How long a receiver is left alone that gave so many turns in a row no answer."""
    doubled: int = 2 ** min(unanswered - 1, 10)
    return min(FIRST_REST * doubled, LONGEST_REST)


def disabled(endpoint: WebhookEndpoint, why: DisabledBy) -> WebhookEndpoint:
    """The endpoint when nothing is to go to it any more."""
    return replace(endpoint, status=EndpointStatus.DISABLED, disabled_by=why)


def with_new_secret(endpoint: WebhookEndpoint, sealed: str, now: datetime) -> WebhookEndpoint:
    """The endpoint with a new secret. Those before it sign beside it until their overlap ends."""
    before = (replace(secret, until=secret.until or now + SECRETS_OVERLAP) for secret in endpoint.secrets_at(now))
    kept = tuple(before)[-(MOST_SECRETS - 1) :]
    return replace(endpoint, secrets=(*kept, SealedSecret(sealed=sealed)))
