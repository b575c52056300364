"""The notification queue: lists, details, and what a person does with a notice."""

from http import HTTPStatus

from functions.manage.frame import actor, api, list_request, route
from functions.manage.notification_filters import (
    ACCOUNT,
    QUEUE_FILTERS,
    STATEMENT,
    of_account,
    place,
    queue_filter,
)
from functions.manage.ports import ports
from shared.contracts.notifications import (
    NotificationAnswer,
    NotificationsPage,
    NotificationsSummary,
    QueueActionBody,
)
from shared.domain.account.queue_actions import ActionRefusedError, QueueAction, act
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.http.api import Answer, json_answer
from shared.http.partner_api import invalid
from shared.http.problems import ProblemError, not_found
from shared.storage import keys
from shared.storage.items import NEEDS_ATTENTION
from shared.storage.queue_lists import MOST_COUNTED, TooManyToCountError

TOO_MANY_TO_COUNT = (
    f"There are more than {MOST_COUNTED:,} notifications to count. Ask for a shorter stretch of time with from and to."
)


@route(
    "GET",
    "/v1/organizations/{orgId}/notifications",
    operation="listNotifications",
    summary="List the notification queue, upcoming and past, the latest scheduled time first",
    tag="Notifications",
    scope=Scope.READ,
    query=(*QUEUE_FILTERS, ACCOUNT, STATEMENT),
    answer=NotificationsPage,
)
def search(organization: Organization) -> Answer:
    """The queue, upcoming and past."""
    asked, given = list_request(), api.query
    chosen = queue_filter(organization, given)
    account_id, statement_id = ACCOUNT.text(given), STATEMENT.text(given)
    if account_id or statement_id:
        found = of_account(organization, chosen, account_id, statement_id)
        rest = [notice for notice in found if asked.after is None or place(notice) < asked.after]
        notices = rest[: asked.limit]
        position = place(notices[-1]) if len(rest) > len(notices) else None
    else:
        notices, position = ports().lists.notices(organization.org_id, chosen, asked.limit, asked.after)
    page = NotificationsPage(
        items=[NotificationAnswer.of(notice) for notice in notices], next_cursor=asked.cursor(position)
    )
    return json_answer(page)


@route(
    "GET",
    "/v1/organizations/{orgId}/notifications/summary",
    operation="summarizeNotifications",
    summary="Count the notification queue by status and channel, and how many need attention",
    tag="Notifications",
    scope=Scope.READ,
    query=QUEUE_FILTERS,
    answer=NotificationsSummary,
)
def summarize(organization: Organization) -> Answer:
    """The queue in numbers."""
    try:
        counted = ports().lists.counts(organization.org_id, queue_filter(organization, api.query))
    except TooManyToCountError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, TOO_MANY_TO_COUNT, type="too-many-to-count") from None
    return json_answer(NotificationsSummary.of(counted, NEEDS_ATTENTION))


@route(
    "GET",
    "/v1/organizations/{orgId}/notifications/{notificationId}",
    operation="readNotification",
    summary="Read a notification with its status history",
    tag="Notifications",
    scope=Scope.READ,
    answer=NotificationAnswer,
)
def read(organization: Organization, notification_id: str) -> Answer:
    """One notice with all that happened to it."""
    return json_answer(NotificationAnswer.of(find_notice(organization.org_id, notification_id)))


@route(
    "POST",
    "/v1/organizations/{orgId}/notifications/{notificationId}/cancel",
    operation="cancelNotification",
    summary="Cancel a notification, or clear it from the worklist",
    tag="Notifications",
    scope=Scope.MANAGE,
    body=QueueActionBody,
    answer=NotificationAnswer,
    problems=(409,),
)
def cancel(organization: Organization, notification_id: str, wanted: QueueActionBody) -> Answer:
    """Cancel a notice, or clear it from the worklist."""
    return _act(organization, notification_id, QueueAction.CANCEL, wanted)


@route(
    "POST",
    "/v1/organizations/{orgId}/notifications/{notificationId}/retry",
    operation="retryNotification",
    summary="Retry a failed notification now",
    tag="Notifications",
    scope=Scope.MANAGE,
    body=QueueActionBody,
    answer=NotificationAnswer,
    problems=(409,),
)
def retry(organization: Organization, notification_id: str, wanted: QueueActionBody) -> Answer:
    """Retry a failed notice."""
    if wanted.opt_out:
        raise invalid("/optOut", "a notice can't be tried again on a channel that is opted out of")
    return _act(organization, notification_id, QueueAction.RETRY, wanted)


@route(
    "POST",
    "/v1/organizations/{orgId}/notifications/{notificationId}/archive",
    operation="archiveNotification",
    summary="Archive a notification",
    tag="Notifications",
    scope=Scope.MANAGE,
    body=QueueActionBody,
    answer=NotificationAnswer,
    problems=(409,),
)
def archive(organization: Organization, notification_id: str, wanted: QueueActionBody) -> Answer:
    """Archive a notice that needs no more attention."""
    return _act(organization, notification_id, QueueAction.ARCHIVE, wanted)


def _act(organization: Organization, notification_id: str, action: QueueAction, wanted: QueueActionBody) -> Answer:
    now, who = api.now, actor()
    before = find_notice(organization.org_id, notification_id)

    def decide(book: AccountBook) -> Change | None:
        return act(book, before.notice_id, action, now, who, opt_out=wanted.opt_out, reason=wanted.reason or "")

    try:
        book = ports().books.change(organization.org_id, before.account_id, decide)
    except ActionRefusedError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from None
    return json_answer(NotificationAnswer.of(book.notice(before.notice_id) or before))


def find_notice(org_id: str, notice_id: str) -> Notice:
    """The notice of an id; a 404 problem where there is none."""
    account_id = ports().books.account_of(org_id, keys.notice_lookup(notice_id))
    notice = ports().notices.load(org_id, account_id, notice_id) if account_id is not None else None
    if notice is None:
        raise not_found("notification")
    return notice
