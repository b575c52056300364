"""What a file's items do to their account: read, decided, and measured against what one transaction holds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from functions.ingest.account_work import AccountWork, FileStatement, IntakeDecision
from shared.contracts.contact import time_zones
from shared.domain.account.contacts import GUARANTOR, PATIENT, number_hash, said_stop
from shared.domain.account.number_stops import stop_of_old
from shared.domain.intake.account_after import guarantor_after
from shared.domain.intake.arrival import Arrival, Received
from shared.domain.intake.lifetime import active_bills, claims_of
from shared.domain.intake.moving import Departure, depart
from shared.domain.intake.payment_updates import receive_payment_update
from shared.domain.intake.receive import receive_statement
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change, StatementClaim
from shared.domain.records.ingestion import StatementRow
from shared.domain.records.statement import PaymentUpdate
from shared.domain.vocabulary.words import IngestionResult
from shared.storage.account_books import AccountBooks, writes_of
from shared.storage.numbers import Numbers

MOST_WRITES_TOGETHER = 90
"""How many items are written at once; DynamoDB takes 100, and one statement may add several."""

MOST_BYTES = 2_000_000
"""How long the documents written at once may be; DynamoDB takes 4 MB of items."""


@dataclass(frozen=True, slots=True)
class IntakeDecider:
    """Decides on the accounts of one table."""

    books: AccountBooks
    numbers: Numbers

    def decide(self, work: AccountWork, items: list[FileStatement], *, is_known: bool) -> IntakeDecision:
        """What items do to their account, as many as one transaction holds; reads the account unless it is new."""
        book = self._load(work, work.account_id) if is_known else None
        whole: Change | None = None
        decision = IntakeDecision(changes=[], rows={}, rest=[])
        size = 0
        for n, item in enumerate(items):
            size += item.size
            if n and (size > MOST_BYTES or _writes(decision, whole) > MOST_WRITES_TOGETHER // 2):
                decision.rest = items[n:]
                break
            received, others = self._receive(book, item, work)
            decision.rows[item.place] = _row(item, received)
            if received.change is not None:
                book = book.after(received.change) if book else _new_book(received.change)
                whole = whole.then(received.change) if whole else received.change
            if others:
                # The other accounts are written once in this transaction, so what follows waits for the next one.
                decision.changes += others
                decision.rest = items[n + 1 :]
                break
        if whole is not None:
            decision.changes.append(whole)
        return decision

    def _load(self, work: AccountWork, account_id: str) -> AccountBook | None:
        """An account as it is now, remembered for when it is written."""
        book = self.books.load(work.org_id, account_id)
        if book:
            work.read[account_id] = book
        return book

    def _receive(
        self, book: AccountBook | None, item: FileStatement, work: AccountWork
    ) -> tuple[Received, list[Change]]:
        """What one item does, and what changes at other accounts by it."""
        if isinstance(item.content, PaymentUpdate):
            return self._receive_payments(book, item.content, work)
        arrival = _in_its_zones(item.content, book)
        arrival = replace(arrival, number_stop=work.stops.get(number_hash(item.mobile_phone)))
        departures = self._departures(arrival, work)
        received = receive_statement(book, arrival, work.delivery, departures)
        received = _claiming_new(_claiming(received, book, arrival, work), book, departures)
        if received.change:
            self._attach_stopped(book, received.change.account)
        if book and said_stop(item.mobile_phone, book.account) and arrival.number_stop is None:
            # From the days when only accounts knew of it: whatever is said later takes its place.
            self.numbers.record_stop(stop_of_old(number_hash(item.mobile_phone)))
        taken = received.change is not None and received.result is not IngestionResult.FAILED
        return received, [departure.left for departure in departures] if taken else []

    def _receive_payments(
        self, book: AccountBook | None, update: PaymentUpdate, work: AccountWork
    ) -> tuple[Received, list[Change]]:
        """What a payment update does: at the account that has the bill, if it went there since it was looked up."""
        there = book
        while there and (bill := there.bill(update.statement_id)) and bill.moved_to:
            there = self._load(work, bill.moved_to)
        received = receive_payment_update(there, update, work.delivery)
        if there is book or received.change is None:
            return received, []
        return replace(received, change=None), [received.change]

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
            book = leaving[account_id][0] if account_id in leaving else self._load(work, account_id)
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
            book = self._load(work, account_id)
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


def _claiming_new(received: Received, book: AccountBook | None, departures: Sequence[Departure]) -> Received:
    """What a statement does, with the claim of a bill that no account had.

    The statement may come under two guarantors at once, and only one of them gets it.
    """
    if received.change is None:
        return received
    known = {bill.statement_id for departure in departures for bill in departure.bills}
    new = [bill for bill in received.change.bills if not (book and book.bill(bill.statement_id))]
    claims = tuple(StatementClaim(statement_id=bill.statement_id) for bill in new if bill.statement_id not in known)
    return replace(received, change=replace(received.change, claims=(*received.change.claims, *claims)))


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


def fit_in_one_transaction(decisions: Sequence[IntakeDecision]) -> bool:
    """Whether decisions may be written in one transaction."""
    changes = [change for decision in decisions for change in decision.changes]
    accounts = {change.account.account_id for change in changes}
    size = sum(len(bill.document) for change in changes for bill in change.bills)
    return (
        len(accounts) == len(changes)
        and sum(writes_of(change) for change in changes) <= MOST_WRITES_TOGETHER
        and size <= MOST_BYTES
    )
