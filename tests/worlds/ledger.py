"""Account books, notice rows and organizations in memory: the product's own storage, on a table in memory."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice
from shared.storage import items, keys
from shared.storage.account_books import AccountBooks
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations
from tests.worlds.memory_table import MemoryTable

ORG = "org_1"
TABLE = "dunlin-memory"


@dataclass
class Ledger:
    """One table, as one process uses it."""

    table: MemoryTable = field(default_factory=MemoryTable)

    def __post_init__(self) -> None:
        self.storage: tuple[Any, str] = cast("Any", self.table), TABLE
        """What every storage class is made of."""
        self.books = AccountBooks(*self.storage)
        self.rows = Notices(*self.storage)
        self.organizations = Organizations(*self.storage)

    def elsewhere(self) -> "Ledger":
        """The same table, as another process uses it, whose calls nobody counts or disturbs."""
        return Ledger(MemoryTable(items=self.table.items))

    def open(self, book: AccountBook) -> None:
        """Store an account that isn't there yet, with all that belongs to it."""
        self.books.commit(
            Change(
                account=book.account, bills=book.bills, notices=book.notices, payments=book.payments, links=book.links
            )
        )

    def book(self, account_id: str = "G-1") -> AccountBook:
        found = self.books.load(ORG, account_id)
        assert found is not None
        return found

    def row(self, notice_id: str = "ntc_1", account_id: str = "G-1") -> Notice:
        found = self.rows.load(ORG, account_id, notice_id)
        assert found is not None
        return found

    def due(self, now: datetime) -> list[Notice]:
        """The rows that the due index has at a time."""
        until = keys.instant(now)
        found = [item for item in self.table.items.values() if "due_at" in item and item["due_at"]["S"] <= until]
        return [items.notice_of(item) for item in found if item["sk"]["S"].startswith(keys.NOTICE_SORT)]

    def next_due(self) -> datetime | None:
        """The earliest instant that the due index has."""
        due = [item["due_at"]["S"] for item in self.table.items.values() if "due_at" in item]
        return keys.moment(min(due)) if due else None

    def change(self, account_id: str = "G-1", **belongings: Any) -> None:
        """Somebody changes an account: some of what belongs to it, or only its version."""
        self.books.commit(Change(account=self.book(account_id).account, **belongings))

    def move(self, before: Notice, after: Notice) -> None:
        """Somebody moves a row."""
        assert self.rows.move(before, after)
