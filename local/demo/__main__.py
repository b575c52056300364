"""The demo: sixty days of two practices on a local AWS. `python -m local.demo --port 4566 [--check]`.

It sends made-up statement files, moves the scheduler through sixty simulated days, pays bills through the real pages,
and ends with a table of what became of it all. It stays up until Ctrl-C. With --check it stops by itself, compares the
table with what the input implies, and fails where they differ.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from local.demo import outbox as demo_outbox
from local.demo import report as demo_report
from local.demo.check import differences
from local.demo.ledger import Ledger
from local.demo.patient import link_in
from local.demo.practices import PRACTICES, RIDGE
from local.demo.run import DAYS, DemoRun
from local.stack import stack
from local.stack.errors import LocalStackError
from local.stack.watch import LocalStack
from local.stack.workspace import DEFAULT_PORT, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from local.demo.input import InputAccount

FIXED_START = date(2026, 1, 12)
"""With --check: a Monday before two federal holidays and the start of daylight saving time."""

_WIDTH = 100
_LIVE_SECONDS = 5.0
_WORTH_A_LOOK = 2_000


def recent_start(today: date) -> date:
    """Return the latest Monday from which sixty days are over, so that the links sent last are still good."""
    latest = today - timedelta(days=DAYS + 1)
    return latest - timedelta(days=latest.weekday())


class Show:
    """Speaks to whoever watches: lines, and on a terminal the day that is being played."""

    def __init__(self) -> None:
        terminal = sys.stdout.isatty()
        self.console = Console(highlight=False, width=None if terminal else _WIDTH, soft_wrap=not terminal)
        self._status = self.console.status("Starting") if terminal else None

    def say(self, text: str) -> None:
        """Print a line as it is."""
        self.console.print(Text(text), soft_wrap=True)

    def tick(self, day: int) -> None:
        """Say which day is being played."""
        if self._status is not None:
            self._status.start()
            self._status.update(f"day {day} of {DAYS}")

    def rest(self) -> None:
        """Stop saying it."""
        if self._status is not None:
            self._status.stop()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; the status is 0 only when it ran to its end, and with --check nothing differed."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"of the local AWS (default {DEFAULT_PORT})")
    parser.add_argument("--check", action="store_true", help="stop by itself, and compare with what the input implies")
    parser.add_argument("--start", type=date.fromisoformat, help="the first simulated day, like 2026-01-12")
    arguments = parser.parse_args(argv)
    first_day = arguments.start or (FIXED_START if arguments.check else recent_start(datetime.now(UTC).date()))
    workspace = Workspace(arguments.port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _require_none_running(workspace)
        return _on_a_stack(workspace, first_day, check=arguments.check)
    except LocalStackError as error:
        print(f"error: {error.message}" + (f" (more in {error.log})" if error.log else ""), file=sys.stderr)
        return 1
    except (httpx.HTTPError, BotoCoreError, ClientError) as error:
        print(f"error: the local AWS didn't answer as it should: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _require_none_running(workspace: Workspace) -> None:
    """Refuse a port on which a stack runs: what was sent there before would be counted in."""
    if stack.running_supervisor(workspace) is not None:
        raise LocalStackError(
            f"a local stack runs on port {workspace.port} already, and the demo needs a fresh one: "
            "stop it with `make local-stop`, or choose another port with PORT=n"
        )


def _on_a_stack(workspace: Workspace, first_day: date, *, check: bool) -> int:
    began = time.monotonic()
    running = LocalStack.from_record(stack.start(workspace))
    show = Show()
    try:
        run = DemoRun(running, first_day, workspace.folder, show.say, show.tick)
        try:
            run.play()
        finally:
            show.rest()
        ledgers = {practice.client_id: Ledger.read(run, practice) for practice in PRACTICES}
        outbox = demo_outbox.write(run, ledgers, workspace.folder / "outbox")
        show.console.print(demo_report.table(run, ledgers))
        show.console.print(demo_report.explanation(_explained(run)))
        if check:
            found = differences(run, ledgers, running.logs())
            _conclude(show, found, workspace, running)
            show.say(f"{time.monotonic() - began:.0f} seconds.")
            return 1 if found else 0
        _addresses(show, run, outbox)
        show.say(f"{time.monotonic() - began:.0f} seconds. Stays up until Ctrl-C.")
        with contextlib.suppress(KeyboardInterrupt):
            _live(show, run, ledgers, outbox, workspace)
        show.say("Stopping.")
    finally:
        stack.stop(workspace)
    return 0


def _conclude(show: Show, found: list[str], workspace: Workspace, running: LocalStack) -> None:
    """Say what differs, and keep the logs of the functions if something does."""
    if not found:
        show.say("The table agrees with the input.")
        return
    log = workspace.log("functions")
    log.write_text("\n".join(running.logs()) + "\n", encoding="utf-8")
    show.say(f"{len(found)} differences from what the input implies (the functions' logs are in {log}):")
    for difference in found:
        show.say(f"- {difference}")


def _explained(run: DemoRun) -> dict[str, Any]:
    """Ask the API why nobody hears of a bill whose balance is too small."""
    account = _first(run, lambda each: each.facts.client_id == RIDGE.client_id and each.facts.kind == "tiny balance")
    path = run.world.path(account, "bills", account.bills[0].statement_id, "explanation")
    return run.api.call("GET", path, run.end)


def _addresses(show: Show, run: DemoRun, outbox: demo_outbox.Outbox) -> None:
    """Say what to open: the page of somebody who still owes something, with what it asks for, and the outbox."""
    reached = {address for _, mail in run.world.mailbox.mails for address in mail.to}
    account = _first(
        run,
        lambda each: (
            each.balance > _WORTH_A_LOOK
            and bool(each.facts.birth_dates)
            and each.addresses.get("email") in reached
            and not each.opted_out("email", run.last_day)
        ),
    )
    born = account.facts.birth_dates[0]
    show.say("")
    show.say(f"A payment page:   {link_in(run.world.mail(account))}")
    show.say(f"                  (date of birth: {born:%B} {born.day}, {born.year})")
    show.say(f"With a bill code: {run.stack.api_url}/bill")
    show.say(f"Emails and texts: {outbox.index.as_uri()}")
    for letter in outbox.letters[:: max(1, len(outbox.letters) // 3)]:
        show.say(f"A letter:         {letter.as_uri()}")
    show.say(f"The API's pages:  {run.stack.api_url}/docs")
    show.say("")


def _first(run: DemoRun, fits: Callable[[InputAccount], bool]) -> InputAccount:
    return next(account for account in run.input.accounts.values() if fits(account))


def _live(
    show: Show, run: DemoRun, ledgers: Mapping[str, Ledger], outbox: demo_outbox.Outbox, workspace: Workspace
) -> None:
    """Go on by the clock while the stack runs, so that whoever pays in the browser gets a receipt."""
    while stack.running_supervisor(workspace) is not None:
        time.sleep(_LIVE_SECONDS)
        now = datetime.now(UTC)
        sent = run.stack.advance(now).dispatched if now > run.end else 0
        if sent:
            run.stack.settle()
            run.world.mailbox.begin(now.date())
            run.world.mailbox.collect()
            demo_outbox.write(run, ledgers, outbox.folder)
            show.say(f"{now:%H:%M:%S} UTC: {sent} more; the outbox is up to date.")


if __name__ == "__main__":
    sys.exit(main())
