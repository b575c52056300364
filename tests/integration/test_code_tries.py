"""How often bill codes may be tried: whoever guesses is refused, and keeps nobody else out."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.domain.paying.code_tries import TRIES_OF_ADDRESS, TRIES_OF_CODE, WINDOW
from shared.domain.paying.link_secrets import new_bill_code
from tests.worlds.aws import TABLE

if TYPE_CHECKING:
    from tests.worlds.clinic import Clinic

GUESSER, PATIENT = "203.0.113.7", "198.51.100.4"


def made_up(n: int) -> str:
    return new_bill_code(lambda size: n.to_bytes(size, "big"))


def statuses(clinic: "Clinic", tries: int) -> list[int]:
    return [clinic.post("/bill", {"code": made_up(n)}).status for n in range(1, tries + 1)]


def test_one_address_that_guesses_is_refused_and_nobody_else_is(clinic: "Clinic") -> None:
    clinic.address = GUESSER
    assert statuses(clinic, TRIES_OF_ADDRESS + 3) == [404] * TRIES_OF_ADDRESS + [429] * 3
    refused = clinic.post("/bill", {"code": clinic.issued.code})
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= WINDOW.total_seconds()
    assert f'value="{clinic.issued.code}"' in refused.body
    clinic.address = PATIENT
    assert clinic.post("/bill", {"code": clinic.issued.code}).status == 303
    clinic.address = GUESSER
    clinic.now += timedelta(seconds=int(refused.headers["Retry-After"]))
    assert clinic.post("/bill", {"code": clinic.issued.code}).status == 303


def test_one_code_is_tried_only_so_often_wherever_from(clinic: "Clinic") -> None:
    found = []
    for n in range(TRIES_OF_CODE + 1):
        clinic.address = f"198.51.100.{n}"
        found.append(clinic.post("/bill", {"code": clinic.issued.code}).status)
    assert found == [303] * TRIES_OF_CODE + [429]
    assert clinic.post("/bill", {"code": made_up(1)}).status == 404
    assert clinic.get().status == 200  # the link itself goes on


def test_tries_at_once_are_no_more_than_one_after_the_other(clinic: "Clinic") -> None:
    def tried(n: int) -> int:
        return replace(clinic, address=GUESSER).post("/bill", {"code": made_up(n)}).status

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(tried, range(1, 2 * TRIES_OF_ADDRESS)))
    assert found.count(404) == TRIES_OF_ADDRESS


def test_the_addresses_of_one_ipv6_network_count_as_one(clinic: "Clinic") -> None:
    found = []
    for n in range(TRIES_OF_ADDRESS + 1):
        clinic.address = f"2001:db8:0:7::{n:x}"
        found.append(clinic.post("/bill", {"code": made_up(n + 1)}).status)
    assert found == [404] * TRIES_OF_ADDRESS + [429]
    clinic.address = "2001:db8:0:8::1"
    assert clinic.post("/bill", {"code": made_up(1)}).status == 404


@pytest.mark.parametrize("typed", ["", "ABC", "x" * 300])
def test_what_can_be_no_code_counts_as_no_try(clinic: "Clinic", typed: str) -> None:
    assert {clinic.post("/bill", {"code": typed}).status for _ in range(TRIES_OF_ADDRESS + 1)} == {422}
    assert clinic.post("/bill", {"code": made_up(1)}).status == 404


def test_no_address_and_no_code_is_in_the_table(clinic: "Clinic") -> None:
    code = made_up(1)
    clinic.post("/bill", {"code": code})
    items = [item for item in clinic.client.scan(TableName=TABLE)["Items"] if item["pk"]["S"].startswith("V#")]
    assert len(items) == 2
    assert not any(told in json.dumps(items, default=str) for told in (clinic.address, code, code.replace("-", "")))
    ends = {int(item["expires_at"]["N"]) for item in items}
    assert all(clinic.now.timestamp() < end <= clinic.now.timestamp() + WINDOW.total_seconds() for end in ends)


def test_what_an_address_was_counted_by_is_another_in_the_next_window(clinic: "Clinic") -> None:
    for _ in range(2):
        clinic.post("/bill", {"code": made_up(1)})
        clinic.now += WINDOW
    items = [item for item in clinic.client.scan(TableName=TABLE)["Items"] if item["pk"]["S"].startswith("V#")]
    assert len({item["pk"]["S"] for item in items}) == 4
