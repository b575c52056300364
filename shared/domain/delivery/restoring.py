"""What was sent after the instant that a table was restored to: each claim as the log told it, before the provider was.

The log is all that knows, and says ids alone. By it the restored ledger is brought to what went, so that none of it
goes again (docs/rules.md#restored-table).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from shared.domain.delivery.orders import Accepted, answered
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import BillLevel, Notice, moved, new_notice, scheduled
from shared.domain.records.transitions import WAITING
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.words import Channel, NoticeStatus, NotificationType

SENT_BEFORE_RESTORE = "sent after the instant that the table was restored to"
MAYBE_SENT_BEFORE_RESTORE = "claimed after the instant that the table was restored to: needs manual review"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedClaim:
    """A claim as the log has it. at: when the notice was claimed; bills: with the step that each was at."""

    org_id: str
    account_id: str
    notice_id: str
    channel: Channel
    notification_type: NotificationType
    level: int
    bills: tuple[BillLevel, ...]
    attempt: int
    send_to: str
    at: datetime

    @classmethod
    def of(cls, taken: Notice, now: datetime) -> Self:
        """The claim of a notice that was taken just now."""
        return cls(
            org_id=taken.org_id,
            account_id=taken.account_id,
            notice_id=taken.notice_id,
            channel=taken.channel,
            notification_type=taken.notification_type,
            level=taken.level,
            bills=taken.bills,
            attempt=taken.attempt,
            send_to=taken.send_to,
            at=now,
        )

    @property
    def facts(self) -> dict[str, Any]:
        """What a log line says of it."""
        return {
            "org_id": self.org_id,
            "account_id": self.account_id,
            "notice_id": self.notice_id,
            "channel": self.channel.value,
            "notification_type": self.notification_type.value,
            "level": self.level,
            "bills": [[bill.statement_id, bill.aging_period, bill.level] for bill in self.bills],
            "attempt": self.attempt,
            "send_to": self.send_to,
            "at": self.at.isoformat(),
        }

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Self:
        """The claim that a log line is about."""
        bills = (
            BillLevel(statement_id=bill, aging_period=period, level=level) for bill, period, level in facts["bills"]
        )
        return cls(
            org_id=facts["org_id"],
            account_id=facts["account_id"],
            notice_id=facts["notice_id"],
            channel=Channel(facts["channel"]),
            notification_type=NotificationType(facts["notification_type"]),
            level=facts["level"],
            bills=tuple(bills),
            attempt=facts["attempt"],
            send_to=facts["send_to"],
            at=datetime.fromisoformat(facts["at"]),
        )


def replayed(book: AccountBook, claim: LoggedClaim, now: datetime, *, sent: bool) -> Change | None:
    """What a claim that the restored table doesn't know changes: its notice went, and its account is planned again.

    sent: whether the log has that the provider took it; without that it is Unknown, for manual review, and isn't sent
    once more. None: the table knows what became of the notice.
    """
    row = book.notice(claim.notice_id) or _not_planned_yet(book, claim)
    if row.status not in {*WAITING, NoticeStatus.SENDING}:
        return None
    taken = row
    if row.status is not NoticeStatus.SENDING:
        taken = moved(
            row,
            NoticeStatus.SENDING,
            claim.at,
            Actor.SYSTEM,
            SENT_BEFORE_RESTORE,
            attempt=claim.attempt,
            bills=claim.bills,
            level=claim.level,
        )
    if sent:
        after = answered(taken, Accepted(message_id=""), claim.at)
    else:
        unsure = MAYBE_SENT_BEFORE_RESTORE
        after = moved(taken, NoticeStatus.UNKNOWN, claim.at, Actor.SYSTEM, unsure, lease_until=None)
    return Change(account=replace(book.account, planning_at=now), notices=(after,))


def _not_planned_yet(book: AccountBook, claim: LoggedClaim) -> Notice:
    new = new_notice(
        book.account,
        notice_id=claim.notice_id,
        channel=claim.channel,
        notification_type=claim.notification_type,
        bills=claim.bills,
        now=claim.at,
        level=claim.level,
        send_to=claim.send_to,
    )
    return scheduled(new, claim.at, Actor.SYSTEM, SENT_BEFORE_RESTORE)
