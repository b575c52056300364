"""Stopping all sending, and letting it go again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.errors import CommandError
from cli.output import say, say_json
from cli.stack import DeployedStack, JsonOption, StackOption
from shared.domain.delivery.channel_gate import Stop
from shared.domain.vocabulary.words import Channel
from shared.storage.stops import NotReplayedError


def stop(
    stack: StackOption,
    *,
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later; name no patient.", show_default=False)],
    table: Annotated[
        str | None, typer.Option(help="Stop this table, such as a restored one.", show_default="the stack's")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Stop all emails, texts and letters until `dunlin go`. Nothing is lost: what is due waits."""
    found = DeployedStack.find(stack).stops(table)
    found.stop(datetime.now(UTC), reason)
    _say(stopped=stopped_channels(found.all()), as_json=as_json)


def go(
    stack: StackOption,
    *,
    table: Annotated[str | None, typer.Option(help="Let this table's go.", show_default="the stack's")] = None,
    as_json: JsonOption = False,
) -> None:
    """Let what `dunlin stop` stopped go again: what is due by then is judged as of then, and sent."""
    found = DeployedStack.find(stack).stops(table)
    try:
        found.go()
    except NotReplayedError:
        raise CommandError("the table was restored: run dunlin restore replay first") from None
    _say(stopped=stopped_channels(found.all()), as_json=as_json)


def stopped_channels(stops: Mapping[Channel, Stop]) -> dict[str, dict[str, str | None]]:
    """Which channels are stopped, since when and why, as commands show it; since None: since the table was restored."""
    return {
        str(channel): {"since": stop.since.isoformat() if stop.since else None, "reason": stop.why}
        for channel, stop in sorted(stops.items())
    }


def say_stopped(stopped: Mapping[str, Mapping[str, str | None]]) -> None:
    """Print a line for each channel that is stopped."""
    for channel, facts in stopped.items():
        since = f" since {facts['since']}" if facts["since"] else ""
        say(f"STOPPED: {channel}{since}: {facts['reason']}")


def _say(*, stopped: dict[str, dict[str, str | None]], as_json: bool) -> None:
    if as_json:
        say_json({"stopped": stopped})
    elif stopped:
        say_stopped(stopped)
    else:
        say("Every channel goes.")
