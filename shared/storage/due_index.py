"""The due index: everything that has to happen at a time, in the order of that time.

The scheduler reads it shard by shard; what is due is still there after an outage or a late run.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.storage import items, keys
from shared.storage.items import Item, text
from shared.storage.writes import at_most, conditional, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DUE_INDEX = "due"
DUE_PAGE = 100

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of what is due before all else, as soon as it is there: it says nothing of how long that waits."""


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


@dataclass(frozen=True, slots=True)
class DueIngestion:
    """A statement file that isn't done, and that no invocation works on any more."""

    partner_id: str
    ingestion_id: str


@dataclass(frozen=True, slots=True)
class DueEvents:
    """Events to be given to whoever subscribed to them."""

    entry_id: str


@dataclass(frozen=True, slots=True)
class DueWebhook:
    """A webhook delivery to be attempted."""

    partner_id: str
    endpoint_id: str
    delivery_id: str


@dataclass(frozen=True, slots=True)
class DueUnknown:
    """Something whose key says nothing that the scheduler knows: it can only be set aside, and shown."""

    pk: str
    sk: str


type Due = (
    DueAccount
    | DueNotice
    | DueReplanning
    | DueInheritance
    | DuePrintBatch
    | DueIngestion
    | DueEvents
    | DueWebhook
    | DueUnknown
)


@dataclass(frozen=True, slots=True)
class DueRow:
    """A row of the index: where its item lies, since when it is due, as it was read, and what that is."""

    pk: str
    sk: str
    due_at: str
    what: Due


@dataclass(frozen=True, slots=True)
class DuePage:
    """A page of one shard: what is due of it, and the instant of the first thing that isn't yet.

    after: where the next page begins; None: no more is due.
    """

    rows: tuple[DueRow, ...]
    next_due_at: datetime | None
    after: Item | None = None

    @property
    def oldest_due_at(self) -> datetime | None:
        """Since when the oldest of it is due; None: nothing is, or what is says nothing of that."""
        known = (moment for row in self.rows if (moment := _moment(row.due_at)) and moment != AT_ONCE)
        return next(known, None)

    @property
    def due(self) -> tuple[Due, ...]:
        """What is due."""
        return tuple(row.what for row in self.rows)


@dataclass(frozen=True, slots=True)
class DueIndex:
    """The due index of one table."""

    client: "DynamoDBClient"
    table: str

    def sweep(self, shard: str, now: datetime, after: Item | None = None) -> DuePage:
        """What is due in a shard, oldest first, a page of it, and what comes next: one Query.

        `next_due_at` is None while a full page is due, because then the sweep isn't complete: it goes on `after` it.
        """
        going_on: dict[str, Any] = {"ExclusiveStartKey": after} if after else {}
        page = self.client.query(
            TableName=self.table,
            IndexName=DUE_INDEX,
            KeyConditionExpression="due_shard = :shard",
            ExpressionAttributeValues={":shard": text(shard)},
            Limit=DUE_PAGE,
            **going_on,
        )
        until = keys.instant(now)
        due = [item for item in page["Items"] if item["due_at"]["S"] <= until]
        later = (_moment(item["due_at"]["S"]) for item in page["Items"] if item["due_at"]["S"] > until)
        return DuePage(
            rows=tuple(_row(item["pk"]["S"], item["sk"]["S"], item["due_at"]["S"]) for item in due),
            next_due_at=next((moment for moment in later if moment), None),
            after=page.get("LastEvaluatedKey") if len(due) == len(page["Items"]) else None,
        )

    def lease(self, due: DuePrintBatch | DueIngestion | DueWebhook, now: datetime, until: datetime) -> bool:
        """Give what is due to a worker: unless it is done by then, it is due again.

        False: it isn't due any more, which closes the race of two sweeps.
        """
        still_due = at_most("due_at", text(keys.instant(now)))
        later = {":until": text(keys.instant(until))}
        if isinstance(due, DueIngestion):
            key = items.key(keys.ingestions(due.partner_id), due.ingestion_id)
        elif isinstance(due, DueWebhook):
            key = items.key(keys.webhook_deliveries(due.partner_id, due.endpoint_id), due.delivery_id)
        else:
            key = items.key(keys.print_batches(due.org_id))
        return conditional(self.client, update(self.table, key, "SET due_at = :until", later, still_due)).happened

    def shards(self) -> Iterator[str]:
        """All shards."""
        yield from keys.due_shards()


OF_NO_ACCOUNT: dict[str, Callable[[str], Due]] = {
    keys.REPLANNING_PARTITION: DueReplanning,
    keys.DEFAULTS_PARTITION: DueInheritance,
    keys.PRINT_BATCHES_PARTITION: DuePrintBatch,
    keys.OUTBOX_PARTITION: DueEvents,
}
"""What is due in partitions that are no account's, by their kind."""


def _moment(value: str) -> datetime | None:
    """An instant of the index; None: it isn't one."""
    try:
        return keys.moment(value)
    except ValueError:
        return None


def _row(partition: str, sort: str, due_at: str) -> DueRow:
    return DueRow(partition, sort, due_at, _due(partition, sort))


def _due(partition: str, sort: str) -> Due:
    """What a key is about. Never raises: one key that nothing made must not hide the rows around it."""
    for kind, due in OF_NO_ACCOUNT.items():
        owner = keys.id_in(partition, kind)
        if owner is not None:
            return due(owner)
    partner_id = keys.id_in(partition, keys.INGESTIONS_PARTITION)
    if partner_id is not None:
        return DueIngestion(partner_id, sort)
    endpoint = keys.id_in(partition, keys.WEBHOOKS_PARTITION)
    if endpoint is not None:
        return _due_webhook(partition, endpoint, sort)
    if not partition.startswith(keys.ACCOUNT_PARTITION) or partition.count("#") < 2:  # noqa: PLR2004 - one before each id
        return DueUnknown(partition, sort)
    org_id, account_id = keys.collection_parts(partition)
    notice_id = keys.id_in(sort, keys.NOTICE_SORT)
    if notice_id is not None:
        return DueNotice(org_id, account_id, notice_id)
    of_account = sort == keys.ROOT or keys.id_in(sort, keys.LARGE_CHANGE_SORT) is not None
    return DueAccount(org_id, account_id) if of_account else DueUnknown(partition, sort)


def _due_webhook(partition: str, endpoint: str, sort: str) -> Due:
    partner_id, _, endpoint_id = endpoint.partition("#")
    return DueWebhook(partner_id, endpoint_id, sort) if endpoint_id else DueUnknown(partition, sort)
