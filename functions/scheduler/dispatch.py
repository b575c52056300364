"""Dispatching: what is due at a time goes to the queue of its channel, marked as queued with a lease before it does.

Were it the other way round, a crash between the two could lose the mark. What a queue doesn't take, or a channel
doesn't do, the end of the lease brings again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from aws_lambda_powertools import Logger

from functions.scheduler.ports import SchedulerPorts
from functions.scheduler.rounds import NOTHING, Done
from shared.domain.account.reconciliation import becomes_stuck, lease_ended, next_lease
from shared.domain.records.notice import Notice, moved
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging.metrics import count, measure
from shared.storage.due_index import DueIngestion, DueNotice, DuePrintBatch

logger = Logger(child=True)

QUEUE_LEASE = timedelta(minutes=15)
"""How long a channel may take with a queued notice before it is queued again; longer than the queue's visibility."""

UNTIL_NEXT_RUN = timedelta(minutes=1)
"""How soon what waits for a stopped channel is looked at again: by the next run."""


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Gives the channels their work at one instant. as_of: passed on to them where time is simulated.

    stopped: the channels that an operator stopped. What is due for them stays as it is (docs/rules.md#stop-and-go).
    rows: notices that were read together, each parsed when it is asked for.
    """

    ports: SchedulerPorts
    now: datetime
    as_of: datetime | None
    stopped: frozenset[Channel] = frozenset()
    rows: Mapping[DueNotice, Callable[[], Notice]] = field(default_factory=dict)

    def reading_together(self, due: Iterable[DueNotice]) -> Self:
        """The dispatcher with these notices read, a hundred a call instead of one by one.

        What moves them states how they were read, so one that has changed since is looked at by the next round.
        """
        if self.stopped.issuperset(Channel):
            return self
        wanted = {(each.org_id, each.account_id, each.notice_id): each for each in due}
        found = self.ports.notices.read_together(wanted)
        return replace(self, rows={wanted[ids]: row for ids, row in found.items()})

    def move_on(self, due: DueNotice) -> Done:
        """Move a due notice to where its time or its lease's end brings it; nothing, if it isn't due any more."""
        if self.stopped.issuperset(Channel):
            return self._waits
        read = self.rows.get(due)
        before = read() if read else self.ports.notices.load(due.org_id, due.account_id, due.notice_id)
        if before and before.channel in self.stopped:
            return self._waits
        after = self._moved_on(before) if before else None
        if before is None or after is None or not self.ports.notices.move(before, after):
            return NOTHING
        return Done(1, moved=after)

    def _moved_on(self, row: Notice) -> Notice | None:
        if row.status is NoticeStatus.SCHEDULED and row.scheduled_for <= self.now:
            lease_until = self.now + QUEUE_LEASE
            return moved(row, NoticeStatus.QUEUED, self.now, "scheduler", lease_until=lease_until)
        if row.lease_until is not None and row.lease_until <= self.now:
            return lease_ended(row, self.now, self.now + next_lease(row, QUEUE_LEASE))
        return None

    def close_print_batch(self, due: DuePrintBatch) -> Done:
        """Have an organization's print batch closed; nothing, if it isn't due any more."""
        if Channel.PRINT in self.stopped:
            return self._waits
        if not self.ports.due_index.lease(due, self.now, self.now + QUEUE_LEASE):
            return NOTHING
        from shared.contracts.messages import ClosePrintBatch  # noqa: PLC0415 - pydantic: an idle sweep needs none

        self.ports.queues.close_print_batch(ClosePrintBatch(org_id=due.org_id, as_of=self.as_of))
        return Done(1)

    @property
    def _waits(self) -> Done:
        return Done(0, again_at=self.now + UNTIL_NEXT_RUN)

    def take_up_file(self, due: DueIngestion) -> Done:
        """Have ingest go on with a statement file; nothing, if it isn't due any more."""
        if not self.ports.due_index.lease(due, self.now, self.now + QUEUE_LEASE):
            return NOTHING
        from shared.contracts.messages import FileToTakeUp  # noqa: PLC0415 - pydantic: an idle sweep needs none

        self.ports.files.take_up(FileToTakeUp(partner_id=due.partner_id, ingestion_id=due.ingestion_id))
        return Done(1)

    def dispatch(self, rows: list[Notice]) -> int:
        """Give the notices that have just been queued to their channels, and answer how many were taken."""
        queued = {
            channel: [row for row in rows if row.channel is channel and row.status is NoticeStatus.QUEUED]
            for channel in Channel
        }
        return sum(self._send(channel, waiting) for channel, waiting in queued.items() if waiting)

    def _send(self, channel: Channel, rows: list[Notice]) -> int:
        """Give a channel its notices, and answer how many were taken.

        A queue that can't be reached holds up no other channel: leases bring its notices back.
        """
        from shared.contracts.messages import NoticeMessage  # noqa: PLC0415 - pydantic: an idle sweep needs none

        messages = {
            NoticeMessage(org_id=row.org_id, account_id=row.account_id, notice_id=row.notice_id, as_of=self.as_of): row
            for row in rows
        }
        try:
            receipt = self.ports.queues.send(channel, messages)
            for row in (messages[message] for message in receipt.refused):
                refusal = "the queue can't carry its ids"
                after = moved(row, NoticeStatus.QUEUEING_ERROR, self.now, "scheduler", refusal, lease_until=None)
                self.ports.notices.move(row, after)
                logger.error("queue refused a notice", extra=_ids(row))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other channels must go on
            left = {"channel": channel, "error": type(error).__name__, "notice_ids": [row.notice_id for row in rows]}
            logger.error("queue not reached", extra=left)  # noqa: TRY400 - a traceback could quote the messages
            return 0
        return receipt.taken


def count_troubled(rows: list[Notice]) -> None:
    """Count for operators what needs them: what has no delivery report, what is stuck, and how late all of it is."""
    _measure_lateness(rows)
    for after in rows:
        if after.status is NoticeStatus.UNKNOWN:
            count("NoticeUnknown", channel=after.channel, org_id=after.org_id)
        if becomes_stuck(after):
            count("NoticeStuck", channel=after.channel, org_id=after.org_id)
            logger.warning("notice stuck in queue", extra=_ids(after))


def _measure_lateness(rows: list[Notice]) -> None:
    """How long the latest of the notices that have just been queued had been due."""
    late = [
        after.status_history[-1].at - after.scheduled_for
        for after in rows
        if [entry.status for entry in after.status_history[-2:]] == [NoticeStatus.SCHEDULED, NoticeStatus.QUEUED]
    ]
    if late:
        measure("NoticesLate", max(late))


def _ids(notice: Notice) -> dict[str, str]:
    return {"org_id": notice.org_id, "account_id": notice.account_id, "notice_id": notice.notice_id}
