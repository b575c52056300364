"""Delivering: a turn of up to ten deliveries to one endpoint, made at the same time, each recorded as it comes out."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from functions.send_webhooks.ports import SendWebhooksPorts
from functions.send_webhooks.signing import body_of, headers_of
from shared.domain.delivery.webhook_rules import WANTS_NO_MORE, abandoned, attempted, disabled, put_off, rest
from shared.domain.records.webhook import (
    DisabledBy,
    EndpointStatus,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookStatus,
)
from shared.messaging.webhook_queue import MOST_DELIVERIES
from shared.storage.webhooks import EndpointState

if TYPE_CHECKING:
    from shared.contracts.messages import WebhookMessage

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class ReceiverTurn:
    """Takes turns at one instant.

    What comes to nothing here, because the process dies, is due again when the leases of its deliveries end.
    """

    ports: SendWebhooksPorts
    now: datetime

    def take(self, message: "WebhookMessage") -> None:
        """Attempt what a message asks for and is still pending."""
        found = [
            self.ports.webhooks.delivery(message.partner_id, message.endpoint_id, delivery_id)
            for delivery_id in message.delivery_ids
        ]
        pending = [each for each in found if each and each.status is WebhookStatus.PENDING]
        if not pending:
            return
        state = self.ports.webhooks.state(message.partner_id, message.endpoint_id)
        if state is None or state.endpoint.status is not EndpointStatus.ENABLED:
            for delivery in pending:
                self.ports.webhooks.change_delivery(delivery, abandoned)
        elif state.rests_until and state.rests_until > self.now:
            # It gave no answer just now. To ask again for each event would hold up everybody's.
            for delivery in pending:
                self.ports.webhooks.change_delivery(delivery, partial(put_off, until=state.rests_until))
        else:
            self._attempt(state, pending)

    def _attempt(self, state: EndpointState, deliveries: list[WebhookDelivery]) -> None:
        secrets = self._secrets(state.endpoint)
        with ThreadPoolExecutor(MOST_DELIVERIES) as pool:
            attempts = list(pool.map(partial(self._one, state.endpoint, secrets), deliveries))
        self._note(state, attempts)

    def _secrets(self, endpoint: WebhookEndpoint) -> list[bytes]:
        return [
            self.ports.secrets.open(endpoint.partner_id, endpoint.endpoint_id, secret.sealed)
            for secret in endpoint.secrets_at(self.now)
        ]

    def _one(self, endpoint: WebhookEndpoint, secrets: list[bytes], delivery: WebhookDelivery) -> WebhookAttempt:
        """Attempt one delivery and record what came of it, on top of what others have recorded."""
        body = body_of(delivery.event)
        headers = headers_of(delivery.event, body, secrets, datetime.now(UTC))
        answer = self.ports.receivers.post(endpoint.url, headers, body)
        attempt = WebhookAttempt(at=self.now, status=answer.status, problem=answer.problem)
        after = self.ports.webhooks.change_delivery(delivery, partial(attempted, attempt=attempt))
        facts = {"endpoint_id": endpoint.endpoint_id, "delivery_id": delivery.delivery_id}
        outcome = {"answer": answer.status, "problem": answer.problem, "status": after.status if after else ""}
        logger.info("webhook attempted", extra={**facts, **outcome})
        return attempt

    def _note(self, state: EndpointState, attempts: Iterable[WebhookAttempt]) -> None:
        """Note how the receiver did: it wants no more, it gave no answer at all, or it answers (again)."""
        statuses = {attempt.status for attempt in attempts}
        endpoint = state.endpoint
        if WANTS_NO_MORE in statuses:
            gone = partial(disabled, why=DisabledBy.GONE)
            self.ports.webhooks.change(endpoint.partner_id, endpoint.endpoint_id, gone)
            logger.warning("webhook endpoint gone", extra={"endpoint_id": endpoint.endpoint_id})
        elif statuses == {0}:
            self.ports.webhooks.rests(state, self.now + rest(state.unanswered + 1))
        elif state.unanswered:
            self.ports.webhooks.answered(endpoint)
