"""What can go wrong with the local stack, said in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class LocalStackError(Exception):
    """The local stack can't do what was asked; `log` is the file that says more."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.log = log


class NotRunningError(LocalStackError):
    """No local stack is running where one was expected."""


class UnsettledError(LocalStackError):
    """The queues still held messages when the time to wait for them was over."""

    def __init__(self, remaining: dict[str, int]) -> None:
        left = ", ".join(f"{name} {count}" for name, count in sorted(remaining.items()) if count)
        super().__init__(f"messages are still in the queues: {left}")
        self.remaining = remaining
