"""One function, ready to be invoked in processes that may be killed: `python -m local.chaos.worker send_email`.

The function's module is imported once. Each invocation then runs in a child of this process, forked for it, which is
what is killed; so a crash costs no import. A line of JSON in asks for an invocation; two lines come back: the child's
id at once, and how it ended.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
import traceback
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
from botocore.config import Config

from local.chaos.calls import SHORT_READ_TIMEOUT
from shared.domain.delivery.channel_gate import ChannelState
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.notice import Notice
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.policy import Organization
from shared.messaging import clients
from shared.storage import attributes

WORKER_SERVICES = {
    "scheduler": ("dynamodb", "sqs", "s3"),
    "send_email": ("dynamodb", "ses"),
    "send_sms": ("dynamodb", "sns"),
    "render_print": ("dynamodb", "s3"),
    "delivery_events": ("dynamodb",),
    "payment_link": ("dynamodb",),
}
"""The functions, and which clients are made before the first invocation."""

STORED = (Account, Bill, Notice, Organization, Payment, PaymentLink, ChannelState)
"""What is read from the table: each kind's reader is made once, and not in every child."""

MEMORY_MEGABYTES = 512


def prepare(function: str) -> Any:  # noqa: ANN401 - a module with a lambda_handler
    """Import a function as Lambda does at a cold start."""
    # The client's own retries stay, without the waits between them; a provider's answer is waited for less long.
    vars(botocore.endpoint)["time"] = SimpleNamespace(sleep=lambda _seconds: None)
    clients.ONCE = clients.ONCE.merge(Config(read_timeout=SHORT_READ_TIMEOUT))
    module = importlib.import_module(f"functions.{function}.handler")
    # A client holds no connection before its first call, so the children may have the one made here.
    for service in WORKER_SERVICES[function]:
        getattr(clients, service)()
    clients.dynamodb().get_paginator("query")
    for kind in STORED:
        attributes._adapter(kind)  # noqa: SLF001 - made at the first body of a kind, and kept
    gc.freeze()
    return module


def invoke(module: Any, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - a module with a lambda_handler
    """Call the function's handler once, as Lambda does; what it raises is told by its type."""
    os.environ.update(asked["environment"])
    milliseconds = asked["milliseconds"]
    context = SimpleNamespace(
        function_name=module.__name__,
        memory_limit_in_mb=MEMORY_MEGABYTES,
        invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:chaos",
        aws_request_id="chaos",
        get_remaining_time_in_millis=lambda: milliseconds,
    )
    try:
        return {"answer": module.lambda_handler(asked["event"], context), "error": ""}
    except Exception as error:  # noqa: BLE001 - a failed invocation is an outcome here
        traceback.print_exc()
        return {"answer": None, "error": type(error).__name__}


def learn(modules: list[str]) -> None:
    """Import what a child imported late, such as the calendar of holidays: the next one needn't."""
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if modules:
        gc.freeze()  # a child's collections needn't touch, and so copy, what is here


def run_child(module: Any, asked: dict[str, Any], outcome: int) -> None:  # noqa: ANN401 - a module with a lambda_handler
    """Be the process of one invocation: log to standard error, tell the outcome, end."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    known = set(sys.modules)
    told = invoke(module, asked) | {"imported": sorted(set(sys.modules) - known)}
    sys.stdout.flush()
    os.write(outcome, json.dumps(told, default=str).encode())
    os._exit(0)


def serve(function: str) -> None:
    """Invoke as long as it is asked for."""
    module = prepare(function)
    _tell({"ready": function})
    for line in sys.stdin:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            run_child(module, json.loads(line), writing)
        os.close(writing)
        _tell({"pid": pid})
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
        _, status = os.waitpid(pid, 0)
        outcome = json.loads(told) if told else {}
        learn(outcome.pop("imported", []))
        _tell({"status": os.waitstatus_to_exitcode(status), **outcome})


def _tell(record: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
