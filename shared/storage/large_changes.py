"""Changes of more items than one transaction holds: a payment over hundreds of bills, a hold over as many notices.

Such a change is written down whole first: one transaction puts the account in its new version, and beside it the rest
of the change as pages. With that it has happened. Then each page is written out in a transaction of its own that
deletes the page, so no page is ever written out twice, however many do it at once and wherever they die. Whoever reads
the account finishes this first (`AccountBooks.load`), so nobody decides on half a change; and the last page is due at
once, so that the scheduler reads the account if nobody else does. Pages hold items of the account alone, which whoever
reads accounts may write; what leads to them from elsewhere is written before. See docs/decisions/0016-large-changes.md.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import TYPE_CHECKING, Any

from shared.domain.account.happenings import happenings
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import Change, Claim, PatientClaim
from shared.domain.records.notice import Notice, caught_up
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.records.task import TaskStatus
from shared.domain.vocabulary.history import HistoryEvent
from shared.storage import items, keys
from shared.storage.due_index import AT_ONCE
from shared.storage.items import Item, number, text
from shared.storage.notices import has_moved, still_as
from shared.storage.outbox import outbox_writes
from shared.storage.races import LostRaceError
from shared.storage.search_entries import NO_ENTRY_CHANGE, EntryChange
from shared.storage.set_asides import SET_ASIDE_ATTRIBUTES
from shared.storage.writes import (
    MOST_WRITES,
    NEW,
    THERE,
    Condition,
    Write,
    absent,
    at_version,
    conditional,
    delete,
    equals,
    put,
    transact,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

UNFINISHED = "large_change"
"""The account's attribute that says at which version a change was decided whose pages aren't all written out."""

MOST_PAGE_WRITES = 90
"""How many items a page writes; a transaction holds 100, and one of them deletes the page."""

PAGE_BYTES = 250_000
"""How large a page's items may be together; a page is an item, and one may have 400 KB."""

MOST_BYTES_TOGETHER = 3_500_000
"""How large the items of one transaction may be together; DynamoDB takes 4 MB, counted a little differently."""

MOST_ITEM_BYTES = 400 * 1024 - 1_000
"""How large one item may be; DynamoDB takes 400 KB, of which an item's mark and indexes take some."""

ENTRY_BYTES = 250
"""About how large a search entry is."""


class ChangeTooLargeError(Exception):
    """A change is larger than can be written down at once: some nine thousand items. Nothing was written."""


class ItemTooLargeError(ChangeTooLargeError):
    """Something of a change is larger than the table's items may be. Nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """A part of a large change, no larger than one transaction writes.

    first_event: the place in the change of the first of the history. without_document: the bills that keep the document
    that they have. entries_added, entries_dropped: of the account's search entries.
    """

    bills: tuple[Bill, ...] = ()
    notices: tuple[Notice, ...] = ()
    payments: tuple[Payment, ...] = ()
    links: tuple[PaymentLink, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
    history: tuple[HistoryEvent, ...] = ()
    first_event: int = 0
    without_document: frozenset[str] = frozenset()
    entries_added: tuple[str, ...] = ()
    entries_dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a change writes. field: where the change has it. pointers: the items elsewhere that lead to it."""

    field: str
    value: Any
    item: Item
    pointers: tuple[Item, ...] = ()
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """How a change will be written. size: of its items, in bytes. large: its pages have to be written out then.

    before: what is written before a large change happens; it finds nothing until then.
    """

    change: Change
    account: Account
    writes: tuple[Write, ...]
    size: int
    large: bool = False
    before: tuple[Write, ...] = ()
    entries: EntryChange = NO_ENTRY_CHANGE


# --- what a change writes -----------------------------------------------------------------------------------------


def parts(account: Account, written: Change | ChangePage, first_event: int = 0) -> Iterator[Part]:
    """What a change, or a page of one, writes besides the account, which is as it was read."""
    of = account.org_id, account.account_id
    for bill in written.bills:
        yield Part("bills", bill, items.bill_item(*of, bill))
    for notice in written.notices:
        yield Part("notices", notice, items.notice_item(notice))
    for payment in written.payments:
        yield Part("payments", payment, items.payment_item(*of, payment))
    for link in written.links:
        yield Part("links", link, items.link_item(link), tuple(items.link_pointers(link)))
    for checkout in written.checkouts:
        yield Part("checkouts", checkout, items.checkout_item(checkout), tuple(items.checkout_pointers(checkout)))
    for n, event in enumerate(written.history, first_event):
        yield Part("history", event, items.history_item(*of, event, account.version, n), ordinal=n)


