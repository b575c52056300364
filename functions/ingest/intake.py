"""Takes statements in: reads each, finds its account, and brings many accounts up to date with few calls.

Statements are worked on by account, because an account changes whole or not at all; small changes to many accounts are
written together. Whoever loses a race to another writer decides again on what that one left.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from hashlib import sha256
from itertools import batched

from shared.contracts.contact import time_zones
from shared.contracts.statement_files import FileSchema, RawStatement
from shared.contracts.statements import (
    UnreadableStatementError,
    read_payment_update,
    read_statement,
    transactions_only,
)
from shared.domain.account.contacts import GUARANTOR, PATIENT, number_hash, said_stop
from shared.domain.account.number_stops import NumberStop, stop_of_old
from shared.domain.intake.account_after import guarantor_after
from shared.domain.intake.arrival import Arrival, IntakeContext, Received
from shared.domain.intake.identity import same_person, with_known_guarantor
from shared.domain.intake.lifetime import active_bills, claims_of
from shared.domain.intake.moving import Departure, depart
from shared.domain.intake.payment_updates import receive_payment_update
from shared.domain.intake.placeholders import with_true_birth_dates
from shared.domain.intake.receive import receive_statement
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.ingestion import Remark, StatementRow
from shared.domain.records.policy import Organization
from shared.domain.records.statement import PaymentUpdate
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.words import BillType, IngestionResult
from shared.storage import keys
from shared.storage.account_books import AccountBooks, ConcurrentChangeError, writes_of
from shared.storage.large_changes import ChangeTooLargeError
from shared.storage.numbers import Numbers
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
TOO_LARGE = Remark("", "The bill, with all that it has had so far, would be larger than can be stored.")
ACCOUNT_BUSY = Remark("", "The account was being changed by others; send the statement again.")


@dataclass(frozen=True, slots=True)
class FileStatement:
    """One readable statement on its way to its account. warnings: what was mended of a payment update."""

    place: int
    content: Arrival | PaymentUpdate
    warnings: tuple[Remark, ...] = ()

    @property
    def statement_id(self) -> str:
        """The statement that it is about."""
        return self.content.statement.statement_id if isinstance(self.content, Arrival) else self.content.statement_id

    @property
    def mobile_phone(self) -> str:
        """The guarantor's mobile number, in E.164; "": none is given."""
        return "" if isinstance(self.content, PaymentUpdate) else self.content.statement.guarantor.mobile_phone

    @property
    def patients(self) -> tuple[str, ...]:
        """The patient accounts of a statement."""
        if isinstance(self.content, PaymentUpdate):
            return ()
        return tuple(patient.account_id for patient in self.content.statement.patients)

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
    """What one account has to take, in the order of the file.

    elsewhere: statements that another account has. holders: with Lifetime bills, which account has the active bill of
    each patient account. stops: what the numbers in the file last said about texts. waits: an account before it in the
    file has to be done first, as it is about the same patient.
    """

    delivery: IntakeContext
    account_id: str
    is_known: bool
    items: list[FileStatement] = field(default_factory=list)
    elsewhere: dict[str, str] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    stops: dict[str, NumberStop] = field(default_factory=dict)
    waits: bool = False

    @property
    def org_id(self) -> str:
        """The organization that the account is at."""
        return self.delivery.organization.org_id

    @property
    def is_lifetime(self) -> bool:
        """Whether the statements are about Lifetime bills."""
        return self.delivery.bill_type is BillType.LIFETIME


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
    numbers: Numbers
    partner_id: str
    ingestion_id: str
    schema: FileSchema | None
    now: datetime
    workers: int = INTAKE_WORKERS
    actor: str = Actor.PARTNER
    _deliveries: dict[str, IntakeContext | None] = field(default_factory=dict)

    def take(self, statements: Sequence[RawStatement], known: dict[int, StatementRow]) -> list[StatementRow]:
        """Take statements in, and answer a row for each, in their order.

        `known` are the rows, by place, of those that are done already. Taking the same file in again does
        nothing twice. Raises what the table raises when it can't be reached.
        """
        rows = dict(known)
        items = list[FileStatement]()
        for place, raw in enumerate(statements):
            if place not in rows:
                read = self._read(place, raw)
                if isinstance(read, FileStatement):
                    items.append(read)
                else:
                    rows[place] = read
        for organization_items in self._by_organization(items, rows):
            work = self._work(*organization_items, rows)
            at_once = [each for each in work if not each.waits]
            for made in self._side_by_side(self._group, list(batched(at_once, ACCOUNTS_TOGETHER, strict=False))):
                rows |= made
            for each in work:
                if each.waits:
                    rows |= self._alone(each, each.items)
        return [rows[place] for place in range(len(statements))]

    def _read(self, place: int, raw: RawStatement) -> FileStatement | StatementRow:
        if raw.error:
            return failed(raw.statement_id, raw.error)
        try:
            if self.schema is FileSchema.PAYMENT_UPDATES or transactions_only(raw.value):
                payments = read_payment_update(raw.value)
                return FileStatement(place, payments.update, payments.warnings)
            read = read_statement(raw.value)
        except UnreadableStatementError as error:
            return failed(raw.statement_id, *error.errors)
        arrival = Arrival(
            statement=read.statement,
            document=raw.text.encode(),
            warnings=read.warnings,
            language_given=read.language_given,
            unusable=read.unusable,
        )
        return FileStatement(place, with_known_guarantor(arrival))

    def _by_organization(
        self, items: Iterable[FileStatement], rows: dict[int, StatementRow]
    ) -> Iterator[tuple[IntakeContext, list[FileStatement]]]:
        """The items of each organization of this partner; those of no organization have failed."""
        groups = dict[str, list[FileStatement]]()
        for item in items:
            delivery = self._delivery(item.client_id)
            if delivery is None:
                rows[item.place] = failed(item.statement_id, UNKNOWN_CLIENT)
            else:
                groups.setdefault(item.client_id, []).append(_with_true_birth_dates(item, delivery.today))
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
            actor=self.actor,
        )

    # Which account each statement belongs to.

    def _work(
        self, delivery: IntakeContext, items: list[FileStatement], rows: dict[int, StatementRow]
    ) -> list[AccountWork]:
        org_id = delivery.organization.org_id
        having, older_keys = self._accounts_having(org_id, items), self._older_keys(org_id, items)
        groups, taken = dict[str, AccountWork](), dict[str, str]()
        for item in items:
            account_id: str | None = having.get(item.statement_id)
            if isinstance(item.content, Arrival):
                account_id = older_keys.get(item.place, item.content.statement.account_id)
            if account_id is None:
                rows[item.place] = failed(item.statement_id, UNKNOWN_BILL)
                continue
            work = groups.setdefault(account_id, AccountWork(delivery, account_id, is_known=True))
            work.items.append(item)
            if having.get(item.statement_id, account_id) != account_id:
                work.elsewhere[item.statement_id] = having[item.statement_id]
            if work.is_lifetime and any(taken.setdefault(each, account_id) != account_id for each in item.patients):
                work.waits = True
            # Updates further down the file are for the account that has the statement by then.
            having[item.statement_id] = account_id
        known = self.books.known(org_id, groups)
        holders, stops = self._holders(delivery, items), self._stops(items)
        for work in groups.values():
            work.is_known, work.holders, work.stops = work.account_id in known, holders, stops
        return list(groups.values())

    def _older_keys(self, org_id: str, items: list[FileStatement]) -> dict[int, str]:
        """By their places, the statements without a usable guarantorId whose account has the key of earlier days.

        That was the patient's number alone, which may be another person's guarantorId (docs/rules.md#account-key).
        """
        unnamed = {
            item.place: item.content.statement
            for item in items
            if isinstance(item.content, Arrival) and not item.content.statement.guarantor.guarantor_id
        }
        old = self.books.accounts(org_id, {each.patients[0].account_id for each in unnamed.values()}) if unnamed else {}
        found = dict[int, str]()
        for place, each in unnamed.items():
            account = old.get(each.patients[0].account_id)
            if account and not account.guarantor.guarantor_id and same_person(account.guarantor, each.guarantor):
                found[place] = account.account_id
        renewed = self.books.known(org_id, {unnamed[place].account_id for place in found}) if found else set()
        return {place: name for place, name in found.items() if unnamed[place].account_id not in renewed}

    def _holders(self, delivery: IntakeContext, items: Iterable[FileStatement]) -> dict[str, str]:
        """Which account has the active Lifetime bill of each patient account by now."""
        patients = {patient for item in items for patient in item.patients}
        if delivery.bill_type is BillType.EPISODIC or not patients:
            return {}
        return self.books.having_lifetime_bills(delivery.organization.org_id, patients)

    def _stops(self, items: Iterable[FileStatement]) -> dict[str, NumberStop]:
        """What the guarantors' mobile numbers last said about texts, to whichever account."""
        return self.numbers.stops({number_hash(item.mobile_phone) for item in items if item.mobile_phone})

    def _accounts_having(self, org_id: str, items: list[FileStatement]) -> dict[str, str]:
        """Which account has each statement's bill by now. Runs of ids are looked up side by side."""
        lookups = {item.statement_id: keys.bill_lookup(item.statement_id) for item in items}
        runs = list(batched(sorted(lookups.values()), LOOKUPS_TOGETHER, strict=False))
        found = dict[str, str]()
        for part in self._side_by_side(lambda run: self.books.accounts_of(org_id, run), runs):
            found |= part
        return {statement_id: found[lookup] for statement_id, lookup in lookups.items() if lookup in found}

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
        except (ConcurrentChangeError, ChangeTooLargeError):
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
            except ChangeTooLargeError:
                # One of them is too large. Each is tried by itself, so that only that one fails.
                first, *items = items
                rows |= self._alone(work, [first]) if items else {first.place: failed(first.statement_id, TOO_LARGE)}
                continue
            rows |= decision.rows
            items = decision.rest
        return rows

    def _decide_and_write(self, work: AccountWork, items: list[FileStatement]) -> IntakeDecision:
        work.holders = self._holders(work.delivery, items)
        decision = self._decide(work, items, is_known=True)
        if decision.changes:
            self.books.commit_together(decision.changes)
        return decision

    def _decide(self, work: AccountWork, items: list[FileStatement], *, is_known: bool) -> IntakeDecision:
        """What items do to their account, as many as one transaction holds; reads the account unless it is new."""
        book = self.books.load(work.org_id, work.account_id) if is_known else None
        whole: Change | None = None
        decision = IntakeDecision(changes=[], rows={}, rest=[])
        size = 0
        for n, item in enumerate(items):
            size += item.size
            if n and (size > MOST_BYTES or _writes(decision, whole) > MOST_WRITES_TOGETHER // 2):
                decision.rest = items[n:]
                break
            received, departures = self._receive(book, item, work)
            decision.rows[item.place] = _row(item, received)
            if received.change is None:
                continue
            book = book.after(received.change) if book else _new_book(received.change)
            whole = whole.then(received.change) if whole else received.change
            if departures:
                # The other accounts are written once in this transaction, so what follows waits for the next one.
                decision.changes += [departure.left for departure in departures]
                decision.rest = items[n + 1 :]
                break
        if whole is not None:
            decision.changes.append(whole)
        return decision

    def _receive(
        self, book: AccountBook | None, item: FileStatement, work: AccountWork
    ) -> tuple[Received, list[Departure]]:
        """What one item does, and what leaves other accounts by it."""
        if isinstance(item.content, PaymentUpdate):
            return receive_payment_update(book, item.content, work.delivery), []
        arrival = _in_its_zones(item.content, book)
        arrival = replace(arrival, number_stop=work.stops.get(number_hash(item.mobile_phone)))
        departures = self._departures(arrival, work)
        received = _claiming(receive_statement(book, arrival, work.delivery, departures), book, arrival, work)
        if received.change:
            self._attach_stopped(book, received.change.account)
        if book and said_stop(item.mobile_phone, book.account) and arrival.number_stop is None:
            # From the days when only accounts knew of it: whatever is said later takes its place.
            self.numbers.record_stop(stop_of_old(number_hash(item.mobile_phone)))
        taken = received.change is not None and received.result is not IngestionResult.FAILED
        return received, departures if taken else []

    def _attach_stopped(self, book: AccountBook | None, account: Account) -> None:
        """Have a START find an account that came to know of a STOP without having texted the number."""
        known = book.account.stopped_numbers if book else frozenset[str]()
        own = number_hash(account.guarantor.mobile_phone)
        for number in sorted(account.stopped_numbers - known):
            recipient = GUARANTOR if number == own else PATIENT
            self.numbers.attach(number, account.org_id, account.account_id, recipient)

    def _departures(self, arrival: Arrival, work: AccountWork) -> list[Departure]:
        """What the statement takes along: its bill, and with Lifetime bills the active ones of its patients."""
        statement, leaving = arrival.statement, dict[str, tuple[AccountBook, list[str]]]()
        own = self._holding(statement.statement_id, work)
        if own:
            leaving[own.account.account_id] = own, [statement.statement_id]
        others = {work.holders.get(patient.account_id) for patient in statement.patients} if work.is_lifetime else set()
        for account_id in sorted(name for name in others if name and name != work.account_id):
            book = leaving[account_id][0] if account_id in leaving else self.books.load(work.org_id, account_id)
            if book:
                names = leaving.setdefault(account_id, (book, []))[1]
                names += [bill.statement_id for bill in active_bills(book, statement)]
        found = (
            depart(book, names, statement.guarantor, work.account_id, work.delivery) for book, names in leaving.values()
        )
        return [departure for departure in found if departure]

    def _holding(self, statement_id: str, work: AccountWork) -> AccountBook | None:
        """The other account that has a statement's bill, wherever it went since it was looked up; None: none has."""
        account_id = work.elsewhere.get(statement_id, work.account_id)
        while account_id != work.account_id:
            book = self.books.load(work.org_id, account_id)
            bill = book.bill(statement_id) if book else None
            if bill is None or not bill.moved_to:
                return book if bill else None
            account_id = bill.moved_to
        return None


def _claiming(received: Received, book: AccountBook | None, arrival: Arrival, work: AccountWork) -> Received:
    """What a statement does, with the claims of an account that has a Lifetime bill of its patients from now on.

    An identical one only makes up for claims that are missing, from the days when none were made.
    """
    if not work.is_lifetime:
        return received
    if received.change:
        claims = claims_of(received.change.bills, work.account_id, work.holders)
        return replace(received, change=replace(received.change, claims=claims))
    unclaimed = [patient.account_id for patient in arrival.statement.patients if patient.account_id not in work.holders]
    if received.result is not IngestionResult.IGNORED or not book or not unclaimed:
        return received
    claims = claims_of(active_bills(book, arrival.statement), work.account_id, work.holders)
    return replace(received, change=Change(account=book.account, claims=claims)) if claims else received


def _with_true_birth_dates(item: FileStatement, today: date) -> FileStatement:
    if isinstance(item.content, PaymentUpdate):
        return item
    return replace(item, content=with_true_birth_dates(item.content, today))


def _new_book(change: Change) -> AccountBook:
    return AccountBook(account=change.account).after(change)


def _in_its_zones(arrival: Arrival, book: AccountBook | None) -> Arrival:
    """The arrival with the time zones of its guarantor, whose address or number may be known from before."""
    said = arrival.statement.guarantor
    guarantor = guarantor_after(book.account.guarantor, arrival) if book else said
    return replace(arrival, time_zones=time_zones(guarantor.address, guarantor.mobile_phone))


def _row(item: FileStatement, received: Received) -> StatementRow:
    return StatementRow(
        statement_id=item.statement_id,
        result=received.result,
        warnings=(*received.warnings, *item.warnings),
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
