"""Bodies that nobody means: refused at once, with an answer of bounded size (docs/rules.md#readable-bodies)."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from functions.ingest.ports import ports as ingest_ports
from local.openapi.routes import declared
from shared.http.api import MOST_BODY_BYTES, MOST_JSON_BYTES
from shared.http.problems import LONGEST_POINTER, MOST_ERRORS
from shared.storage.account_books import AccountBooks
from tests.worlds.aws import TABLE
from tests.worlds.clinic import Clinic
from tests.worlds.ingest_api import BUCKET, Partner
from tests.worlds.manage_api import ACCOUNT, BILL, DUNNING, ORGANIZATION, OWN, Reply, filled, snapshot, store
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TAKING_A_BODY = [route for route, _ in declared()["Manage"] if route.body is not None]
PATCHED = [ORGANIZATION, DUNNING, ACCOUNT, "/v1/dunning-defaults"]

NESTED = [
    opening * depth + closing * depth
    for depth in (41, 500, 1_000, 3_000, 10_000, 100_000)
    for opening, closing in (("[", "]"), ('{"a":', "}"), ('{"patients":[', "]}"))
] + ["[" * 100_000]
UNREADABLE = [
    "",
    "{",
    "nope",
    '{"a": NaN}',
    '{"a": -Infinity}',
    f'{{"a": {"9" * 5_000}}}',
    '{"a": 1e99999999999999999999}',
    '{"a": 1, "a": 1}',
    '{"b": [{"c": {"a": 1, "\\u0061": 2}}]}',
    '{"a": "\\ud800"}',
    '{"\\ud800": 1}',
    '{"a": "\x00"}',
    "\udcff{}",
    '{"name": "Jos\udce9"}',
]


def sent(method: str, path: str, body: Any) -> Reply:
    return OWN.call(method, filled(path), body)


@pytest.fixture
def full(manage_books: AccountBooks) -> None:
    store(manage_books)


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("body", [*NESTED, *UNREADABLE], ids=range(len(NESTED) + len(UNREADABLE)))
def test_what_is_no_json_or_is_read_differently_by_others_is_a_400_on_every_route(
    manage_table: "DynamoDBClient", body: str
) -> None:
    before = snapshot(manage_table)
    for route in TAKING_A_BODY:
        if body or route.method == "PATCH":
            answer = sent(route.method, route.path, body)
            assert (route.operation, answer.status) == (route.operation, 400)
            assert len(answer.text) < 400
    assert snapshot(manage_table) == before


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    "amount", ["1e400", "-1e400", "1e-400", "-0", "-0.0", "0e9", "9" * 60, '"NaN"', '"\\u0000"', "true", "[]", "0.001"]
)
def test_an_amount_without_bounds_or_worth_is_named(manage_table: "DynamoDBClient", amount: str) -> None:
    before = snapshot(manage_table)
    answer = OWN.post(f"{BILL}/payments", f'{{"amount": {amount}, "method": "cash", "receivedOn": "2026-03-02"}}')
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/amount")
    assert snapshot(manage_table) == before


@pytest.mark.usefixtures("full")
def test_a_payment_that_names_its_amount_twice_posts_nothing(manage_table: "DynamoDBClient") -> None:
    before = snapshot(manage_table)
    body = '{"amount": "1.00", "amount": "100.00", "method": "cash", "receivedOn": "2026-03-02"}'
    answer = OWN.post(f"{BILL}/payments", body)
    assert (answer.status, answer.body["detail"]) == (400, "The body has an object with the same field twice.")
    assert snapshot(manage_table) == before


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("path", PATCHED)
def test_of_many_errors_the_first_hundred_are_listed(path: str) -> None:
    answer = OWN.patch(path, {f"unknown{n}": n for n in range(50_000)})
    assert answer.status == 422
    assert len(answer.body["errors"]) == MOST_ERRORS
    assert "there are 49900 more" in answer.body["detail"]
    assert len(answer.text) < 20_000


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("path", PATCHED)
def test_the_name_of_an_unknown_field_is_shortened(path: str) -> None:
    answer = OWN.patch(path, {"x" * 500_000: 1})
    assert answer.status == 422
    assert len(answer.body["errors"][0]["pointer"]) == LONGEST_POINTER + 1


@pytest.mark.usefixtures("full")
def test_a_body_larger_than_any_of_ours_is_a_413() -> None:
    for route in TAKING_A_BODY:
        if not route.reads_body:
            assert sent(route.method, route.path, {"x": "x" * MOST_JSON_BYTES}).status == 413


@pytest.mark.usefixtures("full")
def test_a_pointer_that_restarts_aging_is_of_bounded_length(manage_table: "DynamoDBClient") -> None:
    before = snapshot(manage_table)
    answer = OWN.patch(DUNNING, {"resetFields": ["/patients" + "/0" * 225_000]})
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/resetFields/0")
    assert snapshot(manage_table) == before


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("key", ["", "x" * 256])
def test_an_idempotency_key_that_is_empty_or_too_long_is_a_400_and_posts_nothing(
    manage_table: "DynamoDBClient", key: str
) -> None:
    before = snapshot(manage_table)
    paid = {"amount": "1.00", "method": "cash", "receivedOn": "2026-03-02"}
    assert OWN.post(f"{BILL}/payments", paid, Idempotency_Key=key).status == 400
    assert snapshot(manage_table) == before


# --- statement files and webhooks ------------------------------------------------------------------------------------


@pytest.fixture
def partner(manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> Partner:
    wired(monkeypatch, ingest_ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    return Partner()


@pytest.mark.parametrize("path", ["/v1/statements", "/v1/ingestions"])
@pytest.mark.parametrize("body", NESTED, ids=range(len(NESTED)))
def test_deeply_nested_files_are_refused(partner: Partner, path: str, body: str) -> None:
    assert partner.post(path, body).status in {400, 422}


def test_a_request_larger_than_an_invocation_may_carry_names_the_bulk_way(partner: Partner) -> None:
    answer = partner.post("/v1/statements", {"x": "x" * MOST_BODY_BYTES})
    assert answer.status == 413
    assert "POST /v1/ingestions" in answer.body["detail"]


@pytest.mark.parametrize("body", [*NESTED, *UNREADABLE[1:-2]], ids=range(len(NESTED) + len(UNREADABLE) - 3))
def test_a_signed_webhook_that_is_no_json_is_a_400(clinic: Clinic, body: str) -> None:
    before = clinic.book
    assert clinic.signed(body).status == 400
    assert clinic.book == before


def test_a_signed_webhook_that_is_no_event_is_a_422(clinic: Clinic) -> None:
    for body in ("[]", "{}", "1", '"x"', "null", json.dumps({"type": "checkout.completed", "amount": 1e9})):
        assert clinic.signed(body).status == 422
