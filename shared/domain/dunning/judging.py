"""Judging again at the moment of sending: message, recipient and eligibility (docs/rules.md#judged-again)."""

from dataclasses import replace
from datetime import datetime

from shared.domain.account.consents import refuses_emails
from shared.domain.account.contacts import GUARANTOR, Contact, contact_for, opted_out
from shared.domain.account.ledger import speaks_of, taken_days
from shared.domain.account.reconciliation import in_doubt
from shared.domain.account.stopping import lost_cause
from shared.domain.calendar.send_window import first_moment, first_waking_moment, permitted
from shared.domain.dunning.decision import Defer, Refuse, Send, Verdict
from shared.domain.dunning.rules import decide, template_of
from shared.domain.dunning.situation import (
    ChannelDecision,
    ChannelQuestion,
    DueBill,
    Situation,
    account_stop,
    reached,
    told_electronically,
    top_of,
)
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice
from shared.domain.records.policy import SYSTEM_DEFAULT_TEMPLATE, Organization
from shared.domain.records.statement import Patient
from shared.domain.vocabulary.reasons import CLOSED_BILL_REASONS, OPT_OUT_REASONS, Reason
from shared.domain.vocabulary.words import AccountStatus, Channel, NoticeStatus, NotificationType

ASKED_FOR = frozenset({NotificationType.PAYMENT_LINK, NotificationType.RECEIPT})
"""Answers to something the recipient did or asked for just now: no quiet hours, and an email opt-out doesn't hold."""


def judge(
    notice: Notice,
    book: AccountBook,
    organization: Organization,
    now: datetime,
    patient: Patient | None = None,
) -> Verdict:
    """Decide at the moment of sending whether a notice goes, with which message, about what, and to whom.

    The notice itself doesn't count as told. A disabled organization's queue still goes; one that isn't active sends
    nothing (docs/rules.md#disabled-communications and #active-organization). `patient` is needed for a notice to a
    patient.
    """
    if organization.account_status is not AccountStatus.ACTIVE:
        return Refuse(reason=Reason.ORGANIZATION_NOT_ACTIVE)
    if not notice.notification_type.dunning:
        return _judge_occasional(notice, book, organization, now, patient)
    return _judge_dunning(notice, Situation(book=_without(notice, book), organization=organization, now=now))


def _judge_dunning(notice: Notice, situation: Situation) -> Verdict:
    """Judge a step's notice among the others of its book."""
    lost = account_stop(situation) or lost_cause(notice, situation.book)
    if lost:
        return Refuse(reason=lost)
    due = _still_due(notice, situation)
    if not due:
        return Refuse(reason=Reason.STEP_ALREADY_SENT)
    decision = decide(_question(notice, situation, due), due)
    if not decision.goes:
        return Refuse(reason=decision.reason)
    contact = contact_for(notice.channel, situation.book, situation.organization)
    if isinstance(contact, Reason):
        return Refuse(reason=contact)
    return _not_now(notice, situation) or _send(decision, contact)


def _without(notice: Notice, book: AccountBook) -> AccountBook:
    """The book without the notice, and without those queued behind it, so that two never wait for each other."""

    def behind(other: Notice) -> bool:
        later = (other.scheduled_for, other.notice_id) > (notice.scheduled_for, notice.notice_id)
        on_its_way = other.status is NoticeStatus.SCHEDULED and in_doubt(other)
        return later and (on_its_way or other.status is NoticeStatus.QUEUED)

    others = [other for other in book.notices if other.notice_id != notice.notice_id and not behind(other)]
    return replace(book, notices=tuple(others))


def _still_due(notice: Notice, situation: Situation) -> tuple[DueBill, ...]:
    """The notice's bills at the step that is current now, unless another notice on this channel told of it.

    Bills that came due since wait for the next plan, which sees to all the channels of their step.
    """
    due = list[DueBill]()
    for bill in situation.open_bills:
        current = situation.step_of(bill, situation.today)
        if bill.statement_id not in notice.statement_ids or current is None:
            continue
        if not reached(situation, bill, current, notice.channel):
            due.append(DueBill(bill=bill, current=current))
    return tuple(due)


