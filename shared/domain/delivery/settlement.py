"""What a provider's delivery report about a message means for its notice and for the account.

A notice may have been sent more than once, and a report is about one of its sendings:

- While a second sending waits, or was stopped, the first is still possibly sent, so every report about it settles the
  notice as if it were Unknown: what arrived isn't sent again, and what bounced is shown as that.
- Once the second is under way or sent, the earlier one's acceptance and delivery still count, for the recipient has
  the message: they settle Sending and Unknown, and a delivery moves Sent on. That it bounced or was refused says
  nothing of the later sending, which may be to a corrected address and has a report of its own to come; it is ignored.
- An acceptance counts while the sender hasn't recorded it yet: it may have died.
- What was delivered bounces only by a report about that very message. What bounced for now is delivered only by one
  too: absence notes are reported as such bounces, maybe before the report that the message was delivered.
- Once a sending bounced, an older one's arrival is no news: only staff have had it sent again, knowing of that.
- A complaint says that the message arrived.
- What the provider took and then dropped, as it would any other at the time, is scheduled again, for its channel's
  gate to hold, unless it has no cause any more. One that is Unknown isn't: after its wait it is sent again anyhow.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.account.account_changes import after_bounce, change_account, opted_out_of
from shared.domain.account.consents import OPTED_OUT_EVENT, opted_out_of_emails
from shared.domain.account.contacts import GUARANTOR
from shared.domain.account.reconciliation import BETWEEN, possibly_sent, report_settled
from shared.domain.account.stopping import cancel_pending
from shared.domain.account.worklist import cleared_by
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice, moved
from shared.domain.records.policy import Organization
from shared.domain.records.transitions import NOT_DELIVERED
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import Channel, ConsentSource, NoticeStatus

SETTLEABLE = frozenset({NoticeStatus.SENDING, NoticeStatus.SENT, NoticeStatus.UNKNOWN})
"""Statuses that a delivery report can still settle; in any other it comes too late or a second time."""


class DeliveryOutcome(StrEnum):
    """What a provider may report, whatever its words for it are."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced permanently"
    BOUNCED_FOR_NOW = "bounced for now"
    COMPLAINED = "the recipient complained"
    REJECTED = "refused by the provider"
    DROPPED = "dropped by the provider: its quota is used up"


@dataclass(frozen=True, slots=True)
class Settled:
    """How an outcome moves a notice: from which statuses, to which one."""

    to: NoticeStatus
    since: frozenset[NoticeStatus] = SETTLEABLE


SETTLEMENTS = {
    DeliveryOutcome.ACCEPTED: Settled(NoticeStatus.SENT, frozenset({NoticeStatus.SENDING, NoticeStatus.UNKNOWN})),
    DeliveryOutcome.DELIVERED: Settled(NoticeStatus.DELIVERED, SETTLEABLE | {NoticeStatus.UNDELIVERABLE_CAN_RETRY}),
    DeliveryOutcome.COMPLAINED: Settled(NoticeStatus.DELIVERED),
    DeliveryOutcome.BOUNCED: Settled(NoticeStatus.UNDELIVERABLE_PERMANENT, SETTLEABLE | {NoticeStatus.DELIVERED}),
    DeliveryOutcome.BOUNCED_FOR_NOW: Settled(NoticeStatus.UNDELIVERABLE_CAN_RETRY),
    DeliveryOutcome.REJECTED: Settled(NoticeStatus.DELIVERY_ERROR),
    DeliveryOutcome.DROPPED: Settled(NoticeStatus.SCHEDULED, frozenset({NoticeStatus.SENDING, NoticeStatus.SENT})),
}

FAILED_DELIVERY = frozenset(NOT_DELIVERED)
"""What wasn't delivered may leave its step unsent, so the account is planned again; also if it arrived after all."""

ARRIVED = frozenset({DeliveryOutcome.ACCEPTED, DeliveryOutcome.DELIVERED, DeliveryOutcome.COMPLAINED})
"""What counts of an earlier sending too."""

OF_ONE_MESSAGE = frozenset({NoticeStatus.DELIVERED, NoticeStatus.UNDELIVERABLE_CAN_RETRY})
"""Statuses that only another report about the same message still changes."""

