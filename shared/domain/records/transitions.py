"""The notice's state machine: every move from one status to another that there is, who makes it, and why.

`notice.moved` makes no other. docs/delivery.md shows this table.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.vocabulary.words import NoticeStatus
from shared.domain.vocabulary.words import NoticeStatus as S


class By(StrEnum):
    """Who makes a move."""

    PLANNER = "planner"
    SCHEDULER = "scheduler"
    SENDER = "sender"
    PROVIDER = "provider"
    ACCOUNT = "account"
    STAFF = "staff"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Transition:
    """One move. since: the status that it starts from; None: the notice is new. by: who makes it."""

    since: NoticeStatus | None
    to: NoticeStatus
    by: By
    why: str


class ForbiddenTransitionError(Exception):
    """Somebody asked for a move that isn't in the table: a fault in the code, whatever the data."""

    def __init__(self, since: NoticeStatus | None, to: NoticeStatus) -> None:
        """Name the move."""
        super().__init__(f"a notice never goes from {since or 'nothing'} to {to}")
        self.since, self.to = since, to


WAITING = (S.SCHEDULED, S.QUEUED)
STOPPED = (S.WILL_NOT_SEND, S.CANCELLED)
NOT_DELIVERED = (S.UNDELIVERABLE_CAN_RETRY, S.UNDELIVERABLE_PERMANENT, S.DELIVERY_ERROR)
ERRORS = (*NOT_DELIVERED, S.QUEUEING_ERROR)

LATE_REPORT = "a late delivery report about a sending that had none"


def _moves(by: By, since: Iterable[NoticeStatus | None], to: Iterable[NoticeStatus], why: str) -> Iterator[Transition]:
    ends = tuple(to)
    return (Transition(start, end, by, why) for start in since for end in ends)


