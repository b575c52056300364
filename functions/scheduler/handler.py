"""The scheduler: every minute, or in a stack with simulated time whenever it is asked to.

Every hour it rolls reports up instead (`{"work": "reports"}`), so that they hold up no notice. Where time is simulated,
each sweep does that too, unless it is asked for notices alone (`{"work": "notices"}`).
"""

from collections.abc import Callable
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


NOTICES, REPORTS = "notices", "reports"
"""What an event may ask for as its `work`."""


class RollUpAnswer(TypedDict):
    """What an invocation for reports answers: how many accounts were read."""

    accounts: int


def _at(event: dict[str, Any]) -> tuple[datetime, str | None]:
    """The instant to judge by, and the event's own where the stack allows that."""
    simulated = ports().settings.allow_simulated_time
    as_of = event.get("asOf") if simulated else None
    return simulated_time.now(as_of, allowed=simulated), as_of


def sweep(event: dict[str, Any], context: LambdaContext) -> SweepReport:
    """Sweep at the clock's time, or at the event's `asOf` where the stack allows it."""
    now, as_of = _at(event)
    time_is_up = _time_is_up(context)
    clock = (lambda: now) if as_of else partial(datetime.now, UTC)
    return Sweep(ports(), now=now, as_of=now if as_of else None, time_is_up=time_is_up, clock=clock).run()


def roll_up(event: dict[str, Any], context: LambdaContext) -> RollUpAnswer:
    """Count in reports what has changed."""
    accounts = ports().roll_up(_at(event)[0], _time_is_up(context)).run()
    logger.info("reports rolled up", extra={"accounts": accounts})
    return RollUpAnswer(accounts=accounts)


def _time_is_up(context: LambdaContext) -> Callable[[], bool]:
    return lambda: context.get_remaining_time_in_millis() < SWEEP_RESERVE_MILLISECONDS


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> SweepAnswer | RollUpAnswer:
    """Entry point."""
    work = event.get("work")
    if work == REPORTS:
        return roll_up(event, context)
    report = sweep(event, context)
    logger.info("swept", extra={"collected": report.collected, "dispatched": report.dispatched})
    if report.failed:
        raise WorkLeftError
    if work != NOTICES and _at(event)[1]:
        roll_up(event, context)
    next_due_at = report.next_due_at.isoformat().replace("+00:00", "Z") if report.next_due_at else None
    return SweepAnswer(collected=report.collected, dispatched=report.dispatched, nextDueAt=next_due_at)
