"""What a provider's word about a message means for its notice and for the account.

A notice may have been sent more than once, and a word is about one of its sendings:

- While a second sending waits, or was stopped, the first is still in doubt, so every word about it settles the notice
  as if it were Unknown: what arrived isn't sent again, and what came back is shown as that.
- Once the second is under way or gone, the earlier one's acceptance and delivery still count, for the recipient has
  the message: they settle Sending and Unknown, and a delivery moves Sent on. That it came back or was refused says
  nothing of the later sending, which may be to a corrected address and has a word of its own to come; it is ignored.
- An acceptance counts while the sender hasn't recorded it yet: it may have died.
- What was delivered comes back only by a word about that very message. What came back for now is delivered only by
  one too: absence notes come as such returns, maybe before the word that the message was delivered.
- Once a sending came back, an older one's arrival is no news: only people have had it sent again, knowing of that.
- A complaint says that the message arrived.
- What the provider took and then dropped, as it would any other at the time, is scheduled again, for its channel's
  gate to hold, unless it has no cause any more. One that is Unknown isn't: after its wait it goes again anyhow.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.account.account_changes import after_return, change_account, opted_out_of
from shared.domain.account.consents import WITHDRAWN, refuses_emails
from shared.domain.account.contacts import GUARANTOR
from shared.domain.account.reconciliation import BETWEEN, doubt_settled, in_doubt
from shared.domain.account.stopping import cancel_pending
from shared.domain.account.worklist import cleared_by
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice, moved
from shared.domain.records.policy import Organization
from shared.domain.records.transitions import RETURNED
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import Channel, ConsentSource, NoticeStatus

ACTOR = "provider"

OPEN_TO_WORD = frozenset({NoticeStatus.SENDING, NoticeStatus.SENT, NoticeStatus.UNKNOWN})
"""Statuses that a provider's word can still change; in any other it comes too late or a second time."""


class DeliveryOutcome(StrEnum):
    """What a provider may say, whatever its words for it are."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced for good"
    BOUNCED_FOR_NOW = "bounced for now"
    COMPLAINED = "the recipient complained"
    REJECTED = "refused by the provider"
    DROPPED = "dropped by the provider: its quota is used up"


@dataclass(frozen=True, slots=True)
class Settled:
    """How an outcome moves a notice: from which statuses, to which one."""

    to: NoticeStatus
    since: frozenset[NoticeStatus] = OPEN_TO_WORD


SETTLEMENTS = {
    DeliveryOutcome.ACCEPTED: Settled(NoticeStatus.SENT, frozenset({NoticeStatus.SENDING, NoticeStatus.UNKNOWN})),
    DeliveryOutcome.DELIVERED: Settled(NoticeStatus.DELIVERED, OPEN_TO_WORD | {NoticeStatus.UNDELIVERABLE_CAN_RETRY}),
    DeliveryOutcome.COMPLAINED: Settled(NoticeStatus.DELIVERED),
    DeliveryOutcome.BOUNCED: Settled(NoticeStatus.UNDELIVERABLE_PERMANENT, OPEN_TO_WORD | {NoticeStatus.DELIVERED}),
    DeliveryOutcome.BOUNCED_FOR_NOW: Settled(NoticeStatus.UNDELIVERABLE_CAN_RETRY),
    DeliveryOutcome.REJECTED: Settled(NoticeStatus.DELIVERY_ERROR),
    DeliveryOutcome.DROPPED: Settled(NoticeStatus.SCHEDULED, frozenset({NoticeStatus.SENDING, NoticeStatus.SENT})),
}

FAILED = frozenset(RETURNED)
"""What didn't arrive may leave its step untold, so the account is planned anew; also when it arrived after all."""

ARRIVED = frozenset({DeliveryOutcome.ACCEPTED, DeliveryOutcome.DELIVERED, DeliveryOutcome.COMPLAINED})
"""What counts of an earlier sending too."""

OF_ONE_MESSAGE = frozenset({NoticeStatus.DELIVERED, NoticeStatus.UNDELIVERABLE_CAN_RETRY})
"""Statuses that only another word about the same message still changes."""

EARLIER = "an earlier sending of it arrived"


