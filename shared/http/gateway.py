"""The gateway's proxy events, as the routers of the functions take them (docs/rules.md#ids-in-addresses)."""

from typing import Any
from urllib.parse import quote, unquote_to_bytes

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

LONGEST_ID = 512
"""Bytes of an id in a path: more than any of ours or of partners has, less than the table's keys may have."""


class UnreadableIdError(ValueError):
    """What stands in a path for an id is none that anything could have."""


def resolve(router: APIGatewayRestResolver, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The answer to a request. HEAD is answered as GET would be, without the body."""
    asked = {**event, "path": canonical_path(event)}
    if event["httpMethod"] != "HEAD":
        return router.resolve(asked, context)
    return {**router.resolve({**asked, "httpMethod": "GET"}, context), "body": "", "isBase64Encoded": False}


def canonical_path(event: dict[str, Any]) -> str:
    """The path of a request, its ids percent-encoded in one way, whether or not the gateway decoded them.

    The router knows only some of the signs that an id may have; who gets the ids decodes them (`decoded_id`).
    A resource may end in `{proxy+}`, which stands for the rest of a path.
    """
    path, read = str(event["resource"]), _as_it_is if _arrives_decoded(event) else unquote_to_bytes
    for name, value in (event.get("pathParameters") or {}).items():
        rest = "/".join(quote(read(part), safe="") for part in value.split("/"))
        path = path.replace(f"{{{name}+}}", rest).replace(f"{{{name}}}", quote(read(value), safe=""))
    return path


def decoded_id(value: str) -> str:
    """An id of a canonical path as it was meant. Raises UnreadableIdError for what is too long or isn't UTF-8."""
    meant = unquote_to_bytes(value)
    if len(meant) > LONGEST_ID:
        raise UnreadableIdError
    try:
        return meant.decode()
    except UnicodeDecodeError:
        raise UnreadableIdError from None


def _arrives_decoded(event: dict[str, Any]) -> bool:
    """Whether the ids were decoded on their way: decoding them again would make the id `a%2Fb` the id `a/b`.

    A REST API hands paths and their parameters on as they were sent. A gateway that says the `version` of its events
    (an HTTP API, the local gateway) has decoded them.
    """
    return "version" in event


def _as_it_is(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")
