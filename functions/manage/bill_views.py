"""What the API shows of a bill: its state, its history, what will go about it, and why."""

from datetime import date, datetime, timedelta

from functions.manage.frame import ListRequest
from shared.contracts.bills import (
    BillAnswer,
    EventAnswer,
    ExplanationAnswer,
    FindingAnswer,
    ForecastAnswer,
    ForecastNotice,
)
from shared.domain import dunning
from shared.domain.account.bill_status import level_sent
from shared.domain.account.timeline import notice_events
from shared.domain.calendar.send_window import start_of_day
from shared.domain.calendar.steps import level_at
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.policy import Organization
from shared.domain.records.presets import chosen
from shared.domain.vocabulary.words import NoticeStatus


def show(bill: Bill, book: AccountBook, organization: Organization, now: datetime) -> BillAnswer:
    """A bill today, on the organization's calendar."""
    today = now.astimezone(organization.zone).date()
    sent = level_sent(book, bill, organization)
    return BillAnswer.of(
        bill,
        account_id=book.account.account_id,
        today=today,
        days_until_due=organization.dunning.days_until_due,
        level=level_at(chosen(organization.dunning), bill.age_on(today)) if bill.open else sent,
        level_sent=sent,
    )


def history(bill: Bill, book: AccountBook) -> list[EventAnswer]:
    """Every event of a bill, of the notices and links about it, and of its account, oldest first."""
    about = [notice for notice in book.notices if bill.statement_id in notice.statement_ids]
    events = [*bill.history, *(event for notice in about for event in notice_events(notice)), *book.history]
    return [EventAnswer.of(event) for event in sorted(events, key=lambda event: event.at)]


def foresee(
    bill: Bill, book: AccountBook, organization: Organization, now: datetime, asked: ListRequest
) -> ForecastAnswer:
    """The notices that will go about a bill if nothing changes; where none will, the reason of the next that won't."""
    about = [
        notice for notice in dunning.forecast(book, organization, now) if bill.statement_id in notice.statement_ids
    ]
    going = [
        ForecastNotice(
            date=notice.sent_at.astimezone(organization.zone).date(),
            channel=notice.channel,
            level=notice.level,
            notification_type=notice.notification_type,
            scheduled_for=notice.sent_at,
        )
        for notice in about
        if notice.status is NoticeStatus.SENT and notice.sent_at
    ]
    refusals = [notice.reason for notice in about if notice.status is not NoticeStatus.SENT]
    rest = dunning.plan(book, organization, now).rest_reason
    page, cursor = asked.slice(going)
    return ForecastAnswer(
        items=page, next_cursor=cursor, reason=None if going else next((why for why in refusals if why), rest) or None
    )


def explain(bill: Bill, book: AccountBook, organization: Organization, now: datetime) -> ExplanationAnswer:
    """Each rule that decides about a bill now, what it found, and its outcome."""
    return _explained(bill, dunning.plan(book, organization, now), now)


def explain_day(
    bill: Bill, book: AccountBook, organization: Organization, now: datetime, day: date
) -> ExplanationAnswer:
    """What was decided about a bill on a day, from what was kept; of a day to come: what will be, if nothing changes.

    Of today: what was decided so far, and what is found now.
    """
    today = now.astimezone(organization.zone).date()
    begins = start_of_day(day, organization.zone)
    if day > today:
        later = dunning.foreseen(book, organization, now, begins - timedelta(seconds=1))
        there = later.bill(bill.statement_id) or bill
        return _explained(there, dunning.plan(later, organization, begins), begins)
    kept = dunning.decided_on(bill, book, organization, day)
    if day == today:
        answer = explain(bill, book, organization, now)
        return answer.model_copy(update={"findings": [*map(_finding, kept), *answer.findings]})
    return ExplanationAnswer(
        statement_id=bill.statement_id,
        at=begins,
        findings=[_finding(finding) for finding in kept],
        next_planning_at=None,
        reason=None,
    )


def _explained(bill: Bill, planned: dunning.Plan, at: datetime) -> ExplanationAnswer:
    return ExplanationAnswer(
        statement_id=bill.statement_id,
        at=at,
        findings=[_finding(found) for found in planned.findings if found.statement_id in {"", bill.statement_id}],
        next_planning_at=planned.next_planning_at,
        reason=planned.rest_reason or None,
    )


def _finding(finding: dunning.Finding) -> FindingAnswer:
    return FindingAnswer(
        rule=finding.rule,
        found=finding.found,
        outcome=finding.outcome,
        channel=finding.channel,
        statement_id=finding.statement_id or None,
    )
