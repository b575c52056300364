"""Sending a notification once more, as it was, to today's address."""

from http import HTTPStatus

from functions.manage.frame import actor, api, route
from functions.manage.notifications import find_notice
from functions.manage.staff_messages import contact_of, decide_sending, override_reason_of, require_active
from shared.contracts.notifications import OnDemandAnswer, ResendBody
from shared.domain.delivery.resending import NotSentError, OneTimeLinkError, resend
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.reasons import Reason
from shared.http.api import Answer, json_answer
from shared.http.problems import ProblemError


@route(
    "POST",
    "/v1/organizations/{orgId}/notifications/{notificationId}/resend",
    operation="resendNotification",
    summary="Send a notification that went once more, as it was, to today's address; whatever the minimums",
    tag="Notifications",
    scope=Scope.SEND,
    body=ResendBody,
    answer=OnDemandAnswer,
    status=202,
    problems=(409,),
)
def again(organization: Organization, notification_id: str, wanted: ResendBody) -> Answer:
    """Send a notice once more."""
    require_active(organization)
    override_reason = override_reason_of(wanted)
    notice_id, now, who = api.new_id("ntc_"), api.now, actor()
    sent = find_notice(organization.org_id, notification_id)

    def decide(book: AccountBook) -> tuple[Change | None, None]:
        if book.notice(notice_id):
            return None, None  # by this request's first try, which failed after it
        notice = book.notice(sent.notice_id) or sent
        change = resend(
            book,
            notice,
            notice_id=notice_id,
            now=now,
            actor=who,
            reason=wanted.reason or "",
            override_reason=override_reason,
        )
        _require_contact(notice, book, organization)
        return change, None

    try:
        decide_sending(organization, sent.account_id, decide)
    except NotSentError:
        raise ProblemError(HTTPStatus.CONFLICT, f"A notification that is {sent.status} didn't go.") from None
    except OneTimeLinkError:
        detail = "A one-time link isn't sent again: send a new one from the bill."
        raise ProblemError(HTTPStatus.CONFLICT, detail) from None
    return json_answer(OnDemandAnswer(notification_id=notice_id), HTTPStatus.ACCEPTED)


def _require_contact(notice: Notice, book: AccountBook, organization: Organization) -> None:
    bill = book.bill(notice.statement_ids[0]) if notice.statement_ids else None
    contact = contact_of(notice.channel, book, bill, organization, notice.send_to)
    if isinstance(contact, Reason):
        raise ProblemError(HTTPStatus.CONFLICT, f"The recipient can't be reached on this channel: {contact}.")
