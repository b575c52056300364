"""By what the notification queue is filtered, in lists, in its summary and for actions in bulk."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from functions.manage.ports import ports
from shared.domain.calendar.send_window import start_of_day
from shared.domain.records.notice import Notice
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import Channel, NoticeStatus, NotificationType
from shared.http.routes import DayQuery, Query, WordQuery
from shared.storage import keys
from shared.storage.queue_lists import NoticeFilter


class YesOrNo(StrEnum):
    """A boolean in a query."""

    YES = "true"
    NO = "false"


NOTIFICATION_STATUS = WordQuery("status", "One notification status.", NoticeStatus)
CHANNEL = WordQuery("channel", "One channel.", Channel)
TYPE = WordQuery("notificationType", "One notification type.", NotificationType)
BY_CONFIGURATION = Query("configurationId", "Only what a step of this dunning configuration asked for.")
INGESTION = Query("ingestionId", "Only the notifications that one statement file caused.")
ATTENTION = WordQuery("attention", "true: only the worklist, which is what needs attention.", YesOrNo)
FROM_DAY = DayQuery("from", "Scheduled on this day of the organization's calendar or later.")
TO_DAY = DayQuery("to", "Scheduled on this day of the organization's calendar or earlier.")
ACCOUNT = Query("accountId", "Only one account's.")
STATEMENT = Query("statementId", "Only those about one bill.")

QUEUE_FILTERS = (NOTIFICATION_STATUS, CHANNEL, TYPE, BY_CONFIGURATION, INGESTION, ATTENTION, FROM_DAY, TO_DAY)


def queue_filter(
    organization: Organization, given: Mapping[str, str], *, statuses: frozenset[NoticeStatus] = frozenset()
) -> NoticeFilter:
    """The filter that a request's query asks for. statuses: among these only; none: whichever."""
    since, last = FROM_DAY.day(given), TO_DAY.day(given)
    return NoticeFilter(
        status=NOTIFICATION_STATUS.text(given),
        statuses=statuses,
        channel=CHANNEL.text(given),
        notification_type=TYPE.text(given),
        configuration_id=BY_CONFIGURATION.text(given),
        ingestion_id=INGESTION.text(given),
        attention=ATTENTION.word(given) is YesOrNo.YES,
        since=start_of_day(since, organization.zone) if since else None,
        until=start_of_day(last + timedelta(days=1), organization.zone) if last else None,
    )


def of_account(organization: Organization, chosen: NoticeFilter, account_id: str, statement_id: str) -> list[Notice]:
    """One account's notices, or those about one bill, the latest scheduled first. Reads the account alone."""
    books = ports().books
    found = books.account_of(organization.org_id, keys.bill_lookup(statement_id)) if statement_id else account_id
    if found is None or account_id not in {"", found}:
        return []
    book = books.load(organization.org_id, found)
    bill = book.bill(statement_id) if book else None
    names = set(bill.statement_ids) if bill else {statement_id}
    notices = [
        notice
        for notice in (book.notices if book else ())
        if chosen.keeps_notice(notice) and (not statement_id or not names.isdisjoint(notice.statement_ids))
    ]
    return sorted(notices, key=place, reverse=True)


def place(notice: Notice) -> tuple[str, ...]:
    """Where a notice stands in the order of the queue."""
    return (keys.notification(notice.scheduled_for, notice.notice_id),)