EARLIER_ARRIVED = "an earlier sending of it arrived"


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

    `attempt` is the one that the provider reports on; None: it doesn't say, so the last, unless that has another id.
    `address` is where the message went; "": the provider doesn't say, so where the notice was to go.

    A complaint opts the guarantor out, which stops what is pending in the same transaction; another recipient's opts
    that recipient out, and a test contact's nobody. A permanent bounce may opt out too. For both the `organization` is
    needed. A delivery clears the errors before it.
    """
    notice = book.notice(notice_id)
    if notice is None:
        return None
    after = _moved(notice, outcome, message_id, attempt, now)
    report = _Report(notice=notice, outcome=outcome, after=after, address=address, organization=organization, now=now)
    account = _account_after(book.account, report)
    rows = (after, *cleared_by(book, after, now)) if after else ()
    if account != book.account or report.leaves_untold:
        return _planned_anew(book, account, rows, report)
    history = _complaint_of_another(book, report)
    return Change(account=account, notices=rows, history=history) if rows or history else None


def row_alone(book: AccountBook, change: Change) -> Notice | None:
    """The row, where a report says no more than that what was given to the provider arrived; None: it changes more.

    Such a row may be written by itself, as the channel writes what the provider answered: nothing else is decided by
    whether a message that counts as sent was only given to the provider, accepted or delivered.
    """
    if len(change.notices) != 1 or change != Change(account=book.account, notices=change.notices):
        return None
    (after,) = change.notices
    before = book.notice(after.notice_id)
    arrived = before is not None and before.status in SETTLEABLE and after.status in _ARRIVED_STATUSES
    return after if arrived else None


_ARRIVED_STATUSES = frozenset({NoticeStatus.SENT, NoticeStatus.DELIVERED})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    """What a provider reports of a notice, and the row after that; None: it moves nothing."""

    notice: Notice
    outcome: DeliveryOutcome
    after: Notice | None
    address: str
    organization: Organization | None
    now: datetime

    @property
    def leaves_untold(self) -> bool:
        """Whether its step may be untold now, or was taken for that before."""
        if self.after is None:
            return False
        return self.after.status in FAILED_DELIVERY | {NoticeStatus.SCHEDULED} or self.notice.status in FAILED_DELIVERY

    def of_guarantor(self, account: Account) -> bool:
        """Whether the message went to where the guarantor is reached now: to nobody else, and to no older address."""
        if not self.address:
            return self.notice.send_to == GUARANTOR
        who = account.guarantor
        texted_at = who.email if self.notice.channel is Channel.EMAIL else who.mobile_phone
        return self.address.casefold() == texted_at.casefold()


def _planned_anew(book: AccountBook, account: Account, rows: tuple[Notice, ...], report: _Report) -> Change:
    """The change whose account is planned again, with all that its new state stops."""
    now = report.now
    settled = Change(account=replace(book.account, planning_at=now), notices=rows)
    complained = report.outcome is DeliveryOutcome.COMPLAINED
    source = ConsentSource.COMPLAINT if complained else ConsentSource.RETURNED_MESSAGE
    changed = change_account(book.after(settled), replace(account, planning_at=now), now, Actor.PROVIDER, source=source)
    settled = settled.then(changed) if changed else settled
    dropped = report.outcome is DeliveryOutcome.DROPPED
    return settled.then(_without_cause(book.after(settled), now)) if dropped else settled


def _without_cause(book: AccountBook, now: datetime) -> Change:
    """What the provider dropped stops where a hold, an opt-out or a payment came after it had been sent."""
    return Change(account=book.account, notices=cancel_pending(book, now, Actor.PROVIDER))


def _account_after(account: Account, report: _Report) -> Account:
    """The account after a report that says something of its contact: it can't be reached, or doesn't want to be."""
    if not report.of_guarantor(account):
        return account
    if report.outcome is DeliveryOutcome.BOUNCED and report.after is not None:
        return after_bounce(account, report.notice, report.organization)
    if report.outcome is DeliveryOutcome.COMPLAINED:
        return replace(account, opt_outs=opted_out_of(account.opt_outs, report.notice.channel))
    return account


def _complaint_of_another(book: AccountBook, report: _Report) -> tuple[HistoryEvent, ...]:
    """The entry in the registry of consent of a patient, or a third party who pays, who complained."""
    if report.outcome is not DeliveryOutcome.COMPLAINED or report.of_guarantor(book.account):
        return ()
    party, organization = report.notice.send_to, report.organization
    testing = organization is not None and organization.test_contacts is not None
    if party == GUARANTOR or testing or opted_out_of_emails(book, party):
        return ()
    facts = {"channel": str(report.notice.channel), "source": str(ConsentSource.COMPLAINT), "party": party}
    return (HistoryEvent(at=report.now, event=OPTED_OUT_EVENT, actor=Actor.PROVIDER, facts=facts),)


def _moved(
    notice: Notice, outcome: DeliveryOutcome, message_id: str, attempt: int | None, now: datetime
) -> Notice | None:
    """The row after a delivery report; None: it comes too late, or changes nothing."""
    earlier = _of_earlier(notice, message_id, attempt)
    if not _counts(notice, outcome, message_id, earlier=earlier):
        return None
    to = SETTLEMENTS[outcome].to
    facts = {"lease_until": None, "provider_message_id": message_id, "sent_at": notice.sent_at or now}
    if to is NoticeStatus.DELIVERED:
        facts["delivered_at"] = now
    if to is NoticeStatus.SCHEDULED:
        facts |= {"sent_at": None, "scheduled_for": now}
    reason = (EARLIER_ARRIVED if earlier else "") if outcome in ARRIVED else outcome.value
    return moved(report_settled(notice), to, now, Actor.PROVIDER, reason, **facts)


def _counts(notice: Notice, outcome: DeliveryOutcome, message_id: str, *, earlier: bool) -> bool:
    """Whether a word changes a notice as it stands now, `earlier`: though it is about a sending before the last."""
    stands = NoticeStatus.UNKNOWN if notice.status in BETWEEN and possibly_sent(notice) else notice.status
    if stands not in SETTLEMENTS[outcome].since:
        return False
    if earlier and (outcome not in ARRIVED or _bounced_before(notice)):
        return False
    return stands not in OF_ONE_MESSAGE or notice.provider_message_id in {"", message_id}


def _of_earlier(notice: Notice, message_id: str, attempt: int | None) -> bool:
    """Whether a report is about another sending than the one that the row records."""
    known = notice.provider_message_id
    if message_id == known:
        return False
    return bool(known) if attempt is None else attempt < notice.attempt


def _bounced_before(notice: Notice) -> bool:
    return any(entry.status in FAILED_DELIVERY for entry in notice.status_history)
