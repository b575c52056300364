"""The scheduler: every minute, or in a stack with simulated time whenever it is asked to."""

from datetime import UTC, datetime
from functools import partial
from typing import Any, TypedDict

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

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


def sweep(event: dict[str, Any], context: LambdaContext) -> SweepReport:
    """Sweep at the clock's time, or at the event's `asOf` where the stack allows it."""
    simulated = ports().settings.allow_simulated_time
    as_of = event.get("asOf") if simulated else None
    now = simulated_time.now(as_of, allowed=simulated)
    time_is_up = lambda: context.get_remaining_time_in_millis() < SWEEP_RESERVE_MILLISECONDS  # noqa: E731 - a port
    clock = (lambda: now) if as_of else partial(datetime.now, UTC)
    return Sweep(ports(), now=now, as_of=now if as_of else None, time_is_up=time_is_up, clock=clock).run()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> SweepAnswer:
    """Entry point."""
    report = sweep(event, context)
    logger.info("swept", extra={"collected": report.collected, "dispatched": report.dispatched})
    if report.failed:
        raise WorkLeftError
    next_due_at = report.next_due_at.isoformat().replace("+00:00", "Z") if report.next_due_at else None
    return SweepAnswer(collected=report.collected, dispatched=report.dispatched, nextDueAt=next_due_at)
