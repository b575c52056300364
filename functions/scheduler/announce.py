"""Announcing: events that wait in the outbox become deliveries, and deliveries that are due go to their queue.

An event is given to each endpoint that takes it before it leaves the outbox; one given twice is the same delivery.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched

from aws_lambda_powertools import Logger

from functions.scheduler.ports import SchedulerPorts
from functions.scheduler.rounds import NOTHING, Done
from shared.domain.delivery.webhook_rules import delivery_of
from shared.domain.records.partner_event import OutboxEntry
from shared.messaging.webhook_queue import MOST_DELIVERIES
from shared.storage.due_index import DueEvents, DueWebhook

logger = Logger(child=True)

WEBHOOK_LEASE = timedelta(minutes=15)
"""How long a delivery may take before it is queued again; longer than the queue's visibility."""


@dataclass(frozen=True, slots=True)
class Announcer:
    """Gives events to those that subscribed to them, at one instant. as_of: passed on where time is simulated."""

    ports: SchedulerPorts
    now: datetime
    as_of: datetime | None

    def announce(self, due: DueEvents) -> Done:
        """Make deliveries of an entry of the outbox, due at once, and delete it; nothing, if that was done."""
        entry = self.ports.outbox.entry(due.entry_id)
        if entry is None:
            return NOTHING
        partner_id = self._partner_of(entry)
        endpoints = self.ports.webhooks.endpoints(partner_id) if partner_id else []
        for event in entry.events:
            for endpoint in endpoints:
                if endpoint.takes(event):
                    self.ports.webhooks.add(delivery_of(event, endpoint, self.now))
        self.ports.outbox.done(due.entry_id)
        return Done(1)

    def _partner_of(self, entry: OutboxEntry) -> str:
        """Whose events they are; "": nobody's, the organization being gone."""
        if entry.partner_id:
            return entry.partner_id
        organization = self.ports.organizations.get(entry.org_id)
        return organization.partner_id if organization else ""

    def lease(self, due: DueWebhook) -> Done:
        """Take a delivery for the queue; nothing, if it isn't due any more."""
        if not self.ports.due_index.lease(due, self.now, self.now + WEBHOOK_LEASE):
            return NOTHING
        return Done(1, webhook=due)

    def dispatch(self, deliveries: Iterable[DueWebhook]) -> None:
        """Ask for deliveries that have just been taken, endpoint by endpoint. Leases bring back what isn't."""
        of_endpoint = defaultdict[tuple[str, str], list[str]](list)
        for due in deliveries:
            of_endpoint[due.partner_id, due.endpoint_id].append(due.delivery_id)
        for (partner_id, endpoint_id), delivery_ids in of_endpoint.items():
            for some in batched(delivery_ids, MOST_DELIVERIES, strict=False):
                self._ask_for(partner_id, endpoint_id, some)

    def _ask_for(self, partner_id: str, endpoint_id: str, delivery_ids: tuple[str, ...]) -> None:
        from shared.contracts.messages import WebhookMessage  # noqa: PLC0415 - pydantic: an idle sweep needs none

        message = WebhookMessage(
            partner_id=partner_id, endpoint_id=endpoint_id, delivery_ids=delivery_ids, as_of=self.as_of
        )
        try:
            self.ports.webhook_queue.send(message)
        except Exception as error:  # noqa: BLE001 - whatever it is, notices and other endpoints must go on
            facts = {"endpoint_id": endpoint_id, "error": type(error).__name__}
            logger.error("webhook queue not reached", extra=facts)  # noqa: TRY400 - the message is all there is to quote
