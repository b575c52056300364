"""Functions that run at the same time, held before each call that they make, so that a test decides who goes on.

Each runs in a thread of its own, but never two at once: the test lets one do one call, or die before it, or have it
go wrong, and takes the turn back. So every order of their calls can be played, and played again.
"""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from botocore.exceptions import ReadTimeoutError

from tests.worlds.memory_table import refusal

READS = ("its start", "query", "get_", "head_", "batch_get")
"""How the names of calls begin that only read."""


class Fate(Enum):
    """What becomes of the call that a function is about to make."""

    DONE = "done"
    THROTTLED = "refused, because the service is busy"
    ANSWER_LOST = "done, but no answer comes"
    REPEATED = "done, and done again by the client, because the first answer was lost"
    DEATH = "not made, because the function dies"


class KilledError(BaseException):
    """The process is gone: nothing of it may run any more, so nothing may catch this."""


@dataclass(eq=False)
class Actor:
    """One function at work. call: the one that it is held before; empty once it has ended. kind: what it does.

    answered: whether all that it does yet is to record a provider's answer.
    """

    name: str
    kind: str
    job: Callable[[], None]
    started: datetime
    lives_until: datetime
    call: str = ""
    fate: Fate = Fate.DONE
    answered: bool = False
    failed: BaseException | None = None
    _turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _back: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def running(self) -> bool:
        return bool(self.call)

    @property
    def has_effect(self) -> bool:
        """Whether the call that it is held before changes anything in the world."""
        return not self.call.startswith(READS)


@dataclass
class Stage:
    """All functions at work. `fates` counts what became of which call in which kind of function."""

    actors: list[Actor] = field(default_factory=list)
    fates: Counter[tuple[str, str, Fate]] = field(default_factory=Counter)
    _here: threading.local = field(default_factory=threading.local)

    @property
    def actor(self) -> Actor | None:
        """Who makes the call of this moment; None: the test itself."""
        return getattr(self._here, "actor", None)

    @property
    def answer_is_lost(self) -> bool:
        """Whether nobody will hear the answer to the call of this moment."""
        return self.actor is not None and self.actor.fate is Fate.ANSWER_LOST

    def begin(self, actor: Actor) -> None:
        """Start a function and hold it before its first call."""

        def run() -> None:
            self._here.actor = actor
            try:
                actor.job()
            except KilledError:
                pass
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test has to hear of it
                actor.failed = error
            actor.call = ""
            actor._back.release()  # noqa: SLF001 - a thread of this module

        actor.call = "its start"
        self.actors.append(actor)
        threading.Thread(target=run, daemon=True).start()
        self._wait(actor)

    def go_on(self, actor: Actor, fate: Fate = Fate.DONE) -> None:
        """Let a function make its next call, or suffer what is said, and hold it before the one after."""
        self.fates[actor.kind, actor.call, fate] += 1
        actor.fate = fate
        actor._turn.release()  # noqa: SLF001 - as above
        self._wait(actor)

    def _wait(self, actor: Actor) -> None:
        actor._back.acquire()  # noqa: SLF001 - as above
        if not actor.running:
            self.actors.remove(actor)
        if actor.failed is not None:
            raise actor.failed

    def at(self, call: str) -> None:
        """Called by the services before each call: the place where a function is held."""
        actor = self.actor
        if actor is None:
            return
        actor.call = call
        actor._back.release()  # noqa: SLF001 - as above
        actor._turn.acquire()  # noqa: SLF001 - as above
        if actor.fate is Fate.DEATH:
            raise KilledError
        if actor.fate is Fate.THROTTLED:
            raise refusal("ThrottlingException", call)

    def effect(self, change: Callable[[], Any]) -> Any:
        """Called by the services around what a call changes, whose answer may get lost."""
        answer = change()
        if self.answer_is_lost:
            raise ReadTimeoutError(endpoint_url="https://nowhere.example")
        return change() if self.actor and self.actor.fate is Fate.REPEATED else answer
