"""Requests made from the API's own document, and bent: none is a 500, and a foreign key does nothing."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.ingest.ports import ports as ingest_ports
from local.openapi.routes import all_routes
from shared.domain.vocabulary.words import NoticeStatus
from shared.http.routes import Route
from shared.storage.account_books import AccountBooks
from tests.worlds.aws import TABLE
from tests.worlds.clinic import Clinic, gateway_event, invoke
from tests.worlds.examples import notice
from tests.worlds.gateway import described
from tests.worlds.ingest_api import BUCKET, Partner
from tests.worlds.manage_api import FOREIGN, OWN, Caller, snapshot, store
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FEW = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
KNOWN = {"orgId": "org_1", "statementId": "S-1", "accountId": "G-1", "notificationId": "ntc_1"}
OF_PARTNERS = [route for route in all_routes() if route.scope is not None]
OF_PATIENTS = [route for route in all_routes() if route.scope is None and "{" in route.path]

TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "\x00", "%00", "%", "%2F", "a/b", "..", "x" * 600, "é" * 300, "\u2028", "=?utf-8?q?x?=", "-0"]
    ),
)
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([10**30, -1, 0, 1e308, -0.0]))
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def by_schema(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """What fits a schema of the document, by and large, and now and then anything else."""
    if "$ref" in schema:
        return by_schema(described()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    if "anyOf" in schema:
        return st.one_of(*map(by_schema, schema["anyOf"]))
    return st.one_of(_fitting(schema), _fitting(schema), _fitting(schema), ANYTHING)


def _fitting(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    chosen = [*schema.get("examples", ()), *schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]
    if chosen:
        return st.sampled_from(chosen)
    if "properties" in schema:
        fields = {name: _later(inner) for name, inner in schema["properties"].items()}
        needed = {name: fields.pop(name) for name in schema.get("required", ())}
        return st.fixed_dictionaries(needed, optional=fields)
    if schema.get("type") == "array":
        return st.lists(_later(schema.get("items", {})), max_size=3)
    return {
        "string": st.one_of(TEXTS, st.sampled_from(["2026-03-02", "Ada", "74.60"])),
        "integer": st.integers(),
        "number": NUMBERS,
        "boolean": st.booleans(),
        "null": st.none(),
    }.get(str(schema.get("type")), ANYTHING)


def _later(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Of a part of a schema, which may hold the whole again."""
    return st.deferred(lambda: by_schema(schema))


@st.composite
def requests(draw: st.DrawFn, routes: list[Route]) -> tuple[Route, str, str | None, dict[str, str]]:
    """A route, its path with ids and a query, its body, and headers."""
    route = draw(st.sampled_from(routes))
    path = re.sub(
        r"\{(\w+)\}",
        lambda found: draw(
            st.one_of(
                st.just(KNOWN.get(found[1], "x")),
                TEXTS.filter(bool).map(lambda text: quote(text.encode("utf-8", "replace"), safe="")),
                st.sampled_from(["%FF", "%ED%A0%80", "%2525", "a%252Fb"]),
            )
        ),
        route.path,
    )
    query = draw(st.dictionaries(st.sampled_from([*route.parameters, "other"]), TEXTS, max_size=2))
    query = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
    operation = described()["paths"][route.path][route.method.lower()]
    body = None
    if "requestBody" in operation:
        schema = next(iter(operation["requestBody"]["content"].values()))["schema"]
        body = draw(st.one_of(by_schema(schema).map(json.dumps), TEXTS))
    headers = draw(st.sampled_from([{}, {}, {"Idempotency-Key": "k"}, {"Idempotency-Key": "\x00é" * 100}]))
    return route, f"{path}?{urlencode(query)}" if query else path, body, headers


def status_of(caller: Caller, asked: tuple[Route, str, str | None, dict[str, str]]) -> int:
    """How the function of a route answers; its answer has to be as the document says."""
    route, path, body, headers = asked
    names = {name.replace("-", "_"): value for name, value in headers.items()}
    if "ingestion" in path.partition("?")[0].casefold() or route.path == "/v1/statements":
        partner = Partner(partner_id=caller.partner_id)
        return partner.call(route.method, path, body, **names).status
    return caller.call(route.method, path, body, **names).status


@pytest.fixture
def practice(manage_books: AccountBooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """A practice with an account and a notice, before all functions that partners call."""
    store(manage_books, notices=(notice(status=NoticeStatus.DELIVERY_ERROR),))
    wired(monkeypatch, ingest_ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")


@pytest.mark.usefixtures("practice")
@FEW
@given(requests(OF_PARTNERS))
def test_no_request_of_a_partner_ends_in_an_error_of_ours(asked: tuple[Route, str, str | None, dict[str, str]]) -> None:
    assert status_of(OWN, asked) < 500


@pytest.mark.usefixtures("practice")
@FEW
@given(requests([route for route in OF_PARTNERS if "{orgId}" in route.path]))
def test_no_request_of_a_foreign_partner_about_an_organization_does_anything(
    manage_table: "DynamoDBClient", asked: tuple[Route, str, str | None, dict[str, str]]
) -> None:
    before = snapshot(manage_table)
    assert status_of(FOREIGN, asked) in {400, 404}
    assert snapshot(manage_table) == before


@FEW
@given(requests(OF_PATIENTS), ANYTHING, st.sampled_from(["known link", "any"]))
def test_no_request_of_a_patient_ends_in_an_error_of_ours(
    clinic: Clinic, asked: tuple[Route, str, str | None, dict[str, str]], form: object, link: str
) -> None:
    route, path, body, _ = asked
    address, _, query = path.partition("?")
    if link == "known link" and "{token}" in route.path:
        address = route.path.replace("{token}", clinic.issued.token)
    sent = (
        body
        if body is not None
        else urlencode({"amount": str(form), "month": str(form), "code": "x"}, errors="replace")
    )
    event = gateway_event(route.method, address, sent, {"Dunlin-As-Of": clinic.now.isoformat()}, query)
    assert invoke(event, clinic.context).status < 500
