"""docs/delivery.md is true: its tables are the code's own, and the tests that it names are there."""

import re
from itertools import groupby
from pathlib import Path

import pytest

from shared.domain.records.transitions import TRANSITIONS, Transition
from shared.messaging.errors import MEANINGS, ErrorClass
from tests.worlds.bounds import some

TESTS = Path(__file__).parents[1]
TEXT = (TESTS.parent / "docs/delivery.md").read_text()

FOLLOWS = {
    ErrorClass.THROTTLE: "Scheduled again after a pause that the notice's id spreads",
    ErrorClass.DAILY_QUOTA: "Scheduled again, and the channel pauses for an hour at a time",
    ErrorClass.STOPPED: "Scheduled again, and the channel pauses until it is mended; an alarm rings",
    ErrorClass.PERMANENT: "UndeliverablePermanent; the contact isn't used until it is mended, the fallback is planned",
    ErrorClass.REFUSED: "DeliveryError, on the worklist",
    ErrorClass.NOT_SENT: "Scheduled again, freely",
    ErrorClass.UNKNOWN: "Unknown, never sent again by itself",
}


def section(name: str) -> list[str]:
    """The lines between a section's two marks."""
    return TEXT.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0].splitlines()


def transition_table() -> list[str]:
    """Moves that one party makes for one reason are one row."""

    def kind(transition: Transition) -> tuple[str, str]:
        return transition.by, transition.why

    def words(statuses: list[str]) -> str:
        return ", ".join(dict.fromkeys(statuses))

    rows = []
    for (by, why), group in groupby(TRANSITIONS, kind):
        moves = list(group)
        since = words([str(move.since or "(new)") for move in moves])
        rows.append(f"| {since} | {words([str(move.to) for move in moves])} | {by} | {why} |")
    return ["| from | to | by | why |", "| --- | --- | --- | --- |", *rows]


def error_table() -> list[str]:
    """Each class with the codes that can have it; a code whose text decides stands in more than one."""
    rows = []
    for error_class in ErrorClass:
        codes = {
            provider: [
                code for code, phrases in codes.items() if error_class in {m.error_class for m in phrases.values()}
            ]
            for provider, codes in MEANINGS.items()
        }
        everywhere = set.intersection(*map(set, codes.values()))
        named = [f"any: {', '.join(sorted(everywhere))}"] if everywhere else []
        named += [
            f"{provider}: {', '.join(sorted(set(found) - everywhere))}"
            for provider, found in codes.items()
            if set(found) - everywhere
        ]
        rows.append(f"| {error_class} | {FOLLOWS[error_class]} | {'; '.join(named) or 'none, or one not named here'} |")
    return ["| class | what follows | codes |", "| --- | --- | --- |", *rows]


@pytest.mark.parametrize(
    ("name", "table"), [("transitions", transition_table), ("error classes", error_table)], ids=str
)
def test_a_table_is_the_codes_own(name: str, table: object) -> None:
    """To renew it, put what this test expected between the section's marks."""
    assert callable(table)
    assert section(name) == table()


def test_each_line_of_reliability_is_shown_by_tests_of_those_names() -> None:
    """A name without a file is of the file before it."""
    for row in some(section("shown by")[2:]):
        file = ""
        for path, name in some(re.findall(r"`([\w/]*(?:\.py)?)::(\w+)`", row)):
            file = path or file
            assert f"def {name}(" in (TESTS / file).read_text(), row
