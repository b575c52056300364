"""One notice on its way, with its surroundings in memory: book, row, organization, and a provider that answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.delivery.claim_records import ClaimRecord
from shared.domain.delivery.orders import (
    Accepted,
    Order,
    ProviderAnswer,
)
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.policy import Organization
from shared.domain.records.statement import Patient
from shared.domain.vocabulary.words import (
    NoticeStatus,
)
from shared.sending.permits import Turn
from shared.sending.send_notice import NoticeSender
from shared.storage.account_books import ConcurrentChangeError
from tests.worlds.examples import NOW, book, notice, organization

IDS = "org_1", "G-1", "ntc_1"


def queued(**changes: Any) -> Notice:
    return notice(status=NoticeStatus.QUEUED, lease_until=NOW + timedelta(minutes=15), **changes)


@dataclass
class Table:
    """Book, rows and organization in memory, with the conditions that storage puts on every write."""

    book: AccountBook
    organization: Organization = field(default_factory=organization)
    calls: list[str] = field(default_factory=list)
    before_claim: Callable[["Table"], None] = lambda _: None
    before_move: Callable[["Table"], None] = lambda _: None

    def row(self) -> Notice:
        return next(row for row in self.book.notices if row.notice_id == "ntc_1")

    def put(self, after: Notice) -> None:
        others = tuple(row for row in self.book.notices if row.notice_id != after.notice_id)
        self.book = replace(self.book, notices=(*others, after))

    def change_account(self, **changes: Any) -> None:
        changed = replace(self.book.account, version=self.book.account.version + 1, **changes)
        self.book = replace(self.book, account=changed)

    # Books

    def load_book(self, *_: str) -> AccountBook:
        self.calls.append("load")
        return self.book

    def commit(self, change: Change) -> Account:
        self.calls.append("commit")
        if change.account.version != self.book.account.version:
            raise ConcurrentChangeError
        self.book = replace(self.book, account=replace(change.account, version=change.account.version + 1))
        for row in change.notices:
            self.put(row)
        return self.book.account

    def change(self, _org: str, _account: str, decide: Callable[[AccountBook], Change | None]) -> AccountBook:
        change = decide(self.load_book())
        if change:
            self.commit(change)
        return self.book

    # Rows

    def load_row(self, *_: str) -> Notice:
        self.calls.append("load row")
        return self.row()

    def claim(
        self,
        before: Notice,
        after: Notice,
        judged: Account,
        links: tuple[PaymentLink, ...],
        records: tuple[ClaimRecord, ...] = (),
        texted_number: str = "",
    ) -> bool:
        self.calls.append("claim")
        self.before_claim(self)
        if judged.version != self.book.account.version or not self._still(before):
            return False
        self.change_account()
        kept = tuple(link for link in self.book.links if link.link_id not in {new.link_id for new in links})
        self.book = replace(self.book, links=(*kept, *links))
        self.put(after)
        return True

    def move(self, before: Notice, after: Notice) -> bool:
        self.calls.append("move")
        self.before_move(self)
        if not self._still(before):
            return False
        self.put(after)
        return True

    def _still(self, before: Notice) -> bool:
        current = self.row()
        return _version(current) == _version(before)

    # Organizations

    def get(self, _: str) -> Organization:
        self.calls.append("organization")
        return self.organization


def _version(row: Notice) -> tuple[NoticeStatus, int, int]:
    return row.status, row.attempt, len(row.status_history)


@dataclass
class Books:
    table: Table

    def load(self, *ids: str) -> AccountBook:
        return self.table.load_book(*ids)

    def commit(self, change: Change) -> Account:
        return self.table.commit(change)

    def change(self, org_id: str, account_id: str, decide: Callable[[AccountBook], Change | None]) -> AccountBook:
        return self.table.change(org_id, account_id, decide)


@dataclass
class Rows:
    table: Table

    def load(self, *ids: str) -> Notice:
        return self.table.load_row(*ids)

    def claim(
        self,
        before: Notice,
        after: Notice,
        account: Account,
        links: tuple[PaymentLink, ...],
        records: tuple[ClaimRecord, ...] = (),
        texted_number: str = "",
    ) -> bool:
        return self.table.claim(before, after, account, links, records, texted_number)

    def move(self, before: Notice, after: Notice) -> bool:
        return self.table.move(before, after)


class OpenGate:
    """A gate that always stands open."""

    def turn(self, _notices: int) -> Turn:
        return self

    def admit(self, _now: datetime) -> None:
        return None

    def record(self, _answer: ProviderAnswer, _now: datetime) -> None: ...


@dataclass
class Provider:
    """A channel whose provider gives the answers that a test wants."""

    answers: Iterator[ProviderAnswer] = field(default_factory=lambda: iter([Accepted(message_id="m-1")]))
    orders: list[Order] = field(default_factory=list)
    sent: list[Order] = field(default_factory=list)
    breaks: bool = False

    def prepare(self, order: Order) -> Callable[[], ProviderAnswer]:
        if self.breaks:
            raise KeyError("Ada Example")
        self.orders.append(order)

        def send() -> ProviderAnswer:
            self.sent.append(order)
            return next(self.answers)

        return send


def world(
    *answers: ProviderAnswer, row: Notice | None = None, practice: Organization | None = None, **changes: Any
) -> "World":
    table = Table(book(notices=(row or queued(),), **changes), practice or organization())
    provider = Provider(iter(answers)) if answers else Provider()
    return World(table, provider)


@dataclass
class World:
    table: Table
    provider: Provider

    def deliver(self, now: Any = NOW, patient: Patient | None = None) -> Notice | None:
        delivery = NoticeSender(Books(self.table), Rows(self.table), self.table, self.provider, OpenGate())
        if patient is not None:
            delivery.patient_of = lambda _: patient
        return delivery.deliver(*IDS, now)

    @property
    def row(self) -> Notice:
        return self.table.row()
