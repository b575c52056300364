"""Events of a processor about a payment that isn't known here yet: kept until it is, or a month."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.paying.processor_events import ProcessorEvent
from shared.storage import items, keys
from shared.storage.items import Item, number, text
from shared.storage.records import Records

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HELD_FOR = timedelta(days=30)
"""Most of them are about payments that the practice takes elsewhere with the same account; ours are known in days."""


@dataclass(frozen=True, slots=True)
class HeldEvents:
    """The held events of one table."""

    client: "DynamoDBClient"
    table: str

    def hold(self, org_id: str, event: ProcessorEvent, now: datetime) -> None:
        """Keep an event until its payment is known. Once held it stays: noting it twice changes nothing."""
        item = {
            **items.key(keys.processor_payment(org_id, event.processor_payment), keys.held_event(event.event_id)),
            "expires_at": number(int((now + HELD_FOR).timestamp())),
            "body": items.pack(ProcessorEvent, event),
        }
        Records(self.client, self.table).put(item)

    def of(self, org_id: str, processor_payment: str) -> list[ProcessorEvent]:
        """The events that came before this payment was known, by their time."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :payment AND begins_with(sk, :held)",
            ExpressionAttributeValues={
                ":payment": text(keys.processor_payment(org_id, processor_payment)),
                ":held": text(keys.HELD_EVENT_SORT),
            },
            ConsistentRead=True,
        )
        found: list[Item] = [item for page in pages for item in page["Items"]]
        held = [items.unpack(ProcessorEvent, item["body"]) for item in found]
        return sorted(held, key=lambda event: event.at)
