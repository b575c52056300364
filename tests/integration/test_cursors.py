"""Cursors are signed with the stack's own key: no position that somebody made up reaches a list."""

import base64
import hashlib
import json
from secrets import token_bytes
from typing import TYPE_CHECKING

import pytest

from functions.ingest.ports import ports as ingest_ports
from functions.manage.ports import ports
from local.openapi.routes import declared
from shared.http.cursors import SIGNATURE_BYTES, Cursors
from shared.storage.account_books import AccountBooks
from shared.storage.stack_keys import KEY_BYTES, StackKeys
from tests.worlds.aws import TABLE
from tests.worlds.examples import bill
from tests.worlds.ingest_api import BUCKET, Partner
from tests.worlds.manage_api import ORGANIZATION, OWN, filled, store
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

POSITIONS = [
    [],
    ["x"],
    ["1", "2", "3"],
    [1],
    [None],
    ["-1"],
    ["9" * 5_000],
    {"a": 1},
    "x",
    7,
    None,
    [[["x"]]],
    ["\ud800"],
]


def paths(function: str) -> list[str]:
    lists = [route.path for route, _ in declared()[function] if route.paged]
    return [filled(path) for path in lists]


def made_up(position: object, partner: str, path: str, key: bytes) -> list[str]:
    """Cursors of somebody who has read the code: signed with another key, with none, or as they once were."""
    raw, name = json.dumps(position).encode(), json.dumps([partner, path]).encode()
    signed = Cursors(key)._signature(raw, (partner, path))  # noqa: SLF001 - the forger has our code
    once = hashlib.sha256(name + b"\n" + raw).digest()[:12]
    return [
        base64.urlsafe_b64encode(signature + raw).decode().rstrip("=")
        for signature in (signed, once, b"", bytes(SIGNATURE_BYTES))
    ]


@pytest.mark.parametrize("position", POSITIONS, ids=repr)
def test_a_made_up_position_is_a_400_in_every_list(
    manage_books: AccountBooks, monkeypatch: pytest.MonkeyPatch, position: object
) -> None:
    store(manage_books)
    wired(monkeypatch, ingest_ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    for caller, function in ((OWN, "Manage"), (Partner(), "Ingest")):
        for path in paths(function):
            for cursor in made_up(position, "prt_1", path, token_bytes(KEY_BYTES)):
                assert caller.get(f"{path}?cursor={cursor}").status in ({400, 404} if "ing_1" in path else {400})


def test_all_processes_of_a_stack_sign_with_one_key(manage_books: AccountBooks) -> None:
    store(manage_books, bills=(bill(), bill("S-2")))
    cursor = OWN.get(f"{ORGANIZATION}/bills?limit=1").body["nextCursor"]
    ports.cache_clear()
    rest = OWN.get(f"{ORGANIZATION}/bills?limit=1&cursor={cursor}").body
    assert [each["statementId"] for each in rest["items"]] == ["S-2"]


def test_of_two_that_make_the_key_at_once_both_get_the_first(dynamodb: "DynamoDBClient") -> None:
    stack_keys, first = StackKeys(dynamodb, TABLE), list[bytes]()

    def random(length: int) -> bytes:
        if not first:
            first.append(StackKeys(dynamodb, TABLE).of("cursors", token_bytes))
        return bytes(length)

    assert stack_keys.of("cursors", random) == first[0] == stack_keys.of("cursors", token_bytes)
    assert len(first[0]) == KEY_BYTES
    assert stack_keys.of("another purpose", token_bytes) != first[0]
