"""Keys are read back as they were made, whatever signs the ids hold."""

from collections.abc import Callable

import pytest

from shared.storage import keys
from tests.worlds.examples import NOW

IDS = ["G-1", "A#1#2", "#", "B#", "patient:7", "", "Ärzte"]


@pytest.mark.parametrize("account_id", IDS)
def test_a_partition_tells_which_account_it_is_of(account_id: str) -> None:
    assert keys.collection_parts(keys.collection("org_1", account_id)) == ("org_1", account_id)


@pytest.mark.parametrize("account_id", IDS)
def test_a_number_tells_which_account_had_a_text(account_id: str) -> None:
    made = keys.texted_account("guarantor", "org_1", account_id)
    assert keys.texted_account_parts(made) == ("guarantor", "org_1", account_id)
    assert keys.texted_account_parts(keys.inbound_text(account_id)) is None


@pytest.mark.parametrize("patient_account_id", IDS)
def test_a_pointer_tells_which_patient_account_it_is_of(patient_account_id: str) -> None:
    made = keys.patient_account("org_1", patient_account_id)
    assert keys.patient_account_id_of(made) == patient_account_id


@pytest.mark.parametrize("statement_id", IDS)
def test_a_pointer_tells_which_statement_it_is_of(statement_id: str) -> None:
    assert keys.claimed_statement_of(keys.statement_claim("org_1", statement_id)) == statement_id


def test_a_numbers_partition_tells_the_number() -> None:
    assert keys.number_hash_of(keys.texted_number("ab12")) == "ab12"


type Make = Callable[[str], str]
MADE: list[tuple[Make, str]] = [
    (keys.bill_lookup, keys.BILL_SORT),
    (keys.notice_lookup, keys.NOTICE_SORT),
    (keys.payment, keys.PAYMENT_SORT),
    (keys.link, keys.LINK_SORT),
    (keys.checkout, keys.CHECKOUT_SORT),
    (keys.waiting_letter, keys.WAITING_LETTER_SORT),
    (keys.replanning, keys.REPLANNING_PARTITION),
    (keys.defaults, keys.DEFAULTS_PARTITION),
    (keys.print_batches, keys.PRINT_BATCHES_PARTITION),
    (keys.inbound_text, keys.INBOUND_TEXT_SORT),
]


@pytest.mark.parametrize(("make", "kind"), MADE, ids=[make.__name__ for make, _ in MADE])
def test_a_key_tells_its_kind_and_its_id(make: Make, kind: str) -> None:
    for id_ in IDS:
        key = make(id_)
        assert (keys.kind_of(key), keys.id_in(key, kind), keys.id_of(key, kind)) == (kind, id_, id_)
        assert {keys.id_in(key, other) for _, other in MADE if other != kind} == {None}


def test_the_account_itself_is_of_no_kind() -> None:
    assert keys.kind_of(keys.ROOT) == keys.ROOT
    assert keys.id_in(keys.ROOT, keys.NOTICE_SORT) is None


def test_events_sort_by_time_then_by_the_version_and_place_that_they_were_decided_at() -> None:
    """So that two changes of one instant don't overwrite each other."""
    first, second, third = keys.history(NOW, 9, 0), keys.history(NOW, 10, 0), keys.history(NOW, 10, 1)
    assert first < second < third
    assert keys.kind_of(first) == keys.HISTORY_SORT
