"""A statement file is read on from a place in it as if it had never been left (docs/rules.md#file-goes-on)."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from functions.ingest.repeats import SeenStatements, repeated
from shared.contracts.statement_files import InvalidFileError, NotJsonError, RawStatement, StatementFile, decoded_chunks
from shared.domain.records.file_reading import FilePlace, FileShape

VALUES: list[Any] = [
    {"statementId": "S-1", "clientId": "N", "guarantor": {"firstName": "Zoë 中"}},
    5,
    {"statementId": "S-2", "totalBalance": "7]},{["},
    {"statementId": "S-1", "clientId": "N", "totalBalance": "1.00"},
    {"statementId": "S-3", "patients": [{"firstName": "\u2028\\"}]},
]
LINES = "\n".join(json.dumps(each, ensure_ascii=False) for each in VALUES)
WHOLE = {"schema": "episodic", "statements": VALUES, "version": "1.0.0", "other": [{"statements": [1]}]}

FORMS = {
    "lines": LINES.encode(),
    "lines that end": f"{LINES}\n".encode(),
    "lines with a mark": f"\ufeff{LINES}".encode(),
    "lines with CRLF and blanks": LINES.replace("\n", "\r\n \r\n").encode(),
    "lines of which some are broken": f"{LINES}\n{{oops\n".encode() + b'{"statementId": "\xe9"}\n' + LINES.encode(),
    "document": json.dumps(WHOLE, ensure_ascii=False).encode(),
    "document with a mark": b"\xef\xbb\xbf" + json.dumps(WHOLE).encode(),
    "indented document": json.dumps(WHOLE, indent=3, ensure_ascii=False).replace("\n", "\r\n").encode(),
    "document with bytes that are no UTF-8": json.dumps(WHOLE).encode().replace(b"S-2", b"S-\xe9\xed\xa0\x80"),
}


def chunks(content: bytes, size: int) -> Iterator[str]:
    return decoded_chunks(content[n : n + size] for n in range(0, len(content), size))


def told(file: StatementFile) -> list[tuple[int, RawStatement]]:
    return [(file.line, raw) for raw in file.statements()]


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize("form", FORMS)
def test_what_follows_a_place_is_what_would_have_followed(form: str, size: int) -> None:
    content = FORMS[form]
    whole = StatementFile(chunks(content, size))
    expected = told(whole)
    places = 0
    for taken in range(1, len(expected) + 1):
        begun = StatementFile(chunks(content, size))
        assert len(list(islice(begun.statements(), taken))) == taken
        place = begun.place()
        assert place is not None
        places += 1
        rest = StatementFile.going_on(chunks(content[place.byte :], size), place)
        assert told(rest) == expected[taken:]
        assert rest.schema == whole.schema
    assert places == len(expected) > 4


@pytest.mark.parametrize("form", FORMS)
def test_a_place_may_be_left_again_and_again(form: str) -> None:
    content = FORMS[form]
    expected = [raw for _, raw in told(StatementFile(chunks(content, 16)))]
    found, place = list[RawStatement](), None
    while True:
        rest = chunks(content[place.byte :] if place else content, 16)
        file = StatementFile.going_on(rest, place) if place else StatementFile(rest)
        one = next(file.statements(), None)
        if one is None:
            break
        found.append(one)
        place = file.place()
    assert found == expected


def test_where_it_stops_being_json_is_told_by_the_whole_files_line() -> None:
    content = json.dumps(WHOLE, indent=1).encode()[:-20]
    with pytest.raises(NotJsonError) as whole:
        told(StatementFile(chunks(content, 16)))
    file = StatementFile(chunks(content, 16))
    next(file.statements())
    place = file.place()
    assert place is not None
    with pytest.raises(NotJsonError) as rest:
        told(StatementFile.going_on(chunks(content[place.byte :], 16), place))
    assert rest.value == whole.value


def test_there_is_no_place_in_what_may_be_anything() -> None:
    file = StatementFile(chunks(b"5\n6\n" + LINES.encode(), 4096))
    statements = file.statements()
    assert [next(statements).value, file.place(), next(statements).value, file.place()] == [5, None, 6, None]
    assert next(statements).statement_id == "S-1"
    assert file.place() == FilePlace(
        byte=4 + len(LINES.partition("\n")[0].encode()) + 1, lines=3, columns=0, shape=FileShape.LINES
    )


@pytest.mark.parametrize("before", ['"schema": "other"', '"a": 1, "a": 2', '"version": [1]'])
def test_what_makes_a_document_none_of_ours_is_found_at_the_first_place(before: str) -> None:
    file = StatementFile(chunks(f'{{{before}, "statements": [{{"statementId": "S-1"}}, 1]}}'.encode(), 4096))
    next(file.statements())
    with pytest.raises(InvalidFileError):
        file.place()


@pytest.mark.parametrize("at", range(len(VALUES) + 1))
def test_which_statements_come_again_is_known_wherever_the_reading_was_left(at: int) -> None:
    raws = [raw for _, raw in told(StatementFile(chunks(FORMS["lines"], 4096)))] * 2
    before, rows = SeenStatements(), repeated(raws)
    for raw in raws[:at]:
        before.add(raw)
    pairs = before.pairs(0)
    after = SeenStatements(pairs[::2], pairs[1::2])
    for raw in raws[at:]:
        after.add(raw)
    assert after.repeats().rows(0, raws) == rows
    found = after.repeats()
    assert {3 + n: row for n, row in found.rows(3, raws[3:]).items()} == {n: row for n, row in rows.items() if n >= 3}
    assert [(n, str(row.result)) for n, row in sorted(rows.items())] == [
        (3, "Failed"), (5, "Ignored"), (7, "Ignored"), (8, "Failed"), (9, "Ignored")
    ]  # fmt: skip


def test_of_a_statement_sixteen_bytes_are_kept() -> None:
    seen = SeenStatements()
    for n in range(1000):
        seen.add(RawStatement(text=str(n), value={"statementId": f"S-{n}", "clientId": "N"}))
    kept = [each.itemsize * len(each) for each in (seen.names, seen.texts)]
    assert sum(kept) == 16 * 1000
    assert len(seen.repeats().places) == 0
