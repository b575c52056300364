"""What breaks partners' programs is named, and isn't written unlooked at; what doesn't break them passes."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from local.openapi.__main__ import COPIES, main, text
from local.openapi.breaking import breaking_changes
from tests.worlds.gateway import described

BILL = "/v1/organizations/{orgId}/bills/{statementId}"
BILLS = "/v1/organizations/{orgId}/bills"

type Change = Callable[[dict[str, Any]], None]


def changed(change: Change) -> dict[str, Any]:
    made = deepcopy(described())
    change(made)
    return made


def at(*where: str) -> Callable[[dict[str, Any]], Any]:
    """What stands at a place of the document."""

    def find(document: dict[str, Any]) -> Any:
        found: Any = document
        for name in where:
            found = found[name]
        return found

    return find


def operation(method: str, path: str) -> Callable[[dict[str, Any]], Any]:
    return at("paths", path, method)


def model(name: str) -> Callable[[dict[str, Any]], Any]:
    return at("components", "schemas", name)


def without(place: Callable[[dict[str, Any]], Any], name: str) -> Change:
    return lambda document: place(document).pop(name)


def setting(place: Callable[[dict[str, Any]], Any], **members: Any) -> Change:
    return lambda document: place(document).update(members)


def moved(place: Callable[[dict[str, Any]], Any], name: str, new_name: str) -> Change:
    def change(document: dict[str, Any]) -> None:
        place(document)[new_name] = place(document).pop(name)

    return change


def requiring(place: Callable[[dict[str, Any]], Any], *names: str) -> Change:
    return lambda document: place(document).setdefault("required", []).extend(names)


def releasing(place: Callable[[dict[str, Any]], Any], name: str) -> Change:
    return lambda document: place(document)["required"].remove(name)


def parameter(name: str, **members: Any) -> Change:
    given = {"name": name, "in": "query", "schema": {"type": "string"}} | members
    return lambda document: document["paths"][BILLS]["get"]["parameters"].append(given)


def losing_word(place: Callable[[dict[str, Any]], Any], word: str) -> Change:
    return lambda document: place(document)["enum"].remove(word)


def losing_parameter(name: str) -> Change:
    def change(document: dict[str, Any]) -> None:
        found = document["paths"][BILLS]["get"]
        found["parameters"] = [each for each in found["parameters"] if each["name"] != name]

    return change


PAYMENT = "PaymentBody"
BREAKING: dict[str, tuple[Change, str]] = {
    "a path is gone": (without(at("paths"), BILL), f"GET {BILL} is gone"),
    "an operation is gone": (without(at("paths", BILLS), "get"), f"GET {BILLS} is gone"),
    "a path has another name": (moved(at("paths"), BILL, "/v1/bills/{statementId}"), f"GET {BILL} is gone"),
    "another scope": (setting(operation("get", BILL), security=[{"partnerKey": ["manage"]}]), "manage instead of read"),
    "another operation id": (setting(operation("get", BILL), operationId="bill"), "bill instead of readBill"),
    "another status": (moved(at("paths", f"{BILL}/payments", "post", "responses"), "201", "202"), "202 instead of 201"),
    "another media type": (
        moved(at("paths", BILL, "get", "responses", "200", "content"), "application/json", "text/csv"),
        "application/json is gone",
    ),
    "a new parameter that is required": (parameter("since", required=True), "now requires the parameter since"),
    "a parameter that is gone": (losing_parameter("status"), "has lost the parameter status"),
    "a member of an answer that is gone": (
        without(at("components", "schemas", "BillAnswer", "properties"), "balance"),
        "answer 200, items, each has lost the member balance",
    ),
    "a member of an answer that may be missing": (releasing(model("BillAnswer"), "balance"), "may now lack balance"),
    "a member of an answer of another type": (
        setting(at("components", "schemas", "BillAnswer", "properties"), level={"type": "string"}),
        "level may now be string",
    ),
    "a member of an answer that may be null": (
        setting(at("components", "schemas", "BillAnswer", "properties"), level={"type": ["integer", "null"]}),
        "level may now be null",
    ),
    "a member of an answer in another form": (
        setting(at("components", "schemas", "BillAnswer", "properties", "balance"), pattern="x"),
        "balance has another pattern",
    ),
    "a word that is gone": (losing_word(model("BillStatus"), "Suspended"), "has lost the word Suspended"),
    "a word of a parameter that is gone": (
        losing_word(at("paths", BILLS, "get", "parameters", 1, "schema"), "Suspended"),  # type: ignore[arg-type] # a list
        "status has lost the word Suspended",
    ),
    "a vocabulary of an answer that is open now": (without(model("BillStatus"), "enum"), "may now be any word"),
    "a body's member that is required now": (
        requiring(model(PAYMENT), "transactionId"),
        f"POST {BILL}/payments, body now requires transactionId",
    ),
    "a body's member that is gone": (
        without(at("components", "schemas", PAYMENT, "properties"), "transactionId"),
        "body has lost the member transactionId",
    ),
    "a body's member that takes less": (
        setting(at("components", "schemas", PAYMENT, "properties"), amount={"type": "string"}),
        "body, amount no longer takes number",
    ),
    "a body's member that must be shorter": (
        setting(at("components", "schemas", PAYMENT, "properties", "method"), maxLength=10),
        "method has a tighter maxLength: 10",
    ),
    "a body's member that must be longer": (
        setting(at("components", "schemas", PAYMENT, "properties", "method"), minLength=1),
        "method has a tighter minLength: 1",
    ),
    "a body's member that takes only some words": (
        setting(at("components", "schemas", PAYMENT, "properties", "method"), enum=["cash"]),
        "method now takes only cash",
    ),
    "a body that is required now": (
        setting(at("paths", "/v1/ingestions", "post", "requestBody"), required=True),
        "POST /v1/ingestions now requires a body",
    ),
    "a body that refuses what it doesn't know": (
        setting(model("StatementFileBody"), additionalProperties=False),
        "now refuses members that it doesn't know",
    ),
}
HARMLESS: dict[str, Change] = {
    "a new path": setting(at("paths"), **{"/v1/new": {"get": {"operationId": "new", "responses": {}}}}),
    "a new parameter": parameter("since"),
    "a new member of an answer": setting(
        at("components", "schemas", "BillAnswer", "properties"), colour={"type": "string"}
    ),
    "a new word": lambda document: model("BillStatus")(document)["enum"].append("Disputed"),
    "a new member of a body": setting(at("components", "schemas", PAYMENT, "properties"), note={"type": "string"}),
    "a body's member that needn't be there any more": releasing(model(PAYMENT), "receivedOn"),
    "a body's member that may be longer": setting(
        at("components", "schemas", PAYMENT, "properties", "method"), maxLength=400
    ),
    "an answer's member that is never null any more": setting(
        at("components", "schemas", "BillAnswer", "properties"), statusReason={"type": "string"}
    ),
    "another summary": setting(operation("get", BILL), summary="Read it", description="Anew."),
    "a problem more and a problem less": moved(at("paths", BILL, "get", "responses"), "404", "410"),
    "a route that needs no key any more": setting(operation("get", BILL), security=[]),
}


@pytest.mark.parametrize(("change", "named"), BREAKING.values(), ids=BREAKING)
def test_what_breaks_a_program_is_named(change: Change, named: str) -> None:
    found = breaking_changes(described(), changed(change))
    assert any(named in each for each in found), found


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_what_breaks_no_program_passes(change: Change) -> None:
    assert changed(change) != described()
    assert breaking_changes(described(), changed(change)) == []


def test_schemas_that_refer_to_themselves_are_compared_all_the_same() -> None:
    tree = {"type": "object", "properties": {"inner": {"$ref": "#/components/schemas/BillsPage"}}}
    turned = changed(lambda document: document["components"]["schemas"].update(BillsPage=tree))
    assert breaking_changes(turned, turned) == []


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the document as it is, written by the command."""
    for copy in COPIES:
        (tmp_path / copy).parent.mkdir(parents=True)
    assert main([], tmp_path) == 0
    return tmp_path


