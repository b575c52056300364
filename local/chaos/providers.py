"""The fake providers of the crash harness: SES, SNS and the print bucket, with one log of all that they accepted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING

from local.chaos.calls import PUT_OBJECT, SEND_EMAIL, SEND_TEXT, AwsRequest, Call, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

_JSON = {"content-type": "application/json"}
_XML = {"content-type": "text/xml"}
_GET_ACCOUNT = "GET account"
_ACCOUNT = {
    "SendQuota": {"Max24HourSend": 50_000.0, "MaxSendRate": 50.0, "SentLast24Hours": 0.0},
    "SendingEnabled": True,
    "ProductionAccessEnabled": True,
    "EnforcementStatus": "HEALTHY",
}


@dataclass(frozen=True)
class Response:
    """What is answered to a request; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Acceptance:
    """A message that a provider has. to: a text's number. tags: an email's, which come back with its events."""

    message_id: str
    to: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Providers:
    """Accepts messages. `on_acceptance` is called before the sender has its answer."""

    accepted: list[Acceptance] = field(default_factory=list)
    on_acceptance: Callable[[Acceptance], None] = lambda _: None
    _lock: Lock = field(default_factory=Lock)

    def answer(self, call: Call, request: AwsRequest) -> Response | None:
        """Answer a call to a provider; None: it is none, or one that the local AWS answers itself."""
        if call.name == _GET_ACCOUNT:
            return Response(HTTPStatus.OK, _JSON, json.dumps(_ACCOUNT).encode())
        if call.name == SEND_EMAIL:
            tags = {tag["Name"]: tag["Value"] for tag in request.document["EmailTags"]}
            message_id = self._accept(tags=tags)
            return Response(HTTPStatus.OK, _JSON, json.dumps({"MessageId": message_id}).encode())
        if call.name == SEND_TEXT:
            message_id = self._accept(to=request.form["PhoneNumber"])
            return Response(HTTPStatus.OK, _XML, _published(message_id))
        return None

    def note_object(self, call: Call, response: Response) -> None:
        """Take note of a letter: its print job was written to the bucket, which is what the print shop acts on."""
        if call.name == f"{PUT_OBJECT} json" and response.status == HTTPStatus.OK:
            self._accept()

    def _accept(self, to: str = "", tags: dict[str, str] | None = None) -> str:
        with self._lock:
            acceptance = Acceptance(f"message-{len(self.accepted) + 1}", to, tags or {})
            self.accepted.append(acceptance)
        self.on_acceptance(acceptance)
        return acceptance.message_id


def refusal(service: str, kind: Kind) -> Response:
    """The answer of a service that fails, or won't take more at the moment."""
    status, code = {
        (Kind.THROTTLED, "ses"): (HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequestsException"),
        (Kind.THROTTLED, "sns"): (HTTPStatus.BAD_REQUEST, "Throttling"),
        (Kind.THROTTLED, "s3"): (HTTPStatus.SERVICE_UNAVAILABLE, "SlowDown"),
        (Kind.PAUSED, "ses"): (HTTPStatus.BAD_REQUEST, "SendingPausedException"),
        (Kind.PAUSED, "sns"): (HTTPStatus.FORBIDDEN, "AuthorizationError"),
    }.get((kind, service), (HTTPStatus.INTERNAL_SERVER_ERROR, "InternalServerError"))
    if service == "s3":
        return Response(status, _XML, f"<Error><Code>{code}</Code><Message>injected</Message></Error>".encode())
    if service == "sns":
        error = f"<Error><Type>Receiver</Type><Code>{code}</Code><Message>injected</Message></Error>"
        body = f'<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{error}</ErrorResponse>'
        return Response(status, _XML, body.encode())
    body = json.dumps({"__type": code, "message": "injected"})
    return Response(status, {**_JSON, "x-amzn-errortype": code}, body.encode())


def _published(message_id: str) -> bytes:
    result = f"<PublishResult><MessageId>{message_id}</MessageId></PublishResult>"
    return f'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{result}</PublishResponse>'.encode()
