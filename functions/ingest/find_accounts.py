"""Which account each statement of a file belongs to, looked up for many at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import batched

from functions.ingest.account_work import AccountWork, FileStatement, failed
from functions.ingest.side_by_side import side_by_side
from shared.domain.account.contacts import number_hash
from shared.domain.account.number_stops import NumberStop
from shared.domain.intake.arrival import Arrival, IntakeContext
from shared.domain.intake.identity import same_person
from shared.domain.records.ingestion import Remark, StatementRow
from shared.domain.vocabulary.words import BillType
from shared.storage import keys
from shared.storage.account_books import AccountBooks
from shared.storage.numbers import Numbers

LOOKUPS_TOGETHER = 64

UNKNOWN_BILL = Remark("/statementId", "There is no bill for this statement.")


@dataclass(frozen=True, slots=True)
class AccountFinder:
    """Finds accounts in one table. workers: how many lookups are under way at once."""

    books: AccountBooks
    numbers: Numbers
    workers: int

    def work(
        self, delivery: IntakeContext, items: list[FileStatement], rows: dict[int, StatementRow]
    ) -> list[AccountWork]:
        """What each account has to take of a file's items for one organization; those of no account have failed."""
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
        holders, stops = self.holders(delivery, items), self._stops(items)
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

    def holders(self, delivery: IntakeContext, items: Iterable[FileStatement]) -> dict[str, str]:
        """Which account has the active Lifetime bill of each patient account by now."""
        patients = {patient for item in items for patient in item.patients}
        if delivery.bill_type is BillType.EPISODIC or not patients:
            return {}
        return self.books.having_lifetime_bills(delivery.organization.org_id, patients)

    def claimed_elsewhere(self, work: AccountWork, items: Iterable[FileStatement]) -> dict[str, str]:
        """Which other account was first to have each statement's bill, as the table itself has it, not its index."""
        statement_ids = {item.statement_id for item in items if isinstance(item.content, Arrival)}
        claimed = self.books.claiming_statements(work.org_id, statement_ids)
        return {name: account_id for name, account_id in claimed.items() if account_id != work.account_id}

    def _stops(self, items: Iterable[FileStatement]) -> dict[str, NumberStop]:
        """What the guarantors' mobile numbers last said about texts, to whichever account."""
        return self.numbers.stops({number_hash(item.mobile_phone) for item in items if item.mobile_phone})

    def _accounts_having(self, org_id: str, items: list[FileStatement]) -> dict[str, str]:
        """Which account has each statement's bill by now. Runs of ids are looked up side by side."""
        lookups = {item.statement_id: keys.bill_lookup(item.statement_id) for item in items}
        runs = list(batched(sorted(lookups.values()), LOOKUPS_TOGETHER, strict=False))
        found = dict[str, str]()
        for part in side_by_side(lambda run: self.books.accounts_of(org_id, run), runs, self.workers):
            found |= part
        return {statement_id: found[lookup] for statement_id, lookup in lookups.items() if lookup in found}
