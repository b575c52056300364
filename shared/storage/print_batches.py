"""An organization's print batches, and its letters that no manifest has yet, in one partition.

`@` says how far batches are closed, and which one is being closed. It is in the due index while letters wait. Any
number of workers may close a batch at once, because they do the same; none begins another before that one is closed.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import batched, islice
from typing import TYPE_CHECKING, Any, Self

from shared.domain.calendar.send_window import DAY
from shared.domain.delivery.claim_records import BatchedLetter, OpenPrintBatch
from shared.domain.delivery.print_batch import PrintBatch, WaitingLetter, batch_closed
from shared.domain.records.notice import Notice
from shared.storage import items, keys
from shared.storage.batches import UNPROCESSED_PAUSE_SECONDS, read_items
from shared.storage.items import Item, number, text
from shared.storage.outbox import outbox_writes
from shared.storage.records import Records
from shared.storage.set_asides import SET_ASIDE_ATTRIBUTES
from shared.storage.writes import Condition, Write, absent, conditional, delete, equals, put, transact, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_DELETES = 25
"""DynamoDB's limit on one BatchWriteItem."""


def letter_item(letter: BatchedLetter) -> Item:
    """`M#`: a letter that no manifest has yet."""
    return {
        **_key(letter.org_id, keys.waiting_letter(letter.notice_id)),
        "account_id": text(letter.account_id),
        "day": text(letter.day.isoformat()),
        "claimed_at": text(keys.instant(letter.claimed_at)),
    }


