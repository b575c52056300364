"""The outbox: events that wait to be given to whoever subscribed to them, written in the transaction that makes them.

So nothing happens that partners aren't told of, and nothing is told that didn't happen. The scheduler makes deliveries
of an entry and then deletes it; one whose deletion fails is made of again, and finds them there.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.domain.records.partner_event import OutboxEntry
from shared.storage import items, keys
from shared.storage.items import Item, text
from shared.storage.records import Records
from shared.storage.writes import Write, conditional, delete, put

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def outbox_writes(table: str, entry: OutboxEntry | None) -> list[Write]:
    """The part of a transaction that puts events into the outbox; none for none.

    Without a condition: an entry's key is made from what it says, so that nothing but itself can be there.
    """
    return [put(table, _item(entry))] if entry else []


@dataclass(frozen=True, slots=True)
class EventOutbox:
    """The outbox of one table."""

    client: "DynamoDBClient"
    table: str

    def entry(self, entry_id: str) -> OutboxEntry | None:
        """Read an entry; None: it is done."""
        return Records(self.client, self.table).get(OutboxEntry, keys.outbox(entry_id))

    def done(self, entry_id: str) -> None:
        """Delete an entry of which all deliveries are made."""
        conditional(self.client, delete(self.table, items.key(keys.outbox(entry_id))))


def _item(entry: OutboxEntry) -> Item:
    """`Y#`: an entry, due since it happened."""
    partition = keys.outbox(entry.entry_id)
    return {
        **items.key(partition),
        "due_shard": text(keys.due_shard(partition)),
        "due_at": text(keys.instant(min(event.at for event in entry.events))),
        "body": items.pack(OutboxEntry, entry),
    }
