"""Lists of an organization's accounts: those that owe, and those that a search finds, a page at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.domain.account.search_facts import alike_name
from shared.domain.records.account import Account
from shared.domain.records.notice import Notice
from shared.storage import items, keys
from shared.storage.batches import MOST_KEYS, read_items
from shared.storage.items import Item, key, text
from shared.storage.organizations import ORGANIZATION_INDEX
from shared.storage.search_entries import SearchHashes, place_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type ListPlace = tuple[str, ...]
"""Where a list goes on: the keys of the row shown last, and its place in the index."""


class ListRow(NamedTuple):
    """A row of a list: whose it is, and where it stands."""

    account_id: str
    place: ListPlace


class ListPage(NamedTuple):
    """Rows of a list in its order, and the place to go on after. end: None: that's all."""

    rows: list[ListRow]
    end: ListPlace | None


@dataclass(frozen=True, slots=True)
class AccountLists:
    """The account lists of one table. A page is one Query of the index; the accounts of a page are one read."""

    client: "DynamoDBClient"
    table: str

    def owing(self, org_id: str, limit: int, after: ListPlace | None, *, newest_first: bool = False) -> ListPage:
        """The accounts that owe, in the order of their oldest unpaid bill."""
        return self._query(keys.owing(org_id), "", limit, after, forward=not newest_first)

    def having(self, hashes: SearchHashes, fact: str, limit: int, after: ListPlace | None) -> ListPage:
        """The accounts with a fact that is found whole only (search_facts.alike)."""
        return self._query(keys.search_entries(hashes.org_id, hashes.whole(fact)), "", limit, after)

    def named(self, hashes: SearchHashes, beginning: str, limit: int, after: ListPlace | None) -> ListPage:
        """The accounts with a last name that begins so (search_facts.alike_name), once for each such name."""
        fact, letters = place_of(hashes.name(beginning))
        return self._query(keys.search_entries(hashes.org_id, fact), letters, limit, after)

    def accounts(self, org_id: str, rows: Iterable[ListRow]) -> list[tuple[Account, ListRow]]:
        """The accounts of some rows, each with its row, in their order; without those that are gone."""
        wanted = [(keys.collection(org_id, row.account_id), row) for row in rows]
        read = read_items(self.client, self.table, ((partition, keys.ROOT) for partition, _ in wanted))
        found = {item["pk"]["S"]: items.account_of(item) for item in read}
        return [(found[partition], row) for partition, row in wanted if partition in found]

    def notices(self, accounts: Iterable[Account]) -> dict[str, tuple[Notice, ...]]:
        """The notices that the summaries of accounts name, by the account; MOST_KEYS of them are one read."""
        wanted = (
            (keys.collection(account.org_id, account.account_id), keys.notice_lookup(notice_id))
            for account in accounts
            for notice_id in account.summary.notice_ids
        )
        found = dict[str, tuple[Notice, ...]]()
        for item in read_items(self.client, self.table, wanted):
            account_id = keys.account_id_of(item["pk"]["S"])
            found[account_id] = (*found.get(account_id, ()), items.notice_of(item))
        return found

    def _query(
        self, partition: str, beginning: str, limit: int, after: ListPlace | None, *, forward: bool = True
    ) -> ListPage:
        condition, values = "org_pk = :list", {":list": text(partition)}
        if beginning:
            condition += " AND begins_with(org_sk, :beginning)"
            values[":beginning"] = text(beginning)
        start: Mapping[str, Any] = {"ExclusiveStartKey": _start(partition, after)} if after else {}
        answer = self.client.query(
            TableName=self.table,
            IndexName=ORGANIZATION_INDEX,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ScanIndexForward=forward,
            Limit=min(limit, MOST_KEYS),
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        rows = [ListRow(keys.account_id_of(row["pk"]["S"]), _place(row)) for row in answer["Items"]]
        return ListPage(rows, _place(last) if last else None)


def _place(row: Mapping[str, Any]) -> ListPlace:
    return row["pk"]["S"], row["sk"]["S"], row["org_sk"]["S"]


def _start(partition: str, after: ListPlace) -> Item:
    pk, sk, place = after
    return {**key(pk, sk), "org_pk": text(partition), "org_sk": text(place)}


def names_first(row: ListRow, account: Account, hashes: SearchHashes, beginning: str) -> bool:
    """Whether a row is that of the first of an account's names that begin so.

    The account may have others; or it had this one until just now, and the index, a little late, doesn't know.
    """
    names = (alike_name(account.guarantor.last_name), *account.summary.patient_names)
    entries = sorted(hashes.name(name) for name in names if name.startswith(beginning))
    return bool(entries) and row.place[1] == keys.search_entry(entries[0])
