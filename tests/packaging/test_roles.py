"""What each function may do: its role in the template, and the tables of docs/architecture.md that say so."""

import re
from collections import defaultdict
from itertools import dropwhile, takewhile
from typing import Any

import pytest

from tests.worlds import permissions, template

ARCHITECTURE = (template.PROJECT / "docs/architecture.md").read_text()
READING = {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem"}
CHANNELS = {"send_email", "send_sms", "render_print"}
FUNCTIONS = template.functions()


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, its header left out."""
    lines = ARCHITECTURE.split(f"## {heading}\n", 1)[1].splitlines()
    table = takewhile(lambda line: line.startswith("|"), dropwhile(lambda line: not line.startswith("|"), lines))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in list(table)[2:]]


def keys(text: str) -> set[str]:
    return set(re.findall(r"`([A-Z]{1,2}#)", text))


def allowed(function: str, *, index: bool, reading: bool) -> set[tuple[str, str]]:
    """Where a function may read or write: places with keys."""
    return {
        (place, pattern.removesuffix("*"))
        for statement in permissions.statements(function)
        if any(action.startswith("dynamodb:") and (action in READING) is reading for action in statement.actions)
        for place in statement.places
        if (place != permissions.TABLE) is index
        for pattern in statement.keys
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_has_a_role_of_its_own_without_a_policy_of_somebody_elses(function: str) -> None:
    logical = "".join(word.capitalize() for word in function.split("_"))
    expanded = template.resources("AWS::Lambda::Function")[logical]["Properties"]
    assert expanded["Role"] == {"Fn::GetAtt": [f"{logical}Role", "Arn"]}
    role = template.resources("AWS::IAM::Role")[f"{logical}Role"]["Properties"]
    assert "ManagedPolicyArns" not in role
    trusted = role["AssumeRolePolicyDocument"]["Statement"]
    assert [each["Principal"] for each in trusted] == [{"Service": "lambda.amazonaws.com"}]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_permission_on_the_table_is_confined_to_keys(function: str) -> None:
    for statement in permissions.statements(function):
        if any(action.startswith("dynamodb:") for action in statement.actions):
            assert statement.places, statement.sid
            assert statement.keys, statement.sid
            assert all(re.fullmatch(r"[A-Z]{1,2}#\*", pattern) for pattern in statement.keys), statement.sid


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_writes_its_own_log_only(function: str) -> None:
    logical = "".join(word.capitalize() for word in function.split("_"))
    role: Any = template.source()["Resources"][f"{logical}Role"]["Properties"]["Policies"][0]["PolicyDocument"]
    found = [each["Resource"] for each in role["Statement"] if "logs:PutLogEvents" in each["Action"]]
    assert found == [[{"Fn::GetAtt": [f"{logical}Logs", "Arn"]}]]


@pytest.mark.parametrize("function", ["send_email", "send_sms", "render_print", "send_webhooks"])
def test_a_channel_polls_its_own_queue_only(function: str) -> None:
    logical = "".join(word.capitalize() for word in function.split("_"))
    [source] = [
        each["Properties"]
        for each in template.resources("AWS::Lambda::EventSourceMapping").values()
        if each["Properties"]["FunctionName"] == {"Ref": f"{logical}Aliaslive"}
    ]
    role: Any = template.source()["Resources"][f"{logical}Role"]["Properties"]["Policies"][0]["PolicyDocument"]
    polled = [each["Resource"] for each in role["Statement"] if "sqs:ReceiveMessage" in each["Action"]]
    assert polled == [[source["EventSourceArn"]]]


def test_the_table_of_who_may_do_what_is_what_the_roles_say() -> None:
    written = {row[0]: row[1:4] for row in rows("Who may do what")}
    assert set(written) == set(FUNCTIONS)
    for function, (reads, by_index, writes) in written.items():
        assert {(permissions.TABLE, key) for key in keys(reads)} == allowed(function, index=False, reading=True), (
            function
        )
        assert {(permissions.TABLE, key) for key in keys(writes)} == allowed(function, index=False, reading=False), (
            function
        )
        indexes = {
            (f"{permissions.TABLE}/index/{name}", key)
            for name, found in re.findall(r"\*\*(\w+)\*\*([^*]*)", by_index)
            for key in keys(found)
        }
        assert indexes == allowed(function, index=True, reading=True), function


def test_the_table_of_items_names_whoever_may_write_them() -> None:
    writers, current = defaultdict[str, set[str]](set), set[str]()
    for partition, _, _, by in rows("The table"):
        current = keys(partition) or current
        names = {name.strip() for name in by.split(",")}
        for key in current:
            writers[key] |= (names - {"channels", "the `dunlin` command"}) | (
                CHANNELS if "channels" in names else set()
            )
    may = defaultdict[str, set[str]](set)
    for function in FUNCTIONS:
        for _, key in allowed(function, index=False, reading=False):
            may[key].add(function)
    assert {key: names for key, names in writers.items() if names} == may
