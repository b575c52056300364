"""Start and stop the local stack: `python -m local.stack.stack start --port 4566`, and `stop`."""

from __future__ import annotations

import argparse
import contextlib
import http.client
import shutil
import signal
import socket
import subprocess
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from local.stack import build, processes
from local.stack.deploy import Deployer, local_parameters
from local.stack.errors import LocalStackError
from local.stack.supervisor import LOOPBACK, ministack_command, supervisor_command, supervisor_words
from local.stack.watch import read_logs
from local.stack.workspace import DEFAULT_PORT, PROJECT, Workspace, latest_port, read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

_READY_SECONDS = 40.0
_ANSWER_SECONDS = 60.0
_ANSWER_ATTEMPTS = 5
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.05
_TAIL_LINES = 15


def start(workspace: Workspace) -> dict[str, Any]:
    """Start a stack, or redeploy to the one that runs on this port; return what is in stack.json.

    Whatever fails, a stack that was started here is ended before LocalStackError is raised.
    """
    running = running_supervisor(workspace)
    if running is not None:
        _say(f"A local stack runs on port {workspace.port} already: deploying to it again.")
        return _bring_up(workspace, running)
    _require_free_port(workspace.port)
    workspace.folder.mkdir(parents=True, exist_ok=True)
    _say(f"Starting the local AWS on port {workspace.port}.")
    supervisor = _spawn_supervisor(workspace)
    try:
        return _bring_up(workspace, _await_supervisor(workspace, supervisor))
    except BaseException:
        stop(workspace)
        processes.stop(supervisor.pid, supervisor_words(workspace), _STOP_SECONDS)
        raise


def stop(workspace: Workspace) -> bool:
    """End the stack on this port and wait until it is gone; returns whether one ran."""
    record = read_json(workspace.supervisor_file)
    ended = False
    if record is not None:
        ended = processes.stop(int(record["pid"]), supervisor_words(workspace), _STOP_SECONDS)
        # A supervisor that was killed couldn't end its child.
        ended |= processes.stop(int(record["ministackPid"]), ministack_command(workspace.project), _STOP_SECONDS)
        shutil.rmtree(workspace.temporary, ignore_errors=True)
    if record is not None or workspace.stack_file.exists():
        workspace.withdraw()
    return ended


def running_supervisor(workspace: Workspace) -> dict[str, Any] | None:
    """Return what the supervisor of this port says about itself, if it runs."""
    record = read_json(workspace.supervisor_file)
    if record is None or not processes.is_ours(int(record["pid"]), supervisor_words(workspace)):
        return None
    return record


def _bring_up(workspace: Workspace, supervisor: dict[str, Any]) -> dict[str, Any]:
    """Build, deploy, wait for the API's first answer and write stack.json."""
    project, endpoint = workspace.project, supervisor["endpointUrl"]
    if not (project / "template.yaml").exists():
        raise LocalStackError(f"there is no template.yaml in {project}")
    began = time.monotonic()
    built = build.build(project, workspace.log("build"))
    _say(f"Built in {time.monotonic() - began:.1f} s." if built else "The build is up to date.")
    began = time.monotonic()
    parameters = local_parameters(supervisor["processorUrl"], supervisor["processorKey"], supervisor["stripeUrl"])
    deployer = Deployer(project, endpoint)
    deployment = deployer.deploy(parameters)
    deployer.store_stripe_secrets(supervisor["stripeKey"], supervisor["stripeWebhookSecret"])
    _say(f"Deployed in {time.monotonic() - began:.1f} s.")
    began = time.monotonic()
    try:
        _await_answer(f"{deployment.api_url}/openapi.json")
    except LocalStackError as error:
        error.log = _collect_logs(workspace, endpoint)
        raise
    record = deployment.record(int(supervisor["pid"]))
    workspace.publish(record)
    _say(f"Answers after {time.monotonic() - began:.1f} s: {deployment.api_url}")
    _say(f"The simulated Stripe, where no money moves: {supervisor['stripeUrl']} (docs/payments.md)")
    return record


def _collect_logs(workspace: Workspace, endpoint: str) -> Path:
    """Write what the functions logged to a file, and last what the local AWS says of functions it couldn't start."""
    started = workspace.log("ministack").read_text(encoding="utf-8", errors="replace").splitlines()
    lines = read_logs(endpoint) + [line for line in started if " ERROR " in line]
    collected = workspace.log("functions")
    collected.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return collected


def _spawn_supervisor(workspace: Workspace) -> subprocess.Popen[bytes]:
    workspace.supervisor_file.unlink(missing_ok=True)
    with workspace.log("supervisor").open("wb") as log:
        return subprocess.Popen(
            supervisor_command(workspace),
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _await_supervisor(workspace: Workspace, supervisor: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        record = read_json(workspace.supervisor_file)
        if record is not None and record["pid"] == supervisor.pid:
            return record
        if supervisor.poll() is not None:
            break
        time.sleep(_POLL_SECONDS)
    log = workspace.log("ministack")
    if not log.exists() or not log.stat().st_size:
        log = workspace.log("supervisor")
    raise LocalStackError("the local AWS didn't start", log)


def _require_free_port(port: int) -> None:
    """Refuse a port that something listens on, or that this user may not open."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
        raise LocalStackError(f"port {port} is in use by another program: choose another with PORT=n")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError) as error:
            raise LocalStackError(f"port {port} can't be used: {error}") from error


def _await_answer(url: str) -> None:
    """Wait until the API answers at all: anything but a server error."""
    parts = urlsplit(url)
    outcome = "nothing"
    for _attempt in range(_ANSWER_ATTEMPTS):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", parts.path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            outcome = type(error).__name__
        else:
            if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return
            outcome = f"status {status}"
        finally:
            connection.close()
        time.sleep(_POLL_SECONDS * 10)
    raise LocalStackError(f"the API doesn't answer at {url}: {outcome}")


def _workspace(arguments: argparse.Namespace) -> Workspace:
    state = arguments.state_dir.resolve()
    port = arguments.port
    if port is None:
        port = (latest_port(state) if arguments.command == "stop" else None) or DEFAULT_PORT
    elif port == 0:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = probe.getsockname()[1]
    return Workspace(port, state, arguments.project_dir.resolve())


def _say(text: str) -> None:
    print(text, flush=True)


def _complain(error: LocalStackError) -> None:
    """Say what went wrong in one line, then the end of the log that has more."""
    if error.log is not None and error.log.exists():
        lines = error.log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
        for line in lines[-_TAIL_LINES:]:
            print(f"  | {line}", file=sys.stderr)
    more = f" (more in {error.log})" if error.log is not None else ""
    print(f"error: {error.message}{more}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the status is 0 only when what was asked for is done."""
    parser = argparse.ArgumentParser(prog="python -m local.stack.stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("start", "start the local stack, or deploy again to the one that runs"),
        ("stop", "stop it; without a port, the one started last"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--port", type=int, help=f"its port (default {DEFAULT_PORT}; 0: any free one)")
        command.add_argument("--state-dir", type=Path, default=PROJECT / ".local", help="where stack.json is kept")
        command.add_argument("--project-dir", type=Path, default=PROJECT, help="where template.yaml is")
    arguments = parser.parse_args(argv)
    workspace = _workspace(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a start that is cut off cleans up, too
    try:
        if arguments.command == "start":
            start(workspace)
        elif stop(workspace):
            _say(f"The local stack on port {workspace.port} is stopped.")
        else:
            _say(f"No local stack runs on port {workspace.port}.")
    except LocalStackError as error:
        _complain(error)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
