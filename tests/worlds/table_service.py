"""DynamoDB behind the real client: its HTTP requests are answered by tables in memory, and not by moto's.

The client's own part stays: it checks and serializes what is asked, tries again and reads what is answered. What a
table in memory doesn't know it refuses with NotInTheFakeError. The tests of storage itself run on moto (the mark
`moto`), and with DYNAMODB=moto all tests do.
"""

import base64
import json
import re
from functools import cache
from typing import Any, cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError
from moto.core.botocore_stubber import MockRawResponse
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from tests.worlds.memory_table import MemoryTable, copied, refusal
from tests.worlds.table_expressions import NotInTheFakeError

OPERATIONS = {
    "BatchGetItem": "batch_get_item",
    "BatchWriteItem": "batch_write_item",
    "DeleteItem": "delete_item",
    "GetItem": "get_item",
    "PutItem": "put_item",
    "Query": "query",
    "Scan": "scan",
    "TransactWriteItems": "transact_write_items",
    "UpdateItem": "update_item",
}
EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
WORD, PLACEHOLDER = re.compile(r"(?<![\w#:])[A-Za-z_]\w*"), re.compile(r"[#:]\w+")
OPERATORS = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"})
BAD_REQUEST, WELL_ANSWERED = 400, 200


class TableService:
    """The tables of one account by name; requests for others are somebody else's."""

    def __init__(self) -> None:
        self.tables = dict[str, MemoryTable]()
        self.done = dict[str, Any]()
        """Transactions that were done, by the client's token."""

    def forget(self) -> None:
        """Be empty again."""
        self.tables.clear()
        self.done.clear()

    def answer(self, request: AWSPreparedRequest) -> AWSResponse | None:
        """What DynamoDB would say; None: it isn't asked, or has no such table."""
        target = request.headers.get("X-Amz-Target", b"")
        service, _, name = (target.decode() if isinstance(target, bytes) else target).partition(".")
        if not service.startswith("DynamoDB_") or name not in OPERATIONS:
            return None
        asked = json.loads(cast("bytes", request.body), object_hook=_bytes_of)
        [table] = _names_of_tables(asked)
        if table not in self.tables:
            return None
        try:
            said, status = self._called(name, self.tables[table], asked), WELL_ANSWERED
        except ClientError as error:
            told: Any = error.response
            said = {"__type": told["Error"]["Code"], "message": told["Error"]["Message"], **told}
            del said["Error"]
            status = BAD_REQUEST
        body = json.dumps(said, default=_base64)
        headers: Any = {"Content-Type": "application/x-amz-json-1.0"}
        return AWSResponse(request.url, status, headers, MockRawResponse(body))

    def _called(self, operation: str, table: MemoryTable, asked: dict[str, Any]) -> Any:
        for request in _requests_of(asked):
            _check(request)
        if operation == "Scan":
            return _scanned(table, asked)
        token = asked.pop("ClientRequestToken", "")
        if token in self.done:
            if self.done[token] != asked:
                raise refusal("IdempotentParameterMismatchException", operation)
            return {}
        said = getattr(table, OPERATIONS[operation])(**asked)
        if token:
            self.done[token] = copied(asked)
        return {**said, "Count": len(said["Items"])} if operation == "Query" else said


def _scanned(table: MemoryTable, asked: dict[str, Any]) -> Any:
    if set(asked) - {"TableName", "ConsistentRead"}:
        raise NotInTheFakeError(f"Scan with {sorted(asked)}")
    items = copied(list(table.items.values()))
    return {"Items": items, "Count": len(items)}


def _names_of_tables(asked: dict[str, Any]) -> set[str]:
    if "RequestItems" in asked:
        return set(asked["RequestItems"])
    return {request["TableName"] for request in _requests_of(asked)}


def _requests_of(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """A request, or those of its transaction."""
    if "TransactItems" not in asked:
        return [asked]
    return [request for write in asked["TransactItems"] for request in write.values()]


def _check(request: dict[str, Any]) -> None:
    """Refuse, as DynamoDB does, names and values that aren't used or given, reserved words, and empty keys."""
    said = " ".join(request[name] for name in EXPRESSIONS if name in request)
    given = {*request.get("ExpressionAttributeNames", ()), *request.get("ExpressionAttributeValues", ())}
    used, words = _read(said)
    keys = request.get("Key") or request.get("Item") or {}
    if used != given or words or any(value == {"S": ""} for name, value in keys.items() if name in {"pk", "sk"}):
        raise refusal("ValidationException", "an expression or a key")


@cache
def _read(expressions: str) -> tuple[frozenset[str], frozenset[str]]:
    """The placeholders that expressions use, and the reserved words that they name attributes by."""
    words = {found[0].upper() for found in WORD.finditer(expressions) if not expressions[found.end() :].startswith("(")}
    reserved = (words - OPERATORS) & set(ReservedKeywords.get_reserved_keywords())
    return frozenset(PLACEHOLDER.findall(expressions)), frozenset(reserved)


def _bytes_of(value: dict[str, Any]) -> dict[str, Any]:
    """An attribute as the client has it: bytes are bytes."""
    if len(value) == 1 and isinstance(value.get("B"), str):
        return {"B": base64.b64decode(value["B"])}
    return value


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
