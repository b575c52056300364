"""Changes of any number of items: whole or not at all, once, and finished by whoever comes next."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice, caught_up, moved
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import BillStatus
from shared.domain.vocabulary.words import NoticeStatus as S
from shared.storage import keys
from shared.storage.account_books import AccountBooks, ConcurrentChangeError
from shared.storage.due_index import DueAccount, DueIndex
from shared.storage.large_changes import ItemTooLargeError, is_unfinished, write_out
from shared.storage.links import Links
from shared.storage.notices import Notices
from shared.storage.races import LostRaceError
from shared.storage.set_asides import SET_ASIDE_ATTRIBUTES
from tests.worlds.aws import TABLE
from tests.worlds.bounds import some
from tests.worlds.examples import NOW, account, bill, notice, organization
from tests.worlds.memory_table import MemoryTable, refusal

LATER = NOW + timedelta(minutes=15)
SIZES = [1, 90, 91, 98, 99, 100, 101, 250, 500]


@pytest.fixture
def table() -> MemoryTable:
    return MemoryTable()


@pytest.fixture
def books(table: MemoryTable) -> AccountBooks:
    return store(table)


def store(table: MemoryTable) -> AccountBooks:
    client: Any = table
    return AccountBooks(client, TABLE)


def rows_of(table: MemoryTable) -> Notices:
    client: Any = table
    return Notices(client, TABLE)


def loaded(books: AccountBooks, account_id: str = "G-1") -> AccountBook:
    found = books.load("org_1", account_id)
    assert found is not None
    return found


def waiting(number: int) -> tuple[Notice, ...]:
    return tuple(
        moved(notice(notice_id=f"ntc_{n:04}"), S.SCHEDULED, NOW, "scheduler", "planned") for n in range(number)
    )


def stopped(row: Notice) -> Notice:
    return moved(row, S.WILL_NOT_SEND, LATER, "payment", Reason.PAYMENT_MADE, lease_until=None)


def payment(n: int) -> Payment:
    return Payment(payment_id=f"pay_{n:04}", amount=1_00, method="card", received_on=NOW.date(), posted_at=NOW)


def link(n: int) -> PaymentLink:
    return PaymentLink(
        link_id=f"lnk_{n:04}",
        org_id="org_1",
        account_id="G-1",
        token_hash=f"token-{n}",
        code_hash=f"code-{n}",
        created_at=NOW,
        expires_at=LATER,
    )


def checkout(n: int) -> Checkout:
    return Checkout(
        reference=f"dln_{n:04}", org_id="org_1", account_id="G-1", link_id="lnk_1", amount=1_00, created_at=NOW
    )


def event(n: int) -> HistoryEvent:
    return HistoryEvent(at=NOW, event="ContactChanged", actor="key:k1", facts={"n": str(n)})


CHANGES: dict[str, Callable[[AccountBook], dict[str, Any]]] = {
    "bills": lambda book: {"bills": tuple(replace(one, balance=0, status=BillStatus.PAID) for one in book.bills)},
    "notices": lambda book: {"notices": tuple(stopped(row) for row in book.notices)},
    "new notices": lambda book: {
        "notices": tuple(replace(row, notice_id=f"new_{row.notice_id}", moves_read=None) for row in book.notices)
    },
    "payments": lambda book: {"payments": tuple(payment(n) for n in range(len(book.bills)))},
    "links": lambda book: {"links": tuple(link(n) for n in range(len(book.bills)))},
    "checkouts": lambda book: {"checkouts": tuple(checkout(n) for n in range(len(book.bills)))},
    "history": lambda book: {"history": tuple(event(n) for n in range(len(book.bills)))},
}
ALL_AT_ONCE = ("bills", "notices", "payments", "history")


def changed(book: AccountBook, *what: str) -> Change:
    fields: dict[str, Any] = {}
    for one in what:
        fields |= CHANGES[one](book)
    return Change(account=replace(book.account, credit=book.account.credit + 1_00, planning_at=None), **fields)


def with_many(books: AccountBooks, number: int) -> AccountBook:
    """An account with as many bills and as many notices that wait."""
    books.commit(
        Change(account=account(), bills=tuple(bill(f"S-{n:04}") for n in range(number)), notices=waiting(number))
    )
    return loaded(books)


def in_order(book: AccountBook) -> AccountBook:
    """Each kind in the order in which it is read."""
    return AccountBook(
        account=book.account,
        bills=tuple(sorted(book.bills, key=lambda one: one.statement_id)),
        notices=tuple(sorted(book.notices, key=lambda one: one.notice_id)),
        payments=book.payments,
        links=book.links,
        checkouts=book.checkouts,
        history=book.history,
    )


def after(book: AccountBook, change: Change) -> AccountBook:
    """The book as a change is to leave it."""
    left = in_order(book.after(change))
    return replace(left, account=replace(left.account, version=book.account.version + 1))


def unfinished(table: MemoryTable) -> bool:
    return is_unfinished(table.items.values())


# --- any number ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SIZES)
@pytest.mark.parametrize("what", [*[(one,) for one in CHANGES], ALL_AT_ONCE], ids=" and ".join)
def test_a_change_of_any_number_of_items_is_written_whole(
    books: AccountBooks, what: tuple[str, ...], number: int
) -> None:
    book = with_many(books, number)
    change = changed(book, *what)
    account_now = books.commit(change)
    assert account_now.version == book.account.version + 1
    assert loaded(books) == after(book, change)


@pytest.mark.parametrize("number", [100, 500])
def test_nothing_of_a_large_change_is_left_once_it_is_committed(
    table: MemoryTable, books: AccountBooks, number: int
) -> None:
    books.commit(changed(with_many(books, number), *ALL_AT_ONCE))
    assert not unfinished(table)
    roots = some(item for item in table.items.values() if item["sk"]["S"] == keys.ROOT)
    assert all("due_at" not in root for root in roots)


def test_large_changes_may_follow_on_each_other(books: AccountBooks) -> None:
    book = with_many(books, 150)
    answered = books.change("org_1", "G-1", lambda book: changed(book, "bills", "payments"))
    assert in_order(answered) == loaded(books)
    for n in range(3):
        books.commit(
            replace(changed(loaded(books), "bills"), payments=tuple(payment(1000 * n + m) for m in range(150)))
        )
    assert len(loaded(books).payments) == 450 - 150 + 150
    assert loaded(books).account.version == book.account.version + 4


@pytest.mark.parametrize("number", [20, 33, 34, 250])
def test_what_leads_to_links_and_checkouts_is_there_before_they_are(
    table: MemoryTable, books: AccountBooks, number: int
) -> None:
    """A payer who comes by a link, or a processor by a reference, is never told that it is unknown."""
    book = with_many(books, number)
    change = changed(book, "links", "checkouts")
    client: Any = table
    found = Links(client, TABLE)

    def leads_somewhere(before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        if before is None and after is not None and after["sk"]["S"].startswith((keys.LINK_SORT, "W#")):
            large = number > 30
            assert not large or found.by_secret_hash(f"token-{number - 1}")
            assert not large or found.by_reference(f"dln_{number - 1:04}")

    table.wrote = leads_somewhere
    books.commit(change)
    for n in range(number):
        for owner in (found.by_secret_hash(f"token-{n}"), found.by_secret_hash(f"code-{n}")):
            assert owner is not None
            assert (owner.account_id, owner.link_id) == ("G-1", f"lnk_{n:04}")
        assert found.by_reference(f"dln_{n:04}")


def test_a_payment_over_hundreds_of_bills_pays_each_once(books: AccountBooks) -> None:
    """And the refund of all of it owes each again."""
    book = with_many(books, 300)
    paid = PaymentReceived(payment_id="pay_1", amount=300 * 74_60 + 5_00, method="card", received_on=NOW.date())
    for _ in range(2):
        books.change("org_1", "G-1", lambda book: post_payment(book, organization(), paid, NOW, "processor"))
    left = loaded(books)
    assert {one.status for one in left.bills} == {BillStatus.PAID}
    assert {row.status for row in left.notices if row.notification_type.dunning} == {S.WILL_NOT_SEND}
    assert (sum(one.paid for one in left.bills), left.account.credit, len(left.payments)) == (300 * 74_60, 5_00, 1)
    back = replace(paid, payment_id="pay_2", amount=-paid.amount)
    books.change("org_1", "G-1", lambda book: post_payment(book, organization(), back, LATER, "processor"))
    left = loaded(books)
    assert sum(one.balance for one in left.bills) == sum(one.balance for one in book.bills)
    assert left.account.credit == 0


def test_changes_to_several_accounts_are_written_together_though_one_is_large(
    table: MemoryTable, books: AccountBooks
) -> None:
    large = with_many(books, 200)
    others = [Change(account=account(account_id=f"G-{n}"), bills=(bill(f"T-{n}"),)) for n in range(2, 30)]
    change = changed(large, *ALL_AT_ONCE)
    books.commit_together([*others, change])
    assert loaded(books) == after(large, change)
    assert [len(loaded(books, f"G-{n}").bills) for n in range(2, 30)] == [1] * 28
    assert not unfinished(table)
    before = dict(table.items)
    with pytest.raises(ConcurrentChangeError):
        books.commit_together([changed(loaded(books), "bills"), others[0]])
    assert table.items == before


def noise(size: int, seed: int) -> bytes:
    """Text that hardly gets smaller by compression."""
    return random.Random(seed).randbytes(size).hex().encode()  # noqa: S311 - no secret


def test_documents_that_did_not_change_are_not_written_again(books: AccountBooks) -> None:
    """Sixty bills of 120 kB are more than a transaction's 4 MB."""
    books.commit(Change(account=account()))
    for n in range(60):
        book = loaded(books)
        books.commit(Change(account=book.account, bills=(bill(f"S-{n:04}", document=noise(120_000, n)),)))
    book = loaded(books)
    change = changed(book, "bills")
    books.commit(change)
    assert loaded(books) == after(book, change)


