"""Delivering a notice: what it is given to the provider with, and what the provider's answer means for its row."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.account.account_changes import after_bounce, change_account
from shared.domain.account.contacts import Contact
from shared.domain.account.masking import masked
from shared.domain.account.reconciliation import BETWEEN, possibly_sent, report_settled, unknown
from shared.domain.dunning.decision import Defer, Refuse, Send
from shared.domain.paying.link_secrets import IssuedLink
from shared.domain.paying.payments import link_scope
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice, StoredLetter, moved
from shared.domain.records.own_template import OwnTemplate
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.spreading import spread
from shared.domain.vocabulary.words import Channel, ConsentSource, NoticeStatus

SENDING_LEASE = timedelta(minutes=5)
"""How long a provider may take with a notice before the scheduler takes over: five times a function's timeout."""

LONGEST_SENDING_LEASE = timedelta(minutes=15)
"""How long it may at most, where the notice keeps the lease that it had in its queue."""

ACTORS = {Channel.EMAIL: "send_email", Channel.SMS: "send_sms", Channel.PRINT: "render_print"}
"""Who moves a channel's notices, as histories name them."""


@dataclass
class NotComposedError(Exception):
    """No message may be made of an order, for a reason that people can do something about."""

    reason: Reason


class TemplateFailedError(Exception):
    """An organization's own template can't be used for a message. Its text says why, and nothing of a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """All that one message is made from. `notice` is the row as it will be claimed. template: None: the system's."""

    notice: Notice
    book: AccountBook
    organization: Organization
    contact: Contact
    link: IssuedLink
    now: datetime
    template: OwnTemplate | None = None

    @property
    def asked_bills(self) -> tuple[Bill, ...]:
        """The bills that the message asks to pay: a suspended one only where a person sends it."""
        bills = link_scope(self.book, self.link.link)
        if self.notice.notification_type.dunning:
            return tuple(bill for bill in bills if bill.open)
        return tuple(bill for bill in bills if bill.payable)

    @property
    def amount_due(self) -> Cents:
        """The sum of what the message asks to pay."""
        return sum(bill.balance for bill in self.asked_bills)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider has it. `link_id`: of the link that it really carries, where an earlier attempt had made it.

    letter: what was stored, of a message that is one.
    """

    message_id: str
    link_id: str = ""
    letter: StoredLetter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The provider will never take it; `undeliverable`: because of the address, so that none will reach it."""

    reason: str
    undeliverable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """The provider doesn't have it and may take it after a pause. It uses up no attempt.

    spread: how far apart notices are tried again that are put off at the same time. stops_channel: no other message of
    the channel would be taken either.
    """

    reason: str
    pause: timedelta
    spread: timedelta = timedelta(0)
    stops_channel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """The provider may have it: it must not be sent again by itself."""

    reason: str


type ProviderAnswer = Accepted | Rejected | Postponed | Unanswered


def may_be_taken(notice: Notice, now: datetime) -> bool:
    """Whether a notice waits to be sent now. One that was scheduled again waits until it is due."""
    due = notice.status is NoticeStatus.SCHEDULED and notice.scheduled_for <= now
    return due or notice.status is NoticeStatus.QUEUED


def claimed(notice: Notice, send: Send, link_id: str, now: datetime) -> Notice:
    """The row while the provider has its message: with the level, bills, type and template judged now."""
    return moved(
        notice,
        NoticeStatus.SENDING,
        now,
        ACTORS[notice.channel],
        notification_type=send.notification_type,
        level=send.level,
        bills=send.bills,
        template_id=send.template_id,
        attempt=notice.attempt + 1,
        lease_until=_while_sending(notice, now),
        sent_to=masked(send.contact),
        to_test_contact=send.contact.test,
        provider_message_id="",  # an earlier sending's; by it delivery reports are distinguished
        link_id=link_id,
    )


def _while_sending(notice: Notice, now: datetime) -> datetime:
    """When the scheduler looks at a claimed notice: at the end of its queue's lease, if that is far enough, and near.

    So its place in the due index stays, which costs nothing; else it has a lease of its own.
    """
    queued_until, soonest = notice.lease_until, now + SENDING_LEASE
    near = queued_until is not None and soonest <= queued_until <= now + LONGEST_SENDING_LEASE
    return queued_until if queued_until and near else soonest


