"""The state that all workers of a channel share: one item for each channel, replaced whole."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from shared.domain.delivery.channel_gate import ChannelState
from shared.domain.vocabulary.words import Channel
from shared.storage import items, keys
from shared.storage.items import Item, number, text
from shared.storage.races import LostRaceError
from shared.storage.records import Records

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Seen:
    """A state as it lay in the table. revision: of how many writes it was the last; 0: there was no item."""

    state: ChannelState
    revision: int = 0


NEVER_SEEN = Seen(ChannelState())


class ChannelStateChangedError(LostRaceError):
    """Somebody else wrote the state since it was seen. `seen`: what lies there now."""

    def __init__(self, seen: Seen) -> None:
        """Say what lies there now."""
        super().__init__("the channel's state changed")
        self.seen = seen


@dataclass(frozen=True, slots=True)
class ChannelGates:
    """The channels' states in one table."""

    client: "DynamoDBClient"
    table: str

    def load(self, channel: Channel) -> Seen:
        """Read a channel's state consistently."""
        item = Records(self.client, self.table).item(keys.channel_gate(channel))
        return _seen(item) if item else NEVER_SEEN

    def save(self, channel: Channel, seen: Seen, after: ChannelState) -> Seen:
        """Write a channel's next state, and answer it as it is seen from now on.

        Raises ChannelStateChangedError when another worker was quicker. That closes the races of two workers for the
        same permissions, for the one probe after a pause, and for asking the provider for its limits.
        """
        revision = seen.revision + 1
        values: dict[str, Any] = {":next": number(revision), ":body": items.pack(ChannelState, after)}
        try:
            self.client.update_item(
                TableName=self.table,
                Key={"pk": text(keys.channel_gate(channel)), "sk": text(keys.ROOT)},
                UpdateExpression="SET revision = :next, body = :body",
                ConditionExpression="revision = :seen" if seen.revision else "attribute_not_exists(pk)",
                ExpressionAttributeValues=values | ({":seen": number(seen.revision)} if seen.revision else {}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            item = cast("Item | None", error.response.get("Item"))
            raise ChannelStateChangedError(_seen(item) if item else self.load(channel)) from None
        return Seen(after, revision)


def _seen(item: Item) -> Seen:
    return Seen(items.unpack(ChannelState, item["body"]), int(item["revision"]["N"]))
