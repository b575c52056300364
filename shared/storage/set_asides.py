"""What is due and failed: set aside for a growing time, without reading what it says, and named in a list.

The count stands in the item itself, so that whatever writes the item anew, because it works again, has cleared it. The
list only names what to look at: a row of it counts as long as its item has a count, and expires when nobody renews it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.account.setting_aside import LONGEST_PAUSE, set_aside_for
from shared.storage import items, keys
from shared.storage.batches import read_items
from shared.storage.due_index import DuePrintBatch, DueRow
from shared.storage.items import Item, number, text
from shared.storage.records import Records
from shared.storage.writes import put, transact, unchanged, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SET_ASIDE_ATTRIBUTES = ("failures", "set_aside_reason", "set_aside_since")
"""What an item has as long as it is set aside; whatever writes it because it works again leaves them out."""

LISTED_FOR = 2 * LONGEST_PAUSE
"""How long a row of the list stays after its last failure: longer than until the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """Something that failed. pk, sk: of its item, ids alone. reason: the error's type; since: of the first failure."""

    pk: str
    sk: str
    reason: str
    failures: int
    since: datetime
    next_try_at: datetime


@dataclass(frozen=True, slots=True)
class SetAsides:
    """What is set aside in one table."""

    client: "DynamoDBClient"
    table: str

    def set_aside(self, row: DueRow, reason: str, now: datetime) -> SetAside | None:
        """Leave something alone for a while that failed just now. reason: the error's type, and nothing that it says.

        None: it isn't due any more as it was read, so somebody else was there, and there is nothing to set aside. Its
        item is never parsed, for that may be what failed.
        """
        item = Records(self.client, self.table).item(row.pk, row.sk)
        # A print batch that fails was leased before; when it is due does no harm, because its closer looks at the day.
        if item is None or (item.get("due_at") != text(row.due_at) and not isinstance(row.what, DuePrintBatch)):
            return None
        failures = int(item["failures"]["N"]) + 1 if "failures" in item else 1
        since = keys.moment(item["set_aside_since"]["S"]) if "set_aside_since" in item else now
        next_try_at = now + set_aside_for(failures, keys.set_aside_row(row.pk, row.sk))
        failed = SetAside(pk=row.pk, sk=row.sk, reason=reason, failures=failures, since=since, next_try_at=next_try_at)
        values = {
            ":failures": number(failures),
            ":reason": text(reason),
            ":since": text(keys.instant(since)),
            ":later": text(keys.instant(next_try_at)),
        }
        change = "SET failures = :failures, set_aside_reason = :reason, set_aside_since = :since, due_at = :later"
        # As it was read: a run that has done it meanwhile has made it due at another time, which must stand.
        as_read = unchanged("due_at", item) & unchanged("failures", item)
        mark = update(self.table, items.key(row.pk, row.sk), change, values, as_read)
        listed = put(self.table, _listed(failed, item["due_shard"]["S"], now))
        return failed if transact(self.client, [mark, listed]) else None

    def all(self) -> list[SetAside]:
        """What is set aside now, the first to have failed first."""
        rows = [row for shard in keys.due_shards() for row in self._rows(shard)]
        there = read_items(self.client, self.table, ((row["item_pk"]["S"], row["item_sk"]["S"]) for row in rows))
        failing = {(item["pk"]["S"], item["sk"]["S"]) for item in there if "failures" in item}
        found = (_set_aside(row) for row in rows)
        return sorted((each for each in found if (each.pk, each.sk) in failing), key=lambda each: each.since)

    def _rows(self, shard: str) -> list[Item]:
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": text(keys.set_aside(shard))},
        )
        return [row for page in pages for row in page["Items"]]


def _listed(failed: SetAside, shard: str, now: datetime) -> Item:
    """`F#`: a row of the list of what is set aside."""
    return {
        "pk": text(keys.set_aside(shard)),
        "sk": text(keys.set_aside_row(failed.pk, failed.sk)),
        "item_pk": text(failed.pk),
        "item_sk": text(failed.sk),
        "reason": text(failed.reason),
        "failures": number(failed.failures),
        "since": text(keys.instant(failed.since)),
        "next_try_at": text(keys.instant(failed.next_try_at)),
        "expires_at": number(int((now + LISTED_FOR).timestamp())),
    }


def _set_aside(row: Item) -> SetAside:
    return SetAside(
        pk=row["item_pk"]["S"],
        sk=row["item_sk"]["S"],
        reason=row["reason"]["S"],
        failures=int(row["failures"]["N"]),
        since=keys.moment(row["since"]["S"]),
        next_try_at=keys.moment(row["next_try_at"]["S"]),
    )
