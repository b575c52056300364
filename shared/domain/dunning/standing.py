"""Where a bill stands with a step, by the ledger of notices: on which channels it was told, closed, or came back.

A bill's level is never stored; it is read from what went. So a refusal, a late run or a repeated one can't spoil it.
The ledger is gone through once for all bills, so that planning takes twice as long for twice as many, not four times.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from shared.domain.account.ledger import FINAL_REASONS, IN_FLIGHT, NOT_SENT, last_day, moment_of
from shared.domain.calendar.send_window import local_date
from shared.domain.calendar.steps import CurrentStep
from shared.domain.records.bill import Bill
from shared.domain.records.notice import COUNTS_AS_SENT, BillLevel, Notice
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel
from shared.domain.vocabulary.words import NoticeStatus as S

ON_WORKLIST = frozenset({S.UNDELIVERABLE_CAN_RETRY, S.DELIVERY_ERROR, S.QUEUEING_ERROR})
"""It failed, and a person decides whether it is tried again."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A notice that speaks of a statement, with what it says of it. place: in the ledger, and in the notice."""

    place: tuple[int, int]
    notice: Notice
    entry: BillLevel


type Mentions = Mapping[tuple[str, str], Sequence[Mention]]
"""Every mention, by the statement and the aging period that it is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillStanding:
    """What the ledger says of a bill and the step that it is at.

    sent_on: the channels on which a notice of the step went, or is on its way. counts_as_sent: it counts as sent after
    a reset. closed: why a channel isn't tried again for the step, though nothing went on it. bounced_on: the last
    local day on which a notice of the step bounced for now. waits_on: the channels on which a notice about the bill
    waits for its time.
    """

    sent_on: frozenset[Channel]
    counts_as_sent: bool
    closed: Mapping[Channel, Reason]
    bounced_on: Mapping[Channel, date]
    waits_on: frozenset[Channel]

    def sent(self, channel: Channel | None = None) -> bool:
        """Whether the step was told, on a channel or (without one) on any, or counts as sent."""
        return self.counts_as_sent or (channel in self.sent_on if channel else bool(self.sent_on))

    @property
    def sent_electronically(self) -> bool:
        """Whether an electronic notice told the step."""
        return any(channel.electronic for channel in self.sent_on)

    @property
    def sent_or_planned_electronically(self) -> bool:
        """Whether an electronic notice told the step, or one about the bill waits for its time."""
        return any(channel.electronic for channel in self.sent_on | self.waits_on)


def mentions_in(notices: Iterable[Notice]) -> Mentions:
    """Everything that notices say of statements, in their order."""
    found = dict[tuple[str, str], list[Mention]]()
    for row, notice in enumerate(notices):
        for n, entry in enumerate(notice.bills):
            found.setdefault((entry.statement_id, entry.aging_period), []).append(Mention((row, n), notice, entry))
    return found


def standing_of(bill: Bill, current: CurrentStep, mentions: Mentions, zone: ZoneInfo) -> BillStanding:
    """Where a bill stands with a step, by what notices say of it in its present aging period."""
    about = _about(bill, mentions)
    closed, bounced_on = dict[Channel, Reason](), dict[Channel, date]()
    for mention in about:
        channel = mention.notice.channel
        reason, day = _closes(mention, bill, current, zone), _bounced(mention, bill, current, zone)
        if reason:
            closed.setdefault(channel, reason)
        if day:
            bounced_on[channel] = max(day, bounced_on.get(channel, day))
    return BillStanding(
        sent_on=frozenset(mention.notice.channel for mention in about if _sent(mention, bill, current, zone)),
        counts_as_sent=_counts_as_sent(bill, current),
        closed=closed,
        bounced_on=bounced_on,
        waits_on=frozenset(mention.notice.channel for mention in about if _waits(mention, bill)),
    )


def _about(bill: Bill, mentions: Mentions) -> list[Mention]:
    """The notices about a bill or those whose place it took, in the ledger's order, each by the first it says."""
    found = [mention for name in bill.statement_ids for mention in mentions.get((name, bill.aging_period), ())]
    once = dict[int, Mention]()
    for mention in sorted(found, key=lambda mention: mention.place):
        once.setdefault(mention.place[0], mention)
    return list(once.values())


def _sent(mention: Mention, bill: Bill, current: CurrentStep, zone: ZoneInfo) -> bool:
    """Whether a notice that was sent, or is on its way, covers the step that a bill is at.

    A higher level covers a lower one, also one that an update asks to be sent again
    (docs/rules.md#higher-level-only). A repetition of the last step is covered only by what was sent on or after the
    day on which it came due, of whatever level: a preset with fewer levels repeats its own last step
    (docs/rules.md#repeated-last-step).
    """
    notice, level = mention.notice, mention.entry.level
    if notice.status not in COUNTS_AS_SENT | IN_FLIGHT or level < current.level:
        return False
    if level == current.level and _before_renewal(notice, bill):
        return False
    if current.round == 0 or notice.status in IN_FLIGHT:
        return True
    return local_date(moment_of(notice), zone) >= current.due_on


def _counts_as_sent(bill: Bill, current: CurrentStep) -> bool:
    """Whether the level that a reset counts as sent covers the step that a bill is at."""
    if bill.level_floor != current.level:
        return bill.level_floor > current.level and current.round == 0
    return bill.renotify_at is None and current.round == 0


def _closes(mention: Mention, bill: Bill, current: CurrentStep, zone: ZoneInfo) -> Reason | None:
    """Why a notice that didn't go keeps its channel from being tried again for the step a bill is at, if it does."""
    notice = mention.notice
    if not _of_step(mention, bill, current, zone):
        return None
    if notice.status in NOT_SENT and notice.reason in FINAL_REASONS:
        return Reason(notice.reason)
    return Reason.ON_WORKLIST if notice.status in ON_WORKLIST else None


def _bounced(mention: Mention, bill: Bill, current: CurrentStep, zone: ZoneInfo) -> date | None:
    """The local day on which a notice of the step a bill is at bounced for now; None: it isn't one, or didn't."""
    notice = mention.notice
    if notice.status is not S.UNDELIVERABLE_CAN_RETRY or not _of_step(mention, bill, current, zone):
        return None
    return local_date(notice.status_history[-1].at if notice.status_history else moment_of(notice), zone)


def _waits(mention: Mention, bill: Bill) -> bool:
    return mention.notice.status is S.SCHEDULED and not _before_renewal(mention.notice, bill)


def _of_step(mention: Mention, bill: Bill, current: CurrentStep, zone: ZoneInfo) -> bool:
    """Whether a notice is of this very step, since it came due and since an update last asked for it again."""
    same_level = mention.entry.level == current.level
    return same_level and not _before_renewal(mention.notice, bill) and last_day(mention.notice, zone) >= current.due_on


def _before_renewal(notice: Notice, bill: Bill) -> bool:
    return bill.renotify_at is not None and notice.status not in IN_FLIGHT and moment_of(notice) < bill.renotify_at
