"""The state that all workers of a channel share: one item for each channel, replaced whole."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.domain.delivery.channel_gate import ChannelState
from shared.domain.vocabulary.words import Channel
from shared.storage import items, keys
from shared.storage.items import Item, number
from shared.storage.races import LostRaceError
from shared.storage.records import Records
from shared.storage.writes import NEW, Attribute, Condition, conditional, equals, showing_what_is_there, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Seen:
    """A state as it lay in the table. revision: of how many writes it was the last; 0: there was no item."""

    state: ChannelState
    revision: int = 0


NEVER_SEEN = Seen(ChannelState())

STORED_AS = {"backlog_until": "crowded_until"}
"""The stored name of a field that has another name now: while one is deployed, two releases share the item."""


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
        same permits, for the one probe after a pause, and for asking the provider for its limits.
        """
        revision = seen.revision + 1
        values: dict[str, Attribute] = {
            ":next": number(revision),
            ":body": items.pack(ChannelState, after, stored_as=STORED_AS),
        }
        change = "SET revision = :next, body = :body"
        write = update(self.table, items.key(keys.channel_gate(channel)), change, values, _as(seen))
        outcome = conditional(self.client, showing_what_is_there(write))
        if not outcome:
            raise ChannelStateChangedError(_seen(outcome.there) if outcome.there else self.load(channel))
        return Seen(after, revision)


def _as(seen: Seen) -> Condition:
    """The state is the one that was seen; 0: there was none."""
    return equals("revision", number(seen.revision)) if seen.revision else NEW


def _seen(item: Item) -> Seen:
    return Seen(items.unpack(ChannelState, item["body"], stored_as=STORED_AS), int(item["revision"]["N"]))
