"""The clients that call providers: one request a call, and an end to it before anybody gives it up."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from functions.scheduler import dispatch
from shared.domain.delivery.channel_gate import PROBE
from shared.domain.delivery.orders import SENDING_LEASE
from shared.messaging import clients
from shared.sending.permits import LONGEST_WAIT
from shared.sending.queue_consumer import SEND_RESERVE_MILLISECONDS
from tests.worlds import template
from tests.worlds.aws import forget_clients


class Provider(BaseHTTPRequestHandler):
    """Counts the requests that reach it, and answers each with the status wanted; 0: with nothing at all."""

    status: ClassVar[int]
    requests: ClassVar[list[str]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append(self.path)
        if self.status:
            self.send_response(self.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Provider]]:
    monkeypatch.setattr(Provider, "requests", [], raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    forget_clients()
    yield Provider
    server.shutdown()
    server.server_close()
    forget_clients()


def email() -> Any:
    content: Any = {"Simple": {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}}
    return clients.ses().send_email(Destination={"ToAddresses": ["a@example.com"]}, Content=content)


def text() -> Any:
    return clients.sns().publish(PhoneNumber="+15185550111", Message="x")


@pytest.mark.parametrize("call", [email, text])
@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_whatever_a_provider_answers_or_doesnt_it_gets_one_request(
    provider: type[Provider], monkeypatch: pytest.MonkeyPatch, call: Callable[[], Any], status: int
) -> None:
    monkeypatch.setattr(provider, "status", status, raising=False)
    with pytest.raises((ClientError, BotoCoreError, ResponseParserError)):
        call()
    assert len(provider.requests) == 1


@pytest.mark.parametrize("function", ["SendEmail", "SendSms", "RenderPrint"])
def test_a_call_ends_before_its_function_and_a_function_before_whoever_gives_it_up(function: str) -> None:
    """A notice is begun with only if all that it may wait for fits into what is left of the invocation."""
    call = timedelta(seconds=clients.ONCE.connect_timeout + clients.ONCE.read_timeout)  # type: ignore[attr-defined] # botocore sets them
    lives = timedelta(seconds=template.resources("AWS::Lambda::Function")[function]["Properties"]["Timeout"])
    assert LONGEST_WAIT + call < timedelta(milliseconds=SEND_RESERVE_MILLISECONDS) < lives
    assert 2 * lives <= min(SENDING_LEASE, PROBE)


@pytest.mark.parametrize("channel", ["Email", "Sms", "Print"])
def test_a_queued_notice_is_queued_once_more_only_after_its_message_could_have_come_again(channel: str) -> None:
    queue = template.resources("AWS::SQS::Queue")[f"{channel}Queue"]["Properties"]
    assert timedelta(seconds=queue["VisibilityTimeout"]) < dispatch.QUEUE_LEASE
