"""What a function's role in template.yaml lets it do, asked of each call as IAM would be.

No local AWS enforces IAM, so a permission that is missing would first be missed at the first deployment. Here every
call that a function makes in a test is held against its role, and what no test calls is known at the end.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from types import FrameType
from typing import Any

from tests.worlds import template

TABLE = "Table"
KEYS = {"ForAllValues:StringLike": "dynamodb:LeadingKeys"}
"""The one condition that confines calls to the table, and what it is about."""

SAME_PERMISSION = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:HeadObject": "s3:GetObject",
    "sesv2:GetAccount": "ses:GetAccount",
    "sesv2:SendEmail": "ses:SendEmail",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""Operations that IAM knows by another name."""

IN_A_TRANSACTION = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}


@dataclass(frozen=True, order=True)
class Call:
    """One thing that a call has to be allowed.

    place: `Table` or `Table/index/<name>`; "" for another service. key: the first part of the partition key, `A#`.
    """

    action: str
    place: str = ""
    key: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.action, self.key, f"in {self.place}" if self.place else "") if part)


@dataclass(frozen=True)
class Statement:
    """One statement of a role. places: as of `Call`; empty: of another service. keys: patterns of partition keys."""

    sid: str
    allows: bool
    actions: tuple[str, ...]
    places: tuple[str, ...]
    keys: tuple[str, ...]

    def permits(self, call: Call) -> bool:
        """Whether it allows a call. One to the table has to be in a place and under a key that it names."""
        if not self.allows or call.action not in self.actions:
            return False
        in_place = not call.place or call.place in self.places
        return in_place and (not call.place or any(fnmatchcase(call.key, pattern) for pattern in self.keys))


@cache
def statements(function: str) -> tuple[Statement, ...]:
    """The statements of the role of a function, by the name of its folder: `send_email`."""
    logical = "".join(word.capitalize() for word in function.split("_"))
    role = template.source()["Resources"][f"{logical}Role"]
    found = [each for policy in role["Properties"]["Policies"] for each in policy["PolicyDocument"]["Statement"]]
    return tuple(_statement(each) for each in found)


def permits(function: str, call: Call) -> bool:
    """Whether a function's role allows a call."""
    return any(statement.permits(call) for statement in statements(function))


def needed(service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[Call]:
    """All that a call to AWS has to be allowed."""
    if service != "dynamodb":
        action = f"{service}:{operation}"
        yield Call(SAME_PERMISSION.get(action, action))
    elif operation == "Query":
        index = parameters.get("IndexName")
        place = f"{TABLE}/index/{index}" if index else TABLE
        yield Call("dynamodb:Query", place, _first_part(_asked_partition(parameters)))
    elif operation == "TransactWriteItems":
        for write in parameters["TransactItems"]:
            [(kind, wanted)] = write.items()
            yield Call(IN_A_TRANSACTION[kind], TABLE, _key_of(wanted))
    elif operation == "BatchGetItem":
        yield from (_one(operation, key) for asked in parameters["RequestItems"].values() for key in asked["Keys"])
    elif operation == "BatchWriteItem":
        writes = [write for written in parameters["RequestItems"].values() for write in written]
        yield from (_one(operation, wanted) for write in writes for wanted in write.values())
    else:
        yield _one(operation, parameters)


def caller(frame: FrameType | None) -> str | None:
    """The folder of the function that a call comes from, by the modules on the stack; None: a test's own call.

    The innermost: where tests let one function ask another, that runs within the one that asks.
    """
    while frame is not None:
        first, _, rest = str(frame.f_globals.get("__name__", "")).partition(".")
        if first == "functions":
            return rest.partition(".")[0]
        frame = frame.f_back
    return None


def calling() -> str | None:
    """The folder of the function that is calling AWS right now."""
    return caller(sys._getframe(1))  # noqa: SLF001 - the stack is what is asked about


def _one(operation: str, wanted: Mapping[str, Any]) -> Call:
    return Call(f"dynamodb:{operation}", TABLE, _key_of(wanted))


def _key_of(wanted: Mapping[str, Any]) -> str:
    item = wanted.get("Key") or wanted.get("Item") or wanted
    return _first_part(item["pk"]["S"])


def _first_part(partition: str) -> str:
    return f"{partition.partition('#')[0]}#"


def _asked_partition(query: Mapping[str, Any]) -> str:
    """The partition that a Query is about: every condition of ours begins with it."""
    found = re.match(r"\s*\S+\s*=\s*(:\w+)", query["KeyConditionExpression"])
    assert found, query["KeyConditionExpression"]
    partition: str = query["ExpressionAttributeValues"][found[1]]["S"]
    return partition


def _statement(written: Mapping[str, Any]) -> Statement:
    conditions = written.get("Condition", {})
    keys = [conditions[how][what] for how, what in KEYS.items() if how in conditions]
    return Statement(
        sid=written["Sid"],
        allows=written["Effect"] == "Allow",
        actions=tuple(written["Action"]),
        places=tuple(place for resource in written["Resource"] if (place := _place(resource))),
        keys=tuple(keys[0]) if keys else (),
    )


def _place(resource: Any) -> str:
    if resource == {"Fn::GetAtt": [TABLE, "Arn"]}:
        return TABLE
    text = resource.get("Fn::Sub") if isinstance(resource, dict) else None
    return text.replace(f"${{{TABLE}.Arn}}", TABLE) if isinstance(text, str) and f"${{{TABLE}.Arn}}" in text else ""
