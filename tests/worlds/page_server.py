"""The patient pages over HTTP on this machine, as a browser gets them: from the function's handler, or made before."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from functions.payment_link.handler import lambda_handler
from tests.worlds.clinic import gateway_event
from tests.worlds.lambda_context import lambda_context

STAGE = "/prod"
LONGEST_BODY = 10_000


@dataclass(frozen=True)
class Sent:
    """What a browser gets."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html; charset=utf-8"),)


type Site = Callable[[str, str, dict[str, str], str], Sent]
"""Answers a request by its method, address, headers and body."""


def from_the_function(as_of: str) -> Site:
    """The function's own answers, at a simulated time."""

    def answer(method: str, address: str, headers: dict[str, str], body: str) -> Sent:
        url = urlsplit(address.removeprefix(STAGE))
        told = {**headers, "Dunlin-As-Of": as_of}
        got = lambda_handler(gateway_event(method, url.path, body or None, told, url.query), lambda_context())
        sent = tuple((name, value) for name, values in got["multiValueHeaders"].items() for value in values)
        return Sent(got["body"].encode(), int(got["statusCode"]), sent)

    return answer


@contextmanager
def served(site: Site) -> Iterator[str]:
    """Serve it on a free port of the loopback until the block ends; answers where."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), LONGEST_BODY)
            body = self.rfile.read(length).decode()
            sent = site(self.command, self.path, dict(self.headers.items()), body)
            self.send_response(sent.status)
            for name, value in sent.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent.body)

        do_GET = _answer  # noqa: N815 - the server's own name
        do_POST = _answer  # noqa: N815 - the server's own name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's own parameter
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