def test_what_is_larger_than_an_item_may_be_is_refused_before_anything_is_written(
    table: MemoryTable, books: AccountBooks
) -> None:
    book = with_many(books, 120)
    before = dict(table.items)
    too_large = replace(book.bills[7], document=noise(450_000, 1))
    for bills in ((too_large,), (*book.bills, too_large)):
        with pytest.raises(ItemTooLargeError):
            books.commit(Change(account=book.account, bills=bills))
    assert table.items == before


# --- crashes ------------------------------------------------------------------------------------------------------


ITS_WRITES = 8
"""Of a change to 120 bills, notices, payments and events: the commit, six pages, and the mark that none is left."""


class CrashError(BaseException):
    """The process is gone."""


def crashing(table: MemoryTable, at: int, *, done: bool) -> None:
    """Let the process die at a write: once it is done, or before."""
    writes = iter(range(1, 1000))

    def effect(change: Callable[[], Any]) -> Any:
        last = next(writes) == at
        answer = change() if done or not last else None
        if last:
            raise CrashError
        return answer

    table.effect = effect


def restarted(table: MemoryTable) -> None:
    table.effect = lambda change: change()


@pytest.mark.parametrize("done", [False, True], ids=["before it", "after it"])
@pytest.mark.parametrize("at", range(1, ITS_WRITES + 2))
@pytest.mark.parametrize("again", range(3))
def test_wherever_its_writer_dies_a_large_change_has_happened_whole_or_not_at_all(
    table: MemoryTable, books: AccountBooks, at: int, again: int, *, done: bool
) -> None:
    """Also where the one who finishes it dies too."""
    book = with_many(books, 120)
    change = changed(book, *ALL_AT_ONCE)
    crashing(table, at, done=done)
    crashed = False
    try:
        books.commit(change)
    except CrashError:
        crashed = True
    if again:
        crashing(table, again, done=done)
        with suppress(CrashError):
            books.load("org_1", "G-1")
    restarted(table)
    happened = at > 1 or done
    assert crashed == (at <= ITS_WRITES)
    assert loaded(books) == (after(book, change) if happened else book)
    assert not unfinished(table)
    assert loaded(books) == (after(book, change) if happened else book)


