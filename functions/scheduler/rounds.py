"""What comes of one look at the due index."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.records.notice import Notice
from shared.storage.due_index import Due


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one due item. steps: how much of it was done; moved: the notice as it was moved."""

    steps: int
    moved: Notice | None = None


NOTHING = Done(0)
"""Somebody else has done it, or is about to."""


@dataclass(slots=True)
class Round:
    """One look at the due index, and what came of all that was due."""

    due: list[Due]
    next_due_at: datetime | None
    steps: Counter[type[Due]] = field(default_factory=Counter)
    moved: list[Notice] = field(default_factory=list)
    failed: list[Due] = field(default_factory=list)
    dispatched: int = 0

    def note(self, item: Due, done: Done | None) -> None:
        """Note what came of an item; None: it failed."""
        if done is None:
            self.failed.append(item)
            return
        self.steps[type(item)] += done.steps
        if done.moved:
            self.moved.append(done.moved)

    def repeats(self, before: "Round | None") -> bool:
        """Whether it found what the round before it had left, and could do nothing about it either."""
        return before is not None and self.due == before.due and not self.steps.total()
