"""Whether the ledger is as delivery promises: read account by account, and nothing is written."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.output import say, say_json, say_table
from cli.stack import DeployedStack, JsonOption, StackOption
from shared.domain.dunning.promises import broken_promises
from shared.messaging import clients
from shared.storage.background_jobs import BackgroundJobs


def check(
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
    """Check what delivery promises of every account that owes. Exits 1 if a promise is broken."""
    found = DeployedStack.find(stack)
    jobs = BackgroundJobs(clients.dynamodb(), found.output("TableName"))
    stopped = bool(found.stops().all())
    accounts, broken, skipped = 0, list[dict[str, str]](), list[str]()
    for each in found.chosen(partner, organization):
        if jobs.is_replanned(each.org_id):
            skipped.append(each.org_id)  # its settings changed, and its accounts are still being planned by them
            continue
        for account_id in found.lists.open_accounts(each.org_id):
            book = found.books.load(each.org_id, account_id)
            accounts += 1
            now = as_of or datetime.now(UTC)  # of when it was read, for others go on meanwhile
            for finding in broken_promises(book, each, now, stopped=stopped) if book else ():
                ids = {"orgId": each.org_id, "accountId": account_id, "notificationId": finding.notice_id}
                broken.append({**ids, "promise": str(finding.promise)})
    if as_json:
        say_json({"accounts": accounts, "broken": broken, "beingPlanned": skipped})
    else:
        rows = [tuple(one.values()) for one in broken]
        say_table("Broken promises", ("organization", "account", "notification", "promise"), rows)
        say(f"{accounts} accounts checked, {len(broken)} promises broken.")
        for org_id in skipped:
            say(f"Not checked: {org_id}, whose accounts are being planned again. Check it later.")
    if broken:
        raise typer.Exit(1)