@pytest.mark.parametrize("at", range(1, ITS_WRITES))
def test_what_its_writer_left_is_due_until_it_is_written_out(table: MemoryTable, books: AccountBooks, at: int) -> None:
    """Though the account itself may have nothing to be planned for."""
    change = changed(with_many(books, 120), *ALL_AT_ONCE)
    crashing(table, at, done=True)
    with pytest.raises(CrashError):
        books.commit(change)
    restarted(table)
    due = DueIndex(books.client, TABLE)
    pages = [page for shard in due.shards() for page in due.sweep(shard, NOW - timedelta(days=1000)).due]
    left = any(item["sk"]["S"].startswith(keys.LARGE_CHANGE_SORT) for item in table.items.values())
    assert pages == [DueAccount("org_1", "G-1")] * left
    loaded(books)
    assert not [page for shard in due.shards() for page in due.sweep(shard, NOW - timedelta(days=1000)).due]


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError", "RequestLimitExceeded"])
def test_who_has_committed_a_change_is_not_told_that_it_failed(
    table: MemoryTable, books: AccountBooks, code: str
) -> None:
    """It would be done again, as another payment."""
    book = with_many(books, 120)
    change = changed(book, *ALL_AT_ONCE)
    writes = iter(range(1, 1000))

    def effect(do: Callable[[], Any]) -> Any:
        if next(writes) > 2:
            raise refusal(code, "TransactWriteItems")
        return do()

    table.effect = effect
    assert books.commit(change).version == book.account.version + 1
    assert unfinished(table)
    with pytest.raises(ClientError):
        books.load("org_1", "G-1")
    restarted(table)
    assert loaded(books) == after(book, change)


