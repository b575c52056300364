"""Judging again at the moment of sending: message, recipient and eligibility (docs/rules.md#judged-again)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.account.consents import opted_out_of_emails
from shared.domain.account.contacts import GUARANTOR, Contact, contact_for, opted_out
from shared.domain.account.ledger import taken_days
from shared.domain.account.pauses import without_ended_pauses
from shared.domain.account.reconciliation import possibly_sent
from shared.domain.account.stopping import lost_cause
from shared.domain.calendar.send_window import first_moment, first_waking_moment, local_date, permitted
from shared.domain.dunning.decision import Defer, Refuse, Send, Verdict
from shared.domain.dunning.rules import decide, template_of
from shared.domain.dunning.situation import (
    ChannelDecision,
    ChannelQuestion,
    DueBill,
    Situation,
    account_stop,
    standing_stop,
    top_of,
)
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice
from shared.domain.records.policy import SYSTEM_DEFAULT_TEMPLATE, Organization
from shared.domain.records.statement import Patient
from shared.domain.vocabulary.reasons import OPT_OUT_REASONS, Reason, closed_bill_reason
from shared.domain.vocabulary.words import Channel, NoticeStatus, NotificationType


def judge(
    notice: Notice,
    book: AccountBook,
    organization: Organization,
    now: datetime,
    patient: Patient | None = None,
) -> Verdict:
    """Decide at the moment of sending whether a notice goes, with which message, about what, and to whom.

    The notice itself doesn't count as sent. A disabled organization's queue still goes; one that isn't active sends
    nothing (docs/rules.md#disabled-communications and #active-organization). `patient` is needed for a notice to a
    patient.
    """
    inactive = standing_stop(organization)
    if inactive:
        return Refuse(reason=inactive)
    if not notice.notification_type.dunning:
        occasion = _Occasion(notice=notice, book=book, organization=organization, now=now, patient=patient)
        return _OCCASIONAL[notice.notification_type](occasion)
    book = without_ended_pauses(book, local_date(now, organization.zone))
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
        on_its_way = other.status is NoticeStatus.SCHEDULED and possibly_sent(other)
        return later and (on_its_way or other.status is NoticeStatus.QUEUED)

    others = [other for other in book.notices if other.notice_id != notice.notice_id and not behind(other)]
    return replace(book, notices=tuple(others))


def _still_due(notice: Notice, situation: Situation) -> tuple[DueBill, ...]:
    """The notice's bills at the step that is current now, unless another notice on this channel covers it.

    Bills that came due since wait for the next plan, which plans all the channels of their step. A step other than the
    one that the notice was planned for goes only if no channel sent it: another preset may have put the bill back at
    one (docs/rules.md#higher-level-only).
    """
    due, about = list[DueBill](), {entry.statement_id: entry.level for entry in notice.bills}
    for bill in situation.open_bills:
        current = situation.step_of(bill, situation.today)
        if bill.statement_id not in about or current is None:
            continue
        standing, as_planned = situation.standing(bill, current), about[bill.statement_id] == current.level
        if not standing.sent(None if not as_planned else notice.channel):
            due.append(DueBill(bill=bill, current=current))
    return tuple(due)


def _question(notice: Notice, situation: Situation, due: tuple[DueBill, ...]) -> ChannelQuestion:
    """Ask for today; an electronic notice that still waits for its time counts as going."""
    electronically = frozenset(
        entry.bill.statement_id
        for entry in due
        if situation.standing(entry.bill, entry.current).sent_or_planned_electronically
    )
    return ChannelQuestion(
        situation=situation, channel=notice.channel, day=situation.today, electronically=electronically
    )


def _not_now(notice: Notice, situation: Situation) -> Verdict | None:
    """Put off what would go outside the permitted hours, or on the same day as another notice."""
    organization, account, channel = situation.organization, situation.book.account, notice.channel
    taken = taken_days(situation.rows, account, channel, situation.now, situation.zone)
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


# --- what no step asked for: thresholds, holds, opening hours and levels don't concern it ---------------------------


@dataclass(frozen=True, kw_only=True)
class _Occasion:
    """A notice that no step asked for, and what it is judged by."""

    notice: Notice
    book: AccountBook
    organization: Organization
    now: datetime
    patient: Patient | None


def _judge_receipt(occasion: _Occasion) -> Verdict:
    """A receipt goes whatever is owed, at once, and to somebody who opted out of emails too: they have just paid."""
    return _stopped_text(occasion) or _addressed(occasion)


def _judge_payment_link(occasion: _Occasion) -> Verdict:
    """A payment link was asked for just now: no quiet hours, and an email opt-out doesn't hold."""
    return _nothing_owed(occasion) or _stopped_text(occasion) or _addressed(occasion)


def _judge_on_demand(occasion: _Occasion) -> Verdict:
    """A message on demand is wanted by staff, not by whom it goes to: opt-outs hold, and a text waits for the day."""
    refused = _nothing_owed(occasion) or _opted_out(occasion)
    if refused:
        return refused
    verdict = _addressed(occasion)
    return (_asleep(occasion) or verdict) if isinstance(verdict, Send) else verdict


_OCCASIONAL: Mapping[NotificationType, Callable[[_Occasion], Verdict]] = {
    NotificationType.RECEIPT: _judge_receipt,
    NotificationType.PAYMENT_LINK: _judge_payment_link,
    NotificationType.ON_DEMAND: _judge_on_demand,
}


def _nothing_owed(occasion: _Occasion) -> Refuse | None:
    """Nobody is asked for money that isn't owed any more."""
    bills = [occasion.book.bill(statement_id) for statement_id in occasion.notice.statement_ids]
    if not bills or any(bill and bill.payable for bill in bills):
        return None
    return Refuse(reason=next((closed_bill_reason(bill.status) for bill in bills if bill), Reason.NO_OPEN_BILL))


def _stopped_text(occasion: _Occasion) -> Refuse | None:
    """A text never goes to someone who opted out of texts."""
    return _opted_out(occasion) if occasion.notice.channel is Channel.SMS else None


def _opted_out(occasion: _Occasion) -> Refuse | None:
    """Where the guarantor opted out of the channel, or another recipient unsubscribed from emails."""
    notice, book = occasion.notice, occasion.book
    other = notice.channel is Channel.EMAIL and notice.send_to != GUARANTOR
    refuses = opted_out(notice.channel, book.account) or (other and opted_out_of_emails(book, notice.send_to))
    return Refuse(reason=OPT_OUT_REASONS[notice.channel]) if refuses else None


def _asleep(occasion: _Occasion) -> Refuse | Defer | None:
    """A text keeps to the quiet hours."""
    if occasion.notice.channel is not Channel.SMS:
        return None
    awake = first_waking_moment(occasion.organization, occasion.book.account, occasion.now)
    if awake is None:
        return Refuse(reason=Reason.NO_PERMITTED_HOUR)
    return Defer(until=awake, reason=Reason.OUTSIDE_HOURS) if awake > occasion.now else None


def _addressed(occasion: _Occasion) -> Send | Refuse:
    """Send it as it is, if whom it goes to can be reached."""
    notice = occasion.notice
    contact = contact_for(notice.channel, occasion.book, occasion.organization, notice.send_to, occasion.patient)
    if isinstance(contact, Reason):
        return Refuse(reason=contact)
    return Send(
        notification_type=notice.notification_type,
        level=0,
        bills=notice.bills,
        template_id=notice.template_id or SYSTEM_DEFAULT_TEMPLATE,
        contact=contact,
    )
