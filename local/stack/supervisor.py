"""The one background process of a local stack: it runs the local AWS as its child, and the simulated processors.

Started by `local.stack.stack`. It ends on SIGTERM, and by itself when the local AWS ends; then nothing is left running.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local.processor.server import ProcessorServer
from local.processor.stripe_server import StripeServer
from local.stack.errors import LocalStackError
from local.stack.workspace import PROJECT, SUPERVISOR, Workspace, write_json

if TYPE_CHECKING:
    from types import FrameType

LOOPBACK = "127.0.0.1"
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05
# The local AWS hands its environment on to the functions: what steers a person's own AWS or Python stays out of it.
_KEPT_OUT = ("AWS_", "PYTHON", "LAMBDA_", "MINISTACK_", "LOCALSTACK", "POWERTOOLS", "DUNLIN", "VIRTUAL_ENV")


class Supervisor:
    """Runs one local stack's processes from start to end."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._temporary = workspace.temporary
        self._stopping = threading.Event()

    def run(self) -> int:
        """Start everything, say so in supervisor.json, and stay until told to stop; returns the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(mode=0o700, parents=True)
        ministack = self._start_ministack()
        processor = ProcessorServer((LOOPBACK, 0), log=self._workspace.log("processor"))
        stripe = StripeServer((LOOPBACK, 0))
        for name, server in (("processor", processor), ("stripe", stripe)):
            threading.Thread(target=server.serve_forever, name=name, daemon=True).start()
        try:
            self._await_port(ministack)
            write_json(
                self._workspace.supervisor_file,
                {
                    "pid": os.getpid(),
                    "ministackPid": ministack.pid,
                    "port": self._workspace.port,
                    "endpointUrl": f"http://{LOOPBACK}:{self._workspace.port}",
                    "processorUrl": processor.url,
                    "processorKey": processor.key,
                    "stripeUrl": stripe.url,
                    "stripeKey": stripe.key,
                    "stripeWebhookSecret": stripe.webhooks.secret,
                },
                mode=0o600,
            )
            while not self._stopping.wait(_POLL_SECONDS * 4):
                if ministack.poll() is not None:
                    raise LocalStackError(f"the local AWS ended by itself (status {ministack.returncode})")
        finally:
            self._workspace.withdraw()
            self._end(ministack)
            processor.shutdown()
            stripe.shutdown()
            shutil.rmtree(self._temporary, ignore_errors=True)
        return 0

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        print(f"asked to stop by signal {number}", flush=True)
        self._stopping.set()

    def _start_ministack(self) -> subprocess.Popen[bytes]:
        log = self._workspace.log("ministack").open("wb")
        # In a group of its own, so that the workers it starts can be ended with it whatever happens to it.
        with log:
            return subprocess.Popen(
                ministack_command(self._workspace.project),
                env=ministack_environment(self._workspace.port, self._temporary),
                cwd=self._workspace.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _await_port(self, ministack: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and not self._stopping.is_set():
            if ministack.poll() is not None:
                raise LocalStackError(f"the local AWS didn't start (status {ministack.returncode})")
            with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self._workspace.port), 1):
                return
            time.sleep(_POLL_SECONDS)
        raise LocalStackError("the local AWS didn't start in time")

    @staticmethod
    def _end(ministack: subprocess.Popen[bytes]) -> None:
        """End the local AWS, and then whatever is left of its group."""
        with contextlib.suppress(ProcessLookupError):
            ministack.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            ministack.wait(_STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(ministack.pid, signal.SIGKILL)
        ministack.wait(_STOP_SECONDS)


def ministack_command(project: Path) -> list[str]:
    """Return how the local AWS is started, from the environment made for it."""
    python = project / ".venv-ministack" / "bin" / "python"
    if not python.exists():
        python = PROJECT / ".venv-ministack" / "bin" / "python"
    return [str(python), "-m", "ministack.app"]


def ministack_environment(port: int, temporary: Path) -> dict[str, str]:
    """Return what the local AWS is told: to listen here only, and where to keep its files."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_KEPT_OUT)}
    return kept | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": LOOPBACK,
        "MINISTACK_HOST": LOOPBACK,
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(temporary),
        "STATE_DIR": f"{temporary}/state",
        "S3_DATA_DIR": f"{temporary}/s3",
        "NO_PROXY": f"{LOOPBACK},localhost",
        "no_proxy": f"{LOOPBACK},localhost",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONNOUSERSITE": "1",
    }


def supervisor_command(workspace: Workspace) -> list[str]:
    """Return how the supervisor of a stack is started."""
    return [sys.executable, "-m", *supervisor_words(workspace), "--project-dir", str(workspace.project)]


def supervisor_words(workspace: Workspace) -> list[str]:
    """Return the words on a command line that tell this stack's supervisor from any other process."""
    return [SUPERVISOR, "--port", str(workspace.port), "--state-dir", str(workspace.state)]


def main() -> int:
    """Run the supervisor in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--project-dir", type=Path, required=True)
    arguments = parser.parse_args()
    workspace = Workspace(arguments.port, arguments.state_dir, arguments.project_dir)
    try:
        return Supervisor(workspace).run()
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