# --- races --------------------------------------------------------------------------------------------------------


def left_unfinished(table: MemoryTable, change: Change, pages: int = 0) -> None:
    """Commit a change, and die with so many of its pages written out."""
    crashing(table, 1 + pages, done=True)
    with pytest.raises(CrashError):
        store(table).commit(change)
    restarted(table)
    assert unfinished(table)


def collection(table: MemoryTable) -> list[dict[str, Any]]:
    """The account's items as somebody has read them."""
    return sorted(
        (item for item in table.items.values() if item["pk"]["S"].startswith("A#")), key=lambda item: item["sk"]["S"]
    )


def test_an_account_whose_change_could_not_be_written_out_is_set_aside_no_more_once_it_is(
    table: MemoryTable, books: AccountBooks
) -> None:
    left_unfinished(table, changed(with_many(books, 120), *ALL_AT_ONCE))
    for item in collection(table):
        if item["sk"]["S"] == keys.ROOT or "due_at" in item:
            key = item["pk"]["S"], item["sk"]["S"]
            table.items[key] = item | {name: {"N": "3"} for name in SET_ASIDE_ATTRIBUTES}
    loaded(books)
    assert not [item for item in collection(table) if set(SET_ASIDE_ATTRIBUTES) & set(item)]


def test_who_comes_late_writes_over_nothing_newer(table: MemoryTable, books: AccountBooks) -> None:
    left_unfinished(table, changed(with_many(books, 120), *ALL_AT_ONCE), pages=1)
    read_long_ago = collection(table)
    newer = Change(account=loaded(books).account, bills=(bill("S-0119", balance=5_00),))
    books.commit(newer)
    after_that = loaded(books)
    with pytest.raises(LostRaceError):
        write_out(books.client, TABLE, read_long_ago)
    assert loaded(books) == after_that


def test_two_that_finish_at_once_do_it_once(table: MemoryTable, books: AccountBooks) -> None:
    book = with_many(books, 120)
    change = changed(book, *ALL_AT_ONCE)
    left_unfinished(table, change)
    first_calls = iter(range(1000))

    def another_comes_between(operation: str) -> None:
        if operation == "transact_write_items" and next(first_calls) in {1, 3}:
            table.at = lambda _operation: None
            loaded(books)
            table.at = another_comes_between

    table.at = another_comes_between
    assert loaded(books) == after(book, change)


def test_a_change_decided_before_a_large_one_is_decided_again(table: MemoryTable, books: AccountBooks) -> None:
    """Were it written, it would take the rest of the large one away."""
    book = with_many(books, 120)
    left_unfinished(table, changed(book, *ALL_AT_ONCE))
    version = book.account.version
    for at in (version, version + 1):
        with pytest.raises(ConcurrentChangeError):
            books.commit(Change(account=replace(book.account, version=at), bills=(bill("S-0001", balance=1),)))


def test_no_notice_is_claimed_on_what_was_read_before_a_large_change(table: MemoryTable, books: AccountBooks) -> None:
    book = with_many(books, 120)
    row = book.notices[5]
    taken = moved(row, S.SENDING, LATER, "send_email", lease_until=LATER + timedelta(minutes=2))
    left_unfinished(table, changed(book, "notices", "payments"))
    assert not rows_of(table).claim(row, taken, book.account, ())
    now = loaded(books)
    assert now.notices[5].status is S.WILL_NOT_SEND
    assert not rows_of(table).claim(row, taken, now.account, ())


