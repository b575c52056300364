"""What the ledger can't settle by itself: notices that may have gone, that may have gone twice, and that are stuck."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.output import say_json, say_table
from cli.stack import DeployedStack, JsonOption, StackOption
from cli.stops import say_stopped, stopped_channels
from shared.domain.account.reconciliation import leases_ended, sent_twice, stuck
from shared.domain.records.notice import Notice
from shared.domain.vocabulary.words import NoticeStatus
from shared.storage.set_asides import SetAside

type ReviewRow = dict[str, str | int | bool | None]

REVIEW_PARTS = {
    "unknown": ("Unknown: the provider may have them", ("since", "sentOnceMore", "nextCheckAt")),
    "possibleDuplicates": ("Possible duplicates: sent twice, the first may have arrived", ("since", "attempts")),
    "stuck": ("Stuck: overdue, or retries exhausted", ("since", "leasesEnded")),
}
"""The parts of the report: the title of each, and what it shows of a notice in addition to its ids."""

SET_ASIDE_TITLE = "Set aside in the whole stack: failed when it was due, and is tried again"
SET_ASIDE_FACTS = ("item", "error", "since", "failures", "nextTryAt")


def reconcile(
    stack: StackOption,
    *,
    partner: Annotated[str | None, typer.Option(help="All organizations of this partner.", show_default=False)] = None,
    organization: Annotated[
        str | None, typer.Option("--organization", "--org", help="This organization.", show_default=False)
    ] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="At this instant.", show_default="now")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the notices that may need manual review, and what the scheduler set aside in the whole stack: ids alone."""
    found, now = DeployedStack.find(stack), as_of or datetime.now(UTC)
    report: dict[str, list[ReviewRow]] = {part: [] for part in REVIEW_PARTS}
    for each in found.chosen(partner, organization):
        for notice in found.lists.needs_review(each.org_id):
            for part in _parts(notice, now):
                report[part].append(_row(part, notice))
    set_aside = [_set_aside(each) for each in found.set_asides.all()]
    stopped = stopped_channels(found.stops().all())
    if as_json:
        say_json(report | {"setAside": set_aside, "stopped": stopped})
        return
    say_stopped(stopped)
    for part, (title, facts) in REVIEW_PARTS.items():
        headings = ("orgId", "notificationId", "channel", "status", *facts)
        say_table(title, headings, [[_shown(row[heading]) for heading in headings] for row in report[part]])
    say_table(SET_ASIDE_TITLE, SET_ASIDE_FACTS, [[str(row[fact]) for fact in SET_ASIDE_FACTS] for row in set_aside])


def _parts(notice: Notice, now: datetime) -> Iterator[str]:
    if notice.status is NoticeStatus.UNKNOWN:
        yield "unknown"
    if sent_twice(notice):
        yield "possibleDuplicates"
    if stuck(notice, now):
        yield "stuck"


def _row(part: str, notice: Notice) -> ReviewRow:
    since = notice.status_history[-1].at if notice.status_history else notice.created_at
    known: ReviewRow = {
        "since": since.isoformat(),
        "sentOnceMore": notice.possible_duplicate,
        "nextCheckAt": notice.lease_until.isoformat() if notice.lease_until else None,
        "attempts": notice.attempt,
        "leasesEnded": leases_ended(notice),
    }
    _, facts = REVIEW_PARTS[part]
    return {
        "orgId": notice.org_id,
        "notificationId": notice.notice_id,
        "channel": notice.channel,
        "status": notice.status,
        **{fact: known[fact] for fact in facts},
    }


def _set_aside(failed: SetAside) -> dict[str, str | int]:
    return {
        "item": f"{failed.pk} {failed.sk}",
        "error": failed.reason,
        "since": failed.since.isoformat(),
        "failures": failed.failures,
        "nextTryAt": failed.next_try_at.isoformat(),
    }


def _shown(value: object) -> str:
    if value is None:
        return "manual review"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
