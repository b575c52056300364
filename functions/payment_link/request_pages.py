"""The pages on which a patient says something else than to pay: that a bill is wrong, or to be reminded later."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from functions.payment_link.channel_pages import ANSWER_FIELDS
from functions.payment_link.forms import FieldProblem, FormDraft, cookie_value, read_objection, read_reminder_day
from functions.payment_link.page import Page, PageError, Redirect
from functions.payment_link.patient_pages import PatientPages, request_facts
from functions.payment_link.questions import Asking, asked_again, checked_answer, verified_by
from functions.payment_link.site import PageAnswer, PageRequest, language_query
from functions.payment_link.visits import Desk, LinkVisit
from shared.domain.account.contacts import GUARANTOR
from shared.domain.delivery.claim_records import TEST_CONTACT
from shared.domain.paying.objections import TooManyObjectionsError, reminder_days

OBJECTION, LATER = "objection", "later"
KEPT = {OBJECTION: ("kind", "text", "statementId"), LATER: ("on",)}
"""The fields of each form, which are kept while the question is asked once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPages:
    """The pages at `/pay/{token}/objection` and `/pay/{token}/later` (docs/rules.md#objection, #remind-later).

    Only who has answered the question says something here; whoever hasn't is asked first, and what was typed is kept.
    A form is answered by leading to what it did, so that going back or reloading sends nothing again.
    """

    desk: Desk
    pages: PatientPages

    def object_to(self, request: PageRequest, token: str) -> PageAnswer:
        """`POST /pay/{token}/objection`: a task for staff, until which no reminder goes."""
        visit, secret = self._identified(request, token, OBJECTION)

        def act() -> None:
            said = read_objection(request.form, [bill.statement_id for bill in visit.bills], visit.recipient)
            try:
                self.desk.object_to(visit, said, request.now)
            except TooManyObjectionsError:
                raise FieldProblem("kind-AlreadyPaid", "problem_objections") from None

        return self._done(visit, request, secret, OBJECTION, act, may=visit.recipient != TEST_CONTACT)

    def remind_later(self, request: PageRequest, token: str) -> PageAnswer:
        """`POST /pay/{token}/later`: no reminder before a day."""
        visit, secret = self._identified(request, token, LATER)

        def act() -> None:
            day = read_reminder_day(request.form, reminder_days(visit.today(request.now)))
            self.desk.remind_on(visit, day, request.now)

        return self._done(visit, request, secret, LATER, act, may=visit.recipient == GUARANTOR)

    def objected(self, request: PageRequest, token: str) -> PageAnswer:
        """`GET /pay/{token}/objection`: what was said and waits for staff."""
        return self._said(request, token, OBJECTION, "objections")

    def waiting(self, request: PageRequest, token: str) -> PageAnswer:
        """`GET /pay/{token}/later`: until when no reminder goes."""
        return self._said(request, token, LATER, "waits_until")

    def _said(self, request: PageRequest, token: str, what: str, fact: str) -> PageAnswer:
        """What was said, to a browser that has answered the question; without it, the link's page."""
        visit = self.pages.open_visit(request, token)
        facts = request_facts(visit, request)
        if not verified_by(request, visit) or not facts[fact]:
            return self.pages.back(request, token)
        return Page(template=f"{what}.html", visit=visit, home=_home(visit, what), facts=facts)

    def _done(
        self, visit: LinkVisit, request: PageRequest, secret: str, what: str, act: Callable[[], None], *, may: bool
    ) -> PageAnswer:
        """Do it, and lead to the page that says so; where a field is wrong, to the balance with the form as sent."""
        if not may or not visit.bills:
            return self.pages.back(request, visit.token)
        try:
            act()
        except FieldProblem as slip:
            page = self.pages.balance(visit, request, secret)
            facts = {**page.facts, "typed": {name: request.form.get(name, "") for name in KEPT[what]}}
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            return page.having(status=status, problem_at=slip.field, problem=slip.text, facts=facts)
        there = f"{self.pages.base_url}{_home(visit, what)}{language_query(request.language)}"
        return Redirect(location=there, token=quote(visit.token, safe=""), cookie=cookie_value(secret, FormDraft()))

    def _identified(self, request: PageRequest, token: str, what: str) -> tuple[LinkVisit, str]:
        """The visit and the secret of a browser that answers, or has answered; raises PageError with the question."""
        visit = self.pages.open_visit(request, token)
        facts = {"action": what, "kept": KEPT[what]}
        asking = Asking(template="question.html", home=f"/pay/{quote(visit.token, safe='')}", facts=facts)
        secret = verified_by(request, visit)
        if secret:
            return visit, secret
        if ANSWER_FIELDS & request.form.keys():
            return checked_answer(self.desk, visit, request, asking)
        raise PageError(asked_again(visit, request, asking, "problem_ask_again"))


def _home(visit: LinkVisit, what: str) -> str:
    return f"/pay/{quote(visit.token, safe='')}/{what}"
