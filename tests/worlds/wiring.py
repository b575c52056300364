"""How a test wires a function: three ways, each for a kind of test.

Through its entry point: `wired` gives it the settings, and it makes its ports as in Lambda, with clients of the AWS in
this process. Through its use case: the test makes the same ports of other clients (`scheduler_ports`). A single port is
replaced by `dataclasses.replace(ports, books=...)`.
"""

from typing import TYPE_CHECKING, Any

import pytest

from functions.scheduler.ports import SchedulerPorts
from functions.scheduler.settings import SchedulerSettings
from shared.domain.vocabulary.words import Channel
from shared.messaging.channel_queues import ChannelQueues
from shared.messaging.webhook_queue import WebhookQueue
from shared.storage.account_books import AccountBooks
from shared.storage.background_jobs import BackgroundJobs
from shared.storage.channel_gates import ChannelGates
from shared.storage.due_index import DueIndex
from shared.storage.ledger_checks import LedgerChecks
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations
from shared.storage.outbox import EventOutbox
from shared.storage.own_configurations import OwnConfigurations
from shared.storage.partner_defaults import PartnersDefaults
from shared.storage.queue_lists import QueueLists
from shared.storage.set_asides import SetAsides
from shared.storage.shard_leases import ShardLeases
from shared.storage.stops import Stops
from shared.storage.webhooks import Webhooks
from tests.worlds.aws import TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from functools import _lru_cache_wrapper

    from mypy_boto3_dynamodb import DynamoDBClient

INGEST = "dunlin-test-ingest"
NO_WEBHOOKS = "no webhook queue"
NO_QUEUES = {channel: f"no {channel} queue" for channel in Channel}


def wired(monkeypatch: pytest.MonkeyPatch, ports: "_lru_cache_wrapper[object]", **environment: str) -> None:
    """Give a function these settings. Its ports are made anew when they are asked for next, as in a new process.

    ports: the function's own, functions/<name>/ports.py. After a test all ports are forgotten (tests/conftest.py).
    """
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ports.cache_clear()


def scheduler_ports(
    dynamodb: "DynamoDBClient",
    table: str = TABLE,
    sqs: Any = None,
    urls: "Mapping[Channel, str]" = NO_QUEUES,
    webhooks: str = NO_WEBHOOKS,
) -> SchedulerPorts:
    """The scheduler's ports over these clients, which may be fakes. Without `sqs` it can't give notices to channels."""
    settings = {
        "TABLE_NAME": table,
        "INGEST_FUNCTION": INGEST,
        "PRINT_BUCKET": "dunlin-test-print",
        "WEBHOOK_QUEUE_URL": webhooks,
        **{f"{channel.upper()}_QUEUE_URL": url for channel, url in urls.items()},
    }
    stores = dynamodb, table
    return SchedulerPorts(
        settings=SchedulerSettings.of(settings),
        due_index=DueIndex(*stores),
        shard_leases=ShardLeases(*stores),
        set_asides=SetAsides(*stores),
        stops=Stops(ChannelGates(*stores)),
        books=AccountBooks(*stores),
        notices=Notices(*stores),
        organizations=Organizations(*stores),
        defaults=PartnersDefaults(*stores),
        configurations=OwnConfigurations(*stores),
        jobs=BackgroundJobs(*stores),
        lists=QueueLists(*stores),
        ledger_checks=LedgerChecks(*stores),
        queues=ChannelQueues(sqs, dict(urls)),
        outbox=EventOutbox(*stores),
        webhooks=Webhooks(*stores),
        webhook_queue=WebhookQueue(sqs, webhooks),
    )
