"""One sweep over the due index: plan the accounts whose time has come, give due notices to their channels.

What is due stays in the index until it is done. A late run, a crash or two runs at once therefore need no special case:
every step is a conditional write that only one run can win, and doing it again changes nothing.
"""

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from functions.scheduler.collect import Collector
from functions.scheduler.dispatch import Dispatcher, count_troubled
from functions.scheduler.ports import SchedulerPorts
from functions.scheduler.rounds import Done, Round
from shared.domain.records.policy import Organization
from shared.storage.due_index import (
    Due,
    DueAccount,
    DueIngestion,
    DueInheritance,
    DueNotice,
    DuePrintBatch,
    DueReplanning,
)

logger = Logger(child=True)

SWEEP_WORKERS = 8


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

    ports: SchedulerPorts
    now: datetime
    as_of: datetime | None
    time_is_up: Callable[[], bool] = lambda: False
    _known: dict[str, Organization | None] = field(default_factory=dict)

    @property
    def work(self) -> dict[type[Due], Callable[[Any], Done]]:
        """What is done about each kind of due item, in the order of a round.

        What has accounts planned again comes before them, and they come before notices; still, an item that one of
        these writes is seen by the next round only.
        """
        collector, dispatcher = Collector(self.ports, self.now, self._known), self._dispatcher
        return {
            DueInheritance: self._inherit,
            DueReplanning: self._replan,
            DueAccount: collector.collect,
            DuePrintBatch: dispatcher.close_print_batch,
            DueIngestion: dispatcher.take_up_file,
            DueNotice: dispatcher.move_on,
        }

    @property
    def _dispatcher(self) -> Dispatcher:
        return Dispatcher(self.ports, self.now, self.as_of)

    def run(self) -> SweepReport:
        """Go round until nothing is due, time is up, or two rounds in a row find the same and can do nothing."""
        collected = dispatched = 0
        before: Round | None = None
        with ThreadPoolExecutor(SWEEP_WORKERS) as pool:
            while True:
                this = self._round(pool)
                collected, dispatched = collected + this.steps[DueAccount], dispatched + this.dispatched
                if not this.due or this.repeats(before) or self.time_is_up():
                    break
                before = this
        next_due_at = self.now if this.due else this.next_due_at
        return SweepReport(collected, dispatched, next_due_at, failed=len(this.failed))

    def _round(self, pool: Executor) -> Round:
        """Do all that is due now, each kind in its turn, and give the notices that are ready to their channels."""
        this = self._look(pool)
        for kind, work in self.work.items():
            items = [item for item in this.due if isinstance(item, kind)]
            for item, done in zip(items, pool.map(partial(self._alone, work), items), strict=True):
                this.note(item, done)
        count_troubled(this.moved)
        this.dispatched = self._dispatcher.dispatch(this.moved)
        return this

    def _look(self, pool: Executor) -> Round:
        """A page of what is due from each shard."""
        index = self.ports.due_index
        pages = list(pool.map(lambda shard: index.sweep(shard, self.now), index.shards()))
        waiting = [page.next_due_at for page in pages if page.next_due_at]
        return Round([item for page in pages for item in page.due], min(waiting, default=None))

    def _alone(self, work: Callable[[Any], Done], item: Due) -> Done | None:
        """Do one thing that is due; None: it failed. Then it stays due, is reported, and holds nothing else up."""
        try:
            return work(item)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other work must go on
            facts = asdict(item) | {"error": type(error).__name__}
            logger.error("due item failed", extra=facts)  # noqa: TRY400 - a traceback could quote what a person sent
            return None

    def _inherit(self, due: DueInheritance) -> Done:
        """Pass a partner's defaults on to a page of its organizations; they are replanned in the next round."""
        changed = self.ports.inheritance.advance(due.partner_id, self.now)
        logger.info("defaults passed on", extra={"partner_id": due.partner_id, "organizations": changed})
        return Done(changed)

    def _replan(self, due: DueReplanning) -> Done:
        """Mark a page of an organization's accounts as due; they are planned in the next round."""
        marked = self.ports.replanning.advance(due.org_id, self.now)
        logger.info("accounts to be planned again", extra={"org_id": due.org_id, "accounts": marked})
        return Done(marked)
