"""What was decided about a bill on a day that has passed, from what was kept of it (docs/rules.md#past-day)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from shared.domain.account.consents import consents
from shared.domain.account.contacts import GUARANTOR
from shared.domain.account.pauses import OBJECTED, OBJECTION_SETTLED, REMINDER_ASKED_FOR, REMINDER_DAY_CAME
from shared.domain.account.timeline import notice_events
from shared.domain.calendar.send_window import local_date, start_of_day
from shared.domain.dunning.decision import Finding, Rule, RuleOutcome
from shared.domain.dunning.explanation import explain_patient
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import COUNTS_AS_SENT, Notice, StatusChange
from shared.domain.records.policy import Organization
from shared.domain.records.transitions import ERRORS, STOPPED, WAITING
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import HOLD_REASONS, OPT_OUT_REASONS
from shared.domain.vocabulary.words import Channel, Hold

AGE_MOVED = frozenset({"AgingReset", "AgingMoved"})
"""Events after which a bill's age on an earlier day can't be told from the bill as it is."""


def decided_on(bill: Bill, book: AccountBook, organization: Organization, day: date) -> tuple[Finding, ...]:
    """What was decided on a day of the organization's calendar, for the bill and for each channel.

    Only what was kept is told: settings and balances of that day aren't, so no rule is tried again.
    """
    kept = _Day(bill=bill, book=book, organization=organization, day=day)
    if not kept.there:
        return (_about(Rule.BILL_STATUS, bill, f"the bill came on {kept.came_on}", RuleOutcome.WAITS),)
    return (*_holds(kept), _patient(kept), *_bill(kept), *_opt_outs(kept), *_results(kept))


@dataclass(frozen=True, kw_only=True)
class _Day:
    """A bill on a day, with all that was kept."""

    bill: Bill
    book: AccountBook
    organization: Organization
    day: date

    @cached_property
    def end(self) -> datetime:
        """The first instant after the day."""
        return start_of_day(self.day + timedelta(days=1), self.organization.zone)

    @property
    def came_on(self) -> date:
        """The day on which the bill was first heard of."""
        first = min((event.at for event in self.bill.history), default=self.bill.created_at)
        return local_date(min(first, self.bill.created_at), self.organization.zone)

    @property
    def there(self) -> bool:
        """Whether the bill had come by the day."""
        return self.came_on <= self.day

    def on_it(self, at: datetime) -> bool:
        """Whether an instant is of the day."""
        return local_date(at, self.organization.zone) == self.day

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        """The notices about the bill, or about those that it replaced."""
        names = set(self.bill.statement_ids)
        return tuple(notice for notice in self.book.notices if not names.isdisjoint(notice.statement_ids))


def _holds(kept: _Day) -> tuple[Finding, ...]:
    """The holds that held on the day, also those that began or ended on it."""
    held, lifted = set[str](), set[str]()
    for event in sorted(kept.book.history, key=lambda event: event.at):
        hold = event.facts.get("hold", "")
        if event.at >= kept.end or not hold:
            continue
        if event.event == "HoldSet":
            held.add(hold)
        else:
            held.discard(hold)
            lifted |= {hold} if kept.on_it(event.at) else set()
    names = [str(HOLD_REASONS[hold]) for hold in Hold if hold in held]
    names += [f"{hold} was lifted that day" for hold in Hold if hold in lifted - held]
    return (
        Finding(
            rule=Rule.HOLDS,
            found=", ".join(names) or "no hold",
            outcome=RuleOutcome.STOPS if held else RuleOutcome.PASSES,
        ),
    )


def _patient(kept: _Day) -> Finding:
    """The objections that weren't settled at the end of the day, and the day that the patient wanted to wait for."""
    objections, remind_on = dict[str, str](), None
    for event in sorted(kept.book.history, key=lambda event: event.at):
        if event.at >= kept.end:
            break
        if event.event == OBJECTED:
            objections[event.facts["taskId"]] = event.facts["kind"]
        elif event.event == OBJECTION_SETTLED:
            objections.pop(event.facts["taskId"], None)
        elif event.event in {REMINDER_ASKED_FOR, REMINDER_DAY_CAME}:
            until = event.facts.get("until")
            remind_on = date.fromisoformat(until) if until else None
    return explain_patient(list(objections.values()), remind_on)


def _bill(kept: _Day) -> tuple[Finding, ...]:
    """What happened to the bill that day, and how old it was, where that can still be told."""
    bill = kept.bill
    events = [event for event in bill.history if kept.on_it(event.at)]
    happened = [_about(Rule.BILL_STATUS, bill, _said(event), RuleOutcome.PASSES) for event in events]
    moved_since = any(event.event in AGE_MOVED and event.at >= kept.end for event in bill.history)
    age = bill.age_on(kept.day)
    if moved_since or age < 0:
        return tuple(happened)
    return (*happened, _about(Rule.STEP, bill, f"age {age} days", RuleOutcome.PASSES))


def _said(event: HistoryEvent) -> str:
    return f"{event.event}: {event.reason}" if event.reason else event.event


def _opt_outs(kept: _Day) -> tuple[Finding, ...]:
    """The channels that the guarantor was opted out of by the end of the day."""
    given = {
        consent.channel: consent.given
        for consent in consents(kept.book)
        if consent.recipient == GUARANTOR and consent.at < kept.end
    }
    return tuple(
        _about(Rule.OPT_OUT, kept.bill, str(OPT_OUT_REASONS[channel]), RuleOutcome.STOPS, channel)
        for channel in Channel
        if given.get(channel) is False
    )


def _results(kept: _Day) -> tuple[Finding, ...]:
    """For each channel: every move of a notice about the bill on that day, or that there was none."""
    findings = list[Finding]()
    for channel in Channel:
        moves = [
            (change, notice)
            for notice in kept.notices
            if notice.channel is channel
            for change in notice.status_history
            if kept.on_it(change.at)
        ]
        found = [_move(change, notice, kept) for change, notice in sorted(moves, key=lambda move: move[0].at)]
        findings += found or [_nothing(kept, channel)]
    return tuple(findings)


def _move(change: StatusChange, notice: Notice, kept: _Day) -> Finding:
    at = change.at.astimezone(kept.organization.zone)
    why = f": {change.reason}" if change.reason else ""
    found = f"{change.status} at {at:%H:%M}, level {change.level}, {notice.notification_type}{why}"
    return _about(Rule.RESULT, kept.bill, found, _outcome(change), notice.channel)


def _outcome(change: StatusChange) -> RuleOutcome:
    if change.status in COUNTS_AS_SENT:
        return RuleOutcome.GOES
    stopped = change.status in ERRORS or change.status in STOPPED
    return RuleOutcome.STOPS if stopped and change.status not in WAITING else RuleOutcome.WAITS


def _nothing(kept: _Day, channel: Channel) -> Finding:
    """What was decided last before a day on which nothing was."""
    before = [
        event
        for notice in kept.notices
        if notice.channel is channel
        for event in notice_events(notice)
        if event.at < kept.end
    ]
    last = max(before, key=lambda event: event.at, default=None)
    since = ""
    if last:
        since = f"; the last was {_said(last)} on {local_date(last.at, kept.organization.zone)}"
    return _about(Rule.RESULT, kept.bill, f"nothing was decided{since}", RuleOutcome.WAITS, channel)


def _about(rule: Rule, bill: Bill, found: str, outcome: RuleOutcome, channel: Channel | None = None) -> Finding:
    return Finding(rule=rule, found=found, outcome=outcome, statement_id=bill.statement_id, channel=channel)