def refused(notice: Notice, verdict: Refuse, now: datetime) -> Notice:
    """The row of a notice that may not be sent."""
    actor = ACTORS[notice.channel]
    return moved(notice, NoticeStatus.WILL_NOT_SEND, now, actor, str(verdict.reason), lease_until=None)


def deferred(notice: Notice, verdict: Defer, now: datetime) -> Notice:
    """The row of a notice that goes at another time."""
    return _scheduled(notice, verdict.until, str(verdict.reason), now)


def held_back(notice: Notice, until: datetime, reason: str, now: datetime) -> Notice:
    """The row of a notice that may go, but whose channel takes none at the moment. It uses up no attempt."""
    return _scheduled(notice, until, reason, now)


def uncomposable(notice: Notice, reason: str, now: datetime) -> Notice:
    """The row of a notice that no message could be made of: it stands on the worklist."""
    return moved(notice, NoticeStatus.DELIVERY_ERROR, now, ACTORS[notice.channel], reason, lease_until=None)


def answered(notice: Notice, answer: ProviderAnswer, now: datetime) -> Notice:
    """The row after the provider answered, or didn't."""
    actor = ACTORS[notice.channel]
    match answer:
        case Accepted():
            return moved(
                notice,
                NoticeStatus.SENT,
                now,
                actor,
                sent_at=now,
                provider_message_id=answer.message_id,
                link_id=answer.link_id or notice.link_id,
                letter=answer.letter,
                lease_until=None,
            )
        case Rejected():
            status = NoticeStatus.UNDELIVERABLE_PERMANENT if answer.undeliverable else NoticeStatus.DELIVERY_ERROR
            return moved(notice, status, now, actor, answer.reason, lease_until=None)
        case Postponed():
            until = now + answer.pause + spread(notice.notice_id, answer.spread)
            again = _scheduled(notice, until, answer.reason, now)
            return replace(again, attempt=notice.attempt - 1)
        case Unanswered():
            return unknown(notice, now, actor, answer.reason)


def answered_late(current: Notice, taken: Notice, answer: ProviderAnswer, now: datetime) -> Notice | None:
    """The row after an answer, where it isn't as it was taken or couldn't be written; None: the answer changes nothing.

    A notice's lease may end while the provider is being called: it is Unknown by then, or waits already to be sent once
    more, or that was stopped. An acceptance or a refusal settles it in any of these. A provider's event, or a later
    sending, knows better.
    """
    if current.attempt != taken.attempt:
        return None
    if current.status is NoticeStatus.SENDING:
        return answered(current, answer, now)
    given_up = current.status in BETWEEN | {NoticeStatus.UNKNOWN} and possibly_sent(current)
    if not given_up or isinstance(answer, Unanswered):
        return None
    if isinstance(answer, Postponed) and current.status is not NoticeStatus.UNKNOWN:
        return None
    return answered(report_settled(current), answer, now)


def failure(
    book: AccountBook, notice: Notice, answer: Rejected, now: datetime, organization: Organization | None = None
) -> Change | None:
    """What a rejection changes for the account: it is planned again, and an address that can't be reached is noted.

    Whether the guarantor is then opted out of the channel, the `organization` says.

    None: somebody else has settled the row since it was given to the provider.
    """
    current = book.notice(notice.notice_id)
    after = answered_late(current, notice, answer, now) if current else None
    if after is None:
        return None
    failed = Change(account=replace(book.account, planning_at=now), notices=(after,))
    if not answer.undeliverable:
        return failed
    account = after_bounce(failed.account, notice, organization)
    actor, source = ACTORS[notice.channel], ConsentSource.RETURNED_MESSAGE
    changed = change_account(book.after(failed), account, now, actor, source=source)
    return failed.then(changed) if changed else failed


def _scheduled(notice: Notice, until: datetime, reason: str, now: datetime) -> Notice:
    actor = ACTORS[notice.channel]
    return moved(notice, NoticeStatus.SCHEDULED, now, actor, reason, scheduled_for=until, lease_until=None)
