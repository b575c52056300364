"""The processes that the local stack started: known by id, checked by command line, never looked up by name."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_POLL_SECONDS = 0.02
_ATTEMPTS = 25
_PROC = Path("/proc")
_ENDED = {"Z", "X"}


def command_line(pid: int) -> list[str]:
    """Return the words that a running process was started with; none if it doesn't run."""
    if not (_PROC / "self").exists():
        shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return shown.stdout.split()
    for _attempt in range(_ATTEMPTS):
        try:
            words = (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
            state = (_PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except OSError:
            return []
        if words != [""]:
            return words
        if state in _ENDED:
            return []
        time.sleep(_POLL_SECONDS)  # it has only just begun: the system shows its words a moment later
    return []


def is_ours(pid: int, words: Sequence[str]) -> bool:
    """Tell whether the process runs and its command line has all these words: a pid may have been used again."""
    line = command_line(pid)
    return bool(line) and all(word in line for word in words)


def stop(pid: int, words: Sequence[str], patience: float) -> bool:
    """End a process of ours and wait until it is gone; returns whether there was one.

    It is asked with SIGTERM; after `patience` seconds it is ended with SIGKILL.
    """
    if not is_ours(pid, words):
        return False
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal_number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            _reap(pid)
            if not is_ours(pid, words):
                return True
            time.sleep(_POLL_SECONDS)
    return True


def _reap(pid: int) -> None:
    """Collect the process if it is this one's child, so that it doesn't stay behind as a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
