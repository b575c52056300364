"""The scheduler: every minute a sweep, every hour the reports, every quarter of an hour the day's check of the ledger.

Where time is simulated each sweep does the reports too, unless asked for notices alone (`{"work": "notices"}`).
"""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.scheduler.invocation import (
    LEDGER_CHECK,
    NOTICES_ALONE,
    REPORTS,
    RollUpAnswer,
    SweepAnswer,
    WorkLeftError,
    moment_of,
    time_is_up,
)
from functions.scheduler.ledger_check import CheckAnswer, check_ledger
from functions.scheduler.ports import ports
from functions.scheduler.sweep import Sweep, SweepReport

logger = Logger()


def sweep(event: dict[str, Any], context: LambdaContext) -> SweepReport:
    """Sweep at the clock's time, or at the event's where the stack allows it."""
    now, simulated = moment_of(event)
    clock = (lambda: now) if simulated else partial(datetime.now, UTC)
    as_of = now if simulated else None
    return Sweep(ports(), now=now, as_of=as_of, time_is_up=time_is_up(context), clock=clock).run()


def roll_up(event: dict[str, Any], context: LambdaContext) -> RollUpAnswer:
    """Count in reports what has changed."""
    accounts = ports().roll_up(moment_of(event)[0], time_is_up(context)).run()
    logger.info("reports rolled up", extra={"accounts": accounts})
    return RollUpAnswer(accounts=accounts)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> SweepAnswer | RollUpAnswer | CheckAnswer:
    """Entry point."""
    if event.get("work") == REPORTS:
        return roll_up(event, context)
    if event.get("work") == LEDGER_CHECK:
        return check_ledger(ports(), partial(datetime.now, UTC), time_is_up(context))
    report = sweep(event, context)
    logger.info("swept", extra={"collected": report.collected, "dispatched": report.dispatched})
    if report.failed:
        raise WorkLeftError
    if event.get("work") != NOTICES_ALONE and moment_of(event)[1]:
        roll_up(event, context)
    next_due_at = report.next_due_at.isoformat().replace("+00:00", "Z") if report.next_due_at else None
    return SweepAnswer(collected=report.collected, dispatched=report.dispatched, nextDueAt=next_due_at)
