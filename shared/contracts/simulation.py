"""Bodies of the simulation of dunning settings."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from shared.contracts.cadences import CadenceBody
from shared.contracts.dunning import DunningBody, StepAnswer, schedule_of
from shared.contracts.wire import Day, Instant, WireModel
from shared.domain.dunning.simulation import Foreseen, Simulation
from shared.domain.records.policy import DunningSettings
from shared.domain.vocabulary.words import Channel, NotificationType


class HorizonBody(WireModel):
    """How far to look ahead."""

    horizon_days: Annotated[int, Field(ge=1, le=365)] = 90


class ProposedConfiguration(WireModel):
    """A dunning configuration that needn't be stored."""

    configuration: CadenceBody | None = Field(
        default=None, description="A configuration to try, instead of one that is stored (`configurationId`)."
    )


class SimulationBody(HorizonBody, ProposedConfiguration, DunningBody):
    """Proposed dunning settings, as a PATCH of them would say it, and how far to look ahead."""


class NoticeCount(WireModel):
    """Notices of one kind on one day of the organization's calendar."""

    date: Day
    channel: Channel
    level: int
    notification_type: NotificationType
    count: int = Field(description="In a difference: how many more there would be; below zero: fewer.")


class SimulationTotals(WireModel):
    """All notices together."""

    before: int
    after: int
    difference: int


class SimulationAnswer(WireModel):
    """What the proposed settings would change, over the accounts that have an open bill."""

    at: Instant
    horizon_days: int
    complete: bool = Field(description="false: time ran out, so this counts only the accounts that were seen.")
    schedule: list[StepAnswer] = Field(description="The schedule that the proposed settings bring.")
    accounts_seen: int
    accounts_changed: int = Field(description="Accounts whose notices would not be the same.")
    totals: SimulationTotals
    before: list[NoticeCount] = Field(description="With the settings in force.")
    after: list[NoticeCount] = Field(description="With the proposed ones.")
    difference: list[NoticeCount] = Field(description="Only what differs.")

    @classmethod
    def of(
        cls, found: Simulation, proposed: DunningSettings, *, at: datetime, horizon_days: int, complete: bool
    ) -> Self:
        """What a simulation of proposed settings found."""
        before, after = found.before.total(), found.after.total()
        return cls(
            at=at,
            horizon_days=horizon_days,
            complete=complete,
            schedule=schedule_of(proposed),
            accounts_seen=found.accounts,
            accounts_changed=found.accounts_changed,
            totals=SimulationTotals(before=before, after=after, difference=after - before),
            before=_counts(found.before),
            after=_counts(found.after),
            difference=_counts(found.difference),
        )


def _counts(counted: Mapping[Foreseen, int]) -> list[NoticeCount]:
    return [
        NoticeCount(
            date=kind.day,
            channel=kind.channel,
            level=kind.level,
            notification_type=kind.notification_type,
            count=counted[kind],
        )
        for kind in sorted(counted)
    ]
