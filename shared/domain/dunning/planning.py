"""Planning: which notices an account should have now, and when to plan again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from shared.domain.account.ledger import taken_days, with_notices
from shared.domain.account.pauses import pause_end, pauses_ended
from shared.domain.account.stopping import cancel_pending
from shared.domain.calendar.send_window import first_moment, hours_return, local_date, permitted, start_of_day
from shared.domain.calendar.steps import next_due_day
from shared.domain.dunning.consolidation import Consolidation, consolidate
from shared.domain.dunning.decision import Finding, Plan
from shared.domain.dunning.explanation import explain_account, explain_bills, explain_results, explain_stopped
from shared.domain.dunning.paper import paper_from
from shared.domain.dunning.planned_rows import Slot, planned_rows
from shared.domain.dunning.situation import ChannelQuestion, DueBill, Situation, account_stop
from shared.domain.dunning.standing import BillStanding
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import PENDING, Notice
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import BillStatus, Channel, CommunicationStatus, NoticeStatus


def plan(book: AccountBook, organization: Organization, now: datetime) -> Plan:
    """Work out the notices that an account should have now.

    Total: it answers for any account at any time, and for the step that is current then, so that a late run sends no
    more than that. Planning again after its own result was written changes nothing. A hold whose end date has come
    ends with it (docs/rules.md#hold-end), and so does the wait for the day to be reminded on (#remind-later).
    """
    over = pauses_ended(book, local_date(now, organization.zone), now)
    planned = _plan(book.after(over) if over else book, organization, now)
    return replace(planned, ended=over)


def _plan(book: AccountBook, organization: Organization, now: datetime) -> Plan:
    ended = _stop_what_has_no_cause(book, organization, now)
    situation = Situation(book=with_notices(book, ended), organization=organization, now=now)
    stop = account_stop(situation)
    if stop:
        again = _pause_end(situation, stop)
        return Plan(
            notices=ended,
            bills=_updates_dropped(situation),
            next_planning_at=again,
            rest_reason="" if again else stop,
            findings=explain_stopped(situation, stop),
        )
    slots = {channel: _slot(situation, channel) for channel in Channel}
    due = {channel: _due(situation, channel, slots[channel]) for channel in Channel}
    questions = {
        channel: ChannelQuestion(situation=situation, channel=channel, day=slots[channel].day) for channel in Channel
    }
    result = consolidate(situation, questions, due)
    rows = {row.notice_id: row for row in ended}
    for channel in Channel:
        rows |= {row.notice_id: row for row in planned_rows(situation, channel, slots[channel], result)}
    next_planning_at, rest_reason = _next_planning(situation, result, held_back=_held_back(situation, slots))
    return Plan(
        notices=tuple(rows.values()),
        bills=_updates_dropped(situation),
        next_planning_at=next_planning_at,
        rest_reason=rest_reason,
        findings=_explain(situation, slots, result),
    )


def _pause_end(situation: Situation, stop: Reason) -> datetime | None:
    """When what stops the account ends by itself; None: it doesn't."""
    end = pause_end(situation.book.account, stop)
    return start_of_day(end, situation.zone) if end else None


def _stop_what_has_no_cause(book: AccountBook, organization: Organization, now: datetime) -> tuple[Notice, ...]:
    """Stop what is pending for a bill, hold or opt-out that forbids it, or for an organization that sends nothing."""
    stop = account_stop(Situation(book=book, organization=organization, now=now))
    if stop:
        return cancel_pending(book, now, Actor.SCHEDULER, stop, everything=True)
    return cancel_pending(book, now, Actor.SCHEDULER)


def _updates_dropped(situation: Situation) -> tuple[Bill, ...]:
    """The bills whose update can send nothing now, as if it hadn't asked: what was sent before covers the step again.

    A step that wasn't sent is due without that. What a disabled organization has under way still goes.
    """
    book, organization = situation.book, situation.organization
    stop = account_stop(situation)
    off = organization.communication_status is not CommunicationStatus.ENABLED
    under_way = {name for row in situation.rows if row.status in PENDING for name in row.statement_ids}
    return tuple(
        _without_update(bill, situation.now)
        for bill in book.bills
        if bill.renotify_at
        and (stop or bill.status is BillStatus.SUSPENDED or (off and bill.statement_id not in under_way))
    )


def _without_update(bill: Bill, now: datetime) -> Bill:
    event = HistoryEvent(at=now, event="NoticeAfterUpdateDropped", actor=Actor.SCHEDULER, reason="nothing is sent now")
    return replace(bill, renotify_at=None, history=(*bill.history, event))


# --- what is due, and where it would go -----------------------------------------------------------------------


def _scheduled(situation: Situation, channel: Channel) -> tuple[Notice, ...]:
    """The notices that wait for their time on a channel; two only where one was put off into the other's day."""
    waiting = [
        notice for notice in situation.notices if notice.channel is channel and notice.status is NoticeStatus.SCHEDULED
    ]
    return tuple(sorted(waiting, key=lambda notice: (notice.scheduled_for, notice.notice_id)))


def _slot(situation: Situation, channel: Channel) -> Slot:
    """The day and moment of a channel's next notice.

    What is scheduled keeps its moment while that is permitted, and on the first day that has one: what had to wait for
    weeks goes sooner when it may.
    """
    book, organization, now = situation.book, situation.organization, situation.now
    scheduled = _scheduled(situation, channel)
    used = taken_days(situation.rows, book.account, channel, now, situation.zone)

    def taken(day: date) -> bool:
        return used(day) or (not scheduled and situation.gone_today and day == situation.today)

    moment = first_moment(channel, organization, book.account, now, taken)
    day = local_date(moment, situation.zone) if moment else None
    if scheduled:
        planned = scheduled[0].scheduled_for
        # Its time has come: the dispatcher takes it as it is, and the sender defers it if the window has closed.
        overdue = planned <= now
        in_place = local_date(planned, situation.zone) == day and permitted(
            planned, channel, organization, book.account
        )
        if overdue or in_place:
            return Slot(day=day, moment=planned, scheduled=scheduled)
    return Slot(day=day, moment=moment, scheduled=scheduled)


def _due(situation: Situation, channel: Channel, slot: Slot) -> tuple[DueBill, ...]:
    """The bills that a notice on a channel would be about, at the step they will be at on the day it goes.

    A bill is due while the step it is at today isn't sent, or while a notice of that step still waits on this very
    so the channels of one step don't silence each other. When the day's notice has gone, what came due since
    isn't added to what is left of it.
    """
    enabled = situation.organization.communication_status is CommunicationStatus.ENABLED
    waiting_for = {(entry.statement_id, entry.level) for notice in slot.scheduled for entry in notice.bills}
    closed_for_others = _closed_for_others(situation, slot)
    due = list[DueBill]()
    for bill in situation.open_bills:
        today, then = (situation.step_of(bill, day) for day in (situation.today, slot.day or situation.today))
        if then is None or _done_with(situation.standing(bill, then), channel):
            continue
        waits = (bill.statement_id, then.level) in waiting_for
        unsent = enabled and today is not None and not situation.standing(bill, today).sent()
        joins = not closed_for_others or bill.statement_id in _statements(slot)
        if waits or (unsent and joins):
            due.append(DueBill(bill=bill, current=then))
    return tuple(due)


def _closed_for_others(situation: Situation, slot: Slot) -> bool:
    """Whether a channel's waiting notice is of a day whose notice has gone on another channel already."""
    return bool(slot.scheduled) and situation.gone_today and slot.day == situation.today


def _statements(slot: Slot) -> set[str]:
    return {name for notice in slot.scheduled for name in notice.statement_ids}


def _held_back(situation: Situation, slots: Mapping[Channel, Slot]) -> bool:
    """Whether a bill waits for the next day, because a channel still has its notice of a day that has gone."""
    closed = [slot for slot in slots.values() if _closed_for_others(situation, slot)]
    return any(
        bill.statement_id not in _statements(slot) and not situation.standing(bill, current).sent()
        for slot in closed
        for bill in situation.open_bills
        if (current := situation.step_of(bill, situation.today))
    )


def _done_with(standing: BillStanding, channel: Channel) -> bool:
    """Whether a step needs no notice on a channel any more: it was told there, or isn't tried again."""
    return standing.sent(channel) or channel in standing.closed


def _next_planning(situation: Situation, result: Consolidation, *, held_back: bool) -> tuple[datetime | None, str]:
    """The local midnight at which a step comes due, drops to paper or has an hour again, or why there is none."""
    if situation.organization.communication_status is not CommunicationStatus.ENABLED:
        return None, Reason.COMMUNICATIONS_DISABLED
    if not situation.open_bills:
        return None, Reason.NO_OPEN_BILL
    no_limit = situation.organization.dunning.no_dunning_limit
    days = [
        day
        for bill in situation.open_bills
        if (day := next_due_day(situation.configuration, bill, situation.today, no_limit=no_limit))
    ]
    days += [situation.today + timedelta(days=1)] if held_back else []
    days += [day for bill in situation.open_bills if (day := _letter_day(situation, bill))]
    days += [day for channel in _without_hours(result) if (day := _hours_day(situation, channel))]
    return (start_of_day(min(days), situation.zone), "") if days else (None, Reason.LAST_STEP_PASSED)


def _letter_day(situation: Situation, bill: Bill) -> date | None:
    """The day to come on which a step whose messages bounced drops to paper, if it does."""
    current = situation.step_of(bill, situation.today)
    if current is None or situation.standing(bill, current).sent():
        return None
    day = paper_from(situation, bill, current)
    return day if day and day > situation.today else None


def _without_hours(result: Consolidation) -> set[Channel]:
    """The channels of steps that stay open because no hour is permitted: no other channel covers their bills."""
    covered = {statement for decision in result.going.values() for statement in decision.statement_ids}
    return {
        channel
        for (channel, reason), bills in result.refused.items()
        if reason is Reason.NO_PERMITTED_HOUR and any(due.bill.statement_id not in covered for due in bills)
    }


def _hours_day(situation: Situation, channel: Channel) -> date | None:
    return hours_return(channel, situation.organization, situation.book.account, situation.now)


def _explain(situation: Situation, slots: dict[Channel, Slot], result: Consolidation) -> tuple[Finding, ...]:
    moments = {channel: slot.moment for channel, slot in slots.items()}
    days = {channel: slot.day for channel, slot in slots.items()}
    return (
        *explain_account(situation),
        *explain_bills(situation),
        *result.findings,
        *explain_results(situation, result, moments, days),
    )
