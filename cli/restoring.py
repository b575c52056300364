"""After a restore of the table: what was sent since is replayed into it from the channels' logs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import CommandError
from cli.output import say, say_json
from cli.stack import DeployedStack, JsonOption, StackOption
from shared.domain.delivery.restoring import LoggedClaim, replayed
from shared.domain.records.book import AccountBook, Change
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging import clients
from shared.storage.account_books import AccountBooks, NoSuchAccountError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

restore_commands = typer.Typer(help="Bring a restored table to what was sent since.", no_args_is_help=True)

LOGS = {Channel.EMAIL: "send-email", Channel.SMS: "send-sms", Channel.PRINT: "render-print"}
"""The function of each channel, by which its log is named."""

GONE_OR_MAYBE = {NoticeStatus.SENT, NoticeStatus.UNKNOWN}
"""Left like this, a notice that was claimed went, or may have."""


@dataclass(frozen=True, slots=True)
class Going:
    """A claim of the log, and whether the log has that the provider took it."""

    claim: LoggedClaim
    sent: bool = False


@restore_commands.command("replay")
def replay(
    stack: StackOption,
    *,
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="What the table was restored to.")],
    table: Annotated[str | None, typer.Option(help="The restored table.", show_default="the stack's")] = None,
    as_json: JsonOption = False,
) -> None:
    """Mark what went since an instant as sent, by the channels' logs. Sending has to be stopped; again is harmless.

    Only after it `dunlin go` lets a restored table's notices go.
    """
    found = DeployedStack.find(stack)
    stops, name = found.stops(table), table or found.output("TableName")
    if set(stops.all()) != set(Channel):
        raise CommandError("sending isn't stopped: run dunlin stop first")
    restored_to = _restored_to(clients.dynamodb(), name)
    if restored_to is not None and since > restored_to:
        raise CommandError(f"the table was restored to {restored_to.isoformat()}, and --since is later")
    books = AccountBooks(clients.dynamodb(), name)
    listed = _letters_listed(clients.s3(), found.output("PrintBucket"), since)
    counts = {"marked": 0, "known": 0, "accountsGone": 0}
    for channel, function in LOGS.items():
        for going in went(clients.logs(), f"/aws/lambda/{found.name}-{function}", since):
            if channel is not Channel.PRINT or going.claim.notice_id in listed:
                counts[_replay(books, going)] += 1
    stops.replayed(datetime.now(UTC))
    if as_json:
        say_json(counts)
    else:
        say(f"{counts['marked']} marked, {counts['known']} known already, {counts['accountsGone']} of no account here.")


def _restored_to(client: "DynamoDBClient", table: str) -> datetime | None:
    """The instant that a table was restored to, as the database knows it; None: it wasn't."""
    return client.describe_table(TableName=table)["Table"].get("RestoreSummary", {}).get("RestoreDateTime")


def went(client: Any, group: str, since: datetime) -> list[Going]:  # noqa: ANN401 - as `clients.logs`
    """What a channel's log says went since an instant: what was claimed, unless it was left as what didn't go."""
    found: dict[str, Going] = {}
    for line in _lines(client, group, since):
        if line.get("message") == "notice claimed":
            claim = LoggedClaim.read(line["claim"])
            found[claim.notice_id] = Going(claim)
        elif line.get("message") == "notice processed" and line["notice_id"] in found:
            status = line.get("status")
            if status in GONE_OR_MAYBE:
                found[line["notice_id"]] = Going(found[line["notice_id"]].claim, sent=status == NoticeStatus.SENT)
            elif status != "nothing to do":
                del found[line["notice_id"]]
    return list(found.values())


def _lines(client: Any, group: str, since: datetime) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - as above
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        startTime=int(since.timestamp() * 1000),
        filterPattern='{ $.message = "notice claimed" || $.message = "notice processed" }',
    )
    for page in pages:
        for event in page["events"]:
            try:
                line = json.loads(event.get("message", ""))
            except ValueError:
                continue
            if isinstance(line, dict):
                yield line


def _replay(books: AccountBooks, going: Going) -> str:
    """Bring one account to what went, and answer as what it counts."""

    def decide(book: AccountBook) -> tuple[Change | None, str]:
        change = replayed(book, going.claim, datetime.now(UTC), sent=going.sent)
        return change, "marked" if change else "known"

    try:
        return books.decide(going.claim.org_id, going.claim.account_id, decide).result
    except NoSuchAccountError:
        return "accountsGone"


def _letters_listed(client: "S3Client", bucket: str, since: datetime) -> set[str]:
    """The letters that a manifest written since lists. Others go on: as they lie in the bucket, into one manifest."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="batches/")
    keys = [each["Key"] for page in pages for each in page.get("Contents", []) if each["LastModified"] >= since]
    manifests = (json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys)
    return {letter["notificationId"] for manifest in manifests for letter in manifest["letters"]}
