"""The queue of webhook deliveries."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from shared.contracts.messages import WebhookMessage

MOST_DELIVERIES = 10
"""How many deliveries one message asks for, all to one endpoint: as many as are made at a time."""


@dataclass(frozen=True, slots=True)
class WebhookQueue:
    """Asks for deliveries, each message of one endpoint's, so that a slow receiver holds up nobody else's."""

    client: "SQSClient"
    url: str

    def send(self, message: "WebhookMessage") -> None:
        """Ask for deliveries. Raises what the client raises; then their leases bring them back."""
        body = message.model_dump_json(by_alias=True, exclude_none=True)
        self.client.send_message(QueueUrl=self.url, MessageBody=body)
