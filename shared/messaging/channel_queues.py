"""The channels' queues, filled in batches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING

from shared.contracts.messages import NoticeMessage
from shared.domain.words import Channel

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MOST_IN_A_BATCH = 10


@dataclass(frozen=True, slots=True)
class ChannelQueues:
    """Sends notices to their channels' queues."""

    client: "SQSClient"
    urls: Mapping[Channel, str]

    def send(self, channel: Channel, messages: Iterable[NoticeMessage]) -> int:
        """Send messages, ten a call, and answer how many the queue took.

        What it didn't take needs no handling here: the notice's lease brings it back.
        """
        taken = 0
        for batch in batched(messages, MOST_IN_A_BATCH, strict=False):
            answer = self.client.send_message_batch(
                QueueUrl=self.urls[channel],
                Entries=[
                    {"Id": str(n), "MessageBody": message.model_dump_json(by_alias=True, exclude_none=True)}
                    for n, message in enumerate(batch)
                ],
            )
            taken += len(answer.get("Successful", []))
        return taken
