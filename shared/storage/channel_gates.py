"""The state that all workers of a channel share: one item for each channel, replaced whole.

The item names the table that it was written in. A restore takes it into a table of another name, and there it is found
by whoever asks: that table was restored, and nothing goes until what was sent since is replayed into it
(docs/decisions/0021-claims-in-the-log.md).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.domain.delivery.channel_gate import ChannelState, not_replayed
from shared.domain.vocabulary.words import Channel
from shared.storage import items, keys
from shared.storage.items import Item, number, text
from shared.storage.races import LostRaceError
from shared.storage.records import Records
from shared.storage.writes import NEW, Attribute, Condition, conditional, equals, showing_what_is_there, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Seen:
    """A state as it lay in the table. revision: of how many writes it was the last; 0: there was no item.

    written_in: the table that it was written in; None: it doesn't say.
    """

    state: ChannelState
    revision: int = 0
    written_in: str | None = None


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
        return self._seen(item) if item else NEVER_SEEN

    def save(self, channel: Channel, seen: Seen, after: ChannelState, *, as_own: bool = False) -> Seen:
        """Write a channel's next state, and answer it as it is seen from now on.

        as_own: it belongs to this table from now on, for what was sent since a restore is in it.

        Raises ChannelStateChangedError when another worker was quicker. That closes the races of two workers for the
        same permits, for the one probe after a pause, and for asking the provider for its limits.
        """
        revision = seen.revision + 1
        written_in = self.table if as_own else seen.written_in or self.table
        values: dict[str, Attribute] = {
            ":next": number(revision),
            ":body": items.pack(ChannelState, after, stored_as=STORED_AS),
            ":table": text(written_in),
        }
        change = "SET revision = :next, body = :body, written_in = :table"
        write = update(self.table, items.key(keys.channel_gate(channel)), change, values, _as(seen))
        outcome = conditional(self.client, showing_what_is_there(write))
        if not outcome:
            raise ChannelStateChangedError(self._seen(outcome.there) if outcome.there else self.load(channel))
        return Seen(after, revision, written_in)

    def _seen(self, item: Item) -> Seen:
        state = items.unpack(ChannelState, item["body"], stored_as=STORED_AS)
        written_in = item["written_in"]["S"] if "written_in" in item else None
        restored = written_in not in (None, self.table)
        return Seen(not_replayed(state) if restored else state, int(item["revision"]["N"]), written_in)


def _as(seen: Seen) -> Condition:
    """The state is the one that was seen; 0: there was none."""
    return equals("revision", number(seen.revision)) if seen.revision else NEW
