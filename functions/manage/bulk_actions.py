"""Actions on many notifications at once: by their ids or by a filter, with a dry run."""

from collections.abc import Mapping

from functions.manage.frame import actor, api, route
from functions.manage.notification_filters import of_account, queue_filter
from functions.manage.ports import ports
from shared.contracts.bulk_actions import (
    MOST_AT_ONCE,
    BulkActionAnswer,
    BulkActionBody,
    BulkResult,
    BulkRow,
)
from shared.domain.account.queue_actions import POSSIBLE, QueueAction
from shared.domain.account.queue_actions_at_once import Acted, act_on_all
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.http.api import Answer, json_answer
from shared.http.partner_api import invalid
from shared.storage import keys
from shared.storage.account_books import NoSuchAccountError
from shared.storage.races import BusyError

BUSY = "The account is being changed; try again."

type Refusals = dict[str, str]
"""Why nothing was done, by notification; "": it was done."""


@route(
    "POST",
    "/v1/organizations/{orgId}/notifications/actions",
    operation="actOnNotifications",
    summary="Cancel, retry or archive many notifications, by ids or by a filter; dryRun says what would be done",
    tag="Notifications",
    scope=Scope.MANAGE,
    body=BulkActionBody,
    answer=BulkActionAnswer,
)
def act_on_many(organization: Organization, wanted: BulkActionBody) -> Answer:
    """Do it to each notification that allows it, and say of each what became of it; one never stops the others."""
    action = QueueAction(wanted.action)
    if wanted.opt_out and action is QueueAction.RETRY:
        raise invalid("/optOut", "a notice can't be tried again on a channel that is opted out of")
    if wanted.filter is None:
        accounts, more = _named(organization.org_id, wanted.notification_ids or []), False
    else:
        accounts, more = _filtered(organization, wanted.filter.query(), action)
    refusals: Refusals = {}
    for account_id, notice_ids in _by_account(accounts).items():
        refusals |= _act(organization, account_id, notice_ids, action, wanted)
    rows = [_row(name, refusals) for name in accounts]
    return json_answer(BulkActionAnswer.of(rows, dry_run=wanted.dry_run, more=more))


def _row(notice_id: str, refusals: Refusals) -> BulkRow:
    if notice_id not in refusals:
        detail = "There is no such notification."
        return BulkRow(notification_id=notice_id, result=BulkResult.NOT_FOUND, detail=detail)
    why = refusals[notice_id]
    result = BulkResult.REFUSED if why else BulkResult.DONE
    return BulkRow(notification_id=notice_id, result=result, detail=why or None)


def _named(org_id: str, notice_ids: list[str]) -> dict[str, str]:
    """The account of each of these notifications; "": there is none."""
    found = ports().books.accounts_of(org_id, map(keys.notice_lookup, notice_ids))
    return {notice_id: found.get(keys.notice_lookup(notice_id), "") for notice_id in notice_ids}


def _filtered(organization: Organization, given: Mapping[str, str], action: QueueAction) -> tuple[dict[str, str], bool]:
    """The first notifications of a filter that allow the action, with their accounts, and whether there are more."""
    chosen = queue_filter(organization, given, statuses=frozenset(POSSIBLE[action]))
    if "accountId" in given or "statementId" in given:
        found = of_account(organization, chosen, given.get("accountId", ""), given.get("statementId", ""))
        notices, more = found[:MOST_AT_ONCE], len(found) > MOST_AT_ONCE
    else:
        notices, position = ports().lists.notices(organization.org_id, chosen, MOST_AT_ONCE, None)
        more = position is not None
    return {notice.notice_id: notice.account_id for notice in notices}, more


def _by_account(accounts: Mapping[str, str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for notice_id, account_id in accounts.items():
        if account_id:
            grouped.setdefault(account_id, []).append(notice_id)
    return grouped


def _act(
    organization: Organization, account_id: str, notice_ids: list[str], action: QueueAction, wanted: BulkActionBody
) -> Refusals:
    now, who = api.now, actor()

    def decide(book: AccountBook) -> tuple[Change | None, Acted]:
        acted = act_on_all(
            book,
            notice_ids,
            action,
            now,
            who,
            opt_out=wanted.opt_out,
            reason=wanted.reason,
        )
        return None if wanted.dry_run else acted.change, acted

    try:
        return ports().books.decide(organization.org_id, account_id, decide).result.refusals
    except NoSuchAccountError:
        return {}
    except BusyError:
        return dict.fromkeys(notice_ids, BUSY)
