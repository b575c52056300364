"""Account books in the table: read whole with one Query, changed whole in one transaction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.vocabulary.history import HistoryEvent
from shared.storage import items, keys
from shared.storage.batches import read_items
from shared.storage.items import Item, text
from shared.storage.transactions import put, transact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STATEMENT_INDEX = "statement"
LOOKUP_PAGE = 200


class ConcurrentChangeError(Exception):
    """Somebody else changed the account since it was read: read it again and decide again."""


class BookRejectedError(Exception):
    """The account kept changing under us; nothing was written."""


@dataclass(frozen=True, slots=True)
class AccountBooks:
    """The account books of one table."""

    client: "DynamoDBClient"
    table: str

    def load(self, org_id: str, account_id: str) -> AccountBook | None:
        """Read an account with all that belongs to it, consistently; None: there is no such account."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": text(keys.collection(org_id, account_id))},
            ConsistentRead=True,
        )
        found: list[Item] = [item for page in pages for item in page["Items"]]
        return _book(found)

    def commit(self, change: Change) -> Account:
        """Apply a change whole, and answer the account in its new version.

        Raises ConcurrentChangeError when the account isn't at the version that the change was decided on. That closes
        the race of two writers that both read before either wrote; and because a claim raises the version too, no
        change can overwrite the row of a notice that was claimed meanwhile. Each notice must also be as it was read:
        the scheduler and the senders move rows without the account, and such a move must not be overwritten either.
        """
        (account,) = self.commit_together([change])
        return account

    def commit_together(self, changes: Iterable[Change]) -> list[Account]:
        """Apply changes to several accounts, all or none, each on the condition of `commit`.

        Together they may have as many `writes_of` as a transaction holds (MOST_WRITES).
        """
        writes, accounts = [], []
        for change in changes:
            before = change.account.version
            account = replace(change.account, version=before + 1)
            unchanged = "attribute_not_exists(pk)" if before == 0 else "version = :version"
            version = {} if before == 0 else {":version": items.number(before)}
            writes.append(put(self.table, items.account_item(account), unchanged, version))
            writes += [self._notice_put(notice) for notice in change.notices]
            writes += [put(self.table, item) for item in _belongings(change)]
            accounts.append(account)
        if not transact(self.client, writes):
            raise ConcurrentChangeError
        return accounts

    def _notice_put(self, notice: Notice) -> dict[str, Any]:
        item = items.notice_item(notice)
        if notice.moves_read is None:
            return put(self.table, item, "attribute_not_exists(pk)")
        return put(self.table, item, "moves = :moves", {":moves": items.number(notice.moves_read)})

    def known(self, org_id: str, account_ids: Iterable[str]) -> set[str]:
        """Which of these accounts there are, a hundred a call."""
        partitions = {keys.collection(org_id, account_id): account_id for account_id in account_ids}
        found = read_items(self.client, self.table, ((partition, keys.ROOT) for partition in partitions))
        return {partitions[item["pk"]["S"]] for item in found}

    def change(
        self, org_id: str, account_id: str, decide: Callable[[AccountBook], Change | None], tries: int = 8
    ) -> AccountBook | None:
        """Load, decide, commit; again from the start when somebody else was quicker.

        `decide` answers None to leave the account as it is. Returns the book that the last decision was taken on;
        None: there is no such account. Raises BookRejectedError after `tries` lost races.
        """
        for _ in range(tries):
            book = self.load(org_id, account_id)
            if book is None:
                return None
            decided = decide(book)
            if decided is None:
                return book
            try:
                self.commit(decided)
            except ConcurrentChangeError:
                continue
            return book
        raise BookRejectedError

    def mark_due(self, org_id: str, account_id: str, settings_version: int, now: datetime) -> bool:
        """Have an account planned as of now, by an organization's settings of this version or a later one.

        False: it is gone, or marked for these settings already. Its version rises, so that a change decided before the
        mark is decided again and can't write over it.
        """
        partition = keys.collection(org_id, account_id)
        try:
            self.client.update_item(
                TableName=self.table,
                Key={"pk": text(partition), "sk": text(keys.ROOT)},
                UpdateExpression=(
                    "SET due_shard = :shard, due_at = :now, settings_version = :settings, version = version + :one"
                ),
                ConditionExpression=(
                    "attribute_exists(pk) AND (attribute_not_exists(settings_version) OR settings_version < :settings)"
                ),
                ExpressionAttributeValues={
                    ":shard": text(keys.due_shard(partition)),
                    ":now": text(keys.instant(now)),
                    ":settings": items.number(settings_version),
                    ":one": items.number(1),
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def account_of(self, org_id: str, lookup: str) -> str | None:
        """Which account has the bill or notice of this lookup key; None: the organization has no such."""
        found = self.accounts_of(org_id, [lookup])
        return found.get(lookup)

    def accounts_of(self, org_id: str, lookups: Iterable[str]) -> dict[str, str]:
        """Which account has each of these bills (keys.bill_lookup) or notices (keys.notice_lookup).

        Reads the statement index in its own order and starts each page at the next key still sought, so that a run
        of ids as partners number them costs one page, and no file costs more than one page a statement.
        """
        sought = sorted(set(lookups))
        found: dict[str, str] = {}
        while sought:
            page = self.client.query(
                TableName=self.table,
                IndexName=STATEMENT_INDEX,
                KeyConditionExpression="statement_pk = :org AND statement_sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":org": text(keys.statement_index(org_id)),
                    ":first": text(sought[0]),
                    ":last": text(sought[-1]),
                },
                Limit=LOOKUP_PAGE,
            )
            seen = {item["statement_sk"]["S"]: item["pk"]["S"] for item in page["Items"]}
            found |= {key: keys.account_id_of(seen[key]) for key in sought if key in seen}
            if "LastEvaluatedKey" not in page:
                break
            last = page["LastEvaluatedKey"]["statement_sk"]["S"]
            sought = [key for key in sought if key > last]
        return found


def writes_of(change: Change) -> int:
    """How many items a change writes; a link and a checkout bring their pointers."""
    return (
        1
        + len(change.bills)
        + len(change.notices)
        + len(change.payments)
        + 3 * len(change.links)
        + 2 * len(change.checkouts)
        + len(change.history)
    )


def _belongings(change: Change) -> list[Item]:
    org_id, account_id = change.account.org_id, change.account.account_id
    return [
        *(items.bill_item(org_id, account_id, bill) for bill in change.bills),
        *(items.payment_item(org_id, account_id, payment) for payment in change.payments),
        *(items.link_item(link) for link in change.links),
        *(pointer for link in change.links for pointer in items.link_pointers(link)),
        *(items.checkout_item(checkout) for checkout in change.checkouts),
        *(items.checkout_pointer(checkout) for checkout in change.checkouts),
        *(
            items.history_item(org_id, account_id, event, change.account.version, n)
            for n, event in enumerate(change.history)
        ),
    ]


_KINDS: dict[str, tuple[str, type[Any]]] = {
    keys.BILL: ("bills", Bill),
    keys.NOTICE: ("notices", Notice),
    keys.PAYMENT: ("payments", Payment),
    keys.LINK: ("links", PaymentLink),
    keys.CHECKOUT: ("checkouts", Checkout),
    keys.HISTORY: ("history", HistoryEvent),
}


def _book(found: list[Item]) -> AccountBook | None:
    account: Account | None = None
    belongings: dict[str, list[Any]] = {}
    for item in found:
        sort = item["sk"]["S"]
        if sort == keys.ROOT:
            account = items.account_of(item)
            continue
        field, kind = _KINDS[sort[:2]]
        read = items.notice_of(item) if kind is Notice else items.unpack(kind, item["body"])
        belongings.setdefault(field, []).append(read)
    if account is None:
        return None
    return AccountBook(account=account, **{field: tuple(values) for field, values in belongings.items()})
