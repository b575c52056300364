"""The API's own description: complete, valid, and readable without anything from elsewhere."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # ships no type information

from functions.manage import docs_page
from functions.manage.openapi import document
from functions.manage.route_table import ROUTES
from tests.worlds import template
from tests.worlds.bounds import some

SCHEMA = json.loads((Path(__file__).parent / "openapi_3_1.schema.json").read_text())
"""The OpenAPI Initiative's own schema of OpenAPI 3.1 documents, 2022-10-07."""


def deployed_routes() -> set[tuple[str, str]]:
    """Method and path of every event of the REST API in the template; HEAD goes without saying where GET is."""
    functions = [
        resource["Properties"]
        for resource in template.source()["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    events = [event for function in functions for event in function.get("Events", {}).values()]
    routes = {(e["Properties"]["Method"].lower(), e["Properties"]["Path"]) for e in events if e["Type"] == "Api"}
    return {(method, path) for method, path in routes if method != "head"}


def references(part: Any) -> set[str]:
    if isinstance(part, list):
        return set[str]().union(*(references(each) for each in part))
    if not isinstance(part, dict):
        return set()
    own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
    return own.union(*(references(each) for each in part.values()))


def test_the_document_is_valid_openapi_3_1() -> None:
    assert document()["openapi"].startswith("3.1.")
    assert list(Draft202012Validator(SCHEMA).iter_errors(document())) == []


def test_every_deployed_route_is_described_and_nothing_else() -> None:
    described = {(method, path) for path, methods in document()["paths"].items() for method in methods}
    assert described == deployed_routes()
    assert described == {(route.method, route.path) for route in ROUTES}


def test_every_schema_is_valid_and_every_reference_leads_somewhere() -> None:
    components = document()["components"]
    for schema in components["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for reference in some(references(document())):
        _, kind, name = reference.removeprefix("#/").split("/")
        assert name in components[kind]


def test_every_operation_has_its_own_id_and_every_path_parameter_is_declared() -> None:
    operations = [(path, operation) for path, methods in document()["paths"].items() for operation in methods.values()]
    ids = [operation["operationId"] for _, operation in operations]
    assert len(set(ids)) == len(ids)
    for path, operation in some(operations):
        declared = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path))


@pytest.mark.parametrize("route", [route for route in ROUTES if route.partner], ids=lambda route: route.operation)
def test_every_partner_endpoint_names_its_scope_and_its_problems(route: Any) -> None:
    operation = document()["paths"][route.path][route.method]
    assert route.scope in operation["description"]
    assert {"401", "403"} <= set(operation["responses"])
    names = {each["name"] for each in operation.get("parameters", [])}
    assert ("Idempotency-Key" in names) == (route.method == "post")
    assert (names >= {"limit", "cursor"}) == route.paged


class Page(HTMLParser):
    """What a page loads, links to and is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"} and value]
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_for_people_is_whole_and_needs_no_script_and_nothing_from_elsewhere() -> None:
    page = Page()
    page.feed(docs_page.page())
    assert page.open == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    anchors = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert anchors <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)
    assert [link for link in page.links if not link.startswith("#")] == ["openapi.json"]
    assert {route.operation for route in ROUTES} <= set(page.ids)
