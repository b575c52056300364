"""Holds of an account: set with a reason and where wanted an end, and lifted with a reason."""

from http import HTTPStatus

from functions.manage.account_books import change_book, find_account, shown
from functions.manage.frame import actor, api, route
from shared.contracts.accounts import AccountAnswer, HoldBody
from shared.domain.account.holds import lift_hold, set_hold
from shared.domain.calendar.send_window import local_date
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import Hold
from shared.http.api import Answer
from shared.http.partner_api import invalid
from shared.http.problems import ProblemError, not_found
from shared.http.routes import Query, wrong_parameter

LONGEST_REASON = 200
"""Characters of why a hold is lifted."""

WHY_LIFTED = Query("reason", f"Why it is lifted; required, at most {LONGEST_REASON} characters.")


@route(
    "POST",
    "/v1/organizations/{orgId}/accounts/{accountId}/holds",
    operation="setHold",
    summary="Put an account on hold, where wanted until a day; pending notifications are cancelled at once",
    tag="Accounts",
    scope=Scope.MANAGE,
    body=HoldBody,
    answer=AccountAnswer,
    problems=(409,),
)
def set_one(organization: Organization, account_id: str, wanted: HoldBody) -> Answer:
    """Put an account on hold."""
    now, who = api.now, actor()
    if wanted.until and wanted.until <= local_date(now, organization.zone):
        find_account(organization, account_id)  # one that isn't there is a 404 all the same
        raise invalid("/until", "must be a day to come")

    def decide(book: AccountBook) -> Change | None:
        return set_hold(book, wanted.hold, wanted.reason, wanted.until, now, who)

    return shown(change_book(organization, account_id, decide))


@route(
    "DELETE",
    "/v1/organizations/{orgId}/accounts/{accountId}/holds/{hold}",
    operation="liftHold",
    summary="Lift a hold from an account; the step that is current then goes, if it wasn't sent",
    tag="Accounts",
    scope=Scope.MANAGE,
    query=(WHY_LIFTED,),
    answer=AccountAnswer,
    problems=(409,),
)
def lift(organization: Organization, account_id: str, hold: str) -> Answer:
    """Lift a hold; a 404 problem where the account isn't on it."""
    if hold not in set(Hold):
        raise not_found("hold")
    now, who, reason = api.now, actor(), _reason()

    def decide(book: AccountBook) -> Change | None:
        change = lift_hold(book, Hold(hold), reason, now, who)
        if change is None:
            raise not_found("hold")
        return change

    return shown(change_book(organization, account_id, decide))


def _reason() -> str:
    reason = WHY_LIFTED.text(api.query).strip()
    if not reason:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The query parameter reason is required.")
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise wrong_parameter(WHY_LIFTED.name, f"must be at most {LONGEST_REASON} printable characters")
    return reason
