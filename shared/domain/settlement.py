"""What a provider's word about a message means for its notice and for the account."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.account import Account
from shared.domain.account_changes import after_return, change_account, opted_out_of
from shared.domain.book import AccountBook, Change
from shared.domain.notice import Notice, moved
from shared.domain.policy import Organization
from shared.domain.words import NoticeStatus
from shared.domain.worklist import cleared_by

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

FAILED = frozenset(
    {
        NoticeStatus.UNDELIVERABLE_PERMANENT,
        NoticeStatus.UNDELIVERABLE_CAN_RETRY,
        NoticeStatus.DELIVERY_ERROR,
    }
)
"""What didn't arrive may leave its step untold, so the account is planned anew."""


def settle(
    book: AccountBook,
    notice_id: str,
    outcome: Outcome,
    message_id: str,
    now: datetime,
    organization: Organization | None = None,
) -> Change | None:
    """What an outcome changes; None: nothing, because it is late, repeated, or about no notice of this account.

    A complaint opts the guarantor out, which stops what is pending in the same transaction. So may a message that came
    back for good, for which the `organization` is needed. One that was delivered clears the errors before it.
    """
    notice = next((known for known in book.notices if known.notice_id == notice_id), None)
    if notice is None:
        return None
    after = _moved(notice, outcome, message_id, now)
    account = _account_after(book.account, notice, outcome, after, organization)
    if account == book.account and (after is None or after.status not in FAILED):
        return Change(account=account, notices=(after, *cleared_by(book, after, now))) if after else None
    settled = Change(account=replace(book.account, planning_at=now), notices=(after,) if after else ())
    changed = change_account(book.after(settled), replace(account, planning_at=now), now, ACTOR)
    return settled.then(changed) if changed else settled


def _account_after(
    account: Account, notice: Notice, outcome: Outcome, after: Notice | None, organization: Organization | None
) -> Account:
    """The account after a word that says something of its contact: it can't be reached, or doesn't want to be."""
    if outcome is Outcome.BOUNCED and after is not None:
        return after_return(account, notice, organization)
    if outcome is Outcome.COMPLAINED:
        return replace(account, opt_outs=opted_out_of(account.opt_outs, notice.channel))
    return account


def _moved(notice: Notice, outcome: Outcome, message_id: str, now: datetime) -> Notice | None:
    settled = SETTLEMENTS.get(outcome)
    if settled is None or notice.status not in settled.since:
        return None
    facts = {"lease_until": None, "provider_message_id": message_id, "sent_at": notice.sent_at or now}
    if settled.to is NoticeStatus.DELIVERED:
        facts["delivered_at"] = now
    reason = "" if settled.to in {NoticeStatus.SENT, NoticeStatus.DELIVERED} else outcome.value
    return moved(notice, settled.to, now, ACTOR, reason, **facts)