def opening(table: str, batch: OpenPrintBatch) -> Write:
    """The part of a transaction that makes the organization's batch due when its day is over, or earlier.

    It counts up `claims`, so that a worker that has just found that no letter waits doesn't write over it.
    """
    partition = keys.print_batches(batch.org_id)
    return update(
        table,
        items.key(partition),
        "SET due_shard = :shard, due_at = if_not_exists(due_at, :closes), open_until = :closes,"
        " claims = if_not_exists(claims, :none) + :one",
        {
            ":shard": text(keys.due_shard(partition)),
            ":closes": text(keys.instant(batch.closes_at)),
            ":none": number(0),
            ":one": number(1),
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchState:
    """How far an organization's batches are.

    closed_through: of the last batch closed. closing: of the one being closed. open_until: before this, letters may be
    claimed by senders that don't open the batch again. claims: how often it was opened.
    """

    closed_through: date | None
    closing: date | None
    open_until: datetime
    claims: int

    @classmethod
    def of(cls, item: Item) -> Self:
        """Read the item."""
        return cls(
            closed_through=_date(item, "closed_through"),
            closing=_date(item, "closing"),
            open_until=keys.moment(item["open_until"]["S"]),
            claims=int(item["claims"]["N"]),
        )


@dataclass(frozen=True, slots=True)
class PrintBatches:
    """The print batches of one table."""

    client: "DynamoDBClient"
    table: str

    def state(self, org_id: str) -> BatchState | None:
        """How far an organization's batches are; None: it never had a letter."""
        item = Records(self.client, self.table).item(keys.print_batches(org_id))
        return BatchState.of(item) if item else None

    def letters(self, org_id: str) -> list[WaitingLetter]:
        """The letters that no manifest has yet, read consistently."""
        query = self._query(
            org_id, "begins_with(sk, :kind)", {":kind": text(keys.WAITING_LETTER_SORT)}, ConsistentRead=True
        )
        return [
            WaitingLetter(
                account_id=item["account_id"]["S"],
                notice_id=keys.id_of(item["sk"]["S"], keys.WAITING_LETTER_SORT),
                day=date.fromisoformat(item["day"]["S"]),
                claimed_at=keys.moment(item["claimed_at"]["S"]),
            )
            for item in query
        ]

    def rows(self, org_id: str, letters: Iterable[WaitingLetter]) -> dict[str, Notice]:
        """The letters' rows in the ledger by their ids, read consistently."""
        wanted = [
            (keys.collection(org_id, letter.account_id), keys.notice_lookup(letter.notice_id)) for letter in letters
        ]
        rows = (items.notice_of(item) for item in read_items(self.client, self.table, wanted))
        return {row.notice_id: row for row in rows}

    def begin(self, org_id: str, day: date, state: BatchState) -> bool:
        """Begin to close a batch. False: another worker began to close this one or another since the state was read."""
        values = {":day": text(day.isoformat())}
        return self._change(org_id, "SET closing = :day", values, _closed_through(state) & NONE_IS_CLOSED)

    def finish(self, batch: PrintBatch) -> bool:
        """Close a batch whose letters wait no more. False: another worker was quicker."""
        closed = {
            **_key(batch.org_id, keys.print_batch(batch.day)),
            "body": items.pack(PrintBatch, batch),
        }
        day = text(batch.day.isoformat())
        change, this_one_is_closed = "SET closed_through = :day REMOVE closing", equals("closing", day)
        through = update(self.table, _key(batch.org_id), change, {":day": day}, this_one_is_closed)
        told = outbox_writes(self.table, batch_closed(batch))
        return transact(self.client, [put(self.table, closed), through, *told])

    def rest(self, org_id: str, until: datetime | None, state: BatchState) -> bool:
        """Make an organization's batch due at an instant; None: not before it has another letter.

        False: a letter was claimed or a batch begun since the state was read, so it stays due as it was.
        """
        none_was_claimed = equals("claims", number(state.claims))
        if until is None:
            nothing_due = f"REMOVE due_shard, due_at, {WORKS_AGAIN}"
            return self._change(org_id, nothing_due, {}, none_was_claimed & NONE_IS_CLOSED)
        partition = keys.print_batches(org_id)
        values = {":shard": text(keys.due_shard(partition)), ":until": text(keys.instant(until))}
        due = f"SET due_shard = :shard, due_at = :until REMOVE {WORKS_AGAIN}"
        return self._change(org_id, due, values, none_was_claimed & NONE_IS_CLOSED)

    def forget(self, org_id: str, notice_ids: Iterable[str]) -> None:
        """Let letters wait no more, because a manifest lists them. They are never claimed again."""
        for some in batched(notice_ids, MOST_DELETES, strict=False):
            left: Any = {
                self.table: [
                    {"DeleteRequest": {"Key": _key(org_id, keys.waiting_letter(notice_id))}} for notice_id in some
                ]
            }
            while left:
                left = self.client.batch_write_item(RequestItems=left).get("UnprocessedItems")
                if left:
                    time.sleep(UNPROCESSED_PAUSE_SECONDS)

    def drop(self, org_id: str, letter: WaitingLetter) -> None:
        """Let a letter wait no more, because it isn't being sent, unless it was claimed again since it was read."""
        not_claimed_again = equals("claimed_at", text(keys.instant(letter.claimed_at)))
        key = _key(org_id, keys.waiting_letter(letter.notice_id))
        conditional(self.client, delete(self.table, key, not_claimed_again))

    def closed(self, org_id: str, limit: int, before: date = date.max) -> list[PrintBatch]:
        """Closed batches of days before a date, newest first, at most `limit`."""
        days = {":first": text(keys.PRINT_BATCH_SORT), ":last": text(keys.print_batch(before - DAY))}
        newest_first = self._query(
            org_id, "sk BETWEEN :first AND :last", days, ScanIndexForward=False, PaginationConfig={"PageSize": limit}
        )
        return [items.unpack(PrintBatch, item["body"]) for item in islice(newest_first, limit)]

    def _query(self, org_id: str, sort: str, values: Mapping[str, Any], **how: Any) -> Iterator[Item]:  # noqa: ANN401 - the client's own parameters
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression=f"pk = :pk AND {sort}",
            ExpressionAttributeValues={":pk": text(keys.print_batches(org_id)), **values},
            **how,
        )
        for page in pages:
            yield from page["Items"]

    def _change(self, org_id: str, change: str, values: Mapping[str, Any], condition: Condition) -> bool:
        return conditional(self.client, update(self.table, _key(org_id), change, values, condition)).happened


WORKS_AGAIN = ", ".join(SET_ASIDE_ATTRIBUTES)

NONE_IS_CLOSED = absent("closing")
"""No batch is being closed."""


def _closed_through(state: BatchState) -> Condition:
    """The last batch closed is the one that was, if there was one."""
    if state.closed_through is None:
        return absent("closed_through")
    return equals("closed_through", text(state.closed_through.isoformat()))


def _key(org_id: str, sort: str = keys.ROOT) -> Item:
    return items.key(keys.print_batches(org_id), sort)


def _date(item: Item, name: str) -> date | None:
    return date.fromisoformat(item[name]["S"]) if name in item else None
