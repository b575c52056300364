"""Whether a channel goes on a day, for which bills, and if not, why.

`plan` and `judge` both decide with `decide`: one looks ahead to the day of sending, the other stands on it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from shared.domain.bill import Bill
from shared.domain.book import AccountBook
from shared.domain.contacts import contact_refusal, opt_out_refusal, opted_out
from shared.domain.decision import Finding, Outcome, Rule
from shared.domain.ledger import (
    came_back,
    closes_step,
    dunning_notices,
    floor_covers,
    last_letter_day,
    last_return,
    told,
)
from shared.domain.money import dollars
from shared.domain.notice import BillLevel, Notice
from shared.domain.policy import SYSTEM_DEFAULT_TEMPLATE, DunningConfiguration, Organization, Step
from shared.domain.presets import configuration
from shared.domain.reasons import HOLD_REASONS, Reason
from shared.domain.send_window import local_date
from shared.domain.steps import CurrentStep, current_step
from shared.domain.words import AccountStatus, AddressStatus, Channel, Hold, NotificationType

REMINDERS = frozenset({NotificationType.DUE, NotificationType.PAST_DUE})
"""The types that may drop to paper; Initial and Final never do (settled question 3)."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """All that a decision is made from."""

    book: AccountBook
    organization: Organization
    now: datetime

    @cached_property
    def configuration(self) -> DunningConfiguration:
        """The preset that the organization chose."""
        return configuration(self.organization.dunning.configuration_id)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The organization's time zone: its calendar decides ages and days."""
        return self.organization.zone

    @cached_property
    def today(self) -> date:
        """The organization's calendar day."""
        return local_date(self.now, self.zone)

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        """The account's dunning notices."""
        return dunning_notices(self.book)

    @cached_property
    def open_bills(self) -> tuple[Bill, ...]:
        """The bills that may be dunned, in a fixed order."""
        return tuple(sorted((bill for bill in self.book.bills if bill.open), key=lambda bill: bill.statement_id))

    def step_of(self, bill: Bill, day: date) -> CurrentStep | None:
        """The step that a bill is at on a day."""
        no_limit = self.organization.dunning.no_dunning_limit
        return current_step(self.configuration, bill, day, no_limit=no_limit)


@dataclass(frozen=True, kw_only=True)
class DueBill:
    """A bill with the step that is due for it on the day looked at."""

    bill: Bill
    current: CurrentStep

    @property
    def entry(self) -> BillLevel:
        """As a notice records it."""
        return BillLevel(
            statement_id=self.bill.statement_id,
            aging_period=self.bill.aging_period,
            level=self.current.level,
        )


@dataclass(frozen=True, kw_only=True)
class Question:
    """May a channel go on a day? electronically: statements that an electronic notice of their step tells of.

    day: None where the channel has no permitted hour on any day.
    """

    situation: Situation
    channel: Channel
    day: date | None
    electronically: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Decision:
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


# --- the account as a whole -----------------------------------------------------------------------------------


def account_stop(situation: Situation) -> Reason | None:
    """Why nothing at all may go to the account, queued or not: its organization isn't active, or it is on hold."""
    if situation.organization.account_status is not AccountStatus.ACTIVE:
        return Reason.ORGANIZATION_NOT_ACTIVE
    held = [hold for hold in Hold if hold in situation.book.account.holds]
    return HOLD_REASONS[held[0]] if held else None


# --- which bills are due on a channel --------------------------------------------------------------------------


def reached(situation: Situation, bill: Bill, current: CurrentStep, channel: Channel | None = None) -> bool:
    """Whether the step was told of, on a channel or (without one) on any, or counts as sent."""
    return floor_covers(bill, current) or any(
        told(notice, bill, current, situation.zone) for notice in situation.notices if channel in {None, notice.channel}
    )


def closed(situation: Situation, bill: Bill, current: CurrentStep, channel: Channel) -> Reason | None:
    """Why a channel isn't tried again for a step, though the step wasn't reached: if it is so."""
    reasons = (
        closes_step(notice, bill, current, situation.zone) for notice in situation.notices if notice.channel is channel
    )
    return next((reason for reason in reasons if reason), None)


def told_electronically(situation: Situation, bill: Bill, current: CurrentStep) -> bool:
    """Whether an electronic notice told of the step."""
    return any(
        notice.channel.electronic and told(notice, bill, current, situation.zone) for notice in situation.notices
    )