@pytest.mark.parametrize("when", ["before it is committed", "before it is written out"])
def test_a_row_that_the_scheduler_moved_meanwhile_is_stopped_all_the_same(
    table: MemoryTable, books: AccountBooks, when: str
) -> None:
    """And says both: that it was queued, and that it was stopped."""
    book = with_many(books, 120)
    change = changed(book, "notices", "payments")
    moves = [(row, moved(row, S.QUEUED, LATER, "scheduler", lease_until=LATER)) for row in book.notices[::7]]
    if when == "before it is written out":
        left_unfinished(table, change)
    assert all(rows_of(table).move(*move) for move in some(moves))
    if when == "before it is committed":
        books.commit(change)
    left = loaded(books)
    assert {row.status for row in left.notices} == {S.WILL_NOT_SEND}
    ways = [[entry.status for entry in row.status_history] for row in left.notices]
    assert ways[::7] == [[S.SCHEDULED, S.QUEUED, S.WILL_NOT_SEND]] * len(moves)
    assert ways[1] == [S.SCHEDULED, S.WILL_NOT_SEND]
    assert all(row.lease_until is None for row in some(left.notices))


def test_a_row_that_moves_while_it_is_written_out_is_read_again(table: MemoryTable, books: AccountBooks) -> None:
    book = with_many(books, 120)
    left_unfinished(table, changed(book, "notices", "payments"))
    row = book.notices[110]
    calls = iter(range(1000))

    def moves_between(operation: str) -> None:
        if operation == "transact_write_items" and next(calls) == 1:
            assert rows_of(table).move(row, moved(row, S.QUEUED, LATER, "scheduler", lease_until=LATER))

    table.at = moves_between
    left = loaded(books).notices[110]
    assert [entry.status for entry in left.status_history] == [S.SCHEDULED, S.QUEUED, S.WILL_NOT_SEND]


# --- a row that moved meanwhile -----------------------------------------------------------------------------------


def test_a_row_catches_up_with_the_moves_of_others() -> None:
    [read] = waiting(1)
    read = replace(read, moves_read=1)
    queued = moved(read, S.QUEUED, LATER, "scheduler", lease_until=LATER)
    caught = caught_up(stopped(read), queued)
    assert caught is not None
    assert caught == replace(stopped(queued), status_history=(*queued.status_history, stopped(read).status_history[-1]))


@pytest.mark.parametrize("by_now", [S.SENDING, S.DELIVERY_ERROR])
def test_a_row_that_cannot_make_the_move_any_more_stays_as_others_left_it(by_now: S) -> None:
    [read] = waiting(1)
    read = replace(read, moves_read=1)
    assert caught_up(stopped(read), moved(read, by_now, LATER, "send_email")) is None


def test_what_others_found_out_of_a_row_meanwhile_stays_known() -> None:
    [read] = waiting(1)
    sending = replace(moved(read, S.SENDING, NOW, "send_email", attempt=1), moves_read=2)
    sent = moved(sending, S.SENT, LATER, "send_email", sent_at=LATER, provider_message_id="ses-1")
    delivered = caught_up(moved(sending, S.DELIVERED, LATER, "ses", delivered_at=LATER), sent)
    assert delivered is not None
    assert (delivered.sent_at, delivered.delivered_at) == (LATER, LATER)
    assert (delivered.provider_message_id, delivered.attempt) == ("ses-1", 1)
    ways = [entry.status for entry in delivered.status_history]
    assert ways == [S.SCHEDULED, S.SENDING, S.SENT, S.DELIVERED]


def test_an_account_read_in_several_pages_is_of_one_version(table: MemoryTable, books: AccountBooks) -> None:
    """A change that is written between two pages of a read would else show its payment, and not its bills."""
    before = with_many(books, 600)
    queries = iter(range(1000))

    def change_between(operation: str) -> None:
        if operation == "query" and next(queries) == 1:
            table.at = lambda _operation: None
            books.commit(changed(before, "payments"))

    table.at = change_between
    found = loaded(books)
    assert (found.account.version, len(found.payments)) == (before.account.version + 1, 600)


def test_an_account_that_is_new_may_be_large(books: AccountBooks) -> None:
    who = account(account_id="G-9")
    books.commit(Change(account=who, bills=tuple(bill(f"S-{n}") for n in range(400))))
    assert len(loaded(books, "G-9").bills) == 400
    with pytest.raises(ConcurrentChangeError):
        books.commit(Change(account=who, bills=tuple(bill(f"S-{n}") for n in range(400))))
