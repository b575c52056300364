"""The day's check of the ledger: what delivery promises, held against every account that owes.

It is begun again every quarter of an hour and goes on where it stood, until it has come to the end of the day's round.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict

from aws_lambda_powertools import Logger

from functions.scheduler.ports import SchedulerPorts
from shared.domain.dunning.promises import broken_promises
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import BillStatus
from shared.messaging.metrics import count
from shared.storage.ledger_checks import CheckPlace

logger = Logger(child=True)

BILLS_TOGETHER = 100
"""How many bills are looked at before the place is noted."""


class CheckAnswer(TypedDict):
    """What an invocation that checks the ledger answers: so many accounts, and broken promises."""

    checked: int
    broken: int


def check_ledger(ports: SchedulerPorts, clock: Callable[[], datetime], time_is_up: Callable[[], bool]) -> CheckAnswer:
    """Go on with the day's check (docs/rules.md#ledger-check)."""
    check = LedgerCheck(ports, clock(), time_is_up, clock)
    check.run()
    logger.info("ledger checked", extra={"accounts": check.checked, "broken": check.broken})
    return CheckAnswer(checked=check.checked, broken=check.broken)


@dataclass(slots=True)
class LedgerCheck:
    """One run of the check, begun at an instant. checked, broken: so many accounts, and promises of theirs.

    clock: an account is held against what was promised by the time at which it is read, for others go on meanwhile;
    without it time stands still.
    """

    ports: SchedulerPorts
    now: datetime
    time_is_up: Callable[[], bool]
    clock: Callable[[], datetime] | None = None
    checked: int = 0
    broken: int = 0

    def run(self) -> None:
        """Go on with the day's check as far as time allows, unless it is done or another run goes on with it."""
        last, today = self.ports.ledger_checks.load(), self.now.date()
        place = last if last and last.day == today else CheckPlace(day=today, revision=last.revision if last else 0)
        if place.done:
            return
        for organization in self._organizations():
            if organization.org_id < place.org_id:
                continue
            for after in self._pages(organization, place):
                place = replace(place, org_id=organization.org_id, after=after)
                if not self.ports.ledger_checks.move_on(place):
                    return
                place = replace(place, revision=place.revision + 1)
                if self.time_is_up():
                    return
        self.ports.ledger_checks.move_on(replace(place, done=True))

    def _organizations(self) -> list[Organization]:
        found = [
            organization
            for partner in self.ports.organizations.partners()
            for organization in self.ports.organizations.list(partner.partner_id)
        ]
        return sorted(found, key=lambda organization: organization.org_id)

    def _pages(self, organization: Organization, place: CheckPlace) -> Iterator[tuple[str, ...] | None]:
        """Check an organization's accounts by pages, each followed by where the next begins; None: none does."""
        org_id, stopped = organization.org_id, bool(self.ports.stops.all())
        after = place.after if org_id == place.org_id else None
        if org_id == place.org_id and after is None:
            return  # it was checked to its end
        if self.ports.jobs.is_replanned(org_id):
            return  # its settings changed, and its accounts are still being planned by them
        while True:
            bills, after = self.ports.lists.bills(org_id, BillStatus.DUE, BILLS_TOGETHER, after)
            for account_id in dict.fromkeys(bill.account_id for bill in bills):
                self._alone(organization, account_id, stopped=stopped)
            yield after
            if after is None:
                return

    def _alone(self, organization: Organization, account_id: str, *, stopped: bool) -> None:
        """Check an account. One that can't be is told of as if a promise of its were broken, and hides no other."""
        try:
            self._check(organization, account_id, stopped=stopped)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other accounts must be checked
            self.checked, self.broken = self.checked + 1, self.broken + 1
            ids = {"org_id": organization.org_id, "account_id": account_id}
            logger.error("account not checked", extra=ids | {"error": type(error).__name__})  # noqa: TRY400 - a traceback could quote the ledger
            count("PromiseBroken", org_id=organization.org_id)

    def _check(self, organization: Organization, account_id: str, *, stopped: bool) -> None:
        book = self.ports.books.load(organization.org_id, account_id)
        if book and book.account.settings_version > organization.version:
            organization = (
                self.ports.organizations.get(organization.org_id) or organization
            )  # changed since it was listed
        now = self.clock() if self.clock else self.now
        findings = broken_promises(book, organization, now, stopped=stopped) if book else []
        self.checked += 1
        for finding in findings:
            self.broken += 1
            ids = {"org_id": organization.org_id, "account_id": account_id, "notice_id": finding.notice_id}
            logger.error("promise broken", extra=ids | {"promise": finding.promise.name})
            count("PromiseBroken", org_id=organization.org_id)
