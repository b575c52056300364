"""The due index: everything that has to happen at a time, in the order of that time.

The scheduler reads it shard by shard; what is due is still there after an outage or a late run.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.storage import items, keys
from shared.storage.items import text
from shared.storage.writes import at_most, conditional, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DUE_INDEX = "due"
DUE_PAGE = 100


@dataclass(frozen=True, slots=True)
class DueAccount:
    """An account whose time to be planned has come, or that has a large change to be written out."""

    org_id: str
    account_id: str


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice to dispatch, or one whose lease has ended."""

    org_id: str
    account_id: str
    notice_id: str


@dataclass(frozen=True, slots=True)
class DueReplanning:
    """An organization whose accounts are to be planned again."""

    org_id: str


@dataclass(frozen=True, slots=True)
class DueInheritance:
    """A partner whose changed defaults are to be passed on to its organizations."""

    partner_id: str


@dataclass(frozen=True, slots=True)
class DuePrintBatch:
    """An organization whose print batch is to be closed."""

    org_id: str


type Due = DueAccount | DueNotice | DueReplanning | DueInheritance | DuePrintBatch


@dataclass(frozen=True, slots=True)
class DuePage:
    """What one shard holds: what is due, at most a page of it, and the instant of the first thing that isn't yet."""

    due: tuple[Due, ...]
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class DueIndex:
    """The due index of one table."""

    client: "DynamoDBClient"
    table: str

    def sweep(self, shard: str, now: datetime) -> DuePage:
        """What is due in a shard, oldest first, and what comes next: one Query.

        `next_due_at` is None while a full page is due, because then the sweep isn't complete.
        """
        page = self.client.query(
            TableName=self.table,
            IndexName=DUE_INDEX,
            KeyConditionExpression="due_shard = :shard",
            ExpressionAttributeValues={":shard": text(shard)},
            Limit=DUE_PAGE,
        )
        until = keys.instant(now)
        due = [item for item in page["Items"] if item["due_at"]["S"] <= until]
        later = [item["due_at"]["S"] for item in page["Items"] if item["due_at"]["S"] > until]
        return DuePage(
            due=tuple(_due(item["pk"]["S"], item["sk"]["S"]) for item in due),
            next_due_at=keys.moment(later[0]) if later else None,
        )

    def lease(self, due: DuePrintBatch, now: datetime, until: datetime) -> bool:
        """Give what is due to a worker: unless it is done by then, it is due again.

        False: it isn't due any more, which closes the race of two sweeps.
        """
        still_due = at_most("due_at", text(keys.instant(now)))
        later = {":until": text(keys.instant(until))}
        organization = items.key(keys.print_batches(due.org_id))
        return conditional(
            self.client, update(self.table, organization, "SET due_at = :until", later, still_due)
        ).happened

    def shards(self) -> Iterator[str]:
        """All shards."""
        yield from keys.due_shards()


OF_NO_ACCOUNT: dict[str, Callable[[str], Due]] = {
    keys.REPLANNING_PARTITION: DueReplanning,
    keys.DEFAULTS_PARTITION: DueInheritance,
    keys.PRINT_BATCHES_PARTITION: DuePrintBatch,
}
"""What is due in partitions that are no account's, by their kind."""


def _due(partition: str, sort: str) -> Due:
    for kind, due in OF_NO_ACCOUNT.items():
        owner = keys.id_in(partition, kind)
        if owner is not None:
            return due(owner)
    org_id, account_id = keys.collection_parts(partition)
    notice_id = keys.id_in(sort, keys.NOTICE_SORT)
    return DueAccount(org_id, account_id) if notice_id is None else DueNotice(org_id, account_id, notice_id)