TRANSITIONS: tuple[Transition, ...] = (
    # new
    *_moves(By.PLANNER, [None], [S.SCHEDULED], "a step is due"),
    *_moves(By.PLANNER, [None], [S.WILL_NOT_SEND], "a channel of the step isn't used, kept with the reason"),
    *_moves(By.STAFF, [None], [S.SCHEDULED], "a message on demand, or a payment link"),
    *_moves(By.ACCOUNT, [None], [S.SCHEDULED], "a receipt for a payment, or a new link that a patient asked for"),
    # waiting
    *_moves(By.PLANNER, [S.SCHEDULED], [S.SCHEDULED], "moved, or consolidated with what came due since"),
    *_moves(By.PLANNER, [S.SCHEDULED], STOPPED, "nothing is due any more, or another notice covers it"),
    *_moves(By.PLANNER, [S.QUEUED], STOPPED, "its cause is gone"),
    *_moves(By.ACCOUNT, WAITING, STOPPED, "a payment, opt-out, hold or closed bill took its cause away"),
    *_moves(By.STAFF, WAITING, [S.CANCELLED], "cancelled by staff"),
    *_moves(By.SCHEDULER, [S.SCHEDULED], [S.QUEUED], "its time has come"),
    *_moves(By.SCHEDULER, [S.QUEUED], [S.QUEUED], "its lease ended before anybody took it: queued once more"),
    *_moves(By.SCHEDULER, [S.QUEUED], [S.QUEUEING_ERROR], "its queue will never take the message"),
    *_moves(By.ACCOUNT, [S.SCHEDULED], [S.SCHEDULED], "its bill was amended by a later statement"),
    *_moves(By.ACCOUNT, [S.QUEUED], [S.QUEUED], "its bill was amended by a later statement"),
    # judged at the moment of sending
    *_moves(By.SENDER, WAITING, [S.SENDING], "claimed: the provider is called next"),
    *_moves(By.SENDER, WAITING, [S.SCHEDULED], "deferred to a permitted time"),
    *_moves(By.SENDER, WAITING, [S.WILL_NOT_SEND], "refused when it was judged again"),
    *_moves(By.SENDER, WAITING, [S.DELIVERY_ERROR], "no message could be made of it"),
    # what the provider answers to the call
    *_moves(By.SENDER, [S.SENDING], [S.SENT], "accepted"),
    *_moves(By.SENDER, [S.SENDING], [S.UNDELIVERABLE_PERMANENT, S.DELIVERY_ERROR], "refused for good"),
    *_moves(By.SENDER, [S.SENDING], [S.SCHEDULED], "the provider doesn't have it and may take it after a pause"),
    *_moves(By.SENDER, [S.SENDING], [S.UNKNOWN], "no answer: the provider may have it"),
    *_moves(By.SENDER, [S.SENDING], [S.QUEUED], "no answer about a letter, which is written at most once"),
    # no result was recorded
    *_moves(By.SCHEDULER, [S.SENDING], [S.UNKNOWN], "its lease ended: the provider may have it"),
    *_moves(By.SCHEDULER, [S.SENDING], [S.QUEUED], "its lease ended: a letter is written at most once"),
    *_moves(By.SCHEDULER, [S.UNKNOWN], [S.SCHEDULED], "no delivery report after the wait: sent once more, marked"),
    *_moves(By.SCHEDULER, [S.UNKNOWN], [S.UNKNOWN], "it may not be sent once more: needs manual review"),
    # what the provider reports afterwards
    *_moves(By.PROVIDER, [S.SENDING, S.UNKNOWN], [S.SENT], "accepted"),
    *_moves(By.PROVIDER, [S.SENDING, S.SENT, S.UNKNOWN], [S.DELIVERED], "delivered"),
    *_moves(By.PROVIDER, [S.SENDING, S.SENT, S.UNKNOWN], NOT_DELIVERED, "it bounced, or was refused after all"),
    *_moves(By.PROVIDER, [S.SENDING, S.SENT], [S.SCHEDULED], "dropped after all, and may be taken after a pause"),
    *_moves(By.PROVIDER, [S.DELIVERED], [S.UNDELIVERABLE_PERMANENT], "it bounced after it had been accepted"),
    *_moves(By.PROVIDER, [S.UNDELIVERABLE_CAN_RETRY], [S.DELIVERED], "it was delivered after all"),
    *_moves(By.PROVIDER, [*WAITING, *STOPPED], [S.SENT, S.DELIVERED, *NOT_DELIVERED], LATE_REPORT),
    # an answer that came after the lease had ended
    *_moves(By.SENDER, [S.UNKNOWN, *WAITING, *STOPPED], [S.SENT], "accepted, known late"),
    *_moves(
        By.SENDER,
        [S.UNKNOWN, *WAITING, *STOPPED],
        [S.UNDELIVERABLE_PERMANENT, S.DELIVERY_ERROR],
        "refused for good, known late",
    ),
    *_moves(By.SENDER, [S.UNKNOWN], [S.SCHEDULED], "not taken, known late"),
    # what failed or didn't go
    *_moves(By.STAFF, [*ERRORS, S.UNKNOWN], [S.SCHEDULED], "retried by staff"),
    *_moves(By.STAFF, ERRORS, [S.CANCELLED], "cancelled by staff"),
    *_moves(By.STAFF, [*ERRORS, S.UNKNOWN, *STOPPED], [S.ARCHIVED], "archived by staff"),
    *_moves(By.SYSTEM, ERRORS, [S.ARCHIVED], "a later notice to this contact succeeded"),
    *_moves(By.PLANNER, STOPPED, [S.SCHEDULED], "taken up again on its day, its cause being there again"),
    *_moves(By.PLANNER, [S.WILL_NOT_SEND], [S.WILL_NOT_SEND], "refused for another bill too, on the same day"),
    *_moves(By.PLANNER, [S.ARCHIVED], [S.SCHEDULED, S.WILL_NOT_SEND], "it hadn't gone and its day isn't over"),
)
"""Each move once for each who makes it."""

ALLOWED = frozenset((transition.since, transition.to) for transition in TRANSITIONS)

BORN = frozenset(transition.to for transition in TRANSITIONS if transition.since is None)
"""Statuses that a notice begins in."""

ON_THE_CLOCK = frozenset({S.SCHEDULED, S.QUEUED, S.SENDING, S.UNKNOWN})
"""In the due index until somebody moves them; an Unknown one as long as it has a lease."""


def require(since: NoticeStatus | None, to: NoticeStatus) -> None:
    """Raise ForbiddenTransitionError unless the table has the move."""
    if (since, to) not in ALLOWED:
        raise ForbiddenTransitionError(since, to)


def statuses_moved(by: By, to: NoticeStatus) -> frozenset[NoticeStatus]:
    """The statuses from which somebody may move a notice to another."""
    return frozenset(one.since for one in TRANSITIONS if one.by is by and one.to is to and one.since is not None)
