"""The clockwork that takes statement files up again: the scheduler's sweep, and ingest called by it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from functions.ingest.handler import lambda_handler
from functions.scheduler.dispatch import Dispatcher
from functions.scheduler.sweep import Sweep
from shared.messaging import clients
from shared.storage.due_index import DueIngestion
from tests.worlds.aws import listen
from tests.worlds.ingest_api import context
from tests.worlds.wiring import scheduler_ports

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LATER = timedelta(hours=2)
"""Longer than any lease, and than any wait after an attempt that failed."""


class KilledError(BaseException):
    """The process is gone: nothing may catch it."""


class FileClockwork:
    """Sweeps, and calls ingest for the files that a sweep hands to it."""

    def __init__(self, dynamodb: "DynamoDBClient") -> None:
        self.dynamodb = dynamodb
        self.handed: list[dict[str, Any]] = []
        listen(clients.lambda_functions(), "before-call.lambda.Invoke", self._hear)

    def _hear(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        self.handed.append(json.loads(params["body"]))
        return SimpleNamespace(status_code=202), {"StatusCode": 202}

    def sweep(self, at: datetime | None = None) -> int:
        """Run the scheduler when all that waits is due; how many files it handed over."""
        before = len(self.handed)
        Sweep(scheduler_ports(self.dynamodb), now=at or datetime.now(UTC) + LATER, as_of=None).run()
        return len(self.handed) - before

    def hand_over(self) -> int:
        """Do what a sweep does about files alone; how many it handed over."""
        before, at = len(self.handed), datetime.now(UTC) + LATER
        ports = scheduler_ports(self.dynamodb)
        for shard in ports.due_index.shards():
            for due in ports.due_index.sweep(shard, at).due:
                if isinstance(due, DueIngestion):
                    Dispatcher(ports, at, None).take_up_file(due)
        return len(self.handed) - before

    def round(self, *time_left: int) -> int:
        """Let ingest work on all files that are due, with so much time; how many files that were."""
        count = self.hand_over()
        for event in self.handed[len(self.handed) - count :]:
            lambda_handler(event, context(*time_left))
        return count

    def until_done(self, *time_left: int, most: int = 200) -> int:
        """Go on until no file is due: how many rounds it took."""
        for rounds in range(most):
            if not self.round(*time_left):
                return rounds
        raise AssertionError(f"still due after {most} rounds")


def killed_at(client: Any, service: str, nth: int, *, answered: bool) -> Callable[[], bool]:
    """Kill the process at its nth call to a service from now on, before or after it is `answered`.

    Asked whether that came to pass, it doesn't any more.
    """
    calls, ended = iter(range(1, 10_000)), list[bool]()

    def hear(**_: Any) -> None:
        if not ended and next(calls) == nth:
            ended.append(True)
            raise KilledError

    def died() -> bool:
        ended.append(False)
        return ended[0]

    listen(client, f"{'after' if answered else 'before'}-call.{service}", hear)
    return died
