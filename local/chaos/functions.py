"""The functions from outside: each a process that forks a child for an invocation, behind a proxy of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

from local.chaos.calls import Call, InjectedFault, Passage
from local.chaos.proxy import Proxy
from local.stack.workspace import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.chaos.providers import Providers

_END_SECONDS = 10.0
_KILLED = -9


class HarnessError(Exception):
    """The harness itself didn't work; nothing is said of the product."""


@dataclass(frozen=True)
class Invocation:
    """What became of one invocation. answer: what the handler returned; error: the type of what it raised."""

    function: str
    nth: int
    calls: tuple[Call, ...]
    fault: InjectedFault | None
    met: bool
    killed: bool
    answer: Any = None
    error: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the handler came to its end."""
        return not self.killed and not self.error


class Function:
    """One of the product's functions, in real processes. Invocations of one function come one after the other."""

    def __init__(self, name: str, upstream_port: int, providers: Providers, log: Path) -> None:
        self.name = name
        self._lock = Lock()
        self._proxy = Proxy(upstream_port, providers)
        words = [sys.executable, "-m", "local.chaos.worker", name]
        settings = {"AWS_ENDPOINT_URL": self._proxy.url, "POWERTOOLS_SERVICE_NAME": name.replace("_", "-")}
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                words,
                cwd=PROJECT,
                env=_clean_environment() | settings,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                start_new_session=True,  # a Ctrl-C is for the harness, which then ends its processes itself
            )

    def await_ready(self) -> None:
        """Wait until the module is imported."""
        self._told()

    def invoke(
        self,
        event: Any,  # noqa: ANN401 - an event of Lambda
        environment: Mapping[str, str],
        milliseconds: int,
        nth: int = 0,
        fault: InjectedFault | None = None,
    ) -> Invocation:
        """Invoke the handler in a process of its own, with this long left, and wait for its end."""
        passage = Passage(fault)
        asked = {"event": event, "environment": dict(environment), "milliseconds": milliseconds}
        with self._lock:
            self._proxy.watch(passage)
            stdin = _open(self._process.stdin)
            stdin.write(json.dumps(asked).encode() + b"\n")
            stdin.flush()
            self._proxy.name_victim(int(self._told()["pid"]))
            told = self._told()
        killed = told["status"] == _KILLED
        if killed != (passage.met and fault is not None and fault.kind.kills) or (not killed and told["status"]):
            raise HarnessError(f"{self.name} ended with status {told['status']}, fault {fault}")
        calls, answer, error = tuple(passage.calls), told.get("answer"), told.get("error", "")
        return Invocation(self.name, nth, calls, fault, passage.met, killed, answer, error)

    def stop(self) -> None:
        """End the process; one that waits for nothing ends by itself when its input is closed."""
        _open(self._process.stdin).close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _open(self._process.stdout).close()
        self._proxy.shutdown()
        self._proxy.server_close()

    def _told(self) -> dict[str, Any]:
        line = _open(self._process.stdout).readline()
        if not line:
            raise HarnessError(f"the process of {self.name} ended; its log says why")
        record: dict[str, Any] = json.loads(line)
        return record


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise HarnessError("the process has no pipe")
    return stream


def _clean_environment() -> dict[str, str]:
    """The environment less what a person's own AWS settings would steer."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "POWERTOOLS", "COV_"))}
    return kept | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "POWERTOOLS_METRICS_NAMESPACE": "Dunlin",
        "LOG_LEVEL": "INFO",
    }
