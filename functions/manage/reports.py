"""Reports: what was rolled up, as JSON or as CSV. No request reads an account: the scheduler rolls up what changed."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from http import HTTPStatus
from itertools import islice

from aws_lambda_powertools.event_handler import Response

from functions.manage.frame import api, route
from functions.manage.ports import ports
from shared.contracts.reports import (
    ActivityItem,
    AgeingItem,
    AgeingReport,
    CollectionsItem,
    CollectionsReport,
    DailyActivityReport,
    DeliveryItem,
    DeliveryReport,
    ReconciliationItem,
    ReconciliationReport,
    Report,
    items_of,
    report_body,
    sums_of,
)
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.domain.reporting.ageing import Ageing, ageing_on
from shared.domain.reporting.tables import ageing_rows, collections, daily_activity, delivery_rows
from shared.domain.vocabulary.words import Channel
from shared.http.api import Answer, json_answer
from shared.http.problems import ProblemError
from shared.http.routes import Query, wrong_parameter
from shared.storage.reports import ReportState

DAYS_BY_DEFAULT = 30
DAYS_OF_A_REPORT = 92
"""So many days a report may be about: a day is an item, so this bounds what a request reads."""

MOST_DAYS_OF_POSTINGS = 31
MOST_LINES = 10_000
"""What one answer can carry of a reconciliation."""

CSV_TYPE = "text/csv"

FIRST_DAY = Query(
    "from", "The first day, such as 2026-01-31, on the organization's calendar; default: 30 days up to `to`."
)
LAST_DAY = Query("to", "The last day; default: today.")

report_route = partial(route, "GET", tag="Reports", scope=Scope.READ, query=(FIRST_DAY, LAST_DAY), also=(CSV_TYPE,))
"""Decorates the function that answers a report's route."""


@report_route(
    "/v1/organizations/{orgId}/reports/daily-activity",
    operation="reportDailyActivity",
    summary="Report statements, notices, links opened and payments, day by day",
    answer=DailyActivityReport,
)
def report_daily_activity(organization: Organization) -> Answer:
    """What happened, day by day."""
    first, last = _days(organization, DAYS_OF_A_REPORT)
    found = ports().reports.figures_between(organization.org_id, first, last)
    items = [ActivityItem.of(row) for row in daily_activity(found)]
    return _answered(
        DailyActivityReport(first=first, last=last, rolled_up_at=_state(organization).counted_at, items=items)
    )


@report_route(
    "/v1/organizations/{orgId}/reports/ageing",
    operation="reportAgeing",
    summary="Report what was owed at the end of each day, by the age of the bills",
    answer=AgeingReport,
)
def report_ageing(organization: Organization) -> Answer:
    """How old what is owed was, day by day."""
    first, last = _days(organization, DAYS_OF_A_REPORT)
    state = _state(organization)
    found = dict(ports().reports.ageing_between(organization.org_id, first, last))
    found |= _still_open(state, first, min(last, _today(organization)))
    items = [AgeingItem.of(row) for row in ageing_rows(found)]
    return _answered(AgeingReport(first=first, last=last, rolled_up_at=state.counted_at, items=items))


def _still_open(state: ReportState, first: date, last: date) -> Mapping[str, Ageing]:
    """The ageing of the days since the last change: what is owed has only grown older."""
    if state.day is None:
        return {}
    since = max(first, state.day)
    days = (since + timedelta(days=n) for n in range((last - since).days + 1))
    return {day.isoformat(): ageing for day in days if (ageing := ageing_on(day, state.owed)).bills}


