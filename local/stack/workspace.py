"""Where a local stack keeps its files.

Every stack has a folder of its own, `.local/<port>/`, with its `stack.json`, its logs and its temporary files.
`.local/stack.json` is a copy of the `stack.json` of the stack that was started last and still runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.stack import processes

if TYPE_CHECKING:
    from collections.abc import Mapping

SUPERVISOR = "local.stack.supervisor"  # the module whose name on a command line shows a supervisor
PROJECT = Path(__file__).resolve().parents[2]
STACK_FILE = "stack.json"
DEFAULT_PORT = 4566
_MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's file system in memory; the folder in it is made for its owner only
_ROOM_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class Workspace:
    """The files of the stack on one port; `project` holds template.yaml and the tool environments."""

    port: int
    state: Path = PROJECT / ".local"
    project: Path = PROJECT

    @property
    def folder(self) -> Path:
        """Everything that belongs to this stack alone."""
        return self.state / str(self.port)

    @property
    def stack_file(self) -> Path:
        """The record of this stack (docs/rules.md#stack-record)."""
        return self.folder / STACK_FILE

    @property
    def latest_file(self) -> Path:
        """The record of the stack that was started last (docs/rules.md#stack-record)."""
        return self.state / STACK_FILE

    @property
    def supervisor_file(self) -> Path:
        """What the supervisor says about itself while it runs."""
        return self.folder / "supervisor.json"

    @property
    def temporary(self) -> Path:
        """The temporary folder of the local AWS, which unpacks function and layer into it for each worker.

        Thousands of small files: in memory a worker starts in one second, on a disk in six.
        """
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        in_memory = _MEMORY / f"dunlin-local-{name}"
        if in_memory.exists():
            return in_memory
        try:
            roomy = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES
        except OSError:
            roomy = False
        return in_memory if roomy else self.folder / "tmp"

    def log(self, name: str) -> Path:
        """Return the log file of `ministack`, `supervisor`, `processor`, `build` or `deploy`."""
        return self.folder / f"{name}.log"

    def publish(self, record: Mapping[str, Any]) -> None:
        """Write stack.json, here and as the latest."""
        write_json(self.stack_file, record)
        write_json(self.latest_file, record)

    def withdraw(self) -> None:
        """Remove what a stack that has ended said about itself; the latest that still runs takes its place."""
        self.stack_file.unlink(missing_ok=True)
        self.supervisor_file.unlink(missing_ok=True)
        for path in sorted(self.state.glob(f"*/{STACK_FILE}"), key=_age):
            record = read_json(path)
            if record is not None and processes.is_ours(int(record["pid"]), [SUPERVISOR]):
                write_json(self.latest_file, record)
                return
        self.latest_file.unlink(missing_ok=True)


def latest_port(state: Path) -> int | None:
    """Return the port of the stack that `.local/stack.json` describes."""
    record = read_json(state / STACK_FILE)
    if record is None:
        return None
    for path in state.glob(f"*/{STACK_FILE}"):
        if path.parent.name.isdigit() and (read_json(path) or {}).get("pid") == record.get("pid"):
            return int(path.parent.name)
    return None


def _age(path: Path) -> int:
    """Order files from the newest to the oldest; one that has just gone counts as the oldest."""
    try:
        return -path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a file, or None where there is no such file or no whole object in it."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: Mapping[str, Any], mode: int = 0o644) -> None:
    """Write an object in one step, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    partial.replace(path)
