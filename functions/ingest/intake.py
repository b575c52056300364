"""Takes statements in: reads each, finds its account, and brings many accounts up to date with few calls.

Statements are worked on by account, because an account changes whole or not at all; small changes to many accounts are
written together. Whoever loses a race to another writer decides again on what that one left.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from itertools import batched

from functions.ingest.account_work import AccountWork, FileStatement, IntakeDecision, failed
from functions.ingest.decide_intake import IntakeDecider, fit_in_one_transaction
from functions.ingest.find_accounts import AccountFinder
from functions.ingest.side_by_side import side_by_side
from shared.contracts.statement_files import FileSchema, RawStatement
from shared.contracts.statements import (
    UnreadableStatementError,
    read_payment_update,
    read_statement,
    transactions_only,
)
from shared.domain.intake.arrival import Arrival, IntakeContext
from shared.domain.intake.identity import with_known_guarantor
from shared.domain.intake.placeholders import with_true_birth_dates
from shared.domain.records.ingestion import Remark, StatementRow
from shared.domain.records.policy import Organization
from shared.domain.records.statement import PaymentUpdate
from shared.domain.vocabulary.actors import Actor
from shared.storage.account_books import AccountBooks, ConcurrentChangeError
from shared.storage.large_changes import ChangeTooLargeError
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations
from shared.storage.races import BusyError, until_won

INTAKE_WORKERS = 8
"""How many accounts' calls are under way at once; one call waits for the table most of its time."""

ACCOUNTS_TOGETHER = 25
"""How many accounts one worker takes on at a time, and writes together where the limits allow it."""

UNKNOWN_CLIENT = Remark("/clientId", "There is no organization with this clientId.")
TOO_LARGE = Remark("", "The bill, with all that it has had so far, would be larger than can be stored.")
ACCOUNT_BUSY = Remark("", "The account was being changed by others; send the statement again.")


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
    file_digest: str
    workers: int = INTAKE_WORKERS
    actor: str = Actor.PARTNER
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
            work = self._finder.work(*organization_items, rows)
            at_once = [each for each in work if not each.waits]
            for made in side_by_side(
                self._group, list(batched(at_once, ACCOUNTS_TOGETHER, strict=False)), self.workers
            ):
                rows |= made
            for each in work:
                if each.waits:
                    rows |= self._alone(each, each.items)
        return [rows[place] for place in range(len(statements))]

    def _read(self, place: int, raw: RawStatement, origin: str) -> FileStatement | StatementRow:
        if raw.error:
            return failed(raw.statement_id, raw.error)
        try:
            if self.schema is FileSchema.PAYMENT_UPDATES or transactions_only(raw.value):
                payments = read_payment_update(raw.value)
                return FileStatement(place, replace(payments.update, origin=origin), payments.warnings)
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

    @property
    def _finder(self) -> AccountFinder:
        return AccountFinder(self.books, self.numbers, self.workers)

    @property
    def _decider(self) -> IntakeDecider:
        return IntakeDecider(self.books, self.numbers)

    # Decide, then write.

    def _group(self, group: Sequence[AccountWork]) -> dict[int, StatementRow]:
        """Bring a group of accounts up to date: together where they fit, one by one what is left."""
        rows = dict[int, StatementRow]()
        together = list[tuple[AccountWork, IntakeDecision]]()
        for work in group:
            decision = self._decider.decide(work, work.items, is_known=work.is_known)
            if not fit_in_one_transaction([*(each for _, each in together), decision]):
                rows |= self._write(together)
                together = []
            together.append((work, decision))
        return rows | self._write(together)

    def _write(self, together: list[tuple[AccountWork, IntakeDecision]]) -> dict[int, StatementRow]:
        changes = [change for _, decision in together for change in decision.changes]
        rows = dict[int, StatementRow]()
        try:
            if changes:
                self.books.commit_together(changes, [book for work, _ in together for book in work.read.values()])
        except (ConcurrentChangeError, ChangeTooLargeError) as error:
            for work, _ in together:
                work.raced = isinstance(error, ConcurrentChangeError)
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
        work.holders = self._finder.holders(work.delivery, items)
        if work.raced:
            work.elsewhere |= self._finder.claimed_elsewhere(work, items)
        decision = self._decider.decide(work, items, is_known=True)
        if decision.changes:
            work.raced = True
            self.books.commit_together(decision.changes, work.read.values())
            work.raced = False
        return decision


def _with_true_birth_dates(item: FileStatement, today: date) -> FileStatement:
    if isinstance(item.content, PaymentUpdate):
        return item
    return replace(item, content=with_true_birth_dates(item.content, today))