def drafted(table: str, change: Change, entries: EntryChange = NO_ENTRY_CHANGE) -> Draft:
    """A change in one transaction: each item put as it is to be. entries: what it does to those of the search.

    Each notice must be as it was read: the scheduler and the senders move rows without the account.
    """
    written = list(parts(change.account, change))
    account = replace(change.account, version=change.account.version + 1)
    puts = [put(table, part.item, _as_read(part)) for part in written]
    puts += [put(table, pointer) for part in written for pointer in part.pointers]
    puts += entries.writes(table, account.org_id, account.account_id)
    puts += _outside(table, change)
    root = items.account_item(account)
    size = _checked_size(root) + sum(map(_whole_size, written)) + len(entries.added) * ENTRY_BYTES
    writes = (put(table, root, _account_as_read(change.account)), *puts)
    return Draft(change, account, writes, size, entries=entries)


def drafted_by_pages(
    table: str, change: Change, documents: Mapping[str, bytes], entries: EntryChange = NO_ENTRY_CHANGE
) -> Draft:
    """A change that is written down with the account, to be written out by pages.

    documents: those of the account's bills, which needn't be written again. Rows aren't held against what was read
    before they are written out: a claim would have raised the account's version, and other moves are caught up with.
    """
    read = change.account
    kept = frozenset(bill.statement_id for bill in change.bills if documents.get(bill.statement_id) == bill.document)
    account = replace(read, version=read.version + 1)
    root = items.account_item(account) | {UNFINISHED: number(read.version)}
    pages = [_page_item(read, n, page) for n, page in enumerate((*_entry_pages(entries), *_pages(change, kept)))]
    partition = keys.collection(read.org_id, read.account_id)
    pages[-1] |= {"due_shard": text(keys.due_shard(partition)), "due_at": text(keys.instant(AT_ONCE))}
    written_down = (put(table, root, _account_as_read(read)), *(put(table, page, NEW) for page in pages))
    writes = (*written_down, *_outside(table, change))
    pointers = tuple(put(table, pointer) for part in parts(read, change) for pointer in part.pointers)
    size = sum(map(_checked_size, (root, *pages)))
    return Draft(change, account, writes, size, large=True, before=pointers)


def _outside(table: str, change: Change) -> list[Write]:
    """What a change writes outside of the account's items, always in the transaction in which it happens: it is little.

    Whoever decides on a new task sees in the book what it was made for, so it is made once. One that a change resolves
    must be open: two people who settle it must not both post its money. A claim's condition closes the race of two
    guarantors' statements for one patient account, or of one statement under two guarantors.
    What partners are told of waits in the outbox from the instant at which it has happened.
    """
    account = change.account
    tasks = [
        put(
            table,
            items.task_item(task),
            NEW if task.status is TaskStatus.OPEN else equals("status", text(TaskStatus.OPEN)),
        )
        for task in change.tasks
    ]
    claims = [
        put(
            table,
            items.claim_item(account.org_id, account.account_id, claim),
            _as_claimed(claim),
        )
        for claim in change.claims
    ]
    return [*tasks, *claims, *outbox_writes(table, happenings(change))]


def _as_claimed(claim: Claim) -> Condition:
    held_by = claim.read_account_id if isinstance(claim, PatientClaim) else ""
    return equals("account_id", text(held_by)) if held_by else NEW


def fit_together(drafts: Sequence[Draft]) -> bool:
    """Whether drafts can be written in one transaction."""
    return (
        sum(len(draft.writes) for draft in drafts) <= MOST_WRITES
        and sum(draft.size for draft in drafts) <= MOST_BYTES_TOGETHER
    )


def _account_as_read(account: Account) -> Condition:
    """The account is at its version, and no large change waits that the write would take the mark of away."""
    as_read = at_version(account.version)
    return as_read & absent(UNFINISHED) if account.version else as_read


def _as_read(part: Part) -> Condition | None:
    if part.field != "notices":
        return None
    return NEW if part.value.moves_read is None else has_moved(part.value.moves_read)


def _pages(change: Change, kept: frozenset[str]) -> Iterator[ChangePage]:
    """The change in pages, each small enough to be an item, and to be written out in one transaction."""
    bills = (replace(bill, document=b"") if bill.statement_id in kept else bill for bill in change.bills)
    as_kept = parts(change.account, replace(change, bills=tuple(bills)))
    page, size, whole = list[Part](), 0, 0
    for part, out in zip(as_kept, parts(change.account, change), strict=True):
        more, more_whole = _checked_size(part.item), _checked_size(out.item)
        size, whole = size + more, whole + more_whole
        if page and (len(page) == MOST_PAGE_WRITES or size > PAGE_BYTES or whole > MOST_BYTES_TOGETHER):
            yield _page(page, kept)
            page, size, whole = [], more, more_whole
        page.append(part)
    yield _page(page, kept)


def _entry_pages(entries: EntryChange) -> Iterator[ChangePage]:
    """What a large change does to search entries, in pages of their own."""
    for added in batched(entries.added, MOST_PAGE_WRITES, strict=False):
        yield ChangePage(entries_added=added)
    for dropped in batched(entries.dropped, MOST_PAGE_WRITES, strict=False):
        yield ChangePage(entries_dropped=dropped)


