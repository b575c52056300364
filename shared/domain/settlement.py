"""What a provider's word about a message means for its notice and for the account."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.book import AccountBook, Change
from shared.domain.notice import Notice, moved
from shared.domain.words import Channel, NoticeStatus

ACTOR = "provider"

OPEN_TO_WORD = frozenset({NoticeStatus.SENDING, NoticeStatus.SENT, NoticeStatus.UNKNOWN})
"""Statuses that a provider's word can still change; in any other it comes too late or a second time."""


class Outcome(StrEnum):
    """What a provider may say, whatever its words for it are."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced for good"
    BOUNCED_FOR_NOW = "bounced for now"
    COMPLAINED = "the recipient complained"
    REJECTED = "refused by the provider"


@dataclass(frozen=True, slots=True)
class Settled:
    """How an outcome moves a notice: from which statuses, to which one."""

    to: NoticeStatus
    since: frozenset[NoticeStatus] = OPEN_TO_WORD


SETTLEMENTS = {
    Outcome.ACCEPTED: Settled(NoticeStatus.SENT, frozenset({NoticeStatus.UNKNOWN})),
    Outcome.DELIVERED: Settled(NoticeStatus.DELIVERED),
    Outcome.BOUNCED: Settled(NoticeStatus.UNDELIVERABLE_PERMANENT, OPEN_TO_WORD | {NoticeStatus.DELIVERED}),
    Outcome.BOUNCED_FOR_NOW: Settled(NoticeStatus.UNDELIVERABLE_CAN_RETRY),
    Outcome.REJECTED: Settled(NoticeStatus.DELIVERY_ERROR),
}


def settle(book: AccountBook, notice_id: str, outcome: Outcome, message_id: str, now: datetime) -> Change | None:
    """What an outcome changes; None: nothing, because it is late, repeated, or about no notice of this account."""
    notice = next((known for known in book.notices if known.notice_id == notice_id), None)
    if notice is None:
        return None
    account, after = book.account, _moved(notice, outcome, message_id, now)
    if outcome is Outcome.BOUNCED and after is not None:
        account = replace(account, undeliverable=account.undeliverable | {notice.channel}, planning_at=now)
    if outcome is Outcome.COMPLAINED and not _opted_out(book, notice.channel):
        account = replace(account, opt_outs=replace(account.opt_outs, **{notice.channel.value: True}), planning_at=now)
    if account == book.account and after is None:
        return None
    return Change(account=account, notices=(after,) if after else ())


def _opted_out(book: AccountBook, channel: Channel) -> bool:
    return bool(getattr(book.account.opt_outs, channel.value))


def _moved(notice: Notice, outcome: Outcome, message_id: str, now: datetime) -> Notice | None:
    settled = SETTLEMENTS.get(outcome)
    if settled is None or notice.status not in settled.since:
        return None
    facts = {"lease_until": None, "provider_message_id": message_id, "sent_at": notice.sent_at or now}
    if settled.to is NoticeStatus.DELIVERED:
        facts["delivered_at"] = now
    reason = "" if settled.to in {NoticeStatus.SENT, NoticeStatus.DELIVERED} else outcome.value
    return moved(notice, settled.to, now, ACTOR, reason, **facts)