@report_route(
    "/v1/organizations/{orgId}/reports/collections",
    operation="reportCollections",
    summary="Report days to pay, the shares collected, the digital share, letters avoided and the cost of collecting",
    answer=CollectionsReport,
)
def report_collections(organization: Organization) -> Answer:
    """How well bills are collected, and at what cost."""
    first, last = _days(organization, DAYS_OF_A_REPORT)
    found = ports().reports.figures_between(organization.org_id, first, last)
    costs = organization.notice_prices
    prices = {Channel.EMAIL: costs.email, Channel.SMS: costs.sms, Channel.PRINT: costs.print}
    row = collections(found, first, last, prices, _today(organization))
    items = [CollectionsItem.of(row)]
    return _answered(
        CollectionsReport(first=first, last=last, rolled_up_at=_state(organization).counted_at, items=items)
    )


@report_route(
    "/v1/organizations/{orgId}/reports/delivery",
    operation="reportDelivery",
    summary="Report deliveries, bounces, complaints and opt-outs, by day and channel",
    answer=DeliveryReport,
)
def report_delivery(organization: Organization) -> Answer:
    """What became of messages, day by day."""
    first, last = _days(organization, DAYS_OF_A_REPORT)
    found = ports().reports.figures_between(organization.org_id, first, last)
    items = [DeliveryItem.of(row) for row in delivery_rows(found)]
    return _answered(DeliveryReport(first=first, last=last, rolled_up_at=_state(organization).counted_at, items=items))


@report_route(
    "/v1/organizations/{orgId}/reports/reconciliation",
    operation="reportReconciliation",
    summary="Report every posting by the day posted, with where each part of it went, and sums that balance",
    answer=ReconciliationReport,
    problems=(413,),
)
def report_reconciliation(organization: Organization) -> Answer:
    """Every posting, line by line."""
    first, last = _days(organization, MOST_DAYS_OF_POSTINGS)
    found = ports().reports.postings_between(organization.org_id, first, last)
    items = [ReconciliationItem.of(line, organization.zone) for line in islice(found, MOST_LINES + 1)]
    if len(items) > MOST_LINES:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"These days have more than {MOST_LINES} lines. Ask for fewer days, or take the daily files.",
        )
    report = ReconciliationReport(
        first=first, last=last, rolled_up_at=_state(organization).counted_at, items=items, sums=sums_of(items)
    )
    return _answered(report)


def _state(organization: Organization) -> ReportState:
    return ports().reports.state(organization.org_id)


def _today(organization: Organization) -> date:
    return api.now.astimezone(organization.zone).date()


def _days(organization: Organization, most: int) -> tuple[date, date]:
    """The first and the last day asked for. Raises a 400 problem for what is no day, or too many."""
    last = _day(LAST_DAY) or _today(organization)
    first = _day(FIRST_DAY) or date.fromordinal(max(last.toordinal() - DAYS_BY_DEFAULT + 1, 1))
    if first > last:
        raise wrong_parameter(FIRST_DAY.name, "must not be after `to`")
    if (last - first).days >= most:
        raise wrong_parameter(FIRST_DAY.name, f"must be at most {most - 1} days before `to`")
    return first, last


def _day(asked: Query) -> date | None:
    given = asked.text(api.query)
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise wrong_parameter(asked.name, "must be a day such as 2026-01-31") from None


def _answered(report: Report) -> Answer:
    """A report in the form that the request accepts: JSON, unless it would rather have CSV."""
    if not _rather_csv(api.routes.current_event.headers.get("Accept", "")):
        return json_answer(report)
    kind, rows = items_of(report)
    return Response(status_code=HTTPStatus.OK, content_type=f"{CSV_TYPE}; charset=utf-8", body=report_body(kind, rows))


def _rather_csv(accept: str) -> bool:
    """Whether an Accept header (RFC 9110) puts CSV before JSON; what it doesn't name it doesn't ask for."""
    weights = dict[str, float]()
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        given = [value.removeprefix("q=") for value in parameters if value.startswith("q=")]
        try:
            weights[name] = float(given[0]) if given else 1.0
        except ValueError:
            weights[name] = 0.0
    return weights.get(CSV_TYPE, 0.0) > max(weights.get(kind, 0.0) for kind in ("application/json", "application/*"))
