"""What time it is for an event, which itself has real time only."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.records.book import AccountBook


@dataclass(frozen=True, slots=True)
class Clock:
    """The time that an account's events are judged by. simulated: whether the stack's time is made up."""

    simulated: bool

    def at(self, book: AccountBook, now: datetime, notice_id: str = "") -> datetime:
        """Now; where time is simulated, when the notice that the event is about (or any) was last moved."""
        if not self.simulated:
            return now
        about = (notice for notice in book.notices if notice_id in {"", notice.notice_id})
        return max((change.at for notice in about for change in notice.status_history), default=now)
