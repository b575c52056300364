"""A proxy between one function's process and the local AWS: it sees each call, and can fail or kill at any of them.

A fault is injected at the wire, so the product's code is the same as ever, and a call that it learns to make is met
without a word here.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import struct
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, cast, override

from local.chaos.calls import SHORT_READ_TIMEOUT, AwsRequest, Call, Kind, Passage, described
from local.chaos.providers import Providers, Response, refusal
from local.stack.supervisor import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE = 60.0
_ABORT = struct.pack("ii", 1, 0)
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "content-length"}


class AbortedError(Exception):
    """The connection ends here, without an answer."""


class Proxy(ThreadingHTTPServer):
    """One function's way to AWS, on a free port of the loopback address."""

    daemon_threads = True

    def __init__(self, upstream_port: int, providers: Providers) -> None:
        self.upstream_port = upstream_port
        self.providers = providers
        self._lock = Lock()
        self._passage = Passage()
        self._victim: int | None = None
        self._victim_known = Event()
        super().__init__((LOOPBACK, 0), _Handler)
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL is for the function."""
        return f"http://{LOOPBACK}:{self.server_port}"

    def watch(self, passage: Passage) -> None:
        """Begin with a new invocation."""
        with self._lock:
            self._passage, self._victim = passage, None
            self._victim_known.clear()

    def name_victim(self, pid: int) -> None:
        """Say which process is the invocation's, before or after its first call."""
        self._victim = pid
        self._victim_known.set()

    def pass_on(self, request: AwsRequest, forward: Callable[[AwsRequest], Response]) -> Response:
        """Let a request pass, or let happen to it what the invocation's fault says. Raises AbortedError."""
        with self._lock:
            passage = self._passage
            call = described(request, len(passage.calls) + 1)
            passage.calls.append(call)
            kind = _kind_at(passage, call)
            passage.met = passage.met or kind is not None
        if kind is not None and not kind.carried_out:
            return self._instead(call, kind)
        response = self._carried_out(call, request, forward)
        return response if kind is None else self._afterwards(call, kind)

    def _carried_out(self, call: Call, request: AwsRequest, forward: Callable[[AwsRequest], Response]) -> Response:
        response = self.providers.answer(call, request)
        if response is None:
            response = forward(request)
            self.providers.note_object(call, response)
        return response

    def _instead(self, call: Call, kind: Kind) -> Response:
        if kind is Kind.KILL_BEFORE:
            self._kill()
        if kind in {Kind.KILL_BEFORE, Kind.RESET_BEFORE}:
            raise AbortedError
        return refusal(call.service, kind)

    def _afterwards(self, call: Call, kind: Kind) -> Response:
        if kind is Kind.ERROR_AFTER:
            return refusal(call.service, kind)
        if kind is Kind.KILL_AFTER:
            self._kill()
        elif kind is Kind.TIMEOUT_AFTER:
            time.sleep(SHORT_READ_TIMEOUT + 1)
        raise AbortedError

    def _kill(self) -> None:
        if not self._victim_known.wait(_PATIENCE) or self._victim is None:
            raise RuntimeError("the process to kill is not known")
        # Its parent collects it only after this, so the id can't be another process's yet.
        os.kill(self._victim, signal.SIGKILL)


def _kind_at(passage: Passage, call: Call) -> Kind | None:
    fault = passage.fault
    if fault is None:
        return None
    if fault.kind is Kind.OUTAGE:
        return fault.kind if call.number >= fault.call else None
    return fault.kind if call.number == fault.call else None


class _Handler(BaseHTTPRequestHandler):
    """Reads requests off one connection. Its connection to the local AWS is its own, and lives as long."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    _upstream: http.client.HTTPConnection | None = None

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # the function was killed while it wrote
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        proxy = cast("Proxy", self.server)
        try:
            response = proxy.pass_on(AwsRequest(self.command, self.path, headers, body), self._forward)
            self._answer(response)
        except (AbortedError, BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _serve  # noqa: N815 - the base class's names

    def _forward(self, request: AwsRequest) -> Response:
        if self._upstream is None:
            port = cast("Proxy", self.server).upstream_port
            self._upstream = http.client.HTTPConnection(LOOPBACK, port, timeout=_PATIENCE)
        kept = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        self._upstream.request(request.method, request.path, body=request.body, headers=kept)
        answer = self._upstream.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
        if request.method == "HEAD":
            headers["content-length"] = answer.getheader("Content-Length") or "0"
        return Response(answer.status, headers, answer.read())

    def _answer(self, response: Response) -> None:
        headers = {"content-length": str(len(response.body)), **response.headers}
        lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + response.body)

    @override
    def handle(self) -> None:
        with contextlib.suppress(ConnectionResetError):  # the function was killed
            super().handle()

    @override
    def finish(self) -> None:
        if self._upstream is not None:
            self._upstream.close()
        super().finish()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: what passed is in the invocation's Passage."""
