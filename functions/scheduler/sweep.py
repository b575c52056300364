"""One sweep over the due index: plan the accounts whose time has come, give due notices to their channels.

What is due stays in the index until it is done. A late run, a crash or two runs at once therefore need no special case:
every step is a conditional write that only one run can win, and doing it again changes nothing.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from aws_lambda_powertools import Logger

from functions.scheduler.inheritance import Inheritance
from functions.scheduler.replanning import Replanning
from shared.contracts.messages import ClosePrintBatch, NoticeMessage
from shared.domain.account.reconciliation import in_vain, lease_over
from shared.domain.dunning import plan
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice, moved
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging.channel_queues import ChannelQueues
from shared.messaging.metrics import count
from shared.storage.account_books import AccountBooks
from shared.storage.due_index import Due, DueAccount, DueIndex, DueInheritance, DueNotice, DuePrintBatch, DueReplanning
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations
from shared.storage.races import BusyError

logger = Logger(child=True)

LEASE = timedelta(minutes=15)
"""How long a channel may take with a queued notice before it is queued again; longer than the queue's visibility."""

SET_ASIDE = timedelta(hours=1)
"""How long an account waits that couldn't be planned, so that it holds nobody else up."""

WORKERS = 8


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep did, and when there is something to do next; None: nothing is planned.

    failed: how many things were due at the end and couldn't be done.
    """

    collected: int
    dispatched: int
    next_due_at: datetime | None
    failed: int = 0


@dataclass(slots=True)
class Sweep:
    """One run of the scheduler at one instant.

    `as_of` is passed on to the channels where time is simulated. `time_is_up` is asked between rounds; what a sweep
    leaves undone, the next one finds.
    """

    now: datetime
    as_of: datetime | None
    due_index: DueIndex
    books: AccountBooks
    notices: Notices
    organizations: Organizations
    replanning: Replanning
    inheritance: Inheritance
    queues: ChannelQueues
    time_is_up: Callable[[], bool] = lambda: False
    _known: dict[str, Organization | None] = field(default_factory=dict)
    _failed: list[Due] = field(default_factory=list)

    def run(self) -> SweepReport:
        """Go round until nothing is due, time is up, or two rounds in a row find the same and can do nothing."""
        collected = dispatched = 0
        before: list[Due] = []
        with ThreadPoolExecutor(WORKERS) as pool:
            while True:
                self._failed.clear()
                rounds = list(pool.map(lambda shard: self.due_index.sweep(shard, self.now), self.due_index.shards()))
                due = [item for found in rounds for item in found.due]
                handed = [self._alone(self._inherit, item) for item in due if isinstance(item, DueInheritance)]
                marked = [self._alone(self._replan, item) for item in due if isinstance(item, DueReplanning)]
                accounts = [item for item in due if isinstance(item, DueAccount)]
                planned = sum(bool(done) for done in pool.map(partial(self._alone, self._collect), accounts))
                leased = [item for item in due if isinstance(item, DueNotice)]
                moves = [after for after in pool.map(partial(self._alone, self._move_on), leased) if after]
                _tell(moves)
                sent = self._dispatch([after for after in moves if after.status is NoticeStatus.QUEUED])
                for item in due:
                    if isinstance(item, DuePrintBatch):
                        self._alone(self._close_print_batch, item)
                collected, dispatched = collected + planned, dispatched + sent
                done = planned + len(moves) + sum(filter(None, [*handed, *marked]))
                if not due or (done == 0 and due == before) or self.time_is_up():
                    break
                before = due
        waiting = [found.next_due_at for found in rounds if found.next_due_at]
        next_due_at = self.now if due else min(waiting, default=None)
        return SweepReport(collected, dispatched, next_due_at, failed=len(self._failed))

    def _alone[T: Due, R](self, work: Callable[[T], R], due: T) -> R | None:
        """Do what is due; None: it failed. Then it stays due, is reported, and holds nothing else up."""
        try:
            return work(due)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other work must go on
            facts = asdict(due) | {"error": type(error).__name__}
            logger.error("not moved on", extra=facts)  # noqa: TRY400 - a traceback could quote what a person sent
            self._failed.append(due)
            return None

    def _organization(self, org_id: str, version: int) -> Organization | None:
        """The organization as this sweep knows it, read again when an account asks for later settings than those."""
        known = self._known.get(org_id)
        if known is None or known.version < version:
            self._known[org_id] = self.organizations.get(org_id)
        return self._known[org_id]

    def _inherit(self, due: DueInheritance) -> int:
        """Pass a partner's defaults on to a page of its organizations; they are replanned in the next round."""
        changed = self.inheritance.advance(due.partner_id, self.now)
        logger.info("defaults passed on", extra={"partner_id": due.partner_id, "organizations": changed})
        return changed

    def _replan(self, due: DueReplanning) -> int:
        """Mark a page of an organization's accounts as due; they are planned in the next round."""
        marked = self.replanning.advance(due.org_id, self.now)
        logger.info("accounts to be planned anew", extra={"org_id": due.org_id, "accounts": marked})
        return marked

    def _close_print_batch(self, due: DuePrintBatch) -> None:
        """Have an organization's print batch closed. What doesn't come of it, the lease's end brings again."""
        if self.due_index.lease(due, self.now, self.now + LEASE):
            self.queues.close_print_batch(ClosePrintBatch(org_id=due.org_id, as_of=self.as_of))

    def _collect(self, due: DueAccount) -> bool:
        """Plan one account. True: its plan was written."""

        def decide(book: AccountBook) -> tuple[Change | None, bool]:
            due_now = book.account.planning_at is not None and book.account.planning_at <= self.now
            return (self._planned(book) if due_now else None), due_now

        try:
            return self.books.decide(due.org_id, due.account_id, decide).result
        except BusyError:
            return False  # it keeps changing, so it is still due in the next round

    def _planned(self, book: AccountBook) -> Change:
        account = book.account
        organization = self._organization(account.org_id, account.settings_version)
        if organization is None:
            logger.error("account without organization", extra={"org_id": account.org_id})
            return Change(account=replace(account, planning_at=None))
        try:
            planned = plan(book, organization, self.now)
        except Exception as error:  # noqa: BLE001 - one account must not stop the others; it is set aside and reported
            logger.error(  # noqa: TRY400 - a traceback could quote what a person sent
                "account could not be planned",
                extra={"org_id": account.org_id, "account_id": account.account_id, "error": type(error).__name__},
            )
            return Change(account=replace(account, planning_at=self.now + SET_ASIDE))
        return Change(account=replace(account, planning_at=planned.next_planning_at), notices=planned.notices)

    def _move_on(self, due: DueNotice) -> Notice | None:
        """Move a due notice to where its time or its lease's end brings it; None: it isn't due any more.

        One to be sent is marked as queued before it is: were it the other way round, a crash could lose the mark.
        """
        before = self.notices.load(due.org_id, due.account_id, due.notice_id)
        if before is None:
            return None
        lease_until = self.now + LEASE
        if before.status is NoticeStatus.SCHEDULED and before.scheduled_for <= self.now:
            after = moved(before, NoticeStatus.QUEUED, self.now, "scheduler", lease_until=lease_until)
        elif before.lease_until is not None and before.lease_until <= self.now:
            after = lease_over(before, self.now, lease_until)
        else:
            return None
        return after if self.notices.move(before, after) else None

    def _dispatch(self, queued: list[Notice]) -> int:
        """Give notices to their channels, and answer how many were taken."""
        rows = {channel: [row for row in queued if row.channel is channel] for channel in Channel}
        return sum(self._send(channel, waiting) for channel, waiting in rows.items() if waiting)

    def _send(self, channel: Channel, rows: list[Notice]) -> int:
        """Give a channel its notices, and answer how many were taken.

        A queue that can't be reached holds up no other channel: leases bring its notices back.
        """
        messages = {
            NoticeMessage(org_id=row.org_id, account_id=row.account_id, notice_id=row.notice_id, as_of=self.as_of): row
            for row in rows
        }
        try:
            receipt = self.queues.send(channel, messages)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other channels must go on
            left = {"channel": channel, "error": type(error).__name__, "notice_ids": [row.notice_id for row in rows]}
            logger.error("queue not reached", extra=left)  # noqa: TRY400 - a traceback could quote the messages
            return 0
        for row in (messages[message] for message in receipt.refused):
            refusal = "the queue can't carry its ids"
            after = moved(row, NoticeStatus.QUEUEING_ERROR, self.now, "scheduler", refusal, lease_until=None)
            self.notices.move(row, after)
            logger.error("queue refused a notice", extra=_ids(row))
        return receipt.taken


def _tell(moves: list[Notice]) -> None:
    """Count for operators what needs them: what nobody reported on, and what comes round again and again."""
    for after in moves:
        if after.status is NoticeStatus.UNKNOWN:
            count("NoticeUnknown", channel=after.channel, org_id=after.org_id)
        if in_vain(after):
            count("NoticeStuck", channel=after.channel, org_id=after.org_id)
            logger.warning("nobody takes a notice", extra=_ids(after))


def _ids(notice: Notice) -> dict[str, str]:
    return {"org_id": notice.org_id, "account_id": notice.account_id, "notice_id": notice.notice_id}
