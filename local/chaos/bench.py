"""A bench of the crash harness: a local AWS of its own and the functions around it, for one cell after another."""

from __future__ import annotations

import contextlib
import itertools
import socket
import subprocess
import sys
import time
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Self

from local.chaos.functions import Function, HarnessError
from local.chaos.providers import Providers
from local.chaos.world import ChaosWorld, Maker
from local.stack.supervisor import LOOPBACK
from local.stack.workspace import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from shared.domain.vocabulary.words import Channel

CHAOS_FUNCTIONS = ("scheduler", "send_email", "send_sms", "render_print", "delivery_events", "payment_link")

_START_SECONDS = 30.0
_POLL_SECONDS = 0.05


class Bench:
    """Starts on entry and ends all its processes, known by their ids, on exit. Its logs stay in `logs`."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._numbers = itertools.count(1)
        self._keeper: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._maker: Maker | None = None
        self.providers = Providers()
        self.functions: dict[str, Function] = {}

    def __enter__(self) -> Self:
        """Start the local AWS and the functions."""
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End them."""
        self._stop()

    def world(self, channel: Channel) -> ChaosWorld:
        """Make the next cell's world, and forget what the providers accepted before."""
        self.providers.accepted.clear()
        self._maker = self._maker or Maker(self._port)
        return self._maker.world(f"chaos-{next(self._numbers)}", channel)

    def _start(self) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._port = _free_port()
        with (self._logs / "ministack.log").open("wb") as log:
            self._keeper = subprocess.Popen(
                [sys.executable, "-m", "local.chaos.keeper", str(self._port), mkdtemp(prefix="dunlin-chaos-")],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the harness, which then ends its processes itself
            )
        for name in CHAOS_FUNCTIONS:
            self.functions[name] = Function(name, self._port, self.providers, self._logs / f"{name}.log")
        self._await_port(self._keeper)
        for function in self.functions.values():
            function.await_ready()

    def _await_port(self, keeper: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and keeper.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self._port), 1):
                return
            time.sleep(_POLL_SECONDS)
        raise HarnessError(f"the local AWS didn't start; see {self._logs / 'ministack.log'}")

    def _stop(self) -> None:
        for function in self.functions.values():
            function.stop()
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
            self._keeper.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port
