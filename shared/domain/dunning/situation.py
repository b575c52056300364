"""What a dunning decision is made from, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from shared.domain.account.ledger import dunning_notices, last_letter_day, last_permanent_bounce, went_on
from shared.domain.account.stopping import pause_reason
from shared.domain.calendar.send_window import local_date
from shared.domain.calendar.steps import CurrentStep, current_step
from shared.domain.dunning.decision import Finding
from shared.domain.dunning.standing import BillStanding, Mentions, mentions_in, standing_of
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import BillLevel, Notice
from shared.domain.records.policy import DunningConfiguration, Organization
from shared.domain.records.presets import chosen
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import AccountStatus, Channel


@dataclass(frozen=True, kw_only=True)
class Situation:
    """All that a decision is made from."""

    book: AccountBook
    organization: Organization
    now: datetime

    @cached_property
    def configuration(self) -> DunningConfiguration:
        """The configuration that the organization chose."""
        return chosen(self.organization.dunning)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The organization's time zone: its calendar decides ages and days."""
        return self.organization.zone

    @cached_property
    def today(self) -> date:
        """The organization's calendar day."""
        return local_date(self.now, self.zone)

    @cached_property
    def rows(self) -> tuple[Notice, ...]:
        """The account's dunning notices, those to test contacts too: they used their days."""
        return dunning_notices(self.book)

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        """The dunning notices that count for steps, levels and letters.

        What went to test contacts reached no patient: it counts while test mode lasts, so that it isn't repeated, and
        not afterwards (docs/rules.md#go-live).
        """
        if self.organization.test_contacts is not None:
            return self.rows
        return tuple(notice for notice in self.rows if not notice.to_test_contact)

    @cached_property
    def gone_today(self) -> bool:
        """Whether the day's notice has gone: what comes due now waits (docs/rules.md#after-the-days-notice)."""
        return went_on(self.notices, self.today, self.now, self.zone)

    @cached_property
    def open_bills(self) -> tuple[Bill, ...]:
        """The bills that may be dunned, in a fixed order."""
        return tuple(sorted((bill for bill in self.book.bills if bill.open), key=lambda bill: bill.statement_id))

    @cached_property
    def last_letter_day(self) -> date | None:
        """The last local day on which a dunning letter went, or is going."""
        return last_letter_day(self.notices, self.now, self.zone)

    @cached_property
    def last_returns(self) -> dict[Channel, date]:
        """For each channel that messages came back from for good, the last local day on which one did."""
        return {
            channel: last_permanent_bounce(self.book, channel, self.zone) for channel in self.book.account.undeliverable
        }

    def step_of(self, bill: Bill, day: date) -> CurrentStep | None:
        """The step that a bill is at on a day."""
        no_limit = self.organization.dunning.no_dunning_limit
        return current_step(self.configuration, bill, day, no_limit=no_limit)

    def standing(self, bill: Bill, current: CurrentStep) -> BillStanding:
        """Where a bill of the book stands with a step; found once, however often it is asked."""
        known, name = self._standings, (bill.statement_id, current.level, current.due_on)
        if name not in known:
            known[name] = standing_of(bill, current, self._mentions, self.zone)
        return known[name]

    @cached_property
    def _mentions(self) -> Mentions:
        return mentions_in(self.notices)

    @cached_property
    def _standings(self) -> dict[tuple[str, int, date], BillStanding]:
        return {}


@dataclass(frozen=True, kw_only=True)
class DueBill:
    """A bill with the step that is due for it on the day in question."""

    bill: Bill
    current: CurrentStep

    @property
    def entry(self) -> BillLevel:
        """As a notice records it."""
        return BillLevel.of(self.bill, self.current.level)


@dataclass(frozen=True, kw_only=True)
class ChannelQuestion:
    """May a channel go on a day? electronically: statements that an electronic notice of their step covers.

    day: None where the channel has no permitted hour on any day.
    """

    situation: Situation
    channel: Channel
    day: date | None
    electronically: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class ChannelDecision:
    """The answer for one channel: the bills that a notice is about (none: nothing goes), or those refused, and why.

    Neither: the step doesn't ask for the channel.
    """

    channel: Channel
    bills: tuple[DueBill, ...] = ()
    refused: tuple[tuple[DueBill, Reason], ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def goes(self) -> bool:
        """Whether a notice goes."""
        return bool(self.bills)

    @property
    def reason(self) -> Reason:
        """Why nothing goes: what refused the highest bill."""
        highest = top_of([due for due, _ in self.refused]) if self.refused else None
        return next((why for due, why in self.refused if due is highest), Reason.CHANNEL_NOT_IN_STEP)

    @property
    def statement_ids(self) -> frozenset[str]:
        """The statements that a notice is about."""
        return frozenset(due.bill.statement_id for due in self.bills)


def standing_stop(organization: Organization) -> Reason | None:
    """Why an organization sends nothing at all: it, or the partner that owns it, isn't Active."""
    if organization.account_status is not AccountStatus.ACTIVE:
        return Reason.ORGANIZATION_NOT_ACTIVE
    return None if organization.partner_status is AccountStatus.ACTIVE else Reason.PARTNER_NOT_ACTIVE


def account_stop(situation: Situation) -> Reason | None:
    """Why nothing at all may go to the account, queued or not: its organization isn't active, or its dunning pauses."""
    return standing_stop(situation.organization) or pause_reason(situation.book.account)


def top_of(bills: Sequence[DueBill]) -> DueBill:
    """The bill at the highest level, which decides message and channels for all."""
    return max(bills, key=lambda due: due.current.level)
