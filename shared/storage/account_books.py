"""Account books in the table: read whole with one Query, changed whole or not at all."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from shared.domain.account.happenings import happenings
from shared.domain.account.search_facts import most_facts, search_facts
from shared.domain.account.summary import summarized
from shared.domain.records.account import NOT_SUMMARIZED, Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.vocabulary.history import HistoryEvent
from shared.storage import items, keys
from shared.storage.batches import read_items
from shared.storage.items import Item, text
from shared.storage.large_changes import (
    ChangeTooLargeError,
    Draft,
    documents_of,
    drafted,
    drafted_by_pages,
    fit_together,
    is_unfinished,
    write_out,
)
from shared.storage.notices import Notices
from shared.storage.races import BusyError, LostRaceError, until_won
from shared.storage.records import Records
from shared.storage.search_entries import NO_ENTRY_CHANGE, EntryChange, SearchHashes
from shared.storage.writes import MOST_WRITES, THERE, absent, below, conditional, transact, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STATEMENT_INDEX = "statement"
LOOKUP_PAGE = 200


class ConcurrentChangeError(LostRaceError):
    """Somebody else changed the account, or a row of it, since it was read."""


class NoSuchAccountError(LookupError):
    """There is no account of this id."""


class Decided[R](NamedTuple):
    """What came of a decision: the book as it is by now, and what else the decision answered."""

    book: AccountBook
    result: R


@dataclass(frozen=True, slots=True)
class AccountBooks:
    """The account books of one table.

    search_key: the key of search entries. A function without it changes nothing that accounts are found by.
    """

    client: "DynamoDBClient"
    table: str
    search_key: Callable[[], bytes] | None = None

    def load(self, org_id: str, account_id: str) -> AccountBook | None:
        """Read an account with all that belongs to it, consistently; None: there is no such account.

        A large change that isn't written out yet is written out first, so nobody sees half of one. Raises BusyError
        where others write so many that none is ever found written out.
        """
        return _book(until_won(lambda: self._read_whole(org_id, account_id)))

    def _read_whole(self, org_id: str, account_id: str) -> list[Item]:
        """All of an account's items, with no large change that waits. Raises LostRaceError: read again."""
        pages = self._read(org_id, account_id)
        found = [item for page in pages for item in page]
        if is_unfinished(found):
            write_out(self.client, self.table, found)
            raise LostRaceError
        if len(pages) > 1 and self._changed_since(found[0]):
            raise LostRaceError  # some pages are older than the change, some younger
        return found

    def _changed_since(self, root: Item) -> bool:
        now = Records(self.client, self.table).item(root["pk"]["S"])
        return now is None or now["version"] != root["version"]

    def _read(self, org_id: str, account_id: str) -> list[list[Item]]:
        """All of an account's items, in pages of up to 1 MB, each read at a time of its own."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": text(keys.collection(org_id, account_id))},
            ConsistentRead=True,
        )
        return [page["Items"] for page in pages]

    def commit(self, change: Change, book: AccountBook | None = None) -> Account:
        """Apply a change whole, however many items it has, and answer the account in its new version.

        book: what the change was decided on. From it the account's summary and search entries follow; without it they
        stay as they are, unless the account is new.

        Raises ConcurrentChangeError when the account isn't at the version that the change was decided on. That closes
        the race of two writers that both read before either wrote; and because a claim raises the version too, no
        change can overwrite the row of a notice that was claimed meanwhile. Each notice must also be as it was read:
        the scheduler and the senders move rows without the account, and such a move must not be overwritten either. A
        large change follows on such moves instead (docs/rules.md#any-number). Raises ItemTooLargeError and
        ChangeTooLargeError.
        """
        (account,) = self.commit_together([change], [book] if book else [])
        return account

    def commit_together(self, changes: Iterable[Change], books: Iterable[AccountBook] = ()) -> list[Account]:
        """Apply changes to several accounts, all or none, each on the condition of `commit`.

        books: what they were decided on, as far as there were accounts.

        What doesn't fit into one transaction with the others is written by pages: the largest first.
        """
        read = {book.account.account_id: book for book in books}
        listed = [self._listed(change, read.get(change.account.account_id)) for change in changes]
        drafts = [drafted(self.table, change, entries) for change, entries in listed]
        for n in sorted(range(len(drafts)), key=lambda n: len(drafts[n].writes), reverse=True):
            if fit_together(drafts):
                break
            drafts[n] = self._by_pages(drafts[n])
        if not fit_together(drafts):
            raise ChangeTooLargeError
        for pointers in batched([write for draft in drafts for write in draft.before], MOST_WRITES, strict=False):
            transact(self.client, list(pointers))
        if not transact(self.client, [write for draft in drafts for write in draft.writes]):
            raise ConcurrentChangeError
        for account in (draft.account for draft in drafts if draft.large):
            # It has happened. Who reads the account next writes out what is left, and the scheduler reads it soon.
            with suppress(BusyError, ClientError, BotoCoreError):
                until_won(partial(self._read_whole, account.org_id, account.account_id))
        return [draft.account for draft in drafts]

    def _listed(self, change: Change, book: AccountBook | None) -> tuple[Change, EntryChange]:
        """The change with the account's new summary, and what it does to the account's search entries."""
        account = change.account
        if not account.version:
            book = AccountBook(account=account)
        if book is None or book.account.version != account.version:
            return change, NO_ENTRY_CHANGE  # a book of another version: the change loses its race
        after = book.after(change)
        listed = replace(change, account=replace(account, summary=summarized(after)))
        if self.search_key is None:
            return listed, NO_ENTRY_CHANGE
        wanted = SearchHashes(self.search_key(), account.org_id).entries(search_facts(after))
        added, dropped = wanted - book.search_entries, book.search_entries - wanted
        return listed, EntryChange(tuple(sorted(added)), tuple(sorted(dropped)))

    def _by_pages(self, draft: Draft) -> Draft:
        change, account = draft.change, draft.change.account
        stored = self._read(account.org_id, account.account_id) if account.version and change.bills else []
        documents = documents_of(item for page in stored for item in page)
        return drafted_by_pages(self.table, change, documents, draft.entries)

    def known(self, org_id: str, account_ids: Iterable[str]) -> set[str]:
        """Which of these accounts there are, a hundred a call."""
        partitions = {keys.collection(org_id, account_id): account_id for account_id in account_ids}
        found = read_items(self.client, self.table, ((partition, keys.ROOT) for partition in partitions))
        return {partitions[item["pk"]["S"]] for item in found}

    def accounts(self, org_id: str, account_ids: Iterable[str]) -> dict[str, Account]:
        """These accounts by their ids, as far as there are such, a hundred a call."""
        found = read_items(
            self.client, self.table, ((keys.collection(org_id, account_id), keys.ROOT) for account_id in account_ids)
        )
        return {account.account_id: account for account in map(items.account_of, found)}

    def having_lifetime_bills(self, org_id: str, patient_account_ids: Iterable[str]) -> dict[str, str]:
        """Which account has the active Lifetime bill of each of these patient accounts, or had it last; consistent."""
        partitions = (keys.patient_account(org_id, patient_account_id) for patient_account_id in patient_account_ids)
        found = read_items(self.client, self.table, ((partition, keys.ROOT) for partition in partitions))
        return {keys.patient_account_id_of(item["pk"]["S"]): item["account_id"]["S"] for item in found}

    def claiming_statements(self, org_id: str, statement_ids: Iterable[str]) -> dict[str, str]:
        """Which account was the first to have the bill of each of these statements; consistent.

        Those whose bills came before there were such claims are in the index alone.
        """
        partitions = (keys.statement_claim(org_id, statement_id) for statement_id in statement_ids)
        found = read_items(self.client, self.table, ((partition, keys.ROOT) for partition in partitions))
        return {keys.claimed_statement_of(item["pk"]["S"]): item["account_id"]["S"] for item in found}

    def change(self, org_id: str, account_id: str, decide: Callable[[AccountBook], Change | None]) -> AccountBook:
        """Load, decide, commit, and answer the book as that leaves it; again when somebody else was quicker.

        `decide` answers None to leave the account as it is. Raises what `decide` does.
        """
        return self.decide(org_id, account_id, lambda book: (decide(book), None)).book

    def decide[R](
        self, org_id: str, account_id: str, decide: Callable[[AccountBook], tuple[Change | None, R]]
    ) -> Decided[R]:
        """Change an account as `change` does, by a decision that answers something beside the change.

        Raises NoSuchAccountError, and BusyError for an account that never rests.
        """

        def attempt() -> Decided[R]:
            book = self.load(org_id, account_id)
            if book is None:
                raise NoSuchAccountError
            change, result = decide(book)
            if change is None:
                return Decided(book, result)
            account = self.commit(change, book)
            return Decided(book.after(_as_stored(change, account)), result)

        return until_won(attempt)

    def settle(
        self,
        org_id: str,
        account_id: str,
        decide: Callable[[AccountBook], Change | None],
        row_alone: Callable[[AccountBook, Change], Notice | None],
    ) -> None:
        """Change an account as `change` does; or write one row of it alone, where the change comes to no more.

        `row_alone` answers that row. It is written on condition that it is as it was read, so nobody's move is
        overwritten; the account's version stays, for no other decision depends on such a move.
        """

        def attempt() -> None:
            book = self.load(org_id, account_id)
            if book is None:
                raise NoSuchAccountError
            change = decide(book)
            row = row_alone(book, change) if change else None
            if change and not row:
                self.commit(change)
            before = book.notice(row.notice_id) if row else None
            if row and before and not Notices(self.client, self.table).move(before, row):
                raise LostRaceError

        until_won(attempt)

    def mark_due(self, org_id: str, account_id: str, settings_version: int, now: datetime) -> bool:
        """Have an account planned as of now, by an organization's settings of this version or a later one.

        False: it is gone, or marked for these settings already. Its version rises, so that a change decided before the
        mark is decided again and can't write over it.
        """
        partition = keys.collection(org_id, account_id)
        marked_for_older = absent("settings_version") | below("settings_version", items.number(settings_version))
        mark = update(
            self.table,
            items.key(partition),
            "SET due_shard = :shard, due_at = :now, settings_version = :settings, version = version + :one",
            {
                ":shard": text(keys.due_shard(partition)),
                ":now": text(keys.instant(now)),
                ":settings": items.number(settings_version),
                ":one": items.number(1),
            },
            THERE & marked_for_older,
        )
        return conditional(self.client, mark).happened

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


def _as_stored(change: Change, account: Account) -> Change:
    """A change as it reads once it is written: the account in its new version, the rows with their moves."""
    rows = (replace(notice, moves_read=len(notice.status_history)) for notice in change.notices)
    return replace(change, account=account, notices=tuple(rows))


def writes_of(change: Change) -> int:
    """How many items a change writes; a link and a checkout bring their pointers."""
    return (
        1
        + len(change.bills)
        + len(change.notices)
        + len(change.payments)
        + 3 * len(change.links)
        + 3 * len(change.checkouts)
        + len(change.history)
        + len(change.tasks)
        + len(change.claims)
        + (happenings(change) is not None)
        + _new_entries(change)
    )


def _new_entries(change: Change) -> int:
    """How many search entries an account has that had none; another gets few more, if any."""
    if change.account.version and change.account.summary != NOT_SUMMARIZED:
        return 0
    return most_facts(change.account, change.bills)


_KINDS: dict[str, tuple[str, type[Any]]] = {
    keys.BILL_SORT: ("bills", Bill),
    keys.NOTICE_SORT: ("notices", Notice),
    keys.PAYMENT_SORT: ("payments", Payment),
    keys.LINK_SORT: ("links", PaymentLink),
    keys.CHECKOUT_SORT: ("checkouts", Checkout),
    keys.HISTORY_SORT: ("history", HistoryEvent),
}


def _book(found: list[Item]) -> AccountBook | None:
    account: Account | None = None
    belongings: dict[str, list[Any]] = {}
    entries = set[str]()
    for item in found:
        sort = keys.kind_of(item["sk"]["S"])
        if sort == keys.ROOT:
            account = items.account_of(item)
            continue
        if sort == keys.SEARCH_ENTRY_SORT:
            entries.add(keys.id_of(item["sk"]["S"], sort))
            continue
        if sort not in _KINDS:
            continue  # a newer version's: docs/rules.md#newer-records
        field, kind = _KINDS[sort]
        read = items.notice_of(item) if kind is Notice else items.unpack(kind, item["body"])
        belongings.setdefault(field, []).append(read)
    if account is None:
        return None
    whole: dict[str, Any] = {field: tuple(values) for field, values in belongings.items()}
    return AccountBook(account=account, search_entries=frozenset(entries), **whole)
