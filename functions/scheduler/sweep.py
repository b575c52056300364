"""One sweep over the due index: plan the accounts whose time has come, give due notices to their channels.

What is due stays in the index until it is done. A late run, a crash or two runs at once therefore need no special case:
every step is a conditional write that only one run can win, and doing it again changes nothing. So that two runs don't
do it again, each works on one shard at a time, by a lease, and leaves the others to those that come meanwhile.
"""

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from aws_lambda_powertools import Logger

from functions.scheduler.announce import Announcer
from functions.scheduler.collect import Collector
from functions.scheduler.dispatch import Dispatcher, count_troubled
from functions.scheduler.ports import SchedulerPorts
from functions.scheduler.rounds import NOTHING, Done, Round
from shared.domain.account.setting_aside import WARNED_OF_AT
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import Channel
from shared.messaging.metrics import count, measure
from shared.storage.due_index import (
    Due,
    DueAccount,
    DueEvents,
    DueIngestion,
    DueInheritance,
    DueNotice,
    DuePage,
    DuePrintBatch,
    DueReplanning,
    DueRow,
    DueUnknown,
    DueWebhook,
)

logger = Logger(child=True)

SWEEP_WORKERS = 8

NOTHING_DOES_IT = "NothingDoesIt"
"""Why something is set aside that is due by the index, and of which its item says that it isn't."""


class UnknownKeyError(Exception):
    """Something is due by a key that nothing here makes."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep did, and when there is something to do next; None: nothing is planned.

    next_due_at: the sweep's own instant when something is left that is due now. failed: how many of these failed and
    couldn't be set aside.
    """

    collected: int
    dispatched: int
    next_due_at: datetime | None
    failed: int = 0


