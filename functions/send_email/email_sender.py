"""Emails through SES v2."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from functions.send_email.mailbox import mailbox
from shared.contracts.email_tags import ATTEMPT_TAG, NOTICE_TAG, ORGANIZATION_TAG
from shared.domain.delivery.kept_messages import PreparedMessage, kept
from shared.domain.delivery.orders import Accepted, Order, ProviderAnswer
from shared.messaging.errors import MessageProvider, answer_of
from shared.rendering.facts import message_variables, sender_name

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client


@dataclass(frozen=True, slots=True)
class EmailSender:
    """Sends emails from the stack's address in the practice's name. `base_url`: where patients reach us."""

    client: "SESV2Client"
    sender_address: str
    configuration_set: str
    base_url: str

    def prepare(self, order: Order) -> Callable[[], ProviderAnswer]:
        """Write the email. Calling what is answered gives it to SES, once."""
        from shared.rendering.email_message import (  # noqa: PLC0415 - jinja2 and Babel: the start needs none
            email_length,
            render_email,
        )
        from shared.rendering.own_templates import written  # noqa: PLC0415 - likewise

        variables = message_variables(order, self.base_url)
        kind, language = order.notice.worded_as, order.book.account.guarantor.language
        email = written(order.template, partial(render_email, kind, language, variables), email_length)
        organization = order.organization
        request: dict[str, Any] = {
            "FromEmailAddress": mailbox(sender_name(organization, variables.staff_name), self.sender_address),
            "Destination": {"ToAddresses": [order.contact.destination]},
            "Content": {
                "Simple": {
                    "Subject": _utf8(email.subject),
                    "Body": {"Html": _utf8(email.html), "Text": _utf8(email.text)},
                    # One click in the mail program posts to this address (RFC 8058).
                    "Headers": [
                        {"Name": "List-Unsubscribe", "Value": f"<{variables.unsubscribe_link}>"},
                        {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
                    ],
                }
            },
            # They are in every event, and say which notice it is about, and which sending of it.
            "EmailTags": [
                {"Name": NOTICE_TAG, "Value": order.notice.notice_id},
                {"Name": ORGANIZATION_TAG, "Value": order.notice.org_id},
                {"Name": ATTEMPT_TAG, "Value": str(order.notice.attempt)},
            ],
        }
        if organization.email:
            request["ReplyToAddresses"] = [mailbox(organization.name, organization.email)]
        if self.configuration_set:
            request["ConfigurationSetName"] = self.configuration_set
        kept_of_it = kept(order, subject=email.subject, html=email.html, text=email.text)
        return PreparedMessage(partial(self._send, request), kept_of_it)

    def _send(self, request: dict[str, Any]) -> ProviderAnswer:
        try:
            answer = self.client.send_email(**request)
        except Exception as error:  # noqa: BLE001 - the table knows them; an unknown one counts as "may have it"
            return answer_of(error, MessageProvider.EMAIL, self.sender_address)
        return Accepted(message_id=answer["MessageId"])


def _utf8(data: str) -> dict[str, str]:
    return {"Data": data, "Charset": "UTF-8"}