# --- the channels of a step ------------------------------------------------------------------------------------


def channels_of(due: DueBill, situation: Situation, day: date) -> tuple[Channel, ...]:
    """The channels that a bill's step asks for on a day, with the letter that a reminder may drop to."""
    step, paper_day = due.current.step, paper_from(situation, due.bill, due.current)
    drops = _drops_to_paper(step, situation) or (paper_day is not None and day >= paper_day)
    return (*step.channels, Channel.PRINT) if drops else step.channels


def _may_drop(step: Step) -> bool:
    return step.notification_type in REMINDERS and Channel.PRINT not in step.channels


def _drops_to_paper(step: Step, situation: Situation) -> bool:
    """Whether no electronic channel of a reminder is left, because of an opt-out (settled question 3).

    Having no address isn't one.
    """
    electronic = [channel for channel in step.channels if channel.electronic]
    if not situation.organization.dunning.drop_to_paper_on_opt_out or not _may_drop(step):
        return False
    account = situation.book.account
    return any(opted_out(channel, account) for channel in electronic) and all(
        opted_out(channel, account) or contact_refusal(channel, account) for channel in electronic
    )


def paper_from(situation: Situation, bill: Bill, current: CurrentStep) -> date | None:
    """The day from which a reminder goes by letter because messages came back undeliverable; None: it doesn't.

    The days that the organization sets count from the last that came back, and only where the step has no electronic
    channel left: while there is one, it is the one that goes.
    """
    days = situation.organization.dunning.drop_to_paper_after_undeliverable_days
    if days is None or not _may_drop(current.step):
        return None
    account, returned = situation.book.account, list[date]()
    for channel in current.step.channels:
        day = _returned(situation, bill, current, channel)
        if day:
            returned.append(day)
        elif not (opted_out(channel, account) or contact_refusal(channel, account)):
            return None
    return max(returned) + timedelta(days=days) if returned else None


def _returned(situation: Situation, bill: Bill, current: CurrentStep, channel: Channel) -> date | None:
    """The day on which a channel's messages came back: for good, whatever was in them, or for now, with this step."""
    if channel in situation.book.account.undeliverable:
        return last_return(situation.book, channel, situation.zone)
    sent = [notice for notice in situation.notices if notice.channel is channel]
    days = [day for notice in sent if (day := came_back(notice, bill, current, situation.zone))]
    return max(days, default=None)


def template_of(step: Step, channel: Channel) -> str:
    """The template that a step names for a channel."""
    return step.templates.get(channel, SYSTEM_DEFAULT_TEMPLATE)


# --- the rules that a channel must pass for a bill, in the order in which they are looked at ----------------------


@dataclass(frozen=True)
class Answer:
    """What a rule found, and why it refuses if it does."""

    found: str
    refusal: Reason | None = None


def _opt_out_rule(question: Question, _due: DueBill) -> Answer:
    refusal = opt_out_refusal(question.channel, question.situation.book.account)
    return Answer(refusal or "not opted out", refusal)


def _contact_rule(question: Question, _due: DueBill) -> Answer:
    refusal = contact_refusal(question.channel, question.situation.book.account)
    return Answer(refusal or "can be reached", refusal)


def _address_status_rule(question: Question, _due: DueBill) -> Answer:
    """An invalid address stops paper only where *skip paper* is on (settled question 4)."""
    status = question.situation.book.account.guarantor.address_status
    if question.channel.electronic:
        return Answer("needs no mailing address")
    if status is not AddressStatus.INVALID:
        return Answer("not known to be invalid")
    if not question.situation.organization.dunning.skip_paper_when_electronic_available:
        return Answer("invalid, but paper isn't skipped for it")
    return Answer(Reason.ADDRESS_INVALID, Reason.ADDRESS_INVALID)


def _minimum_rule(question: Question, due: DueBill) -> Answer:
    """The balance of each bill must exceed the minimum (settled question 2)."""
    settings = question.situation.organization.dunning
    minimum = settings.minimum_electronic if question.channel.electronic else settings.minimum_print
    if due.bill.balance > minimum:
        return Answer(f"balance {dollars(due.bill.balance)} exceeds {dollars(minimum)}")
    return Answer(f"balance {dollars(due.bill.balance)} does not exceed {dollars(minimum)}", Reason.BELOW_MINIMUM)


