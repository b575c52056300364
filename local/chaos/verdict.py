"""What a cell must come to: the promises of docs/delivery.md, held against what happened."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from local.chaos.cell import CONSUMERS, RECORDED, CellOutcome, EventMode
from shared.domain.records.notice import PENDING
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.storage.items import NEEDS_ATTENTION

if TYPE_CHECKING:
    from shared.domain.records.notice import Notice

MOST_ACCEPTED = 2
"""The message and its one re-send."""


DENIED = frozenset(NoticeStatus) - RECORDED - PENDING - {NoticeStatus.UNKNOWN}
"""No message came back here, so what a provider took has gone."""


def row_of(outcome: CellOutcome) -> Notice | None:
    """The notice that the cell is about; None: there is none, or more than one."""
    rows = [notice for notice in outcome.notices if notice.channel is outcome.cell.channel]
    return rows[0] if len(rows) == 1 else None


def violations(outcome: CellOutcome) -> list[str]:
    """What went against a promise, each in a few words; none: all is well."""
    row = row_of(outcome)
    if row is None:
        return ["not exactly one row in the ledger"]
    checks = {
        "the fault did not come about": not outcome.all_met,
        "it never came to rest": not outcome.quiet or row.status in PENDING,
        "lost: never accepted, and nobody is told": not outcome.accepted and not _told(row),
        "recorded as sent, but never accepted": not outcome.accepted and row.status in RECORDED,
        "accepted, but the ledger says that it didn't go": bool(outcome.accepted) and row.status in DENIED,
        "what failed isn't listed, or something else is": outcome.set_aside != int(outcome.cell.beside_failing),
        "a message was given up by the queue": outcome.dead > 0,
        "the event came, and the row doesn't know": _event_ignored(outcome, row),
        "marked as a possible duplicate without cause": row.possible_duplicate and not _ambiguous(outcome),
        **_duplicates(outcome, row),
    }
    return [text for text, broken in checks.items() if broken]


def _duplicates(outcome: CellOutcome, row: Notice) -> dict[str, bool]:
    if outcome.cell.channel is Channel.PRINT:
        return {
            "a second letter": len(outcome.accepted) > 1 or max(Counter(outcome.letters).values(), default=0) > 1,
            "not in exactly one manifest": sorted(outcome.listed) != [row.notice_id] * len(outcome.accepted),
        }
    twice = len(outcome.accepted) > 1
    window = outcome.unrecorded and outcome.cell.mode in {EventMode.LATE, EventMode.LOST}
    return {
        "a duplicate outside the window": twice and not window,
        "a duplicate that isn't marked": twice and not row.possible_duplicate,
        "sent again more than once": len(outcome.accepted) > MOST_ACCEPTED,
    }


def _told(row: Notice) -> bool:
    """Whether it stands where people look: on the worklist, with nothing more to happen by itself."""
    return row.status in NEEDS_ATTENTION and row.lease_until is None


def _event_ignored(outcome: CellOutcome, row: Notice) -> bool:
    told = any(one.function == "delivery_events" and one.succeeded for one in outcome.invocations)
    return told and row.status is not NoticeStatus.DELIVERED


def _ambiguous(outcome: CellOutcome) -> bool:
    """Whether a fault met the function that sends: only then may anybody doubt that a message went."""
    return any(fault.function == CONSUMERS[outcome.cell.channel] for fault in outcome.cell.faults)
