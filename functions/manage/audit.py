"""The audit trail: entries made with the change that they tell of, and the list of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from secrets import token_hex

from functions.manage.frame import actor, api, list_request, route
from functions.manage.ports import ports
from shared.contracts.audit import AuditEntryAnswer, AuditPage
from shared.domain.records.audit import AuditEntry, differing
from shared.domain.records.partner import Scope
from shared.http.api import Answer, json_answer
from shared.http.routes import DayQuery, Query

FROM_DATE = DayQuery("from", "On this day (UTC) or later.")
TO_DATE = DayQuery("to", "On this day (UTC) or earlier.")
SUBJECT = Query("subject", "What was changed, such as organization:org_1, key:1f0c or partner:prt_1.")

ONE_DAY = timedelta(days=1)


def told(
    action: str,
    subject: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
    hidden: frozenset[str] = frozenset(),
) -> AuditEntry | None:
    """What the trail will have of a change by this request; None: nothing differs.

    before, after: empty where there was, or is, nothing. hidden: members of which only that they differ is kept.
    """
    was, became = differing(before, after, hidden)
    if not was and not became:  # not whether they are alike: what isn't kept looks alike, and differs
        return None
    return AuditEntry(
        audit_id=f"aud_{token_hex(8)}",
        partner_id=api.caller.partner_id,
        at=api.now,
        actor=actor(),
        action=action,
        subject=subject,
        before=was,
        after=became,
    )


@route(
    "GET",
    "/v1/audit",
    operation="listAudit",
    summary="List every change of settings, staff, keys, webhooks, templates and standing, newest first",
    tag="Organizations",
    scope=Scope.READ,
    query=(FROM_DATE, TO_DATE, SUBJECT),
    answer=AuditPage,
)
def search() -> Answer:
    """The caller's audit trail."""
    asked, given = list_request(), api.query
    since, last = FROM_DATE.day(given), TO_DATE.day(given)
    entries, place = ports().audit.page(
        api.caller.partner_id,
        datetime(since.year, since.month, since.day, tzinfo=UTC) if since else datetime(1, 1, 2, tzinfo=UTC),
        datetime(last.year, last.month, last.day, tzinfo=UTC) + ONE_DAY if last else api.now + ONE_DAY,
        SUBJECT.text(given),
        asked.limit,
        asked.after[0] if asked.after else "",
    )
    page = [AuditEntryAnswer.of(entry) for entry in entries]
    return json_answer(AuditPage(items=page, next_cursor=asked.cursor((place,) if place else None)))
