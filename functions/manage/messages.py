"""A notification's message as it was sent."""

from botocore.exceptions import ClientError

from functions.manage.frame import route
from functions.manage.notifications import find_notice
from functions.manage.ports import ports
from shared.contracts.notifications import MessageAnswer
from shared.domain.records.notice import Notice
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import Channel
from shared.http.api import Answer, json_answer
from shared.http.problems import not_found

PDF_LIVES_SECONDS = 300


@route(
    "GET",
    "/v1/organizations/{orgId}/notifications/{notificationId}/message",
    operation="readMessage",
    summary="Read a notification's message as it was sent: subject, HTML and text, or where the letter's PDF is",
    tag="Notifications",
    scope=Scope.READ,
    answer=MessageAnswer,
)
def read(organization: Organization, notification_id: str) -> Answer:
    """What was sent; a 404 problem where nothing was, or nothing of it was kept."""
    notice = find_notice(organization.org_id, notification_id)
    if notice.channel is Channel.PRINT:
        return json_answer(MessageAnswer(channel=notice.channel, pdf_url=_pdf_url(notice)))
    message = ports().notices.message(notice.notice_id)
    if message is None:
        raise not_found("message")
    answer = MessageAnswer(
        channel=notice.channel,
        subject=message.subject or None,
        html=message.html or None,
        text=message.text,
    )
    return json_answer(answer)


def _pdf_url(notice: Notice) -> str:
    """Where a letter's PDF can be read for a while. It is looked for first: an address of nothing helps nobody."""
    if notice.letter is None:
        raise not_found("message")
    # The print job that stands for the letter at the print shop lies beside its PDF, under the same name.
    key = f"{notice.provider_message_id.removesuffix('.json')}.pdf"
    stored = {"Bucket": ports().settings.print_bucket, "Key": key}
    try:
        ports().s3.head_object(Bucket=stored["Bucket"], Key=stored["Key"])
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            raise not_found("message") from None
        raise
    return ports().s3.generate_presigned_url("get_object", Params=stored, ExpiresIn=PDF_LIVES_SECONDS)
