"""Receivers of webhooks on this machine, each as a test wants it, and the stack that calls them."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks.webhooks import Webhook

from functions.manage.ports import ports as manage_ports
from functions.scheduler.sweep import Sweep, SweepReport
from functions.send_webhooks import handler
from functions.send_webhooks.ports import SendWebhooksPorts
from functions.send_webhooks.ports import ports as webhooks_ports
from shared.messaging import clients
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW
from tests.worlds.lambda_context import lambda_context
from tests.worlds.manage_api import OWN, Reply
from tests.worlds.wiring import scheduler_ports, wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ENDPOINTS = "/v1/webhook-endpoints"
ALL_EVENTS = [
    "ingestion.finished",
    "bill.paid",
    "payment.posted",
    "notification.failed",
    "account.opted_out",
    "task.opened",
    "print_batch.closed",
]


@dataclass
class Call:
    """A call that a receiver got."""

    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def verified(self, secret: str) -> dict[str, Any]:
        """What it says, if the library of the spec accepts it. Raises its error otherwise."""
        found: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return found


@dataclass
class Receiver:
    """A receiver on this machine. status: what it answers; held: it answers nothing before this is set."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    held: Event | None = None
    calls: list[Call] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers["Content-Length"])
        self.calls.append(Call(dict(request.headers), request.rfile.read(length), request.path))
        if self.held:
            self.held.wait(10)
        request.send_response(self.status)
        for name, value in {"Content-Length": "0", **self.headers}.items():
            request.send_header(name, value)
        request.end_headers()


@contextmanager
def receiver(path: str = "/hook", **how: Any) -> Iterator[Receiver]:
    """A receiver as it is wanted, until the block ends."""
    listening = Receiver(**how)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            listening.answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    listening.url = f"http://127.0.0.1:{server.server_port}{path}"
    try:
        yield listening
    finally:
        if listening.held:
            listening.held.set()
        server.shutdown()
        server.server_close()


def nobody() -> str:
    """A URL where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


@dataclass
class WebhookStack:
    """The partner API, the scheduler, the queue of webhooks and the function that takes them, all on one table."""

    dynamodb: "DynamoDBClient"
    queue: str
    monkeypatch: pytest.MonkeyPatch

    def subscribe(self, url: str, *events: str, **said: Any) -> dict[str, Any]:
        """A new endpoint, with its secret."""
        answer = OWN.post(ENDPOINTS, {"url": url, "events": list(events or ALL_EVENTS), **said})
        assert answer.status == 201, answer.body
        found: dict[str, Any] = answer.body
        return found

    def sweep(self, now: datetime = NOW) -> SweepReport:
        """A run of the scheduler."""
        ports = scheduler_ports(self.dynamodb, TABLE, clients.sqs(), webhooks=self.queue)
        return Sweep(ports, now=now, as_of=now).run()

    def queued(self) -> list[dict[str, Any]]:
        """The messages that wait, taken off the queue."""
        found: list[dict[str, Any]] = []
        while True:
            answer = clients.sqs().receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
            messages = answer.get("Messages", [])
            if not messages:
                return found
            for message in messages:
                clients.sqs().delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            found += [json.loads(message["Body"]) for message in messages]

    def take(self, *messages: dict[str, Any]) -> list[str]:
        """Have messages done, one invocation each; answers the ids of those that failed."""
        failed = []
        for n, message in enumerate(messages):
            record = {"messageId": str(n), "body": json.dumps(message), "eventSource": "aws:sqs"}
            answer = handler.lambda_handler({"Records": [record]}, lambda_context())
            failed += [str(each["itemIdentifier"]) for each in answer["batchItemFailures"]]
        return failed

    def deliver(self, now: datetime = NOW) -> None:
        """Let what is due at a time be announced, queued and attempted."""
        self.sweep(now)
        assert self.take(*self.queued()) == []

    def log(self, endpoint: dict[str, Any]) -> list[dict[str, Any]]:
        """The deliveries to an endpoint, newest first, as the partner sees them."""
        answer: Reply = OWN.get(f"{ENDPOINTS}/{endpoint['endpointId']}/deliveries")
        assert answer.status == 200, answer.body
        found: list[dict[str, Any]] = answer.body["items"]
        return found

    def receivers(self, **changes: Any) -> SendWebhooksPorts:
        """Have the function call receivers in another way from now on."""
        made = webhooks_ports()
        changed = replace(made, receivers=replace(made.receivers, **changes))
        self.monkeypatch.setattr(handler, "ports", lambda: changed)
        return changed


def webhook_stack(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> WebhookStack:
    """Make the queue and the key, and wire the functions."""
    queue = clients.sqs().create_queue(QueueName="webhooks")["QueueUrl"]
    key = clients.kms().create_key()["KeyMetadata"]["KeyId"]
    settings = {"TABLE_NAME": TABLE, "ALLOW_SIMULATED_TIME": "true", "WEBHOOK_KEY": key, "WEBHOOKS_TO_LOOPBACK": "true"}
    wired(monkeypatch, manage_ports, **settings)
    wired(monkeypatch, webhooks_ports, **settings)
    return WebhookStack(dynamodb, queue, monkeypatch)