@dataclass(slots=True)
class Sweep:
    """One run of the scheduler at one instant.

    `as_of` is passed on to the channels where time is simulated. `time_is_up` is asked between pages; what a sweep
    leaves undone, the next one finds. `clock` says how long shards are held; without it time stands still.
    """

    ports: SchedulerPorts
    now: datetime
    as_of: datetime | None
    time_is_up: Callable[[], bool] = lambda: False
    clock: Callable[[], datetime] | None = None
    holder: str = field(default_factory=lambda: uuid4().hex)
    _known: dict[str, Organization | None] = field(default_factory=dict)
    _stopped: frozenset[Channel] = frozenset()

    @property
    def work(self) -> dict[type[Due], Callable[[Any], Done]]:
        """What is done about each kind of due item, in the order of a page.

        What has accounts planned again comes before them, and they come before notices; still, an item that one of
        these writes is seen by the next round only.
        """
        collector, dispatcher = Collector(self.ports, self.now, self._known), self._dispatcher()
        announcer = self._announcer()
        return {
            DueInheritance: self._inherit,
            DueReplanning: self._replan,
            DueAccount: collector.collect,
            DuePrintBatch: dispatcher.close_print_batch,
            DueIngestion: dispatcher.take_up_file,
            DueNotice: dispatcher.move_on,
            DueEvents: announcer.announce,
            DueWebhook: announcer.lease,
            DueUnknown: _refuse,
        }

    def _dispatcher(self) -> Dispatcher:
        return Dispatcher(self.ports, self.now, self.as_of, self._stopped)

    def _announcer(self) -> Announcer:
        return Announcer(self.ports, self.now, self.as_of)

    def run(self) -> SweepReport:
        """Go round until nothing is due, time is up, or two rounds in a row find the same and can do nothing."""
        collected = dispatched = 0
        before: Round | None = None
        with ThreadPoolExecutor(SWEEP_WORKERS) as pool:
            while True:
                this = self._round(pool)
                if before is None and this.oldest_due_at:
                    measure("OldestDue", self.now - this.oldest_due_at)
                collected, dispatched = collected + this.steps[DueAccount], dispatched + this.dispatched
                if this.cut_short or this.ends(before):
                    break
                before = this
        if not this.cut_short:
            self._set_aside_what_nothing_does(this)
        next_due_at = this.next_due_at if this.complete else self.now
        return SweepReport(collected, dispatched, next_due_at, failed=len(this.failed))

    def _round(self, pool: Executor) -> Round:
        """Do all that is due now, shard by shard."""
        this = Round()
        for shard in self.ports.due_index.shards():
            page = self.ports.due_index.sweep(shard, self.now)
            this.finds(page.oldest_due_at)
            if not page.rows:
                this.comes(page.next_due_at)
            elif this.cut_short or not self._holds(shard):
                this.held = True
            else:
                self._sweep_held(shard, this, pool)
        return this

    def _sweep_held(self, shard: str, this: Round, pool: Executor) -> None:
        """Work on a shard that this run holds, and give it back, unless this process dies: then its lease ends."""
        try:
            self._sweep_shard(shard, this, pool)
        except Exception:
            with suppress(Exception):
                self.ports.shard_leases.give_back(shard, self.holder)
            raise
        self.ports.shard_leases.give_back(shard, self.holder)

    def _sweep_shard(self, shard: str, this: Round, pool: Executor) -> None:
        """Do all that is due in a shard that this run holds, page by page: what fails hides nothing that is behind it.

        It is read again since it is held, because what another run did just before isn't due any more.
        """
        page: DuePage | None = self.ports.due_index.sweep(shard, self.now)
        while page:
            self._do(page, this, pool)
            this.cut_short = self.time_is_up()
            if this.cut_short or not page.after:
                break
            if not self._holds(shard):
                this.held = True
                break
            page = self.ports.due_index.sweep(shard, self.now, page.after)

    def _holds(self, shard: str) -> bool:
        """Take or renew the shard's lease."""
        return self.ports.shard_leases.take(shard, self.holder, self.clock() if self.clock else self.now)

    def _do(self, page: DuePage, this: Round, pool: Executor) -> None:
        """Do what a page holds, each kind in its turn, and give the notices that are ready to their channels.

        Whether channels are stopped is asked for each page that holds something for them: a stop holds within a page.
        """
        moved, webhooks = [], []
        if any(isinstance(row.what, DueNotice | DuePrintBatch) for row in page.rows):
            self._stopped = frozenset(self.ports.stops.all())
        for kind, work in self.work.items():
            rows = [row for row in page.rows if isinstance(row.what, kind)]
            do = self._reading_together(rows) if kind is DueNotice and rows else work
            for row, done in zip(rows, pool.map(partial(self._alone, do), rows), strict=True):
                this.note(row, done)
                if done and done.moved:
                    moved.append(done.moved)
                if done and done.webhook:
                    webhooks.append(done.webhook)
        if self._stopped:
            count("SendingStopped")
        count_troubled(moved)
        this.dispatched += self._dispatcher().dispatch(moved)
        self._announcer().dispatch(webhooks)
        this.comes(page.next_due_at)

    def _reading_together(self, rows: list[DueRow]) -> Callable[[Any], Done]:
        """What moves a page's notices on, read together. If that fails each is read alone, and fails alone."""
        dispatcher = self._dispatcher()
        try:
            return dispatcher.reading_together(row.what for row in rows if isinstance(row.what, DueNotice)).move_on
        except Exception as error:  # noqa: BLE001 - whatever it is, one notice more or less must not decide on all
            logger.warning("notices read one by one", extra={"error": type(error).__name__})
            return dispatcher.move_on

    def _alone(self, work: Callable[[Any], Done], row: DueRow) -> Done | None:
        """Do one thing that is due. What fails is set aside, and holds nothing else up; None: not even that."""
        try:
            return work(row.what)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other work must go on
            return self._set_aside(row, type(error).__name__)

    def _set_aside(self, row: DueRow, reason: str) -> Done | None:
        """Set aside what failed; None: that failed too, and it is still due."""
        logger.error("due item failed", extra=asdict(row.what) | {"error": reason})
        try:
            failed = self.ports.set_asides.set_aside(row, reason, self.now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other work must go on
            facts = asdict(row.what) | {"error": type(error).__name__}
            logger.error("due item not set aside", extra=facts)  # noqa: TRY400 - a traceback could quote an item
            return None
        if failed is None:
            return NOTHING
        if failed.failures == WARNED_OF_AT:
            count("DueItemFailing")
        return Done(0, again_at=failed.next_try_at)

    def _set_aside_what_nothing_does(self, this: Round) -> None:
        """Set aside what two rounds found due and did nothing about.

        By the table it is due as well, or it is left as it is: the index lags behind what another run has done.
        """
        for row in this.undone - this.failed:
            done = self._set_aside(row, NOTHING_DOES_IT)
            if done and done.again_at:
                this.undone.remove(row)
                this.note(row, done)

    def _inherit(self, due: DueInheritance) -> Done:
        """Pass a partner's defaults on to a page of its organizations; they are replanned in the next round."""
        changed = self.ports.inheritance.advance(due.partner_id, self.now)
        logger.info("defaults passed on", extra={"partner_id": due.partner_id, "organizations": changed})
        return Done(changed) if changed else NOTHING

    def _replan(self, due: DueReplanning) -> Done:
        """Mark a page of an organization's accounts as due; they are planned in the next round."""
        marked = self.ports.replanning.advance(due.org_id, self.now)
        logger.info("accounts to be planned again", extra={"org_id": due.org_id, "accounts": marked or 0})
        return NOTHING if marked is None else Done(1)


def _refuse(due: DueUnknown) -> Done:
    raise UnknownKeyError(due.pk)