def _electronic_first_rule(question: Question, due: DueBill) -> Answer:
    if question.channel.electronic:
        return Answer("is electronic itself")
    if not question.situation.organization.dunning.skip_paper_when_electronic_available:
        return Answer("paper goes beside electronic channels")
    if due.bill.statement_id in question.electronically:
        return Answer(Reason.ELECTRONIC_AVAILABLE, Reason.ELECTRONIC_AVAILABLE)
    return Answer("no electronic channel of the step goes")


def _permitted_hours_rule(question: Question, _due: DueBill) -> Answer:
    if question.day is None:
        return Answer("no day has an hour that is permitted everywhere", Reason.NO_PERMITTED_HOUR)
    return Answer(f"may go on {question.day}")


def _paper_cycle_rule(question: Question, _due: DueBill) -> Answer:
    """The cycle counts between the days on which letters went; a reset doesn't restart it (settled question 5)."""
    if question.channel.electronic or question.day is None:
        return Answer("needs no paper")
    situation = question.situation
    last = last_letter_day(situation.notices, situation.now, situation.zone)
    if last is None:
        return Answer("no letter before")
    free_from = last + timedelta(days=situation.configuration.paper_cycle_days)
    refusal = Reason.PAPER_CYCLE if question.day < free_from else None
    return Answer(f"last letter on {last}, the next one from {free_from}", refusal)


RULES: tuple[tuple[Rule, Callable[[Question, DueBill], Answer]], ...] = (
    (Rule.OPT_OUT, _opt_out_rule),
    (Rule.CONTACT, _contact_rule),
    (Rule.ADDRESS_STATUS, _address_status_rule),
    (Rule.MINIMUM, _minimum_rule),
    (Rule.ELECTRONIC_FIRST, _electronic_first_rule),
    (Rule.PERMITTED_HOURS, _permitted_hours_rule),
    # The last one: a letter that it alone refuses isn't made up for, one with another cause too is (question 17).
    (Rule.PAPER_CYCLE, _paper_cycle_rule),
)


def _look(question: Question, due: DueBill) -> tuple[tuple[Finding, ...], Reason | None]:
    """Look at the rules for one bill up to the first that refuses."""
    findings = list[Finding]()
    for rule, ask in RULES:
        answer = ask(question, due)
        findings.append(finding(rule, answer.found, question, due, refused=answer.refusal is not None))
        if answer.refusal:
            return tuple(findings), answer.refusal
    return tuple(findings), None


def finding(rule: Rule, found: str, question: Question, due: DueBill, *, refused: bool) -> Finding:
    """Write down what a rule found for a bill on a channel."""
    return Finding(
        rule=rule,
        found=str(found),
        outcome=Outcome.STOPS if refused else Outcome.PASSES,
        statement_id=due.bill.statement_id,
        channel=question.channel,
    )


# --- the decision ----------------------------------------------------------------------------------------------


def top_of(bills: Sequence[DueBill]) -> DueBill:
    """The bill at the highest level, which decides message and channels for all."""
    return max(bills, key=lambda due: due.current.level)


def decide(question: Question, bills: Sequence[DueBill]) -> Decision:
    """Decide whether a channel goes for the bills that are due on it.

    The highest step among the bills that pass every rule decides (settled questions 1 and 16); if it doesn't use this
    channel, nobody refused anything. Where no bill passes, the reason is that of the highest one.
    """
    if not bills:
        return Decision(channel=question.channel)
    looked = [(due, *_look(question, due)) for due in bills]
    passing = tuple(due for due, _, refusal in looked if refusal is None)
    findings = tuple(entry for _, found, _ in looked for entry in found)
    if passing and _asks(question, top_of(passing)):
        return Decision(channel=question.channel, bills=passing, findings=findings)
    highest = top_of(bills)
    if highest in passing or not _asks(question, highest):
        return Decision(channel=question.channel, findings=tuple(_not_asked(question, due) for due in bills))
    refused = tuple((due, refusal) for due, _, refusal in looked if refusal and _asks(question, due))
    return Decision(channel=question.channel, refused=refused, findings=findings)


def _asks(question: Question, due: DueBill) -> bool:
    """Whether a bill's own step asks for the channel."""
    situation = question.situation
    return question.channel in channels_of(due, situation, question.day or situation.today)


def _not_asked(question: Question, due: DueBill) -> Finding:
    return finding(Rule.CHANNELS, Reason.CHANNEL_NOT_IN_STEP, question, due, refused=True)
