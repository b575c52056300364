"""Calling a receiver that a partner named: only on the public internet, at the address that was checked, for a while.

A name is looked up once. All that it means is checked, and the connection is made to one of these addresses, so that a
name which means something else a moment later changes nothing. The certificate must be the name's. Redirects aren't
followed, the environment's proxies aren't used, and no more is read of an answer than its first line and headers.
"""

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from threading import Event, Timer
from urllib.parse import SplitResult

from shared.contracts.webhook_urls import may_be_called, port_of, read_url
from shared.domain.records.webhook import NoAnswer

CONNECT_SECONDS = 5.0
"""How long a receiver may take to accept a connection."""

ANSWER_SECONDS = 10.0
"""How long it may take in all, from the first packet to the last header, however slowly it sends them."""

MOST_ADDRESSES = 3
"""How many of a name's addresses are tried."""

type LookUp = Callable[[str, int], Sequence[str]]
"""All numeric addresses that a name means. Raises OSError for none."""


@dataclass(frozen=True, slots=True)
class ReceiverAnswer:
    """The status of an answer; 0: there was none, because of `problem`."""

    status: int = 0
    problem: str = ""


class _UnansweredError(Exception):
    """A receiver wasn't asked."""

    def __init__(self, why: NoAnswer) -> None:
        """Say why."""
        super().__init__(why)
        self.why = why


def look_up(host: str, port: int) -> Sequence[str]:
    """What the resolver says. IPv4 first, which functions always have a way out by."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    by_family = sorted(found, key=lambda each: each[0] != socket.AF_INET)
    return list(dict.fromkeys(str(each[4][0]) for each in by_family))


@dataclass(frozen=True, slots=True)
class Receivers:
    """Calls receivers. loopback: those on this machine too, for stacks that run here."""

    loopback: bool
    look_up: LookUp = look_up
    answer_seconds: float = ANSWER_SECONDS
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def post(self, url: str, headers: dict[str, str], body: bytes) -> ReceiverAnswer:
        """Send a body to a URL, once. Never raises for what a receiver, its name or the network does."""
        try:
            parts = read_url(url, loopback=self.loopback)
            with closing(self._connected(parts)) as connected:
                return self._asked(connected, parts, headers, body)
        except _UnansweredError as error:
            return ReceiverAnswer(problem=error.why)
        except ValueError:
            return ReceiverAnswer(problem=NoAnswer.ADDRESS_REFUSED)
        except TimeoutError:
            return ReceiverAnswer(problem=NoAnswer.TIMEOUT)
        except OSError:
            return ReceiverAnswer(problem=NoAnswer.CONNECTION_FAILED)

    def _connected(self, parts: SplitResult) -> socket.socket:
        """A connection to one of the addresses that the name means, all of which may be called.

        Raises _UnansweredError, and OSError where none accepts a connection.
        """
        port = port_of(parts)
        try:
            addresses = self.look_up(parts.hostname or "", port)
        except (OSError, UnicodeError):
            raise _UnansweredError(NoAnswer.UNKNOWN_HOST) from None
        if not addresses:
            raise _UnansweredError(NoAnswer.UNKNOWN_HOST)
        self._require_public(addresses)
        connected = self._first(addresses, port)
        try:
            self._require_public([str(connected.getpeername()[0])])
        except BaseException:
            connected.close()
            raise
        return connected

    def _require_public(self, addresses: Sequence[str]) -> None:
        if not all(may_be_called(address, loopback=self.loopback) for address in addresses):
            raise _UnansweredError(NoAnswer.ADDRESS_REFUSED)

    def _first(self, addresses: Sequence[str], port: int) -> socket.socket:
        """A connection to the first address that accepts one. Raises the last one's OSError."""
        *others, last = addresses[:MOST_ADDRESSES]
        for address in others:
            with suppress(OSError):
                return socket.create_connection((address, port), CONNECT_SECONDS)
        return socket.create_connection((last, port), CONNECT_SECONDS)

    def _asked(
        self, connected: socket.socket, parts: SplitResult, headers: dict[str, str], body: bytes
    ) -> ReceiverAnswer:
        """The status of the answer on a connection, which is cut when the time for all of it is up."""
        connected.settimeout(self.answer_seconds)
        with closing(self._channel(connected, parts)) as channel, _cut_after(self.answer_seconds, channel) as cut:
            try:
                return ReceiverAnswer(status=_status(channel, parts, headers, body))
            except TimeoutError:
                return ReceiverAnswer(problem=NoAnswer.TIMEOUT)
            except (OSError, HTTPException, ValueError):
                return ReceiverAnswer(problem=NoAnswer.TIMEOUT if cut.is_set() else NoAnswer.CONNECTION_FAILED)

    def _channel(self, connected: socket.socket, parts: SplitResult) -> socket.socket:
        """The connection, encrypted where the URL says so once hands are shaken."""
        if parts.scheme != "https":
            return connected
        return self.trust.wrap_socket(connected, server_hostname=parts.hostname, do_handshake_on_connect=False)


@contextmanager
def _cut_after(seconds: float, channel: socket.socket) -> Iterator[Event]:
    """Cut a connection when its time is up, in whatever it waits for. The event says whether it was."""
    over = Event()

    def cut() -> None:
        over.set()
        with suppress(OSError):
            # The socket's own: an encrypted one would forget that it is encrypted, under whoever reads it.
            socket.socket.shutdown(channel, socket.SHUT_RDWR)

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()


def _status(channel: socket.socket, parts: SplitResult, headers: dict[str, str], body: bytes) -> int:
    """Ask, and answer the status. Raises OSError, HTTPException or ValueError where it is no HTTP."""
    if isinstance(channel, ssl.SSLSocket):
        channel.do_handshake()
    connection = HTTPConnection(parts.hostname or "", port_of(parts))
    connection.sock = channel
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    connection.request("POST", target, body, {**headers, "host": parts.netloc, "connection": "close"})
    with closing(connection.getresponse()) as answer:
        return answer.status
