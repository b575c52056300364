"""The calls that a function makes to AWS, as the crash harness sees them pass, and what it can do to one of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

SHORT_READ_TIMEOUT = 3.0
"""Seconds that the functions wait for an answer here, so that a time-out costs a cell three and not ten."""

SEND_EMAIL, SEND_TEXT, PUT_OBJECT = "SendEmail", "Publish", "PutObject"
_READS = frozenset({"Query", "GetItem", "BatchGetItem", "GET", "GetObject", "HeadObject", "GetParameter"})
_EMAIL_PATH = "/v2/email/"
_COLLECTIONS = {"A#": "book", "M#": "number", "B#": "print batches"}
_ITEM_KINDS = {
    "O": "organization",
    "@": "account",
    "N": "notice",
    "B": "bill",
    "H": "history",
    "E": "shard lease",
    "G": "gate",
    "J": "job",
    "P": "partner",
    "L": "link",
    "T": "link secret",
    "M": "number",
    "W": "page of a change",
    "X": "checkout reference",
}


class Kind(StrEnum):
    """What happens at a call. "After" is after it was carried out and before its answer is given back."""

    KILL_BEFORE = "kill before"
    KILL_AFTER = "kill after"
    RESET_BEFORE = "reset before"
    RESET_AFTER = "reset after"
    ERROR_AFTER = "500 after"
    TIMEOUT_AFTER = "timeout after"
    THROTTLED = "throttled"
    PAUSED = "account paused"
    OUTAGE = "outage"
    """This call and all later ones of the invocation are refused with a server error."""

    @property
    def carried_out(self) -> bool:
        """Whether the call still does its work."""
        return self in {Kind.KILL_AFTER, Kind.RESET_AFTER, Kind.ERROR_AFTER, Kind.TIMEOUT_AFTER}

    @property
    def kills(self) -> bool:
        """Whether the function's process dies of it."""
        return self in {Kind.KILL_BEFORE, Kind.KILL_AFTER}


@dataclass(frozen=True)
class AwsRequest:
    """A request to AWS; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The members of a request in AWS's query protocol, which SNS speaks."""
        if not self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return {}
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def document(self) -> dict[str, Any]:
        """The body of a request in JSON."""
        document: dict[str, Any] = json.loads(self.body or b"{}")
        return document


@dataclass(frozen=True)
class Call:
    """One call of one invocation. number: from 1, in the order in which they came."""

    number: int
    service: str
    name: str

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.name.split()[0] in _READS

    @property
    def provider(self) -> bool:
        """Whether this call hands a message over: to SES, to SNS, or as a letter to the print bucket."""
        return self.name.split()[0] in {SEND_EMAIL, SEND_TEXT, PUT_OBJECT}


@dataclass(frozen=True)
class InjectedFault:
    """What to do at one call of one invocation: the `nth` of the function, from 1, in a cell."""

    function: str
    nth: int
    call: int
    kind: Kind


@dataclass
class Passage:
    """One invocation's calls, with the fault that meets it, if any."""

    fault: InjectedFault | None = None
    calls: list[Call] = field(default_factory=list)
    met: bool = False


def described(request: AwsRequest, number: int) -> Call:
    """Name a call so that a person knows which one it is."""
    target = request.headers.get("x-amz-target", "")
    if target.startswith("DynamoDB"):
        return Call(number, "dynamodb", _table_call(target.rpartition(".")[2], request.document))
    if target:
        prefix, _, operation = target.rpartition(".")
        return Call(number, "sqs" if prefix == "AmazonSQS" else prefix.lower(), operation)
    if request.path.startswith(_EMAIL_PATH):
        return Call(number, "ses", _email_call(request))
    if "Action" in request.form:
        return Call(number, "sns", request.form["Action"])
    suffix = urlsplit(request.path).path.rpartition(".")[2]
    operation = {"PUT": PUT_OBJECT, "GET": "GetObject", "HEAD": "HeadObject"}.get(request.method, request.method)
    return Call(number, "s3", f"{operation} {suffix}")


def _email_call(request: AwsRequest) -> str:
    if request.method == "POST" and request.path == f"{_EMAIL_PATH}outbound-emails":
        return SEND_EMAIL
    return f"{request.method} {request.path.removeprefix(_EMAIL_PATH)}"


def _table_call(operation: str, asked: Mapping[str, Any]) -> str:
    if "IndexName" in asked:
        return f"{operation} {asked['IndexName']}"
    if operation == "Query":
        values = [value.get("S", "") for value in asked["ExpressionAttributeValues"].values()]
        found = (name for value in values for prefix, name in _COLLECTIONS.items() if value.startswith(prefix))
        return f"Query {next(found, '')}".rstrip()
    if operation == "TransactWriteItems":
        return f"{operation} {_kind(next(iter(asked['TransactItems'][0].values())))}"
    return f"{operation} {_kind(asked)}" if "Key" in asked or "Item" in asked else operation


def _kind(write: Mapping[str, Any]) -> str:
    """What an item is, by its keys: the collection's items by their sort key, others by their partition."""
    keys = write.get("Key") or write.get("Item") or {}
    partition, sort = keys["pk"]["S"], keys["sk"]["S"]
    if partition.startswith("B#"):
        return "waiting letter" if sort.startswith("M#") else "print batch"
    letter: str = (sort if partition.startswith("A#") else partition)[:1]
    return _ITEM_KINDS.get(letter, letter)
