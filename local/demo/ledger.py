"""What the product says of itself at the end of the sixty days: notifications, bills and credits, by its API."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

    from local.demo.practices import Practice
    from local.demo.run import DemoRun
    from shared.domain.vocabulary.json_documents import Json

WENT = frozenset({"Sent", "Delivered"})
DUNNING_WORDS = frozenset({"Initial", "Due", "PastDue", "Final"})
OPEN = frozenset({"Due", "Suspended"})


@dataclass(frozen=True)
class Notification:
    """A notification as the API lists it; `sent_at` is None for what never went."""

    notification_id: str
    account_id: str
    statement_ids: tuple[str, ...]
    channel: str
    kind: str
    level: int
    status: str
    reason: str
    sent_at: datetime | None

    @classmethod
    def of(cls, item: Json) -> Notification:
        """Read an item of the list."""
        return cls(
            notification_id=item["notificationId"],
            account_id=item["accountId"],
            statement_ids=tuple(item["statementIds"]),
            channel=item["channel"],
            kind=item["notificationType"],
            level=item["level"],
            status=item["status"],
            reason=item["reason"] or "",
            sent_at=datetime.fromisoformat(item["sentAt"]) if item["sentAt"] else None,
        )

    @property
    def went(self) -> bool:
        """Whether it was sent."""
        return self.status in WENT

    @property
    def dunning(self) -> bool:
        """Whether a step asked for it."""
        return self.kind in DUNNING_WORDS


@dataclass(frozen=True)
class Ledger:
    """All that the API tells of one practice; `credits` are cents by account, of those looked at."""

    practice: Practice
    notifications: tuple[Notification, ...]
    bills: tuple[Json, ...]
    credits: dict[str, int]

    @classmethod
    def read(cls, run: DemoRun, practice: Practice) -> Ledger:
        """Ask the API at the end of the run."""
        path = f"/v1/organizations/{run.world.org_ids[practice.client_id]}"
        listed = run.api.every(f"{path}/notifications", run.end)
        # There is no list of accounts: those that ought to have a credit are looked at, and as many others.
        accounts = sorted(run.input.of(practice), key=lambda account: -account.credit)
        asked = accounts[: 2 * sum(1 for account in accounts if account.credit)]
        names = [account.facts.account_id for account in asked]
        return cls(
            practice=practice,
            notifications=tuple(Notification.of(item) for item in listed),
            bills=tuple(run.api.every(f"{path}/bills", run.end)),
            credits={
                name: in_cents(run.api.call("GET", f"{path}/accounts/{name}", run.end)["credit"]) for name in names
            },
        )

    def day(self, moment: datetime) -> date:
        """The practice's calendar day of an instant."""
        return moment.astimezone(self.practice.zone).date()

    def by_status(self) -> Counter[tuple[str, str, str]]:
        """Count the notifications by channel, type and status."""
        return Counter((each.channel, each.kind, each.status) for each in self.notifications)

    def by_reason(self) -> Counter[tuple[str, str]]:
        """Count why notifications didn't go, by channel."""
        return Counter((each.channel, each.reason) for each in self.notifications if each.reason and not each.went)

    @property
    def open(self) -> int:
        """What is owed, in cents."""
        return sum(in_cents(bill["balance"]) for bill in self.bills if bill["status"] in OPEN)

    def paid(self, statement_ids: Container[str]) -> int:
        """What these bills got of payments, in cents. A bill that was amended shows what the next one goes on with."""
        return sum(in_cents(bill["paid"]) for bill in self.bills if bill["statementId"] in statement_ids)

    @property
    def credit(self) -> int:
        """What no bill took, in cents."""
        return sum(self.credits.values())


def in_cents(amount: str) -> int:
    """Read an amount of the API."""
    sign = -1 if amount.startswith("-") else 1
    whole, _, part = amount.removeprefix("-").partition(".")
    return sign * (int(whole) * 100 + int(part.ljust(2, "0")))
