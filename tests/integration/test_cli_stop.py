"""`dunlin stop` and `dunlin go`: all channels, of the stack's table or of another."""
# ruff: noqa: F811 - the fixtures of test_cli.py are asked for by their names

from typing import Any

from shared.domain.vocabulary.words import Channel
from shared.messaging import clients
from shared.storage.channel_gates import ChannelGates
from shared.storage.stops import Stops
from tests.integration.test_cli import (
    Run,
    answer,
    run,  # noqa: F401 - a fixture
    stack,  # noqa: F401 - a fixture that every test here needs
)
from tests.worlds.aws import TABLE, create_table

WHY = "a restore is under way"


def test_the_command_stops_all_channels_shows_it_everywhere_and_lets_them_go(run: Run) -> None:
    stopped = answer(run, "stop", "--reason", WHY)["stopped"]
    assert {channel: facts["reason"] for channel, facts in stopped.items()} == dict.fromkeys(map(str, Channel), WHY)
    assert answer(run, "queue")["stopped"] == stopped
    assert answer(run, "stop", "--reason", "another")["stopped"] == stopped
    _, shown, _ = run("queue")
    assert WHY in shown
    assert answer(run, "go")["stopped"] == {}
    assert answer(run, "queue")["stopped"] == {}


def test_another_table_is_stopped_before_the_stack_has_it(run: Run) -> None:
    restored: Any = create_table("restored")
    answer(run, "stop", "--reason", WHY, "--table", "restored")
    assert set(Stops(ChannelGates(restored, "restored")).all()) == set(Channel)
    assert Stops(ChannelGates(clients.dynamodb(), TABLE)).all() == {}
