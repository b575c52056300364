"""The lease by which one run of the scheduler at a time works on a shard of the due index.

It saves work and guards nothing: every step is a conditional write, so that two runs that both believe to hold it do
no harm. A run that dies keeps it until its end.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.storage import items, keys
from shared.storage.items import Item, text
from shared.storage.writes import NEW, below, conditional, delete, equals, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SHARD_LEASE = timedelta(minutes=2)
"""How long a run holds a shard without renewing: far longer than a page of it takes."""


@dataclass(frozen=True, slots=True)
class ShardLeases:
    """The leases of one table's shards. holder: a token that no other run has."""

    client: "DynamoDBClient"
    table: str

    def take(self, shard: str, holder: str, now: datetime) -> bool:
        """Take a shard, or renew it: nobody has it, or the lease of whoever has it is over, or it is one's own."""
        values = {":holder": text(holder), ":until": text(keys.instant(now + SHARD_LEASE))}
        free = NEW | below("held_until", text(keys.instant(now))) | equals("holder", text(holder))
        write = update(self.table, _key(shard), "SET holder = :holder, held_until = :until", values, free)
        return conditional(self.client, write).happened

    def give_back(self, shard: str, holder: str) -> None:
        """Let others have a shard at once, unless its lease is another's already."""
        conditional(self.client, delete(self.table, _key(shard), equals("holder", text(holder))))


def _key(shard: str) -> Item:
    return items.key(keys.shard_lease(shard))
