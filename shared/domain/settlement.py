"""What a provider's word about a message means for its notice and for the account.

A notice may have been sent more than once, and a word is about one of its sendings:

- While a second sending waits, or was stopped, the first is still in doubt, so every word about it settles the notice
  as if it were Unknown: what arrived isn't sent again, and what came back is shown as that.
- Once the second is under way or gone, the earlier one's acceptance and delivery still count, for the recipient has
  the message: they settle Sending and Unknown, and a delivery moves Sent on. That it came back or was refused says
  nothing of the later sending, which may be to a corrected address and has a word of its own to come; it is ignored.
- An acceptance counts while the sender hasn't recorded it yet: it may have died.
- What was delivered comes back only by a word about that very message.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.account import Account
from shared.domain.account_changes import after_return, change_account, opted_out_of
from shared.domain.book import AccountBook, Change
from shared.domain.notice import Notice, moved
from shared.domain.policy import Organization
from shared.domain.reconciliation import BETWEEN, doubt_settled, in_doubt
from shared.domain.words import ConsentSource, NoticeStatus
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
    Outcome.ACCEPTED: Settled(NoticeStatus.SENT, frozenset({NoticeStatus.SENDING, NoticeStatus.UNKNOWN})),
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

GOOD_NEWS = frozenset({Outcome.ACCEPTED, Outcome.DELIVERED})
"""What counts of an earlier sending too."""

EARLIER = "an earlier sending of it arrived"


def settle(
    book: AccountBook,
    notice_id: str,
    outcome: Outcome,
    message_id: str,
    now: datetime,
    organization: Organization | None = None,
    attempt: int | None = None,
) -> Change | None:
    """What an outcome changes; None: nothing, because it is late, repeated, or about no notice of this account.

    `attempt` is the one that the provider speaks of; None: it doesn't say, so the last, unless that has another id.

    A complaint opts the guarantor out, which stops what is pending in the same transaction. So may a message that came
    back for good, for which the `organization` is needed. One that was delivered clears the errors before it.
    """
    notice = next((known for known in book.notices if known.notice_id == notice_id), None)
    if notice is None:
        return None
    after = _moved(notice, outcome, message_id, attempt, now)
    account = _account_after(book.account, notice, outcome, after, organization)
    if account == book.account and (after is None or after.status not in FAILED):
        return Change(account=account, notices=(after, *cleared_by(book, after, now))) if after else None
    settled = Change(account=replace(book.account, planning_at=now), notices=(after,) if after else ())
    source = ConsentSource.COMPLAINT if outcome is Outcome.COMPLAINED else ConsentSource.RETURNED_MESSAGE
    changed = change_account(book.after(settled), replace(account, planning_at=now), now, ACTOR, source=source)
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


def _moved(notice: Notice, outcome: Outcome, message_id: str, attempt: int | None, now: datetime) -> Notice | None:
    settled = SETTLEMENTS.get(outcome)
    stands = NoticeStatus.UNKNOWN if notice.status in BETWEEN and in_doubt(notice) else notice.status
    earlier = _of_earlier(notice, message_id, attempt)
    if settled is None or stands not in settled.since or (earlier and outcome not in GOOD_NEWS):
        return None
    if stands is NoticeStatus.DELIVERED and notice.provider_message_id not in {"", message_id}:
        return None
    facts = {"lease_until": None, "provider_message_id": message_id, "sent_at": notice.sent_at or now}
    if settled.to is NoticeStatus.DELIVERED:
        facts["delivered_at"] = now
    reason = (EARLIER if earlier else "") if outcome in GOOD_NEWS else outcome.value
    return moved(doubt_settled(notice), settled.to, now, ACTOR, reason, **facts)


def _of_earlier(notice: Notice, message_id: str, attempt: int | None) -> bool:
    """Whether a word is about another sending than the one that the row tells of."""
    known = notice.provider_message_id
    if message_id == known:
        return False
    return bool(known) if attempt is None else attempt < notice.attempt
