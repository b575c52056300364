"""Who may do what: foreign ids, missing scopes, and what is public."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from functions.manage.documentation import DOCUMENT
from local.openapi.routes import declared
from shared.http.routes import Route
from shared.storage.account_books import AccountBooks
from tests.worlds.bounds import some
from tests.worlds.manage_api import FOREIGN, ORGANIZATION, OWN, filled, snapshot
from tests.worlds.manage_routes import BODIES, MANAGED, call, store_one_of_each

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.usefixtures("manage_table")

OF_AN_ORGANIZATION = [route for route in MANAGED if "{orgId}" in route.path]


@pytest.fixture
def full(manage_books: AccountBooks) -> None:
    """One of each thing that routes are about."""
    store_one_of_each(manage_books)


@pytest.mark.usefixtures("full")
def test_a_foreign_partner_gets_a_404_everywhere_and_changes_nothing(manage_table: "DynamoDBClient") -> None:
    before = snapshot(manage_table)
    for route in OF_AN_ORGANIZATION:
        answer = call(FOREIGN, route)
        assert (route.operation, answer.status) == (route.operation, 404)
        assert answer.body["detail"] == "There is no such organization."
        assert snapshot(manage_table) == before


@pytest.mark.usefixtures("full")
def test_a_foreign_partner_reads_no_account_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_book(*_: object) -> None:
        pytest.fail("an account was read")

    monkeypatch.setattr(AccountBooks, "load", no_book)
    monkeypatch.setattr(AccountBooks, "accounts_of", no_book)
    assert {call(FOREIGN, route).status for route in OF_AN_ORGANIZATION} == {404}


@pytest.mark.usefixtures("full")
def test_without_its_scope_every_route_answers_403_and_changes_nothing(manage_table: "DynamoDBClient") -> None:
    before = snapshot(manage_table)
    for route in MANAGED:
        every_other = " ".join(scope for scope in OWN.scopes.split() if scope != route.scope)
        answer = call(replace(OWN, scopes=every_other), route)
        assert (route.operation, answer.status) == (route.operation, 403)
        assert str(route.scope) in answer.body["detail"]
        assert snapshot(manage_table) == before


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("route", MANAGED, ids=lambda route: route.operation)
def test_with_only_its_scope_a_route_of_the_table_is_there(route: Route) -> None:
    answer = call(replace(OWN, scopes=str(route.scope)), route)
    assert answer.status in {route.status, 404, 409}
    assert "There is nothing at this address." not in answer.text


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    "route", [route for route in MANAGED if route.method == "POST"], ids=lambda route: route.operation
)
def test_every_post_replays_under_the_same_idempotency_key(route: Route) -> None:
    first = call(OWN, route, Idempotency_Key="k")
    again = call(OWN, route, Idempotency_Key="k")
    assert (again.status, again.text) == (first.status, first.text)


@pytest.mark.usefixtures("full")
def test_a_stored_answer_is_not_for_a_key_of_the_same_partner_without_the_scope() -> None:
    for route in MANAGED:
        if route.method == "POST":
            others = " ".join(scope for scope in OWN.scopes.split() if scope != route.scope)
            call(OWN, route, Idempotency_Key=route.operation)
            assert call(replace(OWN, scopes=others), route, Idempotency_Key=route.operation).status == 403


@pytest.mark.usefixtures("full")
def test_head_answers_as_get_does_without_the_body() -> None:
    reads = [route for route, _ in declared()["Manage"] if route.method == "GET"]
    assert len(reads) >= 20
    for route in reads:
        path = filled(route.path)
        read, probed = OWN.get(path), OWN.call("HEAD", path)
        assert (read.status, probed.status, probed.text) == (200, 200, ""), route
        assert probed.headers == read.headers
    assert OWN.call("HEAD", f"{ORGANIZATION}/bills/unknown").status == 404
    assert OWN.call("HEAD", f"{ORGANIZATION}/bills/S-1/status").status == 404
    assert OWN.call("HEAD", f"{ORGANIZATION}/bills?nope=1").status == 400
    assert FOREIGN.call("HEAD", f"{ORGANIZATION}/bills").status == 404
    assert replace(OWN, scopes="send").call("HEAD", f"{ORGANIZATION}/bills").status == 403


@pytest.mark.usefixtures("full")
def test_what_partners_are_answered_is_kept_by_no_cache_and_the_document_is() -> None:
    """tests/worlds/gateway.py asks it of every answer."""
    assert OWN.get(f"{ORGANIZATION}/bills").headers["Cache-Control"] == "no-store"
    assert OWN.get(f"{ORGANIZATION}/bills?limit=0").headers["Cache-Control"] == "no-store"
    assert OWN.get("/openapi.json").headers["Cache-Control"] == "public, max-age=300"


def test_the_document_and_its_page_need_no_key_and_hold_no_script() -> None:
    nobody = replace(OWN, partner_id="", scopes="")
    assert nobody.get("/openapi.json").text == DOCUMENT.read_text("utf-8")
    page = nobody.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "script-src" not in page.headers["Content-Security-Policy"]


def test_a_simulated_time_that_is_no_instant_is_a_400() -> None:
    assert OWN.call("GET", "/v1/organizations/org_1/bills", Dunlin_As_Of="yesterday").status == 400


def test_nothing_personal_is_logged(full: None, caplog: pytest.LogCaptureFixture) -> None:
    for route in MANAGED:
        call(OWN, route)
    OWN.post("/v1/organizations/org_1/bills/S-1/payments", {"amount": "x", "method": "cash", "receivedOn": "Ada"})
    numbers = {"created", "msecs", "relativeCreated", "thread", "process"}
    logged = str([{name: told for name, told in vars(one).items() if name not in numbers} for one in caplog.records])
    assert "org_1" in logged
    for personal in ("Ada", "Example", "Juniper", "example.com", "74.60", "5550111", "1980"):
        assert personal not in logged


@pytest.mark.parametrize("body", ["{", "\udcff{}", '{"name": "\\ud800"}', '{"\\ud800": 1}'])
def test_a_body_that_is_no_json_in_utf_8_is_a_400_everywhere(body: str) -> None:
    for route in MANAGED:
        if route.body is not None:
            path = route.path.replace("{orgId}", "org_1")
            answer = OWN.call(route.method, path, body)
            assert answer.status in {400, 404}
    assert OWN.call("POST", "/v1/organizations", body).status == 400
    assert OWN.call("POST", "/v1/organizations", body, Idempotency_Key="k").status == 400


def test_an_id_that_nothing_can_have_is_a_404_everywhere() -> None:
    with_ids = [(route, re.findall(r"\{\w+\}", route.path)) for route in MANAGED if "{" in route.path]
    for route, names in some(with_ids):
        for value in ("x" * 3_000, "%00", "%F0%9F%98%80", "..%2F..", "%25", "%7Bid%7D", "%FF"):
            path = route.path.replace(names[-1], value).replace("{orgId}", "org_1")
            assert OWN.call(route.method, path, BODIES.get(route.operation)).status == 404
