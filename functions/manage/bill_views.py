"""What the API shows of a bill: its state, its history, what will go about it, and why."""

from datetime import datetime

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
from shared.domain.calendar.steps import level_at
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice
from shared.domain.records.policy import Organization
from shared.domain.records.presets import chosen
from shared.domain.vocabulary.history import HistoryEvent
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
    events = [*bill.history, *(event for notice in about for event in _events_of(notice)), *book.history]
    return [EventAnswer.of(event) for event in sorted(events, key=lambda event: event.at)]


def _events_of(notice: Notice) -> list[HistoryEvent]:
    return [
        HistoryEvent(
            at=change.at,
            event=f"Notification{change.status}",
            actor=change.actor,
            reason=change.reason,
            facts={
                "notificationId": notice.notice_id,
                "channel": notice.channel,
                "notificationType": notice.notification_type,
                "level": str(change.level),
                "templateId": change.template_id,
            },
        )
        for change in notice.status_history
    ]


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
    planned = dunning.plan(book, organization, now)
    return ExplanationAnswer(
        statement_id=bill.statement_id,
        at=now,
        findings=[
            FindingAnswer(
                rule=finding.rule,
                found=finding.found,
                outcome=finding.outcome,
                channel=finding.channel,
                statement_id=finding.statement_id or None,
            )
            for finding in planned.findings
            if finding.statement_id in {"", bill.statement_id}
        ],
        next_planning_at=planned.next_planning_at,
        reason=planned.rest_reason or None,
    )
