"""A bench of the crash harness: a local AWS of its own and the functions around it, for one cell after another."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Self

from local.chaos.functions import Function, HarnessError
from local.chaos.providers import Providers
from local.chaos.world import Maker, World
from local.supervisor import LOOPBACK, ministack_command, ministack_environment
from local.workspace import PROJECT

if TYPE_CHECKING:
    from shared.domain.words import Channel

FUNCTIONS = ("scheduler", "send_email", "send_sms", "render_print", "delivery_events")

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05


class Bench:
    """Starts on entry and ends all its processes, known by their ids, on exit. Its logs stay in `logs`."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._temporary = Path(mkdtemp(prefix="dunlin-chaos-"))
        self._numbers = itertools.count(1)
        self._ministack: subprocess.Popen[bytes] | None = None
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

    def world(self, channel: Channel) -> World:
        """Make the next cell's world, and forget what the providers accepted before."""
        self.providers.accepted.clear()
        self._maker = self._maker or Maker(self._port)
        return self._maker.world(f"chaos-{next(self._numbers)}", channel)

    def _start(self) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._port = _free_port()
        with (self._logs / "ministack.log").open("wb") as log:
            # In a group of its own, so that the workers it starts can be ended with it whatever happens to it.
            self._ministack = subprocess.Popen(
                ministack_command(PROJECT),
                env=ministack_environment(self._port, self._temporary),
                cwd=self._temporary,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for name in FUNCTIONS:
            self.functions[name] = Function(name, self._port, self.providers, self._logs / f"{name}.log")
        self._await_port(self._ministack)
        for function in self.functions.values():
            function.await_ready()

    def _await_port(self, ministack: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and ministack.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self._port), 1):
                return
            time.sleep(_POLL_SECONDS)
        raise HarnessError(f"the local AWS didn't start; see {self._logs / 'ministack.log'}")

    def _stop(self) -> None:
        for function in self.functions.values():
            function.stop()
        if self._ministack is not None:
            self._ministack.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._ministack.wait(_STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._ministack.pid, signal.SIGKILL)
            self._ministack.wait(_STOP_SECONDS)
        shutil.rmtree(self._temporary, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port
