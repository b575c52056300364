"""The scheduler: every minute, or in a stack with simulated time whenever it is asked to."""

import os
from datetime import datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from functions.scheduler.inheritance import Inheritance
from functions.scheduler.replanning import Replanning
from functions.scheduler.settings import SchedulerSettings
from functions.scheduler.sweep import Sweep, SweepReport
from shared import clock as simulated_time
from shared.messaging import clients
from shared.messaging.channel_queues import ChannelQueues
from shared.storage.account_books import AccountBooks
from shared.storage.due_index import DueIndex
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations

logger = Logger()

LEAVE_MILLISECONDS = 30_000
"""A sweep stops this long before its time ends; the next minute's run goes on."""


class WorkLeftError(Exception):
    """Something that is due fails by itself; all the rest was done. The log names it, and an alarm counts errors."""


class SweepAnswer(BaseModel):
    """What an invocation answers (docs/rules.md#simulated-time)."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    collected: int
    dispatched: int
    next_due_at: datetime | None


@cache
def dependencies() -> tuple[SchedulerSettings, dict[str, Any]]:
    """Read the settings and make the clients, once a process."""
    settings = SchedulerSettings.model_validate(dict(os.environ))
    table = clients.dynamodb(), settings.table_name
    return settings, {
        "due_index": DueIndex(*table),
        "books": AccountBooks(*table),
        "notices": Notices(*table),
        "organizations": Organizations(*table),
        "replanning": Replanning(*table),
        "inheritance": Inheritance(*table),
        "queues": ChannelQueues(clients.sqs(), settings.queue_urls),
    }


def sweep(event: dict[str, Any], context: LambdaContext) -> SweepReport:
    """Sweep at the clock's time, or at the event's `asOf` where the stack allows it."""
    settings, ports = dependencies()
    as_of = event.get("asOf") if settings.allow_simulated_time else None
    now = simulated_time.now(as_of, allowed=settings.allow_simulated_time)
    time_is_up = lambda: context.get_remaining_time_in_millis() < LEAVE_MILLISECONDS  # noqa: E731 - a port
    return Sweep(now=now, as_of=now if as_of else None, time_is_up=time_is_up, **ports).run()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point."""
    report = sweep(event, context)
    logger.info("swept", extra={"collected": report.collected, "dispatched": report.dispatched})
    if report.failed:
        raise WorkLeftError
    answer = SweepAnswer(collected=report.collected, dispatched=report.dispatched, next_due_at=report.next_due_at)
    return answer.model_dump(mode="json", by_alias=True)
