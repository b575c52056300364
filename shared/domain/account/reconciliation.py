"""What becomes of a notice without a delivery report: how leases end, and what happens to what was possibly sent.

A message that a provider may have is never sent again by itself. Its event settles it; only when none has come after a
wait is it sent once more, marked as a possible duplicate. After that it needs manual review.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise, takewhile

from shared.domain.records.notice import PENDING, Notice, moved
from shared.domain.records.transitions import ON_THE_CLOCK, STOPPED, WAITING
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.words import Channel
from shared.domain.vocabulary.words import NoticeStatus as S

RECONCILE_AFTER = {Channel.EMAIL: timedelta(hours=1), Channel.SMS: timedelta(hours=4)}
"""How long a delivery report is waited for. Letters aren't here: one is an object that is written at most once."""

LETTER_PAUSE = timedelta(minutes=2)
"""How long the store is left alone when it didn't answer about a letter."""

POSSIBLY_SENT = "the provider may have it"
SENT_ONCE_MORE = "no delivery report from the provider; sent once more, may be a duplicate"
NEEDS_MANUAL_REVIEW = "no delivery report after the second attempt: needs manual review"
LEASE_ENDED = "its lease ended"

STUCK_AFTER = 5
"""After so many leases in a queue without being taken, or sendings that no provider took, a notice is stuck."""

LONGEST_LEASE = timedelta(days=1)
"""How seldom a stuck notice is queued again: where it is the notice's own fault, each time is another dead letter."""

OVERDUE = timedelta(hours=1)
"""So long after its time, or its lease's end, a notice shows that the scheduler doesn't run."""

WITHOUT_REPORT = frozenset({S.SCHEDULED, S.QUEUED, S.SENDING, S.WILL_NOT_SEND, S.CANCELLED, S.ARCHIVED})
"""Entries of a history that say nothing of whether a message arrived."""

BETWEEN = frozenset({*WAITING, *STOPPED})
"""Statuses in which nothing is under way: what was possibly sent there is an earlier sending."""


def unknown(notice: Notice, at: datetime, actor: str, reason: str = POSSIBLY_SENT) -> Notice:
    """The row of a message of which it isn't known whether the provider has it.

    The first time it gets a lease, after which it is sent once more; the second time it stays for manual review. A
    letter is queued again instead: writing it twice makes one letter.
    """
    wait = RECONCILE_AFTER.get(notice.channel)
    if wait is None:
        return moved(notice, S.QUEUED, at, actor, reason, lease_until=at + LETTER_PAUSE)
    if notice.possible_duplicate:
        return moved(notice, S.UNKNOWN, at, actor, NEEDS_MANUAL_REVIEW, lease_until=None)
    return moved(notice, S.UNKNOWN, at, actor, reason, lease_until=at + wait)


def lease_ended(notice: Notice, now: datetime, lease_until: datetime) -> Notice:
    """What becomes of a notice whose lease ended before a result was recorded.

    One that waits in a queue is queued once more, until `lease_until`. One that was being sent may have gone, so it
    becomes Unknown. One that is Unknown for the first time is scheduled once more, for now, and judged as ever.
    """
    match notice.status:
        case S.SENDING if notice.channel.electronic:
            return unknown(notice, now, Actor.SCHEDULER)
        case S.UNKNOWN if notice.possible_duplicate or not notice.channel.electronic:
            return moved(notice, S.UNKNOWN, now, Actor.SCHEDULER, NEEDS_MANUAL_REVIEW, lease_until=None)
        case S.UNKNOWN:
            again = {"scheduled_for": now, "lease_until": None, "possible_duplicate": True}
            return moved(notice, S.SCHEDULED, now, Actor.SCHEDULER, SENT_ONCE_MORE, **again)
    return moved(notice, S.QUEUED, now, Actor.SCHEDULER, LEASE_ENDED, lease_until=lease_until)


def possibly_sent(notice: Notice) -> bool:
    """Whether a provider may have the notice from a sending without a delivery report.

    That stays so while it waits to be sent once more, and when that is stopped; a sending that the provider surely
    doesn't have changes nothing. A letter is possibly sent once it was queued again, until it is known to be stored.
    """
    if notice.status is S.UNKNOWN or notice.attempt == 0:
        return notice.status is S.UNKNOWN
    newest_first = [entry.status for entry in reversed(notice.status_history)]
    since = list(takewhile(lambda status: status in WITHOUT_REPORT, newest_first))
    return S.UNKNOWN in newest_first[len(since) : len(since) + 1] or (S.QUEUED, S.SENDING) in pairwise(since)


def report_settled(notice: Notice) -> Notice:
    """A notice whose earlier sending has a report now: what was to be sent once more, and wasn't, is no duplicate."""
    unreported = sum(entry.status is S.UNKNOWN for entry in notice.status_history)
    waited = notice.status in BETWEEN and unreported == 1
    return replace(notice, possible_duplicate=notice.possible_duplicate and not waited)


def sent_twice(notice: Notice) -> bool:
    """Whether a notice was given to the provider once more though an earlier sending may have arrived."""
    return report_settled(notice).possible_duplicate


def sent_once_more(notice: Notice) -> bool:
    """Whether this very sending, the last, is the first since an earlier one may have arrived.

    The provider may take it only after some pauses; a later one follows an answer, so it doubles nothing more.
    """
    since = tuple(takewhile(lambda entry: entry.status is not S.UNKNOWN, reversed(notice.status_history)))
    return notice.possible_duplicate and sum(entry.status is S.SENDING for entry in since) == 1


def leases_ended(notice: Notice) -> int:
    """How many leases in its queue have ended in a row, nobody having taken it."""
    count = 0
    for entry in reversed(notice.status_history):
        if entry.status is not S.QUEUED:
            break
        count += entry.reason == LEASE_ENDED
    return count


def attempts_not_taken(notice: Notice) -> int:
    """How many sendings in a row its provider couldn't be reached for, or put off."""
    since = takewhile(lambda entry: entry.status in PENDING, reversed(notice.status_history))
    return sum(entry.status is S.SENDING for entry in since) - (notice.status is S.SENDING)


def retries_exhausted(notice: Notice) -> bool:
    """Whether a notice was queued or tried so often without success that an operator should look."""
    return _retries(notice) >= STUCK_AFTER


def becomes_stuck(notice: Notice) -> bool:
    """Whether a notice's retries have just been exhausted: it is told of once, so that the next one is heard."""
    return _retries(notice) == STUCK_AFTER


def _retries(notice: Notice) -> int:
    return max(leases_ended(notice), attempts_not_taken(notice))


def next_lease(notice: Notice, usual: timedelta) -> timedelta:
    """How long a queue has a notice that it had before: longer each time once it is stuck.

    Its messages stay where they are: when what kept it is mended, they are taken, whatever its lease
    (docs/rules.md#poisoned-notice).
    """
    doublings = min(max(leases_ended(notice) + 1 - STUCK_AFTER, 0), 10)
    return min(usual * (1 << doublings), LONGEST_LEASE)


def stuck(notice: Notice, now: datetime) -> bool:
    """Whether a notice is long overdue, or its retries are exhausted."""
    on_time = notice.scheduled_for if notice.status is S.SCHEDULED else notice.lease_until
    waits = notice.status in ON_THE_CLOCK
    overdue = waits and on_time is not None and on_time + OVERDUE < now
    return overdue or retries_exhausted(notice)
