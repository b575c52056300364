"""Planning: which notices an account should have now, and when to plan again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from shared.domain.account.ledger import (
    notice_id,
    refusal_id,
    refusal_on_record,
    stopped,
    taken_days,
    with_notices,
)
from shared.domain.account.stopping import cancel_pending
from shared.domain.calendar.send_window import first_moment, hours_return, local_date, permitted, start_of_day
from shared.domain.calendar.steps import next_due_day
from shared.domain.dunning.consolidation import Consolidation, consolidate
from shared.domain.dunning.decision import Finding, Plan
from shared.domain.dunning.explanation import explain_account, explain_bills, explain_results, explain_stopped
from shared.domain.dunning.paper import paper_from
from shared.domain.dunning.rules import template_of
from shared.domain.dunning.situation import ChannelQuestion, DueBill, Situation, account_stop, top_of
from shared.domain.dunning.standing import BillStanding
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import PENDING, Notice, moved, new_notice, scheduled
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import BillStatus, Channel, CommunicationStatus, NoticeStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Where a channel's next notice goes: its day and moment (None: never), and the rows scheduled already."""

    day: date | None
    moment: datetime | None
    scheduled: tuple[Notice, ...] = ()


def plan(book: AccountBook, organization: Organization, now: datetime) -> Plan:
    """Work out the notices that an account should have now.

    Total: it answers for any account at any time, and for the step that is current then, so that a late run sends no
    more than that. Planning again after its own result was written changes nothing.
    """
    ended = _stop_what_has_no_cause(book, organization, now)
    situation = Situation(book=with_notices(book, ended), organization=organization, now=now)
    stop = account_stop(situation)
    if stop:
        return Plan(
            notices=ended,
            bills=_updates_dropped(situation),
            next_planning_at=None,
            rest_reason=stop,
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
        rows |= {row.notice_id: row for row in _rows(situation, channel, slots[channel], result)}
    next_planning_at, rest_reason = _next_planning(situation, result, held_back=_held_back(situation, slots))
    return Plan(
        notices=tuple(rows.values()),
        bills=_updates_dropped(situation),
        next_planning_at=next_planning_at,
        rest_reason=rest_reason,
        findings=_explain(situation, slots, result),
    )


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
    channel: so the channels of one step don't silence each other. When the day's notice has gone, what came due since
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


# --- the rows to write ------------------------------------------------------------------------------------------


def _rows(situation: Situation, channel: Channel, slot: Slot, result: Consolidation) -> Iterable[Notice]:
    """The rows that differ from what the ledger has for a channel."""
    for surplus in slot.scheduled[1:]:
        yield stopped(surplus, situation.now, Actor.SCHEDULER, Reason.MERGED)
    going = result.going.get(channel)
    refused = {reason: bills for (on, reason), bills in result.refused.items() if on is channel}
    if going:
        yield from _going_row(situation, channel, slot, going.bills)
    elif slot.scheduled:
        reason = next(iter(refused), None) or _why_undue(situation, slot.scheduled[0], channel, slot)
        ended = stopped(slot.scheduled[0], situation.now, Actor.SCHEDULER, reason)
        situation = replace(situation, book=with_notices(situation.book, (ended,)))
        yield ended
    for reason, bills in refused.items():
        yield from _refused_row(situation, channel, slot, bills, reason)


def _why_undue(situation: Situation, notice: Notice, channel: Channel, slot: Slot) -> Reason:
    """Why nothing is due any more for a notice that was planned."""
    for statement_id in notice.statement_ids:
        bill = situation.book.bill(statement_id)
        current = situation.step_of(bill, slot.day or situation.today) if bill and bill.open else None
        if bill is None or current is None:
            continue
        standing = situation.standing(bill, current)
        if standing.sent(channel):
            return Reason.STEP_ALREADY_SENT
        return standing.closed.get(channel, Reason.CHANNEL_NOT_IN_STEP)
    return Reason.NO_STEP_DUE


def _draft(situation: Situation, channel: Channel, slot: Slot, bills: Sequence[DueBill]) -> Notice:
    """The notice about some bills, as if it were the first on its day."""
    account, deciding = situation.book.account, top_of(bills).current
    day = slot.day or situation.today
    return new_notice(
        account,
        notice_id=notice_id(account.org_id, account.account_id, channel, day),
        channel=channel,
        notification_type=deciding.step.notification_type,
        level=deciding.level,
        bills=(due.entry for due in bills),
        scheduled_for=slot.moment or situation.now,
        now=situation.now,
        template_id=template_of(deciding.step, channel),
        ingestion_ids=tuple(sorted({due.bill.ingestion_id for due in bills} - {""})),
    )


def _onto(row: Notice | None, draft: Notice) -> Notice:
    """What a draft says, on a row that is there already: its id, origin, state and history stay."""
    if row is None:
        return draft
    return replace(
        row,
        notification_type=draft.notification_type,
        level=draft.level,
        bills=draft.bills,
        scheduled_for=draft.scheduled_for,
        template_id=draft.template_id,
        ingestion_ids=draft.ingestion_ids,
    )


def _going_row(situation: Situation, channel: Channel, slot: Slot, bills: Sequence[DueBill]) -> Iterable[Notice]:
    """The scheduled notice: a new one, a row of that day taken up again, or the waiting one brought up to date."""
    draft = _draft(situation, channel, slot, bills)
    if not slot.scheduled:
        yield scheduled(
            _onto(situation.book.notice(draft.notice_id), draft), situation.now, Actor.SCHEDULER, Reason.STEP_DUE
        )
        return
    waiting = slot.scheduled[0]
    updated = _onto(waiting, draft)
    if updated != waiting:
        only_moved = replace(updated, scheduled_for=waiting.scheduled_for) == waiting
        yield scheduled(updated, situation.now, Actor.SCHEDULER, Reason.MOVED if only_moved else Reason.CONSOLIDATED)


def _refused_row(
    situation: Situation, channel: Channel, slot: Slot, bills: Sequence[DueBill], reason: Reason
) -> Iterable[Notice]:
    """The row that says why a channel of the step isn't used, unless one says so already."""
    account, day = situation.book.account, slot.day or situation.today
    row_id = refusal_id(account.org_id, account.account_id, channel, day, reason)
    # An overdue notice that is stopped leaves its moment in the slot; the refusal is of the day it would go on now.
    moment = max(slot.moment or situation.now, start_of_day(day, situation.zone))
    draft = replace(_draft(situation, channel, slot, bills), notice_id=row_id, reason=reason, scheduled_for=moment)
    due_on = max(due.current.due_on for due in bills)
    asked_again = max((due.bill.renotify_at for due in bills if due.bill.renotify_at), default=None)
    if any(refusal_on_record(row, draft, due_on, situation.zone, asked_again) for row in situation.notices):
        return
    row = situation.book.notice(row_id)
    entries = {entry.statement_id: entry for entry in (*(row.bills if row else ()), *draft.bills)}
    draft = replace(draft, bills=tuple(entries.values()))
    yield moved(_onto(row, draft), NoticeStatus.WILL_NOT_SEND, situation.now, Actor.SCHEDULER, reason)


def _explain(situation: Situation, slots: dict[Channel, Slot], result: Consolidation) -> tuple[Finding, ...]:
    moments = {channel: slot.moment for channel, slot in slots.items()}
    days = {channel: slot.day for channel, slot in slots.items()}
    return (
        *explain_account(situation),
        *explain_bills(situation),
        *result.findings,
        *explain_results(situation, result, moments, days),
    )