def _whole_size(part: Part) -> int:
    return sum(map(_checked_size, (part.item, *part.pointers)))


def _page(page: list[Part], kept: frozenset[str]) -> ChangePage:
    fields: dict[str, tuple[Any, ...]] = {}
    for part in page:
        fields[part.field] = (*fields.get(part.field, ()), part.value)
    return ChangePage(
        **fields,
        first_event=next((part.ordinal for part in page if part.field == "history"), 0),
        without_document=frozenset(bill.statement_id for bill in fields.get("bills", ())) & kept,
    )


def _page_item(read: Account, n: int, page: ChangePage) -> Item:
    """`W#`: a page of a large change that isn't written out yet."""
    partition = keys.collection(read.org_id, read.account_id)
    return {**items.key(partition, keys.large_change_page(read.version, n)), "body": items.pack(ChangePage, page)}


def _checked_size(item: Item) -> int:
    """An item's size in bytes, about as DynamoDB counts it. Raises ItemTooLargeError."""
    size = sum(len(name) + _size(value) for name, value in item.items())
    if size > MOST_ITEM_BYTES:
        raise ItemTooLargeError
    return size


def _size(attribute: Mapping[str, Any]) -> int:
    [value] = attribute.values()
    if isinstance(value, str):
        return len(value.encode())
    return sum(len(one) for one in value) if isinstance(value, list) else len(value) if isinstance(value, bytes) else 1


# --- writing it out -----------------------------------------------------------------------------------------------


def _is_page(sort: str) -> bool:
    return keys.id_in(sort, keys.LARGE_CHANGE_SORT) is not None


def is_unfinished(collection: Iterable[Item]) -> bool:
    """Whether an account's items, as read, have a large change that isn't written out."""
    return any(UNFINISHED in item or _is_page(item["sk"]["S"]) for item in collection)


def documents_of(collection: Iterable[Item]) -> dict[str, bytes]:
    """The documents of an account's bills, by statement."""
    bills = (
        items.unpack(Bill, item["body"])
        for item in collection
        if keys.id_in(item["sk"]["S"], keys.BILL_SORT) is not None
    )
    return {bill.statement_id: bill.document for bill in bills}


def write_out(client: "DynamoDBClient", table: str, collection: Sequence[Item]) -> None:
    """Write out the pages that an account's items, as read, have.

    Raises LostRaceError when somebody else has written one out meanwhile, or moved a row: read the items again.
    """
    found = {item["sk"]["S"]: item for item in collection}
    account = items.account_of(found[keys.ROOT])
    for sort in sorted(sort for sort in found if _is_page(sort)):
        decided_at = keys.large_change_version(sort)
        page = _with_documents(items.unpack(ChangePage, found[sort]["body"]), found)
        written = parts(replace(account, version=decided_at), page, page.first_event)
        rest = [put(table, part.item) for part in written if part.field != "notices"]
        rows = _rows(table, page, found)
        entries = EntryChange(page.entries_added, page.entries_dropped)
        rest += entries.writes(table, account.org_id, account.account_id)
        # Only who deletes the page writes it out: one that comes late finds it gone, and what is newer stays.
        if not transact(client, [delete(table, items.key(found[sort]["pk"]["S"], sort), THERE), *rest, *rows]):
            raise LostRaceError
    _mark_finished(client, table, found[keys.ROOT])


def _with_documents(page: ChangePage, found: Mapping[str, Item]) -> ChangePage:
    """The page with the documents that its bills keep. Nobody else writes a bill before the change is written out."""
    stored = documents_of(found[f"{keys.BILL_SORT}{statement_id}"] for statement_id in page.without_document)
    bills = (replace(bill, document=stored.get(bill.statement_id, bill.document)) for bill in page.bills)
    return replace(page, bills=tuple(bills))


def _rows(table: str, page: ChangePage, found: Mapping[str, Item]) -> Iterator[Write]:
    """The page's notices, each on top of what has become of its row since it was read."""
    for wanted in page.notices:
        stored = found.get(f"{keys.NOTICE_SORT}{wanted.notice_id}")
        if stored is None:
            yield put(table, items.notice_item(wanted), NEW)
            continue
        current = items.notice_of(stored)
        after = wanted if current.moves_read == wanted.moves_read else caught_up(wanted, current)
        if after is not None:
            yield put(table, items.notice_item(after), still_as(current))


def _mark_finished(client: "DynamoDBClient", table: str, account: Item) -> None:
    """No page is left. Who finds the account changed since reads it again, and comes back here."""
    if UNFINISHED not in account:
        return
    # As it was read, less the mark, and set aside no more: only if nobody has written it since, be it by a claim or by
    # another change.
    finished = {name: value for name, value in account.items() if name not in (UNFINISHED, *SET_ASIDE_ATTRIBUTES)}
    as_read = equals("version", account["version"]) & equals(UNFINISHED, account[UNFINISHED])
    conditional(client, put(table, finished, as_read), conflict_loses=True)
