"""RenderPrint in this process, called as PaymentLink calls it: through the client, with what goes over the wire."""

import io
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from functions.render_print.handler import lambda_handler
from functions.render_print.ports import ports
from shared.messaging import clients
from tests.worlds.aws import TABLE, listen
from tests.worlds.lambda_context import lambda_context
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    import pytest

NAME = "arn:aws:lambda:us-east-1:123456789012:function:dunlin-render-print:live"


class CalledFunction:
    """Answers invocations. orders: what each asked for; fails: the next answer is that it failed."""

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        self.fails = False

    def answer(self, params: dict[str, Any], **_: object) -> tuple[Any, dict[str, Any]]:
        order = json.loads(params["body"])
        self.orders.append(order)
        told: dict[str, Any] = {"StatusCode": 200, "Payload": io.BytesIO(b'{"errorMessage": "Ada"}')}
        http = SimpleNamespace(status_code=200)
        if self.fails:
            return http, told | {"FunctionError": "Unhandled"}
        answered = lambda_handler(order, lambda_context())
        return http, told | {"Payload": io.BytesIO(json.dumps(answered).encode())}


def called_function(monkeypatch: "pytest.MonkeyPatch", base_url: str) -> CalledFunction:
    """Have invocations of RenderPrint answered by it, until the test ends."""
    wired(monkeypatch, ports, TABLE_NAME=TABLE, PRINT_BUCKET="letters", PUBLIC_BASE_URL=base_url)
    called = CalledFunction()
    listen(clients.lambda_functions(waited_for=True), "before-call.lambda.Invoke", called.answer)
    return called
