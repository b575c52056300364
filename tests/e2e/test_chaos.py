"""A representative part of the crash matrix, with real processes that are killed; `make chaos` plays all of it."""

from collections.abc import Iterator
from functools import cache

import pytest

from local.chaos.bench import Bench
from local.chaos.calls import Kind
from local.chaos.cell import Cell, EventMode, play
from local.chaos.matrix import judged, story
from local.chaos.plan import Point, points
from shared.domain.words import Channel

EMAIL, SMS, PRINT = Channel.EMAIL, Channel.SMS, Channel.PRINT
AT_ONCE, SOON, WAITING, LATE, LOST = EventMode
COLLECTS, CLAIMS = "TransactWriteItems account", "TransactWriteItems notice"


@pytest.fixture(autouse=True)
def _at_the_local_aws() -> None:
    """These tests deploy nothing: in place of the other end-to-end tests' stack they have a bench."""


class Matrix:
    """A bench, with the calls that an undisturbed notice of each channel was seen to make."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._points = cache(self._undisturbed)

    def _undisturbed(self, channel: Channel) -> list[Point]:
        mode = SOON if channel.electronic else LOST
        return points(play(self._bench, Cell(channel, mode)))

    def value(self, channel: Channel, mode: EventMode, stage: str, call: str, kind: Kind) -> str:
        """What the cell comes to, as the matrix shows it; fails where a promise is broken."""
        point = next(
            point for point in self._points(channel) if point.stage == stage and point.call.name.startswith(call)
        )
        cell = judged(play(self._bench, point.cell(channel, mode, kind)))
        assert not cell.broken, [cell.outcome.cell.name, *cell.broken, *story(cell.outcome)]
        return cell.text


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    with Bench(tmp_path_factory.mktemp("chaos")) as bench:
        yield Matrix(bench)


@pytest.mark.parametrize(
    ("stage", "call", "kind"),
    [
        ("collect", COLLECTS, Kind.KILL_BEFORE),
        ("collect", COLLECTS, Kind.RESET_AFTER),
        ("dispatch", "PutItem notice", Kind.KILL_AFTER),
        ("dispatch", "SendMessageBatch", Kind.KILL_AFTER),
        ("claim", CLAIMS, Kind.OUTAGE),
        ("send", "SendEmail", Kind.THROTTLED),
    ],
)
def test_a_notice_is_sent_once_whatever_happens_before_its_provider_is_called(
    matrix: Matrix, stage: str, call: str, kind: Kind
) -> None:
    assert matrix.value(EMAIL, SOON, stage, call, kind) == "1"


@pytest.mark.parametrize("mode", [AT_ONCE, SOON, WAITING])
def test_an_event_that_arrives_in_time_settles_what_nobody_recorded(matrix: Matrix, mode: EventMode) -> None:
    assert matrix.value(EMAIL, mode, "record", "PutItem notice", Kind.KILL_BEFORE) == "1"


@pytest.mark.parametrize("channel", [EMAIL, SMS])
def test_what_was_accepted_and_not_recorded_is_sent_once_more_and_marked_when_its_event_is_lost(
    matrix: Matrix, channel: Channel
) -> None:
    assert matrix.value(channel, LOST, "send", "", Kind.KILL_AFTER) == "2*"


def test_an_event_that_comes_after_the_second_sending_leaves_the_mark(matrix: Matrix) -> None:
    assert matrix.value(EMAIL, LATE, "send", "SendEmail", Kind.RESET_AFTER) == "2*"


@pytest.mark.parametrize("channel", [EMAIL, SMS])
def test_a_sender_that_dies_between_claim_and_call_loses_nothing(matrix: Matrix, channel: Channel) -> None:
    assert matrix.value(channel, LOST, "claim", CLAIMS, Kind.KILL_AFTER) == "1*"


@pytest.mark.parametrize("kind", [Kind.KILL_BEFORE, Kind.KILL_AFTER])
def test_an_event_is_heard_though_its_listener_died_once(matrix: Matrix, kind: Kind) -> None:
    assert matrix.value(EMAIL, SOON, "settle", "TransactWriteItems", kind) == "1"


@pytest.mark.parametrize(
    ("stage", "call", "kind"),
    [
        ("claim", CLAIMS, Kind.KILL_AFTER),
        ("send", "PutObject pdf", Kind.KILL_AFTER),
        ("send", "PutObject json", Kind.KILL_AFTER),
        ("send", "PutObject json", Kind.RESET_AFTER),
        ("record", "PutItem notice", Kind.KILL_BEFORE),
        ("close batch", "PutObject manifest", Kind.KILL_AFTER),
    ],
)
def test_a_letter_is_made_once_and_listed_once_wherever_its_maker_dies(
    matrix: Matrix, stage: str, call: str, kind: Kind
) -> None:
    assert matrix.value(PRINT, LOST, stage, call, kind) == "1"
