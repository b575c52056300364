"""The API's own description: complete, valid, true, and readable without anything from elsewhere."""

import ast
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # ships no type information

from functions.manage import docs_page
from local.openapi.__main__ import COPIES, text
from local.openapi.routes import all_routes
from tests.worlds.gateway import described
from tests.worlds.sources import nodes

PROJECT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((Path(__file__).parent / "openapi_3_1.schema.json").read_text())
"""The OpenAPI Initiative's own schema of OpenAPI 3.1 documents, 2022-10-07."""


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each operation with its path and method."""
    for path, methods in described()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def parts(part: Any) -> Iterator[dict[str, Any]]:
    """Each object inside a part of the document."""
    if isinstance(part, list):
        for each in part:
            yield from parts(each)
    if isinstance(part, dict):
        yield part
        for each in part.values():
            yield from parts(each)


def schema(name: str) -> Any:
    return described()["components"]["schemas"][name]


# --- the file ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copy", COPIES, ids=str)
def test_what_is_committed_is_what_the_decorators_give(copy: Path) -> None:
    assert (PROJECT / copy).read_text("utf-8") == text(), "run `make openapi`"


def test_no_function_makes_a_schema_at_run_time() -> None:
    sources = [path for folder in ("shared", "functions") for path in (PROJECT / folder).rglob("*.py")]
    names = {
        (path.name, node.attr if isinstance(node, ast.Attribute) else node.name)
        for path in sources
        for node in nodes(path)
        if isinstance(node, (ast.Attribute, ast.alias))
    }
    assert len(names) > 1000
    assert {found for found in names if re.search("json_schema|openapi_schema", found[1])} == set()


# --- valid -----------------------------------------------------------------------------------------------------------


def test_the_document_is_valid_openapi_3_1() -> None:
    assert described()["openapi"].startswith("3.1.")
    assert list(Draft202012Validator(SCHEMA).iter_errors(described())) == []


def test_every_schema_is_valid_and_every_reference_leads_somewhere() -> None:
    components = described()["components"]
    for each in components["schemas"].values():
        Draft202012Validator.check_schema(each)
    references = [part["$ref"] for part in parts(described()) if isinstance(part.get("$ref"), str)]
    assert references
    for reference in references:
        _, kind, name = reference.removeprefix("#/").split("/")
        assert name in components[kind]


def test_every_operation_has_its_own_id_and_every_path_parameter_is_declared() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids) == len(all_routes())
    for path, _, operation in operations():
        declared = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path))


# --- true (the integration tests hold every answer that they get against it: tests/worlds/gateway.py) -------------


def test_every_default_and_every_example_is_of_its_own_schema() -> None:
    held = 0
    for part in parts(described()):
        values = [part["default"]] if "default" in part and isinstance(part.get("type", ""), (str, list)) else []
        values += part["examples"] if isinstance(part.get("examples"), list) else []
        for value in values:
            validator = Draft202012Validator({**part, "components": described()["components"]})
            assert list(validator.iter_errors(value)) == [], part
            held += 1
    assert held > 50


def test_every_partner_endpoint_names_its_scope_its_parameters_and_its_problems() -> None:
    for route in all_routes():
        if route.scope is None:
            continue
        operation = described()["paths"][route.path][route.method.lower()]
        assert operation["security"] == [{"partnerKey": [route.scope]}]
        assert route.scope in operation["description"]
        assert {"400", "401", "403", "429", "500"} <= set(operation["responses"])
        assert ("404" in operation["responses"]) >= ("{" in route.path)
        parameters = operation.get("parameters", [])
        headers = {each["name"] for each in parameters if each["in"] == "header"}
        expected = {"GET": set[str](), "POST": {"Idempotency-Key", "Dunlin-Actor"}}
        assert headers == expected.get(route.method, {"Dunlin-Actor"})
        assert {each["name"] for each in parameters if each["in"] == "query"} == set(route.parameters)


def test_what_needs_no_key_says_so_and_a_page_answers_errors_as_pages() -> None:
    free = [(path, operation) for path, _, operation in operations() if not path.startswith("/v1/")]
    assert free
    for path, operation in free:
        assert operation["security"] == []
        page = operation["tags"] == ["Patient pages"]
        for status, answer in operation["responses"].items():
            if page and status >= "4" and status not in {"413", "429"}:
                assert list(answer["content"]) == ["text/html"], (path, status)


def test_money_in_a_body_may_be_a_string_or_a_number_and_in_an_answer_is_a_string() -> None:
    given = Draft202012Validator(schema("PaymentBody")["properties"]["amount"])
    assert [value for value in ("74.60", "74.6", "75", "-1", 74.6, 75, -1) if not given.is_valid(value)] == []
    assert [value for value in ("74.605", "$1", "", None, True, 1e8) if given.is_valid(value)] == []
    answered = Draft202012Validator(schema("PaymentAnswer")["properties"]["amount"])
    assert answered.is_valid("74.60")
    assert not any(answered.is_valid(value) for value in (74.6, "74.6"))


def test_a_merge_patch_has_no_read_only_member_and_takes_null_for_all_others() -> None:
    read_only = {"OrganizationPatch": "clientId", "DunningPatch": "schedule", "AccountPatch": "balance"}
    for name, member in read_only.items():
        assert member not in schema(name)["properties"]
        assert member in schema(name)["description"]
        validator = Draft202012Validator({**schema(name), "components": described()["components"]})
        assert validator.is_valid(dict.fromkeys(schema(name)["properties"]))
    assert "clientId" in schema("OrganizationBody")["properties"]


# --- for people ------------------------------------------------------------------------------------------------------


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
    page.feed(docs_page.page(text()))
    assert page.open == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    anchors = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert anchors <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)
    assert [link for link in page.links if not link.startswith("#")] == ["openapi.json"]
    assert {route.operation for route in all_routes()} <= set(page.ids)
