"""Which channels send nothing for now, as a partner sees it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from shared.contracts.wire import Instant, WireModel
from shared.domain.delivery.channel_gate import Stop
from shared.domain.vocabulary.words import Channel


class StopCause(StrEnum):
    """Why a channel is stopped. What the operator wrote is for operators alone."""

    OPERATOR = "Operator"
    RESTORED = "Restored"


class StoppedChannel(WireModel):
    """A channel that is stopped. since: None: since the data was restored."""

    channel: Channel
    since: Instant | None
    cause: StopCause


class SendingAnswer(WireModel):
    """Which channels are stopped; none: all send."""

    stopped: list[StoppedChannel]

    @classmethod
    def of(cls, stops: Mapping[Channel, Stop]) -> Self:
        """The channels that are stopped now, in the order of their names."""
        return cls(
            stopped=[
                StoppedChannel(
                    channel=channel,
                    since=stop.since,
                    cause=StopCause.RESTORED if stop.restored else StopCause.OPERATOR,
                )
                for channel, stop in sorted(stops.items())
            ]
        )
