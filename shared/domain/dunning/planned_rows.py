"""The rows of the ledger that a plan writes for a channel: what goes, what ends, what is refused and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from shared.domain.account.ledger import notice_id, refusal_id, refusal_on_record, stopped, with_notices
from shared.domain.calendar.send_window import start_of_day
from shared.domain.dunning.consolidation import Consolidation
from shared.domain.dunning.rules import template_of
from shared.domain.dunning.situation import DueBill, Situation, top_of
from shared.domain.records.notice import Notice, moved, new_notice, scheduled
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel, NoticeStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Where a channel's next notice goes: its day and moment (None: never), and the rows scheduled already."""

    day: date | None
    moment: datetime | None
    scheduled: tuple[Notice, ...] = ()


def planned_rows(situation: Situation, channel: Channel, slot: Slot, result: Consolidation) -> Iterable[Notice]:
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
        configuration_id=situation.configuration.configuration_id,
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
        configuration_id=draft.configuration_id,
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
    # The same step of another configuration is no news: the row keeps the one that asked for it first.
    if replace(updated, configuration_id=waiting.configuration_id) != waiting:
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
