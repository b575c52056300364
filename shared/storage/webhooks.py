"""Partners' webhook endpoints, and the log of deliveries to each, in which what isn't delivered is due."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.domain.delivery.webhook_rules import DELIVERIES_KEPT_FOR
from shared.domain.records.audit import AuditEntry
from shared.domain.records.webhook import WebhookDelivery, WebhookEndpoint
from shared.storage import items, keys
from shared.storage.audit_trail import Telling, audit_writes, untold
from shared.storage.items import Item, number, text
from shared.storage.races import LostRaceError, until_won
from shared.storage.records import Records
from shared.storage.writes import NEW, THERE, conditional, delete, equals, put, transact, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class EndpointState:
    """An endpoint, and how its receiver does. unanswered: turns in a row without any answer, after which it rests."""

    endpoint: WebhookEndpoint
    unanswered: int = 0
    rests_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The endpoints and deliveries of one table, each under its partner."""

    client: "DynamoDBClient"
    table: str

    @property
    def _records(self) -> Records:
        return Records(self.client, self.table)

    def endpoints(self, partner_id: str) -> list[WebhookEndpoint]:
        """A partner's endpoints, read consistently; they are few."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": text(keys.webhook_endpoints(partner_id))},
            ConsistentRead=True,
        )
        return [_endpoint(item) for page in pages for item in page["Items"]]

    def endpoint(self, partner_id: str, endpoint_id: str) -> WebhookEndpoint | None:
        """A partner's endpoint; None: there is none, or it is somebody else's."""
        state = self.state(partner_id, endpoint_id)
        return state.endpoint if state else None

    def state(self, partner_id: str, endpoint_id: str) -> EndpointState | None:
        """An endpoint with how its receiver does; None: there is none."""
        item = self._records.item(keys.webhook_endpoints(partner_id), endpoint_id)
        if item is None:
            return None
        until = keys.moment(item["rests_until"]["S"]) if "rests_until" in item else None
        return EndpointState(_endpoint(item), int(item.get("unanswered", number(0))["N"]), until)

    def create(self, endpoint: WebhookEndpoint, audit: AuditEntry | None = None) -> None:
        """Store a new endpoint, with what tells of it (`audit`).

        One of its id is there only if the same request stored it before and then failed: nobody knows its secret, and
        the new one takes its place.
        """
        first = NEW | equals("revision", number(endpoint.revision))
        transact(self.client, [put(self.table, _endpoint_item(endpoint), first), *audit_writes(self.table, audit)])

    def change(
        self,
        partner_id: str,
        endpoint_id: str,
        decide: Callable[[WebhookEndpoint], WebhookEndpoint],
        audit: Telling[WebhookEndpoint] = untold,
    ) -> WebhookEndpoint | None:
        """Change an endpoint, again when somebody else was quicker; None: there is none. Raises what `decide` does.

        `audit`: tells of it in the same transaction.
        """

        def attempt() -> WebhookEndpoint | None:
            read = self.endpoint(partner_id, endpoint_id)
            if read is None:
                return None
            after = replace(decide(read), revision=read.revision + 1)
            values: dict[str, Any] = {":body": items.pack(WebhookEndpoint, after), ":next": number(after.revision)}
            change = "SET body = :body, revision = :next"
            key = items.key(keys.webhook_endpoints(partner_id), endpoint_id)
            write = update(self.table, key, change, values, equals("revision", number(read.revision)))
            if not transact(self.client, [write, *audit_writes(self.table, audit(read, after))]):
                raise LostRaceError
            return after

        return until_won(attempt)

    def delete(self, partner_id: str, endpoint_id: str, audit: Telling[WebhookEndpoint] = untold) -> bool:
        """Delete an endpoint as it was read, with what tells of it (`audit`). False: there is none.

        Its deliveries expire by themselves.
        """

        def attempt() -> bool:
            read = self.endpoint(partner_id, endpoint_id)
            if read is None:
                return False
            key = items.key(keys.webhook_endpoints(partner_id), endpoint_id)
            write = delete(self.table, key, equals("revision", number(read.revision)))
            if not transact(self.client, [write, *audit_writes(self.table, audit(read, None))]):
                raise LostRaceError
            return True

        return until_won(attempt)

    def answered(self, endpoint: WebhookEndpoint) -> None:
        """Note that the receiver answers again."""
        self._note(endpoint, "SET unanswered = :none REMOVE rests_until", {":none": number(0)})

    def rests(self, state: EndpointState, until: datetime) -> None:
        """Note that the receiver gave a whole turn no answer, and is left alone until an instant.

        Two turns at once that both read the same count it once.
        """
        values = {":count": number(state.unanswered + 1), ":until": text(keys.instant(until))}
        self._note(state.endpoint, "SET unanswered = :count, rests_until = :until", values)

    def _note(self, endpoint: WebhookEndpoint, change: str, values: dict[str, Any]) -> None:
        """Note how a receiver does. While the partner changes its endpoint it isn't noted: the next turn does it."""
        key = items.key(keys.webhook_endpoints(endpoint.partner_id), endpoint.endpoint_id)
        conditional(self.client, update(self.table, key, change, values, THERE), conflict_loses=True)

    def add(self, delivery: WebhookDelivery) -> bool:
        """Store a new delivery. False: it was made before, of the same event."""
        return self._records.put(_delivery_item(delivery), NEW)

    def delivery(self, partner_id: str, endpoint_id: str, delivery_id: str) -> WebhookDelivery | None:
        """A delivery; None: there is none, or the log has let go of it."""
        return self._records.get(WebhookDelivery, keys.webhook_deliveries(partner_id, endpoint_id), delivery_id)

    def change_delivery(
        self, delivery: WebhookDelivery, decide: Callable[[WebhookDelivery], WebhookDelivery]
    ) -> WebhookDelivery | None:
        """Change a delivery as it is by now, again when somebody else was quicker; None: it is gone."""

        def attempt() -> WebhookDelivery | None:
            read = self.delivery(delivery.partner_id, delivery.endpoint_id, delivery.delivery_id)
            if read is None:
                return None
            after = replace(decide(read), revision=read.revision + 1)
            if not self._records.put(_delivery_item(after), equals("revision", number(read.revision))):
                raise LostRaceError
            return after

        return until_won(attempt)

    def newest(
        self, partner_id: str, endpoint_id: str, limit: int, before: str | None
    ) -> tuple[list[WebhookDelivery], bool]:
        """Deliveries to an endpoint, newest first, from the one before `before`; and whether there are more."""
        condition = "pk = :pk" if before is None else "pk = :pk AND sk < :before"
        values: dict[str, Any] = {":pk": text(keys.webhook_deliveries(partner_id, endpoint_id))}
        if before is not None:
            values[":before"] = text(before)
        answer = self.client.query(
            TableName=self.table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit + 1,
        )
        page: list[Item] = list(answer["Items"])
        found = [items.unpack(WebhookDelivery, item["body"]) for item in page]
        return found[:limit], len(found) > limit


def _endpoint(item: Item) -> WebhookEndpoint:
    return items.unpack(WebhookEndpoint, item["body"])


def _endpoint_item(endpoint: WebhookEndpoint) -> Item:
    """`H#<partnerId>`: an endpoint."""
    return {
        **items.key(keys.webhook_endpoints(endpoint.partner_id), endpoint.endpoint_id),
        "revision": number(endpoint.revision),
        "body": items.pack(WebhookEndpoint, endpoint),
    }


def _delivery_item(delivery: WebhookDelivery) -> Item:
    """`H#<partnerId>#<endpointId>`: a delivery, in the due index until it is delivered or given up."""
    partition = keys.webhook_deliveries(delivery.partner_id, delivery.endpoint_id)
    item = {
        **items.key(partition, delivery.delivery_id),
        "revision": number(delivery.revision),
        "expires_at": number(int((delivery.round_began + DELIVERIES_KEPT_FOR).timestamp())),
        "body": items.pack(WebhookDelivery, delivery),
    }
    if delivery.due_at is not None:
        item |= {"due_shard": text(keys.due_shard(partition)), "due_at": text(keys.instant(delivery.due_at))}
    return item
