"""Collecting: each account whose time has come is planned, and its plan written."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from aws_lambda_powertools import Logger

from functions.scheduler.ports import SchedulerPorts
from functions.scheduler.rounds import NOTHING, Done
from shared.domain.dunning import plan
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.policy import Organization
from shared.storage.due_index import DueAccount
from shared.storage.races import BusyError

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class Collector:
    """Plans accounts at one instant. known: the organizations as they were read since the sweep began."""

    ports: SchedulerPorts
    now: datetime
    known: dict[str, Organization | None] = field(default_factory=dict)

    def collect(self, due: DueAccount) -> Done:
        """Plan one account, and write its plan; nothing, if it isn't due any more."""

        def decide(book: AccountBook) -> tuple[Change | None, Done]:
            is_due = book.account.planning_at is not None and book.account.planning_at <= self.now
            return (self._planned(book), Done(1)) if is_due else (None, NOTHING)

        try:
            return self.ports.books.decide(due.org_id, due.account_id, decide).result
        except BusyError:
            return NOTHING  # it keeps changing, so it is still due in the next round

    def _planned(self, book: AccountBook) -> Change:
        account = book.account
        organization = self._organization(account.org_id, account.settings_version)
        if organization is None:
            logger.error("account without organization", extra={"org_id": account.org_id})
            return Change(account=replace(account, planning_at=None))
        return plan(book, organization, self.now).change(account)

    def _organization(self, org_id: str, version: int) -> Organization | None:
        """The organization as this sweep knows it, read again when an account asks for later settings than those."""
        known = self.known.get(org_id)
        if known is None or known.version < version:
            self.known[org_id] = self.ports.organizations.get(org_id)
        return self.known[org_id]
