"""What comes of one look at the due index."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.records.notice import Notice
from shared.storage.due_index import Due, DueRow, DueWebhook


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one due item.

    steps: how much of it was done; moved: the notice as it was moved; webhook: the delivery that is to be attempted;
    again_at: it was set aside because it failed, or waits because its channel is stopped, and is tried again then.
    """

    steps: int
    moved: Notice | None = None
    webhook: DueWebhook | None = None
    again_at: datetime | None = None


NOTHING = Done(0)
"""Somebody else has done it, or is about to."""


@dataclass(slots=True)
class Round:
    """One look at the due index, from the first to the last thing that is due in each shard, and what came of them.

    undone: what is still due after it. failed: what of that failed, and couldn't even be set aside. held: whether
    another run works on a shard. oldest_due_at: since when the oldest of what was found is due.
    """

    steps: Counter[type[Due]] = field(default_factory=Counter)
    undone: set[DueRow] = field(default_factory=set)
    failed: set[DueRow] = field(default_factory=set)
    held: bool = False
    cut_short: bool = False
    dispatched: int = 0
    next_due_at: datetime | None = None
    oldest_due_at: datetime | None = None

    def finds(self, due_at: datetime | None) -> None:
        """Note since when something is due; None: nothing is."""
        known = [moment for moment in (self.oldest_due_at, due_at) if moment]
        self.oldest_due_at = min(known, default=None)

    def note(self, row: DueRow, done: Done | None) -> None:
        """Note what came of a row; None: it failed and is still due."""
        if done is None:
            self.failed.add(row)
        if done is None or done is NOTHING:
            self.undone.add(row)
        else:
            self.steps[type(row.what)] += done.steps
            self.comes(done.again_at)

    def comes(self, instant: datetime | None) -> None:
        """Note when something will be due; None: nothing that is known of."""
        known = [moment for moment in (self.next_due_at, instant) if moment]
        self.next_due_at = min(known, default=None)

    @property
    def complete(self) -> bool:
        """Whether nothing is left that is due now."""
        return not (self.undone or self.held or self.cut_short)

    def ends(self, before: "Round | None") -> bool:
        """Whether another round would do no more: nothing was done, and nothing is left but what was left before."""
        return not self.steps.total() and (not self.undone or (before is not None and self.undone <= before.undone))