def kept(project: Path) -> set[str]:
    return {(project / copy).read_text("utf-8") for copy in COPIES}


def committed(project: Path, change: Change) -> str:
    """Let another document have been committed; the decorators' one then comes after it."""
    other = json.dumps(changed(change))
    for copy in COPIES:
        (project / copy).write_text(other, "utf-8")
    return other


def test_the_command_writes_the_same_document_to_both_places(project: Path) -> None:
    assert kept(project) == {text()}
    assert main(["--check"], project) == 0


def test_the_check_fails_where_either_copy_is_not_what_the_decorators_give(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for copy in COPIES:
        (project / copy).write_text(text().replace("Read a bill", "Read the bill"), "utf-8")
        assert main(["--check"], project) == 1
        assert str(copy) in capsys.readouterr().err
        assert main([], project) == 0


def test_a_breaking_change_fails_the_check_by_name_and_is_written_only_if_it_is_meant(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = committed(project, setting(at("components", "schemas", "BillAnswer", "properties"), colour={}))
    assert main(["--check"], project) == 1
    assert "has lost the member colour" in capsys.readouterr().err
    assert main([], project) == 1
    assert "has lost the member colour" in capsys.readouterr().err
    assert kept(project) == {before}
    assert main(["--breaking"], project) == 0
    assert kept(project) == {text()}


def test_a_harmless_change_is_written_as_it_is(project: Path) -> None:
    committed(project, losing_word(model("BillStatus"), "Suspended"))
    assert main(["--check"], project) == 1
    assert main([], project) == 0
    assert kept(project) == {text()}
