"""A representative part of the crash matrix, with real processes that are killed; `make chaos` plays all of it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from local.chaos.bench import CHAOS_FUNCTIONS, Bench
from local.chaos.calls import InjectedFault, Kind
from local.chaos.cell import Cell, EventMode, play
from local.chaos.large_posting import WEBHOOK, PostingCell, PostingOutcome, play_posting, posting_violations
from local.chaos.matrix import judged, story
from local.chaos.plan import Point, points
from local.chaos.world import GUARANTORS_EMAIL as ADDRESS
from local.chaos.world import MOBILE_PHONE
from local.stack.workspace import PROJECT
from shared.domain.vocabulary.words import Channel

EMAIL, SMS, PRINT = Channel.EMAIL, Channel.SMS, Channel.PRINT
AT_ONCE, SOON, WAITING, LATE, LOST = EventMode
COLLECTS, CLAIMS = "TransactWriteItems account", "TransactWriteItems notice"


@pytest.fixture(autouse=True)
def _at_the_local_aws() -> None:
    """These tests deploy nothing: in place of the other end-to-end tests' stack they have a bench."""


class Matrix:
    """A bench, with the calls that an undisturbed notice of each channel was seen to make."""

    def __init__(self, bench: Bench, logs: Path) -> None:
        self._bench, self.logs = bench, logs
        self.points = cache(self._undisturbed)

    def _undisturbed(self, channel: Channel) -> list[Point]:
        mode = SOON if channel.electronic else LOST
        return points(play(self._bench, Cell(channel, mode)))

    def value(self, channel: Channel, mode: EventMode, stage: str, call: str, kind: Kind) -> str:
        """What the cell comes to, as the matrix shows it; fails where a promise is broken."""
        point = next(
            point for point in self.points(channel) if point.stage == stage and point.call.name.startswith(call)
        )
        return self._played(point.cell(channel, mode, kind))

    def value_of_two_crashes(self, channel: Channel) -> str:
        """The same where the sender dies with the message accepted, twice, and no event comes."""
        sends = (point for point in self.points(channel) if point.call.provider)
        first = next(sends).cell(channel, LOST, Kind.KILL_AFTER).faults[0]
        crashed = play(self._bench, Cell(channel, LOST, (first,)))
        met = [one.met for one in crashed.invocations].index(True)
        again = next(point for point in points(crashed, met + 1) if point.call.provider)
        return self._played(again.cell(channel, LOST, Kind.KILL_AFTER, first))

    def posting(self, call: str, kind: Kind, *, again: bool) -> PostingOutcome:
        """What becomes of a payment over many bills whose webhook meets a fault at the first such call."""
        undisturbed = play_posting(self._bench, PostingCell(again=False)).invocations[0]
        at = next(one for one in undisturbed.calls if one.name.startswith(call))
        return play_posting(self._bench, PostingCell(again, (InjectedFault(WEBHOOK, 1, at.number, kind),), at.name))

    def _played(self, cell: Cell) -> str:
        found = judged(play(self._bench, cell))
        assert not found.broken, [cell.name, *found.broken, *story(found.outcome)]
        return found.text


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    logs = tmp_path_factory.mktemp("chaos")
    with Bench(logs) as bench:
        yield Matrix(bench, logs)


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


def test_what_may_have_gone_twice_is_left_to_people(matrix: Matrix) -> None:
    assert matrix.value_of_two_crashes(EMAIL) == "2*?"


@pytest.mark.parametrize("kind", [Kind.KILL_BEFORE, Kind.KILL_AFTER, Kind.OUTAGE])
def test_an_event_is_heard_though_its_listener_died_or_failed_once(matrix: Matrix, kind: Kind) -> None:
    assert matrix.value(EMAIL, SOON, "settle", "PutItem", kind) == "1"


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


@pytest.mark.parametrize("again", [True, False], ids=["webhook sent again", "never again"])
@pytest.mark.parametrize(
    ("call", "kind", "posted"),
    [
        ("TransactWriteItems account", Kind.KILL_BEFORE, False),
        ("TransactWriteItems account", Kind.KILL_AFTER, True),
        ("TransactWriteItems page", Kind.KILL_BEFORE, True),
        ("TransactWriteItems page", Kind.KILL_AFTER, True),
        ("TransactWriteItems page", Kind.OUTAGE, True),
        ("PutItem account", Kind.KILL_BEFORE, True),
    ],
)
def test_a_payment_over_many_bills_is_posted_whole_and_once_wherever_its_webhook_dies(
    matrix: Matrix, call: str, kind: Kind, *, posted: bool, again: bool
) -> None:
    outcome = matrix.posting(call, kind, again=again)
    assert posting_violations(outcome) == []
    assert bool(outcome.book.payments) == (posted or again)


def test_the_matrix_that_is_kept_has_a_row_for_every_call_that_is_made_today(matrix: Matrix) -> None:
    """Otherwise `make chaos WRITE=1` is due."""
    lines = (PROJECT / "docs/delivery-matrix.md").read_text().splitlines()
    rows = {tuple(text.strip() for text in line.split("|")[1:3]) for line in lines if line.startswith("|")}
    assert {(point.stage, point.call.name) for channel in Channel for point in matrix.points(channel)} <= rows


@pytest.mark.parametrize(("channel", "call"), [(EMAIL, "SendEmail"), (SMS, "Publish"), (PRINT, "PutObject pdf")])
def test_no_fault_makes_a_function_log_anything_personal(matrix: Matrix, channel: Channel, call: str) -> None:
    """Neither in the lines that it logs nor in the traceback of what it fails with."""
    mode = SOON if channel.electronic else LOST
    matrix.value(channel, mode, "claim", "TransactWriteItems", Kind.OUTAGE)
    matrix.value(channel, mode, "send", call, Kind.RESET_AFTER)
    logged = "".join((matrix.logs / f"{function}.log").read_text() for function in CHAOS_FUNCTIONS)
    assert "notice processed" in logged
    for personal in ("Ada", "Kim", "Juniper", ADDRESS, MOBILE_PHONE.lstrip("+"), "74.60", "1980-02-29", "2015-06-07"):
        assert personal not in logged
