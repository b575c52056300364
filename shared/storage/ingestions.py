"""Ingestions: the record of each file, and what became of each of its statements.

Rows lie in pages of a few hundred, compressed, under the ordinal of their first statement. Writing a page again, after
a crash between the work and its record, replaces it.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from shared.domain.records.ingestion import Ingestion, StatementRow, finished
from shared.domain.vocabulary.words import IngestionResult
from shared.storage import items, keys
from shared.storage.items import Item, number, text
from shared.storage.outbox import outbox_writes
from shared.storage.records import Records
from shared.storage.writes import NEW, Condition, absent, conditional, equals, put, transact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from pydantic import TypeAdapter

ORDINAL_DIGITS = 10
MOST_PAGE_BYTES = 300_000
"""How large a page of rows may be, compressed; an item may have 400 KB."""


@cache
def _rows() -> "TypeAdapter[list[StatementRow]]":
    from pydantic import TypeAdapter  # noqa: PLC0415 - as in attributes.py

    return TypeAdapter(list[StatementRow])


@dataclass(frozen=True, slots=True)
class Ingestions:
    """The ingestions of one table, each under its partner."""

    client: "DynamoDBClient"
    table: str

    @property
    def _records(self) -> Records:
        return Records(self.client, self.table)

    def begin(self, ingestion: Ingestion) -> bool:
        """Store a new ingestion. False: there is one with this id already."""
        return self._write(ingestion, NEW)

    def save(self, ingestion: Ingestion) -> None:
        """Store the ingestion of a file that came in one request: nobody else knows of it."""
        self._records.put(_item(ingestion))

    def move_on(self, ingestion: Ingestion) -> Ingestion | None:
        """Store how far a file has come, which is the state that was read or stored last, changed; the state stored.

        None: another has worked on the file since.
        """
        as_read = equals("revision", number(ingestion.revision))
        if ingestion.revision == 0:
            as_read |= absent("revision")
        stored = replace(ingestion, revision=ingestion.revision + 1)
        return stored if self._write(stored, as_read) else None

    def _write(self, ingestion: Ingestion, condition: Condition) -> bool:
        """Write an ingestion, and tell of one that has finished in the same transaction."""
        write, told = put(self.table, _item(ingestion), condition), outbox_writes(self.table, finished(ingestion))
        return transact(self.client, [write, *told]) if told else conditional(self.client, write).happened

    def get(self, partner_id: str, ingestion_id: str) -> Ingestion | None:
        """A partner's ingestion; None: there is none, or it is somebody else's."""
        return self._records.get(Ingestion, keys.ingestions(partner_id), ingestion_id)

    def newest(self, partner_id: str, limit: int, before: str | None) -> tuple[list[Ingestion], bool]:
        """A partner's ingestions, newest first, from the one before `before`; and whether there are more."""
        condition = "pk = :pk" if before is None else "pk = :pk AND sk < :before"
        values: dict[str, Any] = {":pk": text(keys.ingestions(partner_id))}
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
        found = [items.unpack(Ingestion, item["body"]) for item in page]
        return found[:limit], len(found) > limit

    def save_rows(self, partner_id: str, ingestion_id: str, first: int, rows: Sequence[StatementRow]) -> None:
        """Store what became of consecutive statements, of which the first is the `first` of the file (from 0)."""
        if not rows:
            return
        packed = zlib.compress(_rows().dump_json(list(rows), exclude_defaults=True))
        if len(packed) > MOST_PAGE_BYTES and len(rows) > 1:
            half = len(rows) // 2
            self.save_rows(partner_id, ingestion_id, first, rows[:half])
            self.save_rows(partner_id, ingestion_id, first + half, rows[half:])
            return
        self._records.put(
            {
                **items.key(keys.ingestion_rows(partner_id, ingestion_id), _ordinal(first)),
                "results": {"SS": sorted({row.result for row in rows})},
                "body": {"B": packed},
            }
        )

    def rows(
        self, ingestion: Ingestion, result: IngestionResult | None, limit: int, after: int | None
    ) -> tuple[list[tuple[int, StatementRow]], bool]:
        """Rows with their ordinals, in the order of the file, from the one after `after`; and whether there are more.

        Only those with a result, if one is given: pages without it aren't unpacked. Only those that are counted: a page
        further on was written just before a crash, or is of another content.
        """
        found: list[tuple[int, StatementRow]] = []
        for ordinal, row in self._all_rows(ingestion.partner_id, ingestion.ingestion_id, result, after):
            if ordinal >= ingestion.counts.total:
                break
            if len(found) == limit:
                return found, True
            found.append((ordinal, row))
        return found, False

    def _all_rows(
        self, partner_id: str, ingestion_id: str, result: IngestionResult | None, after: int | None
    ) -> Iterator[tuple[int, StatementRow]]:
        partition = keys.ingestion_rows(partner_id, ingestion_id)
        for item in self._pages(partition, result, self._page_of(partition, after)):
            first = int(item["sk"]["S"])
            for ordinal, row in enumerate(_rows().validate_json(zlib.decompress(item["body"]["B"])), start=first):
                if (after is None or ordinal > after) and result in {None, row.result}:
                    yield ordinal, row

    def _page_of(self, partition: str, ordinal: int | None) -> str:
        """The sort key of the page that has a row."""
        if ordinal is None:
            return _ordinal(0)
        answer = self.client.query(
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND sk <= :ordinal",
            ExpressionAttributeValues={":pk": text(partition), ":ordinal": text(_ordinal(ordinal))},
            ScanIndexForward=False,
            Limit=1,
            ProjectionExpression="sk",
        )
        return answer["Items"][0]["sk"]["S"] if answer["Items"] else _ordinal(0)

    def _pages(self, partition: str, result: IngestionResult | None, first: str) -> Iterator[Item]:
        values: dict[str, Any] = {":pk": text(partition), ":first": text(first)}
        more: dict[str, Any] = {}
        if result is not None:
            values[":result"] = text(result)
            more["FilterExpression"] = "contains(results, :result)"
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND sk >= :first",
            ExpressionAttributeValues=values,
            **more,
        )
        for page in pages:
            yield from page["Items"]


def _ordinal(number: int) -> str:
    return f"{number:0{ORDINAL_DIGITS}}"


def _item(ingestion: Ingestion) -> Item:
    partition = keys.ingestions(ingestion.partner_id)
    item = {
        **items.key(partition, ingestion.ingestion_id),
        "revision": number(ingestion.revision),
        "body": items.pack(Ingestion, ingestion),
    }
    if ingestion.due_at is not None:
        item |= {"due_shard": text(keys.due_shard(partition)), "due_at": text(keys.instant(ingestion.due_at))}
    return item
