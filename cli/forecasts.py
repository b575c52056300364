"""What will go in the coming days, if nothing changes."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import say_json, say_table
from cli.stack import DeployedStack, JsonOption, StackOption
from shared.domain.dunning import forecast as foresee
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import BillStatus, NoticeStatus

if TYPE_CHECKING:
    from shared.storage.queue_lists import Position

BILLS_AT_ONCE = 1_000


def forecast(
    stack: StackOption,
    *,
    partner: Annotated[str | None, typer.Option(help="All organizations of this partner.", show_default=False)] = None,
    organization: Annotated[str | None, typer.Option(help="This organization.", show_default=False)] = None,
    days: Annotated[int, typer.Option(min=1, max=180, help="How far to look ahead.")] = 30,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="From this instant.", show_default="now")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show how many notices will go on each day, by channel and type, if nothing changes."""
    found, now = DeployedStack.find(stack), as_of or datetime.now(UTC)
    counts: Counter[tuple[str, str, str]] = Counter()
    for each in found.chosen(partner, organization):
        counts += _foreseen(found, each, now, timedelta(days=days))
    rows = [(*key, count) for key, count in sorted(counts.items())]
    if as_json:
        names = ("date", "channel", "notificationType", "notices")
        say_json({"items": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        say_table(f"The next {days} days", ("date", "channel", "type", "notices"), rows)


def _foreseen(
    stack: DeployedStack, organization: Organization, now: datetime, horizon: timedelta
) -> Counter[tuple[str, str, str]]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for account_id in _owing(stack, organization.org_id):
        book = stack.books.load(organization.org_id, account_id)
        if book is None:
            continue
        for notice in foresee(book, organization, now, horizon):
            if notice.status is NoticeStatus.SENT and notice.sent_at:
                day = notice.sent_at.astimezone(organization.zone).date().isoformat()
                counts[day, notice.channel, notice.notification_type] += 1
    return counts


def _owing(stack: DeployedStack, org_id: str) -> set[str]:
    """The accounts of an organization that have a bill Due."""
    owing: set[str] = set()
    after: Position | None = None
    while True:
        rows, after = stack.lists.bills(org_id, BillStatus.DUE, BILLS_AT_ONCE, after)
        owing |= {row.account_id for row in rows}
        if after is None:
            return owing
