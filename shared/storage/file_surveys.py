"""What the first reading of a file noted, so that no invocation has to read it all: pages of 64-bit numbers.

They lie beside the file's rows, under the content that was read, and expire. Writing a page again replaces it.
"""

from array import array
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING

from shared.domain.records.ingestion import Ingestion
from shared.storage import items, keys
from shared.storage.items import number, text
from shared.storage.records import Records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

PAGE_NUMBERS = 32_000
"""How many numbers a page has; they don't get smaller by compression, and an item may have 400 KB."""

SURVEYS_KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class FileSurveys:
    """The first readings of one table."""

    client: "DynamoDBClient"
    table: str

    def save_digests(self, ingestion: Ingestion, first: int, pairs: "array[int]", now: datetime) -> None:
        """Note two numbers for each of consecutive statements, of which the first is the `first` of the file."""
        for n, some in enumerate(batched(pairs, PAGE_NUMBERS, strict=False)):
            self._save(ingestion, keys.digests_page(first + n * PAGE_NUMBERS // 2), some, now)

    def digests(self, ingestion: Ingestion) -> "array[int] | None":
        """The two numbers of each statement noted so far; None: some are missing."""
        found, until = array("Q"), 2 * ingestion.reading.surveyed
        for sort, page in self._pages(ingestion, keys.DIGESTS_SORT):
            first = 2 * int(keys.id_of(sort, keys.DIGESTS_SORT))
            if first > len(found):
                break
            # A page may be longer than what was made of it: whoever wrote it lost the file to another.
            del found[first:]
            found.extend(page)
        del found[until:]
        return found if len(found) == until else None

    def save_repeats(self, ingestion: Ingestion, places: "array[int]", now: datetime) -> None:
        """Note which statements of the whole file come again."""
        for n, some in enumerate(batched(places, PAGE_NUMBERS, strict=False)):
            self._save(ingestion, keys.repeats_page(n), some, now)

    def repeats(self, ingestion: Ingestion) -> "array[int]":
        """Which statements of the whole file come again, as they were noted."""
        found = array("Q")
        for _, page in self._pages(ingestion, keys.REPEATS_SORT):
            found.extend(page)
        return found

    def _save(self, ingestion: Ingestion, sort: str, some: tuple[int, ...], now: datetime) -> None:
        Records(self.client, self.table).put(
            {
                **items.key(_partition(ingestion), sort),
                "body": {"B": array("Q", some).tobytes()},
                "expires_at": number(int((now + SURVEYS_KEPT_FOR).timestamp())),
            }
        )

    def _pages(self, ingestion: Ingestion, kind: str) -> "Iterator[tuple[str, array[int]]]":
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :kind)",
            ExpressionAttributeValues={":pk": text(_partition(ingestion)), ":kind": text(kind)},
            ConsistentRead=True,
        )
        for page in pages:
            for item in page["Items"]:
                found = array("Q")
                found.frombytes(item["body"]["B"])
                yield item["sk"]["S"], found


def _partition(ingestion: Ingestion) -> str:
    return keys.ingestion_survey(ingestion.partner_id, ingestion.ingestion_id, ingestion.reading.etag)
