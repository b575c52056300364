"""The sixty days: files come in, notices go out, patients pay; one line for each day on which something happens."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from local.demo.api import Command, DemoApi
from local.demo.input import DemoInput
from local.demo.mailbox import Mailbox
from local.demo.oracle import Schedule
from local.demo.practices import PRACTICES, SEED
from local.demo.scenes import SCENES, SceneWorld
from local.sample.generator import generate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.demo.scenes import Scene
    from local.sample.generator import Sample, SampleFile
    from local.stack.watch import LocalStack
    from shared.domain.vocabulary.json_documents import Json

DAYS = 60
_CLOCK = ZoneInfo("America/New_York")
_MORNING, _FILES, _ACTS, _ANSWERS = time(7, 50), time(8, 0), time(8, 10), time(8, 20)
_LOOKS = (time(11, 50), time(13, 50), time(15, 50), time(17, 50), time(19, 50), time(20, 50))
"""When the scheduler is run on a day on which something is due: by the clock of the East.

The windows end at 18:00 there, and at 18:00 in the West, or at 17:00 for texts from there to the East; the last notices
of a window are planned a quarter of an hour before its end.
"""

_COPIES = 2
_SCOPES = "statements:write,read,manage,send,payments:write"


@dataclass
class DemoRun:
    """A run of the demo: the stack it plays on, what went in, and what came of each file.

    `say` is given a line for each day on which something happened, `tick` every day that begins.
    """

    stack: LocalStack
    first_day: date
    folder: Path
    say: Callable[[str], None]
    tick: Callable[[int], None]
    sample: Sample = field(init=False)
    input: DemoInput = field(init=False)
    world: SceneWorld = field(init=False)
    api: DemoApi = field(init=False)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    answers: list[tuple[SampleFile, list[Json]]] = field(default_factory=list)
    _key: str = ""
    _next_due: datetime | None = None

    def __post_init__(self) -> None:
        self.sample = generate(SEED, [practice.sample for practice in PRACTICES], self.first_day)
        self.input = DemoInput(self.sample)

    @property
    def last_day(self) -> date:
        """The last simulated day."""
        return self.first_day + timedelta(days=DAYS)

    @property
    def end(self) -> datetime:
        """The instant at which the run ends."""
        return self._at(self.last_day, _LOOKS[-1])

    def play(self) -> None:
        """Do everything."""
        self._set_up(self._at(self.first_day, _MORNING))
        for ahead in range(DAYS + 1):
            self.tick(ahead)
            self._day(ahead)
        self.world.mailbox.begin(self.last_day)

    def _set_up(self, now: datetime) -> None:
        """Make the partner and its key by the command, and the practices by the API."""
        self.stack.limit_copies(_COPIES)
        dunlin = Command(self.stack.environment)
        partner = dunlin.run("partner", "create", "--name", "Sandbar Sample Billing")["partnerId"]
        self._key = dunlin.run("key", "create", "--partner", partner, "--scopes", _SCOPES)["key"]
        self.api = DemoApi(self.stack.api_url, self._key)
        org_ids = {}
        for practice in PRACTICES:
            org_id = self.api.call("POST", "/v1/organizations", now, body=practice.organization)["orgId"]
            dunning = self.api.call("PATCH", f"/v1/organizations/{org_id}/dunning", now, body=practice.dunning)
            org_ids[practice.client_id] = org_id
            self.schedules[practice.client_id] = Schedule.of(dunning)
        self.world = SceneWorld(self.stack, self.api, self.input, Mailbox(self.stack), org_ids)
        self.say(f"Created a partner with a key, and {len(PRACTICES)} practices.")

    def _day(self, ahead: int) -> None:
        """Play one day: the night's planning, the morning's files and scenes, the windows."""
        day = self.first_day + timedelta(days=ahead)
        said: list[str] = []
        self.world.mailbox.begin(day)
        sent = self._sweep(self._at(day, _MORNING))
        said += [self._send(file, day) for file in self.sample.files if file.day == ahead]
        said += [self._act(scene, day) for scene in SCENES if scene.day == ahead]
        if said:
            sent += self._sweep(self._at(day, _ANSWERS))
        sent += self._windows(day)
        if sent:
            self.world.mailbox.collect()
            said.append(f"{sent} {'notice' if sent == 1 else 'notices'} to the channels")
        if said:
            self.say(f"day {ahead:2}, {day:%a %b} {day.day:2}: {'; '.join(said)}")

    def _send(self, file: SampleFile, day: date) -> str:
        """Send a file: the first by the command, the others by the API."""
        now, content = self._at(day, _FILES), json.dumps(file.document).encode()
        if not self.answers:
            path = self.folder / file.name
            path.write_bytes(content)
            words = ("statements", "send", str(path), "--as-of", now.isoformat())
            environment = {**self.stack.environment, "DUNLIN_API_KEY": self._key, "DUNLIN_API_URL": self.stack.api_url}
            answer = Command(environment).run(*words, may_fail=True)
        else:
            answer = self.api.send_file(content, now)
        self.answers.append((file, answer["statements"]))
        self.input.receive(file, day)
        counts = ", ".join(f"{count} {word}" for word, count in answer["counts"].items() if count and word != "total")
        return f"{file.name}: {counts}"

    def _act(self, scene: Scene, day: date) -> str:
        return f"{scene.practice.short_name}: {scene.play(self.world, scene.practice, self._at(day, _ACTS))}"

    def _windows(self, day: date) -> int:
        """Move through the day's windows; returns how many notices went."""
        sent = 0
        for clock in _LOOKS:
            now = self._at(day, clock)
            if self._next_due is not None and self._next_due <= now:
                sent += self._sweep(now)
        return sent

    def _sweep(self, now: datetime) -> int:
        """Run the scheduler, and wait until the channels have done what it gave them."""
        sweep = self.stack.advance(now)
        if sweep.dispatched:
            self.stack.settle()
        self._next_due = sweep.next_due_at
        return sweep.dispatched

    @staticmethod
    def _at(day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, _CLOCK).astimezone(UTC)