def settle(  # noqa: PLR0913 - one for each thing that providers say
    book: AccountBook,
    notice_id: str,
    outcome: DeliveryOutcome,
    message_id: str,
    now: datetime,
    organization: Organization | None = None,
    attempt: int | None = None,
    *,
    address: str = "",
) -> Change | None:
    """What an outcome changes; None: nothing, because it is late, repeated, or about no notice of this account.

    `attempt` is the one that the provider speaks of; None: it doesn't say, so the last, unless that has another id.
    `address` is where the message went; "": the provider doesn't say, so where the notice was to go.

    A complaint opts the guarantor out, which stops what is pending in the same transaction; another recipient's closes
    what is sent to that recipient, and a test contact's nothing. A message that came back for good may opt out too. For
    both the `organization` is needed. One that was delivered clears the errors before it.
    """
    notice = book.notice(notice_id)
    if notice is None:
        return None
    after = _moved(notice, outcome, message_id, attempt, now)
    account, history = book.account, tuple[HistoryEvent, ...]()
    if _of_guarantor(account, notice, address):
        account = _account_after(account, notice, outcome, after, organization)
    elif outcome is DeliveryOutcome.COMPLAINED:
        history = _complaint_of_another(book, notice, organization, now)
    rows = (after, *cleared_by(book, after, now)) if after else ()
    untold = after is not None and (after.status in FAILED | {NoticeStatus.SCHEDULED} or notice.status in FAILED)
    if account == book.account and not untold:
        return Change(account=account, notices=rows, history=history) if rows or history else None
    settled = Change(account=replace(book.account, planning_at=now), notices=rows)
    source = ConsentSource.COMPLAINT if outcome is DeliveryOutcome.COMPLAINED else ConsentSource.RETURNED_MESSAGE
    changed = change_account(book.after(settled), replace(account, planning_at=now), now, ACTOR, source=source)
    settled = settled.then(changed) if changed else settled
    return settled.then(_without_cause(book.after(settled), now)) if outcome is DeliveryOutcome.DROPPED else settled


def _without_cause(book: AccountBook, now: datetime) -> Change:
    """What was taken back stops where a hold, an opt-out or a payment came after it had gone."""
    return Change(account=book.account, notices=cancel_pending(book, now, ACTOR))


def _account_after(
    account: Account, notice: Notice, outcome: DeliveryOutcome, after: Notice | None, organization: Organization | None
) -> Account:
    """The account after a word that says something of its contact: it can't be reached, or doesn't want to be."""
    if outcome is DeliveryOutcome.BOUNCED and after is not None:
        return after_return(account, notice, organization)
    if outcome is DeliveryOutcome.COMPLAINED:
        return replace(account, opt_outs=opted_out_of(account.opt_outs, notice.channel))
    return account


def _of_guarantor(account: Account, notice: Notice, address: str) -> bool:
    """Whether a message went to where the guarantor is reached now: not to somebody else, nor to an older address."""
    if not address:
        return notice.send_to == GUARANTOR
    who = account.guarantor
    return address.casefold() == (who.email if notice.channel is Channel.EMAIL else who.mobile_phone).casefold()


def _complaint_of_another(
    book: AccountBook, notice: Notice, organization: Organization | None, now: datetime
) -> tuple[HistoryEvent, ...]:
    """What the registry of consent is told of a patient, or a third party who pays, who complained."""
    testing = organization is not None and organization.test_contacts is not None
    if notice.send_to == GUARANTOR or testing or refuses_emails(book, notice.send_to):
        return ()
    facts = {"channel": str(notice.channel), "source": str(ConsentSource.COMPLAINT), "party": notice.send_to}
    return (HistoryEvent(at=now, event=WITHDRAWN, actor=ACTOR, facts=facts),)


def _moved(
    notice: Notice, outcome: DeliveryOutcome, message_id: str, attempt: int | None, now: datetime
) -> Notice | None:
    settled = SETTLEMENTS[outcome]
    stands = NoticeStatus.UNKNOWN if notice.status in BETWEEN and in_doubt(notice) else notice.status
    earlier = _of_earlier(notice, message_id, attempt)
    if stands not in settled.since or (earlier and (outcome not in ARRIVED or _came_back(notice))):
        return None
    if stands in OF_ONE_MESSAGE and notice.provider_message_id not in {"", message_id}:
        return None
    facts = {"lease_until": None, "provider_message_id": message_id, "sent_at": notice.sent_at or now}
    if settled.to is NoticeStatus.DELIVERED:
        facts["delivered_at"] = now
    if settled.to is NoticeStatus.SCHEDULED:
        facts |= {"sent_at": None, "scheduled_for": now}
    reason = (EARLIER if earlier else "") if outcome in ARRIVED else outcome.value
    return moved(doubt_settled(notice), settled.to, now, ACTOR, reason, **facts)


def _of_earlier(notice: Notice, message_id: str, attempt: int | None) -> bool:
    """Whether a word is about another sending than the one that the row tells of."""
    known = notice.provider_message_id
    if message_id == known:
        return False
    return bool(known) if attempt is None else attempt < notice.attempt


def _came_back(notice: Notice) -> bool:
    return any(entry.status in FAILED for entry in notice.status_history)
