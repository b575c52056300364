"""Takes statements in: reads each, finds its account, and brings many accounts up to date with few calls.

Statements are worked on by account, because an account changes whole or not at all; small changes to many accounts are
written together. Whoever loses a race to another writer decides again on what that one left.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from itertools import batched

from shared.contracts.statement_files import FileSchema, RawStatement
from shared.contracts.statements import (
    UnreadableStatementError,
    read_payment_update,
    read_statement,
    transactions_only,
)
from shared.domain.intake.arrival import Arrival, IntakeContext, Received
from shared.domain.intake.payment_updates import receive_payment_update
from shared.domain.intake.receive import receive_statement, release_bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.ingestion import Remark, StatementRow
from shared.domain.records.policy import Organization
from shared.domain.records.statement import PaymentUpdate
from shared.domain.vocabulary.words import IngestionResult
from shared.storage import keys
from shared.storage.account_books import AccountBooks, ConcurrentChangeError, writes_of
from shared.storage.organizations import Organizations
from shared.storage.races import BusyError, until_won

INTAKE_WORKERS = 8
"""How many accounts' calls are under way at once; one call waits for the table most of its time."""

ACCOUNTS_TOGETHER = 25
"""How many accounts one worker takes on at a time, and writes together where the limits allow it."""

MOST_WRITES_TOGETHER = 90
"""How many items are written at once; DynamoDB takes 100, and one statement may add several."""

MOST_BYTES = 2_000_000
"""How long the documents written at once may be; DynamoDB takes 4 MB of items."""

LOOKUPS_TOGETHER = 64

UNKNOWN_CLIENT = Remark("/clientId", "There is no organization with this clientId.")
REPEATED_STATEMENT = Remark("/statementId", "appears more than once in this file; the first counts")
UNKNOWN_BILL = Remark("/statementId", "There is no bill for this statement.")
ACCOUNT_BUSY = Remark("", "The account was being changed by others; send the statement again.")


@dataclass(frozen=True, slots=True)
class FileStatement:
    """One readable statement on its way to its account."""

    place: int
    content: Arrival | PaymentUpdate

    @property
    def statement_id(self) -> str:
        """The statement that it is about."""
        return self.content.statement.statement_id if isinstance(self.content, Arrival) else self.content.statement_id

    @property
    def client_id(self) -> str:
        """The organization that it is for, as the partner names it."""
        return self.content.statement.client_id if isinstance(self.content, Arrival) else self.content.client_id

    @property
    def size(self) -> int:
        """How long its document is, in bytes."""
        return len(self.content.document) if isinstance(self.content, Arrival) else 0


@dataclass(slots=True)
class AccountWork:
    """What one account has to take, in the order of the file. `elsewhere`: statements that another account has."""

    delivery: IntakeContext
    account_id: str
    is_known: bool
    items: list[FileStatement] = field(default_factory=list)
    elsewhere: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class IntakeDecision:
    """What the first items of an account's work come to: changes to write together, and the rows that they make."""

    changes: list[Change]
    rows: dict[int, StatementRow]
    rest: list[FileStatement]


def repeated(statements: Iterable[RawStatement]) -> dict[int, StatementRow]:
    """Statements whose `statementId` came before in their file, by their places (docs/rules.md#repeated-in-a-file).

    Payment updates may come several times for one statement; their transactions are distinguished by themselves.
    """
    first = dict[bytes, bytes]()
    rows = dict[int, StatementRow]()
    for place, raw in enumerate(statements):
        if raw.statement_id is None or transactions_only(raw.value):
            continue
        name = _digest(f"{raw.client_id}\n{raw.statement_id}")
        content = _digest(raw.text)
        if first.setdefault(name, content) is content:
            continue
        if first[name] == content:
            rows[place] = StatementRow(statement_id=raw.statement_id, result=IngestionResult.IGNORED)
        else:
            rows[place] = failed(raw.statement_id, REPEATED_STATEMENT)
    return rows


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def failed(statement_id: str | None, *errors: Remark) -> StatementRow:
    """The row of a statement that couldn't be taken."""
    return StatementRow(statement_id=statement_id, result=IngestionResult.FAILED, errors=errors)


