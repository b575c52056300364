"""Rolling reports up: each account that changed is read, and what it adds now takes the place of what it added.

Accounts are found by a mark that every change of one leaves in the statement index, so that the work is proportional to
what changed. Nothing is lost by a run that is late, cut off or repeated: the mark stays until the account is counted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from shared.domain.calendar.send_window import DAY
from shared.domain.records.book import AccountBook
from shared.domain.records.policy import Organization
from shared.domain.reporting.ageing import Ageing, ageing_on
from shared.domain.reporting.facts import AccountFacts, account_facts
from shared.domain.reporting.looking_again import last_fileable_day, look_again_at
from shared.messaging.metrics import count
from shared.storage import keys
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from shared.storage.reports import Reports, ReportState

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = Logger(child=True)

MOST_DAYS_ENDED = 60
"""So many days' ageing is stored in one transaction."""

DAYS_A_FILING = 31
"""So many days are filed by one read."""


@dataclass(frozen=True, slots=True)
class RollUp:
    """One run at one instant. client, bucket: where the reconciliation files go."""

    books: AccountBooks
    organizations: Organizations
    reports: Reports
    client: "S3Client"
    bucket: str
    now: datetime
    time_is_up: Callable[[], bool] = lambda: False

    def run(self) -> int:
        """Count what changed, and answer how many accounts were read. One organization's failure stops no other."""
        return sum(
            self._alone(org_id)
            for shard in keys.changed_shards()
            for org_id in self.reports.organizations(shard)
            if not self.time_is_up()
        )

    def _alone(self, org_id: str) -> int:
        try:
            organization = self.organizations.get(org_id)
            if organization is not None:
                return _OrganizationRun(self, organization).run()
            logger.error("changed accounts without organization", extra={"org_id": org_id})
        except Exception as error:  # noqa: BLE001 - whatever it is, the other organizations must go on
            logger.error("reports failed", extra={"org_id": org_id, "error": type(error).__name__})  # noqa: TRY400 - a traceback could quote the ledger
            count("ReportsFailed")
        return 0


@dataclass(slots=True)
class _OrganizationRun:
    """A run over the accounts of one organization. unfiled: accounts that wait for its end, when files are written."""

    of: RollUp
    organization: Organization
    read: int = 0
    unfiled: list[tuple[str, int, datetime | None]] = field(default_factory=list)

    def run(self) -> int:
        """Count its accounts; with all of them counted, file the days that are over."""
        reports, org_id = self.of.reports, self.organization.org_id
        filed = self._at_today().filed_through or date.min
        whole = True
        for page in reports.changed_accounts(org_id, self.of.now):
            if self.of.time_is_up():
                whole = False
                break
            whole = self._count(page, filed) and whole
        if whole:
            self._file(filed)
        return self.read

    @property
    def _today(self) -> date:
        return self.of.now.astimezone(self.organization.zone).date()

    def _books(self, account_ids: list[str]) -> Iterator[AccountBook]:
        for account_id in account_ids:
            book = self.of.books.load(self.organization.org_id, account_id)
            if book is not None:
                yield book

    def _at_today(self) -> ReportState:
        """How far the reports are, once the ageing of the days that are over is stored."""
        org_id = self.organization.org_id
        while True:
            state = self.of.reports.state(org_id)
            first = state.day or self._today
            if state.day is not None and first >= self._today:
                return state
            over = min((self._today - first).days, MOST_DAYS_ENDED)
            ended = {(first + n * DAY).isoformat(): ageing_on(first + n * DAY, state.owed) for n in range(over)}
            filed = state.filed_through or self._first_filed()
            self.of.reports.save(
                org_id, state, replace(state, day=first + over * DAY, filed_through=filed), _not_empty(ended)
            )

    def _first_filed(self) -> date:
        """The day up to which an organization has no files: those before it was made, or before it had any reports."""
        before = self._today - DAYS_A_FILING * DAY
        made = self.organization.created_on
        return made - DAY if made is not None and before < made <= self._today else self._today - DAY

    def _count(self, account_ids: list[str], filed_through: date) -> bool:
        """Count a page of accounts. False: another run was quicker, so they are to be looked at again."""
        org_id, now = self.organization.org_id, self.of.now
        added = self.of.reports.added(org_id, account_ids)
        books = list(self._books(account_ids))
        facts = {book.account.account_id: account_facts(book, self.organization) for book in books}
        self.read += len(books)
        if not self.of.reports.add(org_id, added, facts, now):
            return False
        for book in books:
            self._rest(book, facts[book.account.account_id], filed_through)
        return True

    def _rest(self, book: AccountBook, facts: AccountFacts, filed_through: date) -> None:
        """Have an account looked at again when it has to be; one whose postings can be filed now, once they are."""
        account, zone = book.account, self.organization.zone
        waits_for_file = any(filed_through < date.fromisoformat(day) <= self._fileable for day in facts.postings)
        filed = self._fileable if waits_for_file else filed_through
        at = look_again_at(book, facts, filed, zone, self.of.now)
        if waits_for_file:
            self.unfiled.append((account.account_id, account.version, at))
        else:
            self.of.reports.look_again(account.org_id, account.account_id, account.version, at)

    @property
    def _fileable(self) -> date:
        return last_fileable_day(self.of.now, self.organization.zone)

    def _file(self, filed: date) -> None:
        """Write the reconciliation of the days that are over, and let their accounts rest."""
        reports, org_id = self.of.reports, self.organization.org_id
        while filed < self._fileable:
            through = min(self._fileable, filed + DAYS_A_FILING * DAY)
            self._write_files(filed + DAY, through)
            state = reports.state(org_id)
            if not reports.save(org_id, state, replace(state, filed_through=through), {}):
                return
            filed = through
        for account_id, version, at in self.unfiled:
            reports.look_again(org_id, account_id, version, at)

    def _write_files(self, first: date, last: date) -> None:
        from shared.contracts.reports import reconciliation_files  # noqa: PLC0415 - pydantic: a sweep needs none

        lines = self.of.reports.postings_between(self.organization.org_id, first, last)
        for name, content_type, body in reconciliation_files(lines, self.organization):
            self.of.client.put_object(Bucket=self.of.bucket, Key=name, Body=body, ContentType=content_type)
            logger.info("reconciliation filed", extra={"org_id": self.organization.org_id, "file": name})


def _not_empty(ended: dict[str, Ageing]) -> dict[str, Ageing]:
    return {day: ageing for day, ageing in ended.items() if ageing.bills}
