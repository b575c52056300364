"""What is known in one place only: a second one would be changed without the first."""

import re
from pathlib import Path

import pytest

from tests.worlds.sources import text

PROJECT = Path(__file__).resolve().parents[2]

ONE_PLACE = {
    "a new notice is made": (r"(?<![A-Za-z])Notice\(", "shared/domain/records/notice.py"),
    "a write is found to have lost": (r"ConditionalCheckFailed|TransactionConflict", "shared/storage/writes.py"),
    "a condition is written out": (
        r"attribute_(not_)?exists\(",
        "shared/storage/writes.py",
    ),
    "a key is taken apart": (r"split\(\"#|removeprefix\((keys\.|kind)", "shared/storage/keys.py"),
    "a pointer is escaped": (r"~1", "shared/domain/vocabulary/json_pointers.py"),
    "control characters are told": (r"\\x7f", "shared/contracts/plain_text.py"),
    "a ZIP code is told by its digits": (r"ZIP_PLUS_4 =|\{5, 9\}|== 9\b", "shared/domain/vocabulary/postal_codes.py"),
    "a lost race is run again": (r"range\(TRIES\)", "shared/storage/races.py"),
    "a notice's history grows": (r"(?<![A-Za-z])StatusChange\(", "shared/domain/records/notice.py"),
}
"""What is done, how the code for it reads, and the file that does it."""


@pytest.mark.parametrize(("code", "place"), ONE_PLACE.values(), ids=ONE_PLACE)
def test_it_stands_in_one_place(code: str, place: str) -> None:
    files = [path for folder in ("shared", "functions") for path in (PROJECT / folder).rglob("*.py")]
    found = {str(path.relative_to(PROJECT)) for path in files if re.search(code, text(path))}
    assert found == {place}
