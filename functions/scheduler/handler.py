"""The scheduler: every minute, or in a stack with simulated time whenever it is asked to."""

from datetime import UTC, datetime
from functools import partial
from typing import Any, TypedDict

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.scheduler.ledger_check import CheckAnswer, check_ledger
from functions.scheduler.ports import ports
from functions.scheduler.sweep import Sweep, SweepReport
from shared import clock as simulated_time

logger = Logger()

SWEEP_RESERVE_MILLISECONDS = 30_000
"""A sweep stops this long before its time ends; the next minute's run goes on."""


class WorkLeftError(Exception):
    """Something that is due failed and couldn't be set aside; all the rest was done. An alarm counts errors."""


class SweepAnswer(TypedDict):
    """What an invocation answers (docs/rules.md#simulated-time)."""

    collected: int
    dispatched: int
    nextDueAt: str | None


def _is_nearly_over(context: LambdaContext) -> bool:
    return context.get_remaining_time_in_millis() < SWEEP_RESERVE_MILLISECONDS


def sweep(event: dict[str, Any], context: LambdaContext) -> SweepReport:
    """Sweep at the clock's time, or at the event's `asOf` where the stack allows it."""
    simulated = ports().settings.allow_simulated_time
    as_of = event.get("asOf") if simulated else None
    now = simulated_time.now(as_of, allowed=simulated)
    time_is_up = partial(_is_nearly_over, context)
    clock = (lambda: now) if as_of else partial(datetime.now, UTC)
    return Sweep(ports(), now=now, as_of=now if as_of else None, time_is_up=time_is_up, clock=clock).run()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> SweepAnswer | CheckAnswer:
    """Entry point."""
    if event.get("check") == "ledger":
        return check_ledger(ports(), datetime.now(UTC), partial(_is_nearly_over, context))
    report = sweep(event, context)
    logger.info("swept", extra={"collected": report.collected, "dispatched": report.dispatched})
    if report.failed:
        raise WorkLeftError
    next_due_at = report.next_due_at.isoformat().replace("+00:00", "Z") if report.next_due_at else None
    return SweepAnswer(collected=report.collected, dispatched=report.dispatched, nextDueAt=next_due_at)