@dataclass(slots=True)
class Intake:
    """Takes in the statements of one file, for one partner."""

    books: AccountBooks
    organizations: Organizations
    partner_id: str
    ingestion_id: str
    schema: FileSchema | None
    now: datetime
    file_digest: str
    workers: int = INTAKE_WORKERS
    _deliveries: dict[str, IntakeContext | None] = field(default_factory=dict)

    def take(
        self, statements: Sequence[RawStatement], known: dict[int, StatementRow], first: int = 0
    ) -> list[StatementRow]:
        """Take statements in, and answer a row for each, in their order.

        `known` are the rows, by place, of those that are done already. `first` is the place of the first in its
        file. Taking the same file in again does nothing twice. Raises what the table raises when it can't be reached.
        """
        rows = dict(known)
        items = list[FileStatement]()
        for place, raw in enumerate(statements):
            if place not in rows:
                read = self._read(place, raw, f"{self.file_digest}\n{first + place}")
                if isinstance(read, FileStatement):
                    items.append(read)
                else:
                    rows[place] = read
        for organization_items in self._by_organization(items, rows):
            work = self._work(*organization_items, rows)
            for made in self._side_by_side(self._group, list(batched(work, ACCOUNTS_TOGETHER, strict=False))):
                rows |= made
        return [rows[place] for place in range(len(statements))]

    def _read(self, place: int, raw: RawStatement, origin: str) -> FileStatement | StatementRow:
        if raw.error:
            return failed(raw.statement_id, raw.error)
        try:
            if self.schema is FileSchema.PAYMENT_UPDATES or transactions_only(raw.value):
                return FileStatement(place, replace(read_payment_update(raw.value), origin=origin))
            read = read_statement(raw.value)
        except UnreadableStatementError as error:
            return failed(raw.statement_id, *error.errors)
        arrival = Arrival(
            statement=read.statement,
            document=raw.text.encode(),
            warnings=read.warnings,
            language_given=read.language_given,
            time_zones=read.time_zones,
        )
        return FileStatement(place, arrival)

    def _by_organization(
        self, items: Iterable[FileStatement], rows: dict[int, StatementRow]
    ) -> Iterator[tuple[IntakeContext, list[FileStatement]]]:
        """The items of each organization of this partner; those of no organization have failed."""
        groups = dict[str, list[FileStatement]]()
        for item in items:
            if self._delivery(item.client_id) is None:
                rows[item.place] = failed(item.statement_id, UNKNOWN_CLIENT)
            else:
                groups.setdefault(item.client_id, []).append(item)
        for client_id, group in groups.items():
            delivery = self._delivery(client_id)
            if delivery is not None:
                yield delivery, group

    def _delivery(self, client_id: str) -> IntakeContext | None:
        """How statements come to an organization, asked once a file; None: this partner has none by that name."""
        if client_id not in self._deliveries:
            organization = self.organizations.by_client_id(self.partner_id, client_id)
            self._deliveries[client_id] = self._delivery_to(organization) if organization else None
        return self._deliveries[client_id]

    def _delivery_to(self, organization: Organization) -> IntakeContext:
        bill_type = self.schema.bill_type if self.schema else None
        return IntakeContext(
            organization=organization,
            bill_type=bill_type or organization.bill_type,
            ingestion_id=self.ingestion_id,
            now=self.now,
        )

    # Which account each statement belongs to.

    def _work(
        self, delivery: IntakeContext, items: list[FileStatement], rows: dict[int, StatementRow]
    ) -> list[AccountWork]:
        org_id = delivery.organization.org_id
        having = self._accounts_having(org_id, items)
        groups = dict[str, AccountWork]()
        for item in items:
            account_id: str | None = having.get(item.statement_id)
            if isinstance(item.content, Arrival):
                account_id = item.content.statement.account_id
            if account_id is None:
                rows[item.place] = failed(item.statement_id, UNKNOWN_BILL)
                continue
            work = groups.setdefault(account_id, AccountWork(delivery, account_id, is_known=True))
            work.items.append(item)
            if having.get(item.statement_id, account_id) != account_id:
                work.elsewhere[item.statement_id] = having[item.statement_id]
            # Updates further down the file are for the account that has the statement by then.
            having[item.statement_id] = account_id
        known = self.books.known(org_id, groups)
        for work in groups.values():
            work.is_known = work.account_id in known
        return list(groups.values())

    def _accounts_having(self, org_id: str, items: list[FileStatement]) -> dict[str, str]:
        """Which account has each statement's bill by now. Runs of ids are looked up side by side."""
        lookups = sorted({keys.bill_lookup(item.statement_id) for item in items})
        runs = list(batched(lookups, LOOKUPS_TOGETHER, strict=False))
        found = dict[str, str]()
        for part in self._side_by_side(lambda run: self.books.accounts_of(org_id, run), runs):
            found |= part
        return {lookup.removeprefix(keys.BILL_SORT): account_id for lookup, account_id in found.items()}

    # Decide, then write.

    def _side_by_side[A, B](self, call: Callable[[A], B], inputs: Sequence[A]) -> list[B]:
        if len(inputs) <= 1:
            return [call(each) for each in inputs]
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(call, inputs))

    def _group(self, group: Sequence[AccountWork]) -> dict[int, StatementRow]:
        """Bring a group of accounts up to date: together where they fit, one by one what is left."""
        rows = dict[int, StatementRow]()
        together = list[tuple[AccountWork, IntakeDecision]]()
        for work in group:
            decision = self._decide(work, work.items, is_known=work.is_known)
            if not _fits([*(each for _, each in together), decision]):
                rows |= self._write(together)
                together = []
            together.append((work, decision))
        return rows | self._write(together)

    def _write(self, together: list[tuple[AccountWork, IntakeDecision]]) -> dict[int, StatementRow]:
        changes = [change for _, decision in together for change in decision.changes]
        rows = dict[int, StatementRow]()
        try:
            if changes:
                self.books.commit_together(changes)
        except ConcurrentChangeError:
            for work, _ in together:
                rows |= self._alone(work, work.items)
            return rows
        for work, decision in together:
            rows |= decision.rows
            if decision.rest:
                rows |= self._alone(work, decision.rest)
        return rows

    def _alone(self, work: AccountWork, items: list[FileStatement]) -> dict[int, StatementRow]:
        """Bring one account up to date, in as many transactions as it takes, deciding again after a lost race."""
        rows = dict[int, StatementRow]()
        while items:
            try:
                decision = until_won(partial(self._decide_and_write, work, items))
            except BusyError:
                return rows | {item.place: failed(item.statement_id, ACCOUNT_BUSY) for item in items}
            rows |= decision.rows
            items = decision.rest
        return rows

    def _decide_and_write(self, work: AccountWork, items: list[FileStatement]) -> IntakeDecision:
        decision = self._decide(work, items, is_known=True)
        if decision.changes:
            self.books.commit_together(decision.changes)
        return decision

    def _decide(self, work: AccountWork, items: list[FileStatement], *, is_known: bool) -> IntakeDecision:
        """What items do to their account, as many as one transaction holds; reads the account unless it is new."""
        org_id = work.delivery.organization.org_id
        book = self.books.load(org_id, work.account_id) if is_known else None
        whole: Change | None = None
        decision = IntakeDecision(changes=[], rows={}, rest=[])
        size = 0
        for n, item in enumerate(items):
            size += item.size
            if n and (size > MOST_BYTES or _writes(decision, whole) > MOST_WRITES_TOGETHER // 2):
                decision.rest = items[n:]
                break
            received, released = self._receive(book, item, work)
            decision.rows[item.place] = _row(item, received)
            if received.change is None:
                continue
            book = book.after(received.change) if book else _new_book(received.change)
            whole = whole.then(received.change) if whole else received.change
            if released is not None:
                # The other account is written once in this transaction, so what follows waits for the next one.
                decision.changes.append(released)
                decision.rest = items[n + 1 :]
                break
        if whole is not None:
            decision.changes.append(whole)
        return decision

    def _receive(
        self, book: AccountBook | None, item: FileStatement, work: AccountWork
    ) -> tuple[Received, Change | None]:
        """What one item does, and what it does to another account that had its statement until now."""
        if isinstance(item.content, PaymentUpdate):
            return receive_payment_update(book, item.content, work.delivery), None
        elsewhere = work.elsewhere.get(item.statement_id)
        released = None
        if elsewhere is not None:
            old = self.books.load(work.delivery.organization.org_id, elsewhere)
            released = old and release_bill(old, item.statement_id, work.account_id, work.delivery)
        if not released:
            return receive_statement(book, item.content, work.delivery), None
        moved, left = released
        received = receive_statement(book, item.content, work.delivery, moved)
        return received, left if received.change else None


def _new_book(change: Change) -> AccountBook:
    return AccountBook(account=change.account).after(change)


def _row(item: FileStatement, received: Received) -> StatementRow:
    return StatementRow(
        statement_id=item.statement_id,
        result=received.result,
        warnings=received.warnings,
        errors=received.errors,
    )


def _writes(decision: IntakeDecision, whole: Change | None) -> int:
    return sum(writes_of(change) for change in decision.changes) + (writes_of(whole) if whole else 0)


def _fits(decisions: Sequence[IntakeDecision]) -> bool:
    """Whether decisions may be written in one transaction."""
    changes = [change for decision in decisions for change in decision.changes]
    accounts = {change.account.account_id for change in changes}
    size = sum(len(bill.document) for change in changes for bill in change.bills)
    return (
        len(accounts) == len(changes)
        and sum(writes_of(change) for change in changes) <= MOST_WRITES_TOGETHER
        and size <= MOST_BYTES
    )
