"""A small world to try the dunning engine in: made-up accounts, and a scheduler and channels that act as real ones."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.dunning import judge, plan, with_notices
from shared.domain.dunning.decision import Defer, Plan, Refuse, Send
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice, moved
from shared.domain.records.policy import DunningConfiguration, DunningSettings, Organization, Step
from shared.domain.records.statement import Address, Guarantor
from shared.domain.vocabulary.words import Channel, NoticeStatus, NotificationType

EMAIL, SMS, PRINT = Channel.EMAIL, Channel.SMS, Channel.PRINT
INITIAL, DUE = NotificationType.INITIAL, NotificationType.DUE
PAST_DUE, FINAL = NotificationType.PAST_DUE, NotificationType.FINAL
S = NoticeStatus

NEW_YORK = ZoneInfo("America/New_York")
HOME = Address(line1="1 Canary Street", city="Albany", state="NY", postal_code="12207")
MONDAY = date(2026, 1, 5)


def at(text: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    """An instant by its local time, such as "2026-01-05 10:00"; in New York, unless another zone is given."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def a_guarantor(**changes: Any) -> Guarantor:
    facts: dict[str, Any] = {
        "first_name": "Canary",
        "last_name": "Guarantor",
        "email": "canary@example.org",
        "mobile_phone": "+12125550100",
        "address": HOME,
    }
    return Guarantor(**facts | changes)


def an_account(guarantor: Guarantor | None = None, **changes: Any) -> Account:
    facts: dict[str, Any] = {
        "org_id": "org_1",
        "account_id": "acc_1",
        "guarantor": guarantor or a_guarantor(),
        "time_zones": ("America/New_York",),
    }
    return Account(**facts | changes)


def a_bill(statement_id: str = "A", on: date = MONDAY, balance: int = 50_00, **changes: Any) -> Bill:
    facts: dict[str, Any] = {
        "statement_id": statement_id,
        "total_billed": 100_00,
        "balance": balance,
        "statement_date": on,
        "created_at": datetime(on.year, on.month, on.day, 8, tzinfo=NEW_YORK),
        "effective_created_date": on,
        "aging_period": "first",
    }
    return Bill(**facts | changes)


def an_organization(**changes: Any) -> Organization:
    """An organization; fields of its dunning settings may be given beside its own."""
    settings = {name: changes.pop(name) for name in tuple(changes) if name in DunningSettings.__dataclass_fields__}
    facts: dict[str, Any] = {
        "org_id": "org_1",
        "practice_id": "prac_1",
        "partner_id": "par_1",
        "client_id": "client-1",
        "name": "Canary Clinic",
        "short_name": "Canary",
        "time_zone": "America/New_York",
        "address": HOME,
        "dunning": DunningSettings(**settings),
    }
    return Organization(**facts | changes)


def a_book(*bills: Bill, account: Account | None = None, notices: tuple[Notice, ...] = ()) -> AccountBook:
    return AccountBook(account=account or an_account(), bills=bills or (a_bill(),), notices=notices)


def a_preset(*rows: tuple[int, NotificationType, tuple[Channel, ...]], cycle: int = 30, paper: int = 25) -> Any:
    """A preset called "tried" of (age, type, channels)."""
    return DunningConfiguration(
        configuration_id="tried",
        name="Tried",
        dunning_cycle_days=cycle,
        paper_cycle_days=paper,
        steps=tuple(Step(bill_age=age, notification_type=kind, channels=channels) for age, kind, channels in rows),
    )


def by_channel(notices: tuple[Notice, ...], status: NoticeStatus = S.SCHEDULED) -> dict[Channel, Notice]:
    return {notice.channel: notice for notice in notices if notice.status is status}


def refusals(notices: tuple[Notice, ...]) -> dict[Channel, str]:
    return {channel: notice.reason for channel, notice in by_channel(notices, S.WILL_NOT_SEND).items()}


def levels(notice: Notice) -> dict[str, int]:
    return {entry.statement_id: entry.level for entry in notice.bills}


@dataclass
class World:
    """One account at one organization through time. `sent` is what went: (instant, channel, type, level, bills)."""

    organization: Organization
    book: AccountBook
    now: datetime
    planning_at: datetime | None = None
    sent: list[Notice] = field(default_factory=list)
    last_plan: Plan | None = None

    def __post_init__(self) -> None:
        self.planning_at = self.now

    def change(self, **changes: Any) -> None:
        """Change the account, its bills or notices; whoever does asks for a plan."""
        self.book = replace(self.book, **changes)
        self.planning_at = self.now

    def change_account(self, **changes: Any) -> None:
        self.change(account=replace(self.book.account, **changes))

    def change_bill(self, statement_id: str, **changes: Any) -> None:
        self.change(
            bills=tuple(
                replace(bill, **changes) if bill.statement_id == statement_id else bill for bill in self.book.bills
            )
        )

    def add(self, bill: Bill) -> None:
        self.change(bills=(*self.book.bills, bill))

    def set_organization(self, organization: Organization) -> None:
        self.organization, self.planning_at = organization, self.now

    def plan(self) -> Plan:
        planned = plan(self.book, self.organization, self.now)
        self.book = self.book.after(planned.change(self.book.account))
        self.planning_at, self.last_plan = planned.next_planning_at, planned
        return planned

    def sweep(self) -> None:
        """Plan the account if its time has come, then send what is due; once more, since sending may ask for a plan."""
        for _ in range(2):
            if self.planning_at and self.planning_at <= self.now:
                self.plan()
            for notice in self.pending():
                if notice.scheduled_for <= self.now:
                    self.deliver(notice)

    def pending(self) -> list[Notice]:
        waiting = [notice for notice in self.book.notices if notice.status in {S.SCHEDULED, S.QUEUED}]
        return sorted(waiting, key=lambda notice: (notice.scheduled_for, notice.notice_id))

    def deliver(self, notice: Notice) -> None:
        """Judge a notice and do as the verdict says."""
        match judge(notice, self.book, self.organization, self.now):
            case Send() as verdict:
                after = moved(
                    notice,
                    S.SENT,
                    self.now,
                    "channel",
                    sent_at=self.now,
                    notification_type=verdict.notification_type,
                    level=verdict.level,
                    bills=verdict.bills,
                    template_id=verdict.template_id,
                    to_test_contact=verdict.contact.test,
                )
                self.sent.append(after)
            case Refuse(reason=reason):
                after = moved(notice, S.WILL_NOT_SEND, self.now, "channel", reason)
                self.planning_at = self.now
            case Defer(until=until, reason=reason):
                after = moved(notice, S.SCHEDULED, self.now, "channel", reason, scheduled_for=until)
        self.book = with_notices(self.book, (after,))

    def run_until(self, end: datetime) -> None:
        """Sweep at every instant at which something is due, up to an end."""
        for _ in range(5000):
            self.sweep()
            due = [notice.scheduled_for for notice in self.pending()]
            due += [self.planning_at] if self.planning_at else []
            if not due or min(due) > end:
                self.now = end
                return
            self.now = max(min(due), self.now + timedelta(seconds=1))
        raise AssertionError("there is always something more due")

    def story(self) -> list[tuple[str, str, str, int]]:
        """What went: local day, channel, type, level."""
        return [
            (
                f"{notice.sent_at.astimezone(self.organization.zone):%Y-%m-%d}" if notice.sent_at else "",
                notice.channel,
                notice.notification_type,
                notice.level,
            )
            for notice in sorted(self.sent, key=lambda notice: (notice.sent_at or self.now, notice.channel))
        ]
