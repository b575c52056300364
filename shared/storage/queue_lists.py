"""Lists of an organization's bills and notices, a page at a time, by the narrow indexes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.domain.records.notice import Notice
from shared.domain.records.transitions import ON_THE_CLOCK
from shared.domain.vocabulary.words import BillStatus, Channel, NoticeStatus
from shared.storage import items, keys
from shared.storage.account_books import STATEMENT_INDEX
from shared.storage.batches import read_items
from shared.storage.items import NEEDS_ATTENTION, Item, text
from shared.storage.organizations import ORGANIZATION_INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Position = tuple[str, ...]
"""Where a list goes on: the sort key of the last row shown, and the item that it stands for."""

INDEX_PAGE = 200
"""How many rows a list reads at once."""

MOST_COUNTED = 20_000
"""How many rows of the index one count reads: about five pages of a megabyte."""

FIRST_SCHEDULED, LAST_SCHEDULED = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""Before and after all that is scheduled."""


class TooManyToCountError(Exception):
    """There are more notices than one request may count; a shorter stretch of time has fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFilter:
    """Which notices to show; empty: whichever. since, until: scheduled from the one instant on and before the other."""

    status: str = ""
    statuses: frozenset[NoticeStatus] = frozenset()
    channel: str = ""
    notification_type: str = ""
    configuration_id: str = ""
    ingestion_id: str = ""
    attention: bool = False
    since: datetime | None = None
    until: datetime | None = None

    def keeps(self, row: Item) -> bool:
        """Whether an index row is to be shown."""
        status = row["status"]["S"]
        return (
            self.status in {"", status}
            and (not self.statuses or status in self.statuses)
            and self.channel in {"", row["channel"]["S"]}
            and self.notification_type in {"", row.get("notification_type", {}).get("S")}
            and self.configuration_id in {"", row.get("configuration_id", {}).get("S")}
            and self.ingestion_id in {"", *row.get("ingestion_id", {}).get("SS", ())}
            and (not self.attention or status in NEEDS_ATTENTION)
        )

    def keeps_notice(self, notice: Notice) -> bool:
        """Whether a notice is to be shown."""
        early = self.since is not None and notice.scheduled_for < self.since
        late = self.until is not None and notice.scheduled_for >= self.until
        return self.keeps(items.notice_item(notice)) and not early and not late


@dataclass(frozen=True, slots=True)
class BillRow:
    """Where a bill lies, and how it stands."""

    account_id: str
    statement_id: str
    status: BillStatus


@dataclass(frozen=True, slots=True)
class QueueLists:
    """The lists of one table."""

    client: "DynamoDBClient"
    table: str

    def bills(
        self, org_id: str, status: BillStatus | None, limit: int, after: Position | None
    ) -> tuple[list[BillRow], Position | None]:
        """An organization's bills in the order of their statement ids, and where to go on; None: that's all."""
        rows, position = self._page(
            bill_rows(org_id),
            limit,
            after,
            lambda row: status is None or row["bill_status"]["S"] == status,
            ("statement_pk", "statement_sk"),
        )
        return [bill_row(row) for row in rows], position

    def open_accounts(self, org_id: str) -> Iterator[str]:
        """The accounts of an organization that have a bill that is Due, each once, read page by page as it is asked."""
        seen = set[str]()
        for row in map(bill_row, self._rows(bill_rows(org_id), None)):
            if row.status is BillStatus.DUE and row.account_id not in seen:
                seen.add(row.account_id)
                yield row.account_id

    def notices(
        self, org_id: str, chosen: NoticeFilter, limit: int, after: Position | None
    ) -> tuple[list[Notice], Position | None]:
        """An organization's notices, those scheduled last first, and where to go on; None: that's all."""
        query = _notice_rows(org_id, chosen.since, chosen.until)
        rows, position = self._page(query, limit, after, chosen.keeps, ("org_pk", "org_sk"))
        return self._read(rows), position

    def counts(self, org_id: str, chosen: NoticeFilter) -> "Counter[tuple[NoticeStatus, Channel]]":
        """How many notices an organization has by status and channel, in a stretch of time where the filter has one.

        Reads the narrow index alone, in pages as large as there are. Raises TooManyToCountError where there are more
        than MOST_COUNTED, kept by the filter or not.
        """
        counted = Counter[tuple[NoticeStatus, Channel]]()
        query = _notice_rows(org_id, chosen.since, chosen.until)
        for read, row in enumerate(self._rows(query, None, to_the_end=True), start=1):
            if read > MOST_COUNTED:
                raise TooManyToCountError
            if chosen.keeps(row):
                counted[NoticeStatus(row["status"]["S"]), Channel(row["channel"]["S"])] += 1
        return counted

    def needs_review(self, org_id: str) -> list[Notice]:
        """An organization's notices that may need review: still on their way, or possibly sent twice; newest first.

        Of all others, which grow with the years, only the narrow index is read.
        """
        return self._read(row for row in self._rows(_notice_rows(org_id), None) if _needs_review(row))

    def _read(self, rows: Iterable[Item]) -> list[Notice]:
        found = read_items(self.client, self.table, ((row["pk"]["S"], row["sk"]["S"]) for row in rows))
        return [items.notice_of(item) for item in found]

    def _page(
        self,
        query: Mapping[str, Any],
        limit: int,
        after: Position | None,
        keeps: Callable[[Item], bool],
        index: tuple[str, str],
    ) -> tuple[list[Item], Position | None]:
        partition, sort = index
        start: Item | None = None
        if after is not None:
            pk, sk, position = after
            owner = query["ExpressionAttributeValues"][":org"]["S"]
            start = {"pk": text(pk), "sk": text(sk), partition: text(owner), sort: text(position)}
        page: list[Item] = []
        for row in self._rows(query, start):
            if not keeps(row):
                continue
            if len(page) == limit:
                last = page[-1]
                return page, (last["pk"]["S"], last["sk"]["S"], last[sort]["S"])
            page.append(row)
        return page, None

    def _rows(self, query: Mapping[str, Any], start: Item | None, *, to_the_end: bool = False) -> Iterator[Item]:
        """Rows of an index, page by page as they are asked for. to_the_end: all will be, so pages may be large."""
        page: dict[str, Any] = {} if to_the_end else {"Limit": INDEX_PAGE}
        while True:
            more: dict[str, Any] = {"ExclusiveStartKey": start} if start else {}
            answer = self.client.query(TableName=self.table, **page, **query, **more)
            yield from answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if not start:
                return


def _notice_rows(org_id: str, since: datetime | None = None, until: datetime | None = None) -> dict[str, Any]:
    """The query for an organization's notices, the latest scheduled first; of a stretch of time, if one is given."""
    condition, values = "org_pk = :org", {":org": text(keys.notifications(org_id))}
    if since or until:
        condition += " AND org_sk BETWEEN :since AND :until"
        values[":since"] = text(keys.instant(since or FIRST_SCHEDULED))
        # A row of this very instant has its id behind it, so it isn't between.
        values[":until"] = text(keys.instant(until or LAST_SCHEDULED))
    return {
        "IndexName": ORGANIZATION_INDEX,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": False,
    }


def _needs_review(row: Item) -> bool:
    return row["status"]["S"] in ON_THE_CLOCK or "possible_duplicate" in row


def bill_rows(org_id: str) -> dict[str, Any]:
    """The query for an organization's bills, in the order of their statement ids."""
    return {
        "IndexName": STATEMENT_INDEX,
        "KeyConditionExpression": "statement_pk = :org AND begins_with(statement_sk, :bills)",
        "ExpressionAttributeValues": {":org": text(keys.statement_index(org_id)), ":bills": text(keys.BILL_SORT)},
    }


def bill_row(row: Item) -> BillRow:
    """A bill as the statement index shows it."""
    return BillRow(
        account_id=keys.account_id_of(row["pk"]["S"]),
        statement_id=keys.id_of(row["statement_sk"]["S"], keys.BILL_SORT),
        status=BillStatus(row["bill_status"]["S"]),
    )
