"""The notification queue: lists, details, and what a person does with a notice."""

from http import HTTPStatus

from functions.manage.frame import (
    actor,
    api,
    body,
    invalid,
    list_request,
    once,
    own_organization,
    parameters,
    path_id,
    word_parameter,
    wrong_parameter,
)
from functions.manage.ports import ports
from shared.contracts.notifications import NotificationAnswer, NotificationsPage, QueueActionBody
from shared.domain.account.queue_actions import ActionRefusedError, QueueAction, act
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice
from shared.domain.records.partner import Scope
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.http.api import Answer, json_answer
from shared.http.problems import ProblemError, not_found
from shared.storage import keys
from shared.storage.queue_lists import NoticeFilter


@api.routes.get("/v1/organizations/<org_id>/notifications")
def search(org_id: str) -> Answer:
    """The queue, upcoming and past."""
    organization, asked = own_organization(org_id, Scope.READ), list_request()
    chosen = NoticeFilter(
        status=word_parameter("status", NoticeStatus) or "",
        channel=word_parameter("channel", Channel) or "",
        ingestion_id=parameters().get("ingestionId", ""),
        attention=_attention(),
    )
    notices, position = ports().lists.notices(organization.org_id, chosen, asked.limit, asked.after)
    page = NotificationsPage(
        items=[NotificationAnswer.of(notice) for notice in notices], next_cursor=asked.cursor(position)
    )
    return json_answer(page)


@api.routes.get("/v1/organizations/<org_id>/notifications/<notification_id>")
def read(org_id: str, notification_id: str) -> Answer:
    """One notice with all that happened to it."""
    organization = own_organization(org_id, Scope.READ)
    return json_answer(NotificationAnswer.of(_notice(organization.org_id, path_id(notification_id, "notification"))))


@api.routes.post("/v1/organizations/<org_id>/notifications/<notification_id>/cancel")
@once
def cancel(org_id: str, notification_id: str) -> Answer:
    """Keep a notice from going."""
    return _act(org_id, notification_id, QueueAction.CANCEL)


@api.routes.post("/v1/organizations/<org_id>/notifications/<notification_id>/retry")
@once
def retry(org_id: str, notification_id: str) -> Answer:
    """Have a failed notice tried again."""
    return _act(org_id, notification_id, QueueAction.RETRY)


@api.routes.post("/v1/organizations/<org_id>/notifications/<notification_id>/archive")
@once
def archive(org_id: str, notification_id: str) -> Answer:
    """Put a notice away that needs no more attention."""
    return _act(org_id, notification_id, QueueAction.ARCHIVE)


def _act(org_id: str, notification_id: str, action: QueueAction) -> Answer:
    organization, wanted = own_organization(org_id, Scope.MANAGE), body(QueueActionBody)
    if wanted.opt_out and action is QueueAction.RETRY:
        raise invalid("/optOut", "a notice can't be tried again on a channel that is opted out of")
    now, who = api.now, actor()
    before = _notice(organization.org_id, path_id(notification_id, "notification"))

    def decide(book: AccountBook) -> Change | None:
        return act(book, before.notice_id, action, now, who, opt_out=wanted.opt_out)

    try:
        book = ports().books.change(organization.org_id, before.account_id, decide)
    except ActionRefusedError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from None
    return json_answer(NotificationAnswer.of(book.notice(before.notice_id) or before))


def _notice(org_id: str, notice_id: str) -> Notice:
    account_id = ports().books.account_of(org_id, keys.notice_lookup(notice_id))
    notice = ports().notices.load(org_id, account_id, notice_id) if account_id is not None else None
    if notice is None:
        raise not_found("notification")
    return notice


def _attention() -> bool:
    given = parameters().get("attention", "false")
    if given not in {"true", "false"}:
        raise wrong_parameter("attention", "must be true or false")
    return given == "true"
