"""Runs a local AWS for as long as somebody holds this process's input: `python -m local.chaos.keeper PORT FOLDER`.

However the harness ends, be it killed, its pipe closes, and nothing of it is left running.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from local.stack.supervisor import ministack_command, ministack_environment
from local.stack.workspace import PROJECT

_LOOK_SECONDS = 0.5
_STOP_SECONDS = 10.0


def keep(port: int, temporary: Path) -> int:
    """Run it until the input ends, or until it ends by itself; then end its group and remove its files."""
    # In a group of its own, so that the workers it starts can be ended with it whatever happens to it.
    ministack = subprocess.Popen(
        ministack_command(PROJECT),
        env=ministack_environment(port, temporary),
        cwd=temporary,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while ministack.poll() is None and not select.select([sys.stdin], [], [], _LOOK_SECONDS)[0]:
            pass
    finally:
        ministack.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            ministack.wait(_STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(ministack.pid, signal.SIGKILL)
        status = ministack.wait()
        shutil.rmtree(temporary, ignore_errors=True)
    return status


if __name__ == "__main__":
    keep(int(sys.argv[1]), Path(sys.argv[2]))
