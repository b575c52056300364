"""Text messages through SNS."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from shared.domain.delivery.kept_messages import PreparedMessage, kept
from shared.domain.delivery.orders import Accepted, Order, ProviderAnswer
from shared.messaging.errors import MessageProvider, answer_of
from shared.rendering.facts import message_variables

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


@dataclass(frozen=True, slots=True)
class TextSender:
    """Sends text messages. `base_url`: where patients reach us."""

    client: "SNSClient"
    base_url: str

    def prepare(self, order: Order) -> Callable[[], ProviderAnswer]:
        """Write the text. Calling what is answered gives it to SNS, once."""
        from shared.rendering.own_templates import written  # noqa: PLC0415 - jinja2: the start needs none
        from shared.rendering.text_message import render_text, text_length  # noqa: PLC0415 - likewise

        variables = message_variables(order, self.base_url)
        kind, language = order.notice.worded_as, order.book.account.guarantor.language
        text = written(order.template, partial(render_text, kind, language, variables), text_length)
        send = partial(self._send, order.contact.destination, text.message)
        return PreparedMessage(send, kept(order, text=text.message))

    def _send(self, number: str, message: str) -> ProviderAnswer:
        try:
            answer = self.client.publish(
                PhoneNumber=number,
                Message=message,
                MessageAttributes={"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}},
            )
        except Exception as error:  # noqa: BLE001 - the table knows them; an unknown one counts as "may have it"
            return answer_of(error, MessageProvider.TEXT)
        return Accepted(message_id=answer["MessageId"])
