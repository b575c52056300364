"""What other dunning settings would change over an open book: the very same forecast, made twice."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from shared.domain.dunning.forecast import forecast
from shared.domain.records.book import AccountBook
from shared.domain.records.policy import DunningSettings, Organization
from shared.domain.vocabulary.words import Channel, NoticeStatus, NotificationType


@dataclass(frozen=True, slots=True, order=True)
class Foreseen:
    """Notices of one kind on one day of the organization's calendar."""

    day: date
    channel: Channel
    level: int
    notification_type: NotificationType


@dataclass(slots=True)
class Simulation:
    """How many notices would go, under the settings in force and under the proposed ones.

    accounts: how many were simulated. accounts_changed: for how many of them the notices aren't the same.
    """

    before: Counter[Foreseen] = field(default_factory=Counter)
    after: Counter[Foreseen] = field(default_factory=Counter)
    accounts: int = 0
    accounts_changed: int = 0

    @property
    def difference(self) -> dict[Foreseen, int]:
        """How many more (or, below zero, fewer) there would be; kinds with as many as before are left out."""
        kinds = self.before.keys() | self.after.keys()
        changes = {kind: self.after[kind] - self.before[kind] for kind in sorted(kinds)}
        return {kind: change for kind, change in changes.items() if change}


def simulate(
    books: Iterable[AccountBook],
    organization: Organization,
    proposed: DunningSettings,
    now: datetime,
    horizon: timedelta,
) -> Simulation:
    """Foresee the notices of a horizon twice for each account: as things are, and as if the proposed settings held now.

    It changes nothing, and reads no more than the books that it is given, one after the other.
    """
    found, other = Simulation(), replace(organization, dunning=proposed)
    for book in books:
        before = _foreseen(book, organization, now, horizon)
        after = _foreseen(book, other, now, horizon)
        found.before += before
        found.after += after
        found.accounts += 1
        found.accounts_changed += before != after
    return found


def _foreseen(book: AccountBook, organization: Organization, now: datetime, horizon: timedelta) -> Counter[Foreseen]:
    return Counter(
        Foreseen(
            day=notice.sent_at.astimezone(organization.zone).date(),
            channel=notice.channel,
            level=notice.level,
            notification_type=notice.notification_type,
        )
        for notice in forecast(book, organization, now, horizon)
        if notice.status is NoticeStatus.SENT and notice.sent_at
    )
