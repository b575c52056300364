"""The channel queues: how full they are, and redriving what was set aside as dead letters."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import CommandError
from cli.output import say, say_json, say_table
from cli.stack import DeployedStack, JsonOption, StackOption
from cli.stops import say_stopped, stopped_channels
from shared.domain.vocabulary.words import Channel
from shared.messaging.channel_queues import MOST_IN_A_BATCH
from shared.storage.queue_lists import NoticeFilter, Position

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

NOTICES_AT_ONCE = 100

DEPTHS = {
    "waiting": "ApproximateNumberOfMessages",
    "delayed": "ApproximateNumberOfMessagesDelayed",
    "inFlight": "ApproximateNumberOfMessagesNotVisible",
}
"""What a report says of a queue, and what SQS calls it."""

OrganizationOption = Annotated[
    str | None, typer.Option("--organization", help="Count this organization's notices as well.", show_default=False)
]


def queue(stack: StackOption, *, organization: OrganizationOption = None, as_json: JsonOption = False) -> None:
    """Show how many notices wait for each channel, how many are in flight, and how many were set aside."""
    found = DeployedStack.find(stack)
    depths = {channel: _depths(found, channel) for channel in Channel}
    notices = _notices(found, organization) if organization else None
    stopped = stopped_channels(found.stops().all())
    if as_json:
        counted = {} if notices is None else {"notices": notices}
        queues = {str(channel): depth for channel, depth in depths.items()}
        say_json({"queues": queues, "stopped": stopped, **counted})
        return
    say_stopped(stopped)
    headings = ("channel", "waiting", "delayed", "in flight", "dead letters")
    say_table("Queues", headings, [(channel, *depth.values()) for channel, depth in depths.items()])
    if notices is not None:
        rows = [(each["channel"], each["status"], each["count"]) for each in notices]
        say_table("Notices", ("channel", "status", "count"), rows)


def redrive(
    stack: StackOption,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Move them. Without it: a dry run.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Redrive dead letters: notices to their channels' queues, events to the function that receives them.

    Notices are judged again there and events settle once, so nothing is sent twice.
    """
    found = DeployedStack.find(stack)
    report = {}
    for channel in Channel:
        dead = _depths(found, channel)["deadLetters"]
        moved = move(found.sqs, found.dead_letters(channel), found.queue(channel), most=dead) if yes else 0
        report[str(channel)] = {"deadLetters": dead, "moved": moved}
    events = _redrive_events(found, yes=yes)
    if as_json:
        say_json({"dryRun": not yes, "channels": report, "events": events})
    else:
        rows = [(channel, *counts.values()) for channel, counts in (report | {"events": events}).items()]
        say_table("Dead letters", ("of", "found", "moved"), rows)
        if not yes:
            say("This was a dry run: with --yes they are moved back.")
    left = sum(counts["deadLetters"] - counts["moved"] for counts in (*report.values(), events))
    if yes and left > 0:
        raise CommandError(
            f"{left} messages remain: the queue refused them, or another consumer holds them. Run it again later"
        )


def _redrive_events(stack: DeployedStack, *, yes: bool) -> dict[str, int]:
    """Give the events that the function failed on to it again; it takes them in the background, three times at most.

    A dead letter is the event as it came. Each is deleted only once Lambda has taken it over.
    """
    url = stack.output("EventsDeadLetterQueueUrl")
    dead = sum(_attributes(stack, url).values())
    moved = 0
    while yes and moved < dead:
        answer = stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, WaitTimeSeconds=1)
        messages = answer.get("Messages", [])
        if not messages:
            break
        stack.functions.invoke(
            FunctionName=stack.output("DeliveryEventsFunctionArn"),
            InvocationType="Event",
            Payload=messages[0].get("Body", "").encode(),
        )
        stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=messages[0].get("ReceiptHandle", ""))
        moved += 1
    return {"deadLetters": dead, "moved": moved}


def move(sqs: "SQSClient", source: str, target: str, most: int) -> int:
    """Move messages of a queue to another, as many as were counted there, and answer how many.

    No more than that, so that one that fails again at once isn't moved round and round. Each is deleted only after the
    target has it: a crash between leaves it in both, and a second copy is harmless. One that the target refuses stays.
    """
    moved = 0
    while moved < most:
        wanted = min(MOST_IN_A_BATCH, most - moved)
        answer = sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=wanted, WaitTimeSeconds=1)
        messages = answer.get("Messages", [])
        taken = _move_batch(sqs, source, target, messages) if messages else 0
        if not taken:
            break
        moved += taken
    return moved


def _move_batch(sqs: "SQSClient", source: str, target: str, messages: "list[MessageTypeDef]") -> int:
    sent = sqs.send_message_batch(
        QueueUrl=target,
        Entries=[{"Id": str(n), "MessageBody": message.get("Body", "")} for n, message in enumerate(messages)],
    )
    taken = [messages[int(entry["Id"])] for entry in sent.get("Successful", [])]
    if taken:
        sqs.delete_message_batch(
            QueueUrl=source,
            Entries=[
                {"Id": str(n), "ReceiptHandle": message.get("ReceiptHandle", "")} for n, message in enumerate(taken)
            ],
        )
    return len(taken)


def _depths(stack: DeployedStack, channel: Channel) -> dict[str, int]:
    waiting = _attributes(stack, stack.queue(channel))
    dead = _attributes(stack, stack.dead_letters(channel))
    return {name: waiting[name] for name in DEPTHS} | {"deadLetters": sum(dead.values())}


def _attributes(stack: DeployedStack, url: str) -> dict[str, int]:
    answer = stack.sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
        ],
    )
    found = answer.get("Attributes", {})
    return {name: int(found.get(attribute, "0")) for name, attribute in DEPTHS.items()}  # type: ignore[call-overload] # its names are literals


def _notices(stack: DeployedStack, org_id: str) -> list[dict[str, object]]:
    if stack.organizations.get(org_id) is None:
        raise CommandError(f"there is no organization {org_id}")
    counts: Counter[tuple[str, str]] = Counter()
    after: Position | None = None
    while True:
        notices, after = stack.lists.notices(org_id, NoticeFilter(), NOTICES_AT_ONCE, after)
        counts.update((notice.channel, notice.status) for notice in notices)
        if after is None:
            break
    return [
        {"channel": channel, "status": status, "count": count} for (channel, status), count in sorted(counts.items())
    ]
