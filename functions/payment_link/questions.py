"""Who is at a page: the link it belongs to, and the question that shows that it is the patient who holds it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from functions.payment_link.forms import FieldProblem, read_answer
from functions.payment_link.page import Page, PageError
from functions.payment_link.site import UNKNOWN_PAGE, PageRequest
from functions.payment_link.visits import Desk, LinkVisit
from shared.domain.paying.link_access import AccessQuestion, AnswerOutcome, locked_until, question, tries_left, verified

TRIES_WORTH_SHOWING = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Where it is asked: the page's template, its address below the base address, and what else it says."""

    template: str
    home: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def known_visit(desk: Desk, request: PageRequest, token: str) -> LinkVisit:
    """The visit that a token opens. Raises PageError for an unknown, malformed or revoked one, which look alike."""
    visit = desk.visit(token, request.now)
    if visit is None:
        raise PageError(UNKNOWN_PAGE)
    return visit


def question_page(visit: LinkVisit, request: PageRequest, asking: Asking) -> Page:
    """The question; where too many answers were wrong, the page that says when to try again, as an error."""
    until = locked_until(visit.book.account, request.now)
    if until:
        wait = math.ceil((until - request.now).total_seconds())
        raise PageError(
            Page(
                template="locked.html",
                status=HTTPStatus.TOO_MANY_REQUESTS,
                visit=visit,
                home=asking.home,
                headers={"Retry-After": str(wait)},
                facts={"minutes": math.ceil(wait / 60)},
            )
        )
    asked, left = question(visit.book, visit.link), tries_left(visit.book.account, request.now)
    return Page(
        template=asking.template,
        visit=visit,
        home=asking.home,
        facts={
            **asking.facts,
            "asked": asked,
            "typed": request.form,
            "first_field": "postalCode" if asked is AccessQuestion.POSTAL_CODE else "month",
            "tries_left": left if left <= TRIES_WORTH_SHOWING else None,
        },
    )


def asked_again(visit: LinkVisit, request: PageRequest, asking: Asking, problem: str) -> Page:
    """The question once more, with what is wrong next to its first field."""
    page = question_page(visit, request, asking).having(status=HTTPStatus.FORBIDDEN)
    if page.facts["asked"] is AccessQuestion.NOTHING_KNOWN:
        # There is no field to point at: the page says that nothing can be asked.
        return page
    return page.having(problem_at=page.facts["first_field"], problem=problem)


def checked_answer(desk: Desk, visit: LinkVisit, request: PageRequest, asking: Asking) -> tuple[LinkVisit, str]:
    """Judge the answer in a form: the visit after it, and the secret for the browser that gave the right one.

    Raises PageError with the question again for any other, which is counted if it was a wrong one.
    """
    page = question_page(visit, request, asking)
    if page.facts["asked"] is AccessQuestion.NOTHING_KNOWN:
        raise PageError(page.having(status=HTTPStatus.FORBIDDEN))
    try:
        given = read_answer(request.form, page.facts["asked"], visit.today(request.now))
    except FieldProblem as slip:
        again = page.having(status=HTTPStatus.UNPROCESSABLE_ENTITY, problem_at=slip.field, problem=slip.text)
        raise PageError(again.having(also=slip.also)) from None
    visit, judged = desk.answer(visit, given, request.now)
    if judged.outcome is not AnswerOutcome.RIGHT:
        raise PageError(asked_again(visit, request, asking, "problem_no_match"))
    return visit, judged.secret


def verified_by(request: PageRequest, visit: LinkVisit) -> str:
    """The secret that shows that this browser gave the right answer; "": it didn't, or too long ago."""
    return next((secret for secret in request.secrets if verified(visit.link, secret, request.now)), "")
