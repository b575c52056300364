"""What an invocation of the scheduler is asked for, by when, and what it answers."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.scheduler.ports import ports
from shared import clock as simulated_time

NOTICES_ALONE, REPORTS, LEDGER_CHECK = "notices", "reports", "ledger check"
"""What an event may ask for as its `work`."""

SWEEP_RESERVE_MILLISECONDS = 30_000
"""A run stops this long before its time ends; the next one goes on."""


class WorkLeftError(Exception):
    """Something that is due failed and couldn't be set aside; all the rest was done. An alarm counts errors."""


class SweepAnswer(TypedDict):
    """What a sweep answers (docs/rules.md#simulated-time)."""

    collected: int
    dispatched: int
    nextDueAt: str | None


class RollUpAnswer(TypedDict):
    """What an invocation for reports answers: how many accounts were read."""

    accounts: int


def moment_of(event: dict[str, Any]) -> tuple[datetime, bool]:
    """The clock's time, or the event's `asOf` where the stack allows it; and whether it is the event's."""
    allowed = ports().settings.allow_simulated_time
    as_of = event.get("asOf") if allowed else None
    return simulated_time.now(as_of, allowed=allowed), bool(as_of)


def time_is_up(context: LambdaContext) -> Callable[[], bool]:
    """Whether a run has to stop, to be asked as it goes on."""
    return lambda: context.get_remaining_time_in_millis() < SWEEP_RESERVE_MILLISECONDS
