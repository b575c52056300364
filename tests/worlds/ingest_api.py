"""Calls functions/ingest as the gateway and the drop bucket do, for its tests."""

import json
from base64 import b64encode
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from functions.ingest.handler import lambda_handler
from tests.worlds.examples import NOW
from tests.worlds.gateway import addressed, assert_described
from tests.worlds.lambda_context import lambda_context
from tests.worlds.statement_examples import EVENTS

REQUEST = json.loads((EVENTS / "ingest_statements.json").read_text())
DROP = json.loads((EVENTS / "ingest_drop.json").read_text())
BUCKET = "dunlin-test-drops"


def context(*milliseconds: int) -> Any:
    """An invocation that has so much time left, one after the other as it is asked."""
    left = iter(milliseconds)
    return lambda_context(lambda: next(left, 300_000))


@dataclass(frozen=True)
class Reply:
    """An answer, its body parsed."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Partner:
    """A partner's key, at a time."""

    partner_id: str = "prt_1"
    scopes: str = "read statements:write"
    at: datetime = NOW

    def call(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Reply:
        """Call a route; header names with underscores for hyphens. Bytes go as the gateway hands bodies over."""
        event, parts = deepcopy(REQUEST), urlsplit(path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        event |= addressed(method, parts.path) | {"httpMethod": method, "body": body}
        if isinstance(body, bytes):
            event |= {"body": b64encode(body).decode(), "isBase64Encoded": True}
        event |= {"queryStringParameters": query or None}
        event["headers"] |= {"Dunlin-As-Of": self.at.isoformat()}
        event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
        event["requestContext"]["authorizer"] |= {"partnerId": self.partner_id, "scopes": self.scopes}
        answer = lambda_handler(event, context())
        assert_described(method, parts.path, answer)
        sent = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        return Reply(answer["statusCode"], json.loads(answer["body"] or "null"), sent)

    def get(self, path: str) -> Reply:
        return self.call("GET", path)

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        """`body`: text as it is, anything else as JSON."""
        return self.call("POST", path, body if isinstance(body, str) else json.dumps(body), **headers)

    def post_bytes(self, path: str, body: bytes) -> Reply:
        """POST bytes as they are."""
        return self.call("POST", path, body)

    def send(self, *statements: Any, **header: Any) -> Reply:
        """POST a statement file."""
        return self.post("/v1/statements", {**header, "statements": list(statements)})


def drop(key: str, sequencer: str = "0055AED6DCD90281E5", time_left: tuple[int, ...] = ()) -> None:
    """Tell the function of a file that was put into the bucket."""
    event = deepcopy(DROP)
    event["Records"][0]["s3"]["object"] |= {"key": key, "sequencer": sequencer}
    lambda_handler(event, context(*time_left))


def results(reply: Reply) -> list[str]:
    return [row["result"] for row in reply.body["statements"]]


def pointers(row: Any) -> list[str]:
    return [remark["pointer"] for remark in row["errors"]]
