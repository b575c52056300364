"""The channels' queues, filled in batches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import batched
from typing import TYPE_CHECKING

from shared.domain.vocabulary.words import Channel

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from shared.contracts.messages import ClosePrintBatch, NoticeMessage, SampleMessage

MOST_IN_A_BATCH = 10

NEVER_TAKEN = "InvalidMessageContents"
"""The one refusal that sending the same message again can't change (an id with characters that SQS doesn't carry)."""


@dataclass(slots=True)
class Receipt:
    """How many messages a queue took, and those that it will never take."""

    taken: int = 0
    refused: "list[NoticeMessage]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ChannelQueues:
    """Sends notices to their channels' queues."""

    client: "SQSClient"
    urls: Mapping[Channel, str]

    def send(self, channel: Channel, messages: "Iterable[NoticeMessage]") -> Receipt:
        """Send messages, ten a call.

        One that neither was taken nor is refused needs no handling: the notice's lease brings it back. Raises what the
        client raises; then too leases bring back what wasn't taken.
        """
        receipt = Receipt()
        for batch in batched(messages, MOST_IN_A_BATCH, strict=False):
            answer = self.client.send_message_batch(
                QueueUrl=self.urls[channel],
                Entries=[
                    {"Id": str(n), "MessageBody": message.model_dump_json(by_alias=True, exclude_none=True)}
                    for n, message in enumerate(batch)
                ],
            )
            receipt.taken += len(answer.get("Successful", []))
            failed = answer.get("Failed", [])
            receipt.refused += [batch[int(entry["Id"])] for entry in failed if NEVER_TAKEN in entry.get("Code", "")]
        return receipt

    def send_sample(self, message: "SampleMessage") -> None:
        """Ask a channel to send a made-up message. Raises what the client raises."""
        body = message.model_dump_json(by_alias=True, exclude_none=True)
        self.client.send_message(QueueUrl=self.urls[message.channel], MessageBody=body)

    def close_print_batch(self, message: "ClosePrintBatch") -> None:
        """Ask the print channel to close a batch. Raises what the client raises; the batch's lease asks again."""
        body = message.model_dump_json(by_alias=True, exclude_none=True)
        self.client.send_message(QueueUrl=self.urls[Channel.PRINT], MessageBody=body)