def _question(notice: Notice, situation: Situation, due: tuple[DueBill, ...]) -> ChannelQuestion:
    """Ask for today; an electronic notice that still waits for its time counts as going."""
    waiting = [
        other for other in situation.notices if other.channel.electronic and other.status is NoticeStatus.SCHEDULED
    ]
    electronically = {
        entry.bill.statement_id
        for entry in due
        if told_electronically(situation, entry.bill, entry.current)
        or any(speaks_of(other, entry.bill) for other in waiting)
    }
    return ChannelQuestion(
        situation=situation,
        channel=notice.channel,
        day=situation.today,
        electronically=frozenset(electronically),
    )


def _not_now(notice: Notice, situation: Situation) -> Verdict | None:
    """Put off what would go outside the permitted hours, or beside another notice of the same day."""
    organization, account, channel = situation.organization, situation.book.account, notice.channel
    taken = taken_days(situation.notices, account, channel, situation.now, situation.zone)
    today_is_taken = taken(situation.today)
    if permitted(situation.now, channel, organization, account) and not today_is_taken:
        return None
    until = first_moment(channel, organization, account, situation.now, taken)
    if until is None:
        return Refuse(reason=Reason.NO_PERMITTED_HOUR)
    return Defer(until=until, reason=Reason.SENT_TODAY if today_is_taken else Reason.OUTSIDE_HOURS)


def _send(decision: ChannelDecision, contact: Contact) -> Send:
    deciding = top_of(decision.bills).current
    return Send(
        notification_type=deciding.step.notification_type,
        level=deciding.level,
        bills=tuple(due.entry for due in decision.bills),
        template_id=template_of(deciding.step, decision.channel),
        contact=contact,
    )


def _judge_occasional(
    notice: Notice, book: AccountBook, organization: Organization, now: datetime, patient: Patient | None
) -> Verdict:
    """Judge what no step asked for: a receipt, a payment link, a message on demand.

    Thresholds, holds, opening hours and levels don't concern it. Nobody is asked for money that isn't owed any more.
    A text never goes to someone who opted out of texts; one on demand keeps to the quiet hours.
    """
    if notice.notification_type is not NotificationType.RECEIPT:
        bills = [book.bill(statement_id) for statement_id in notice.statement_ids]
        if bills and not any(bill and bill.payable for bill in bills):
            return Refuse(
                reason=next((CLOSED_BILL_REASONS[bill.status] for bill in bills if bill), Reason.NO_OPEN_BILL)
            )
    asked_for = notice.notification_type in ASKED_FOR
    if _unwanted(notice, book) and not (asked_for and notice.channel is not Channel.SMS):
        return Refuse(reason=OPT_OUT_REASONS[notice.channel])
    contact = contact_for(notice.channel, book, organization, notice.send_to, patient)
    if isinstance(contact, Reason):
        return Refuse(reason=contact)
    if notice.channel is Channel.SMS and not asked_for:
        awake = first_waking_moment(organization, book.account, now)
        if awake is None:
            return Refuse(reason=Reason.NO_PERMITTED_HOUR)
        if awake > now:
            return Defer(until=awake, reason=Reason.OUTSIDE_HOURS)
    return Send(
        notification_type=notice.notification_type,
        level=0,
        bills=notice.bills,
        template_id=notice.template_id or SYSTEM_DEFAULT_TEMPLATE,
        contact=contact,
    )


def _unwanted(notice: Notice, book: AccountBook) -> bool:
    """Whether the guarantor opted out of the channel, or another recipient unsubscribed from emails."""
    other = notice.channel is Channel.EMAIL and notice.send_to != GUARANTOR
    return opted_out(notice.channel, book.account) or (other and refuses_emails(book, notice.send_to))
