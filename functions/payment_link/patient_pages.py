"""Which page a patient gets (docs/rules.md#patient-pages), over the desk behind the pages."""

import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from functions.payment_link.bill_lines import bill_subject
from functions.payment_link.forms import FieldProblem, Form, FormDraft, cookie_value, read_amount
from functions.payment_link.page import Page, PageError, Redirect
from functions.payment_link.processors import Processors
from functions.payment_link.questions import (
    Asking,
    asked_again,
    checked_answer,
    known_visit,
    question_page,
    verified_by,
)
from functions.payment_link.site import PageAnswer, PageRequest, language_query
from functions.payment_link.visits import Desk, LinkVisit
from shared.domain.account.contacts import GUARANTOR
from shared.domain.delivery.claim_records import TEST_CONTACT
from shared.domain.paying.external_site import PaymentSite
from shared.domain.paying.link_access import Standing, standing
from shared.domain.paying.link_secrets import normalized_code
from shared.domain.paying.objections import reminder_days
from shared.domain.paying.patient_requests import (
    AmountError,
    AmountProblem,
    WantedPayment,
    begin_checkout,
    payment_id_of,
    terms_of,
)
from shared.domain.paying.payments import link_scope
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout
from shared.domain.vocabulary.money import Cents, dollars
from shared.domain.vocabulary.words import BillStatus, LinkStatus, Processor
from shared.processors.secret_values import SecretUnreadableError
from shared.processors.stripe_account import ProcessorRefusedError, ProcessorUnavailableError
from shared.storage.code_tries import CodeTries


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientPages:
    """The patient pages of a stack. documents: whether statements and receipts are set as PDF for pages to lead to."""

    desk: Desk
    code_tries: CodeTries
    base_url: str
    processors: Processors
    documents: bool = False

    def enter(self, request: PageRequest, token: str) -> PageAnswer:
        """`GET /pay/{token}`: the question, or the balance for a browser that has answered it. Changes nothing."""
        visit = self.open_visit(request, token)
        secret = verified_by(request, visit)
        if secret:
            return self.balance(visit, request, secret)
        return question_page(visit, request, _asking(visit))

    def verify(self, request: PageRequest, token: str) -> PageAnswer:
        """`POST /pay/{token}/verify`: for the right answer on to the balance, so that a browser can come back to it."""
        visit = self.open_visit(request, token)
        visit, secret = checked_answer(self.desk, visit, request, _asking(visit))
        address = f"{self.base_url}/pay/{_quoted(visit)}{language_query(request.language)}"
        return Redirect(location=address, token=_quoted(visit), cookie=cookie_value(secret, FormDraft.of(request.form)))

    def checkout(self, request: PageRequest, token: str) -> PageAnswer:
        """`POST /pay/{token}/checkout`: to the processor with what is to be paid."""
        visit = self.open_visit(request, token)
        secret = verified_by(request, visit)
        if not secret:
            return asked_again(visit, request, _asking(visit), "problem_ask_again")
        page = self.balance(visit, request, secret)
        if not self.processors.page_of(visit):
            return page.having(status=HTTPStatus.CONFLICT)
        try:
            return Redirect(location=self._way_to_processor(visit, request))
        except FieldProblem as slip:
            typed, chosen = request.form.get("amount", ""), request.form.get("statementId", "")
            return _again(page, slip.field, slip.text, typed, chosen)
        except AmountError as error:
            return self._amount_refused(page, error, request)
        except (ProcessorUnavailableError, ProcessorRefusedError, SecretUnreadableError) as error:
            # Nothing is paid: the browser has been sent nowhere.
            self.processors.tell_failure(visit, error)
            typed, chosen = request.form.get("amount", ""), request.form.get("statementId", "")
            again = _again(page, "amount", "problem_processor", typed, chosen)
            return again.having(status=HTTPStatus.SERVICE_UNAVAILABLE)

    def done(self, request: PageRequest, token: str) -> PageAnswer:
        """`GET /pay/{token}/done`: thanks; with the amount for a browser that has answered the question."""
        visit = known_visit(self.desk, request, token)
        checkout = visit.checkout(request.query.get("checkout", "")) if verified_by(request, visit) else None
        paid = visit.book.payment(payment_id_of(checkout.reference)) if checkout else None
        state = _outcome(paid, checkout)
        return Page(
            template="done.html",
            visit=visit,
            home=f"/pay/{_quoted(visit)}/done",
            facts={
                "state": state,
                "paid": paid,
                "checkout": checkout,
                "documents": bool(paid and self.documents),
            },
        )

    def renew(self, request: PageRequest, token: str) -> PageAnswer:
        """`POST /pay/{token}/renew`: a new link to the address on file; the answer doesn't say if there is one."""
        visit = known_visit(self.desk, request, token)
        self.desk.renew(visit, request.now)
        return Page(template="renewed.html", visit=visit)

    def back(self, request: PageRequest, token: str) -> PageAnswer:
        """`GET` where only a form is answered, as after a reload: back to the link's page."""
        return Redirect(location=f"{self.base_url}/pay/{quote(token, safe='')}{language_query(request.language)}")

    def ask_code(self, _: PageRequest) -> PageAnswer:
        """`GET /bill`: the form for the bill code on a letter."""
        return Page(template="bill.html", home="/bill", facts={"code": ""})

    def find_code(self, request: PageRequest) -> PageAnswer:
        """`POST /bill`: on to the page that the letter's link leads to."""
        typed = request.form.get("code", "")
        code = normalized_code(typed)
        form = Page(template="bill.html", home="/bill", problem_at="code", facts={"code": typed[:40]})
        if code is None:
            text = "problem_code" if typed else "problem_code_missing"
            return form.having(status=HTTPStatus.UNPROCESSABLE_ENTITY, problem=text)
        until = self.code_tries.refused_until(request.address, code, request.now)
        if until is not None:
            wait = math.ceil((until - request.now).total_seconds())
            status, headers = HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(wait)}
            return form.having(status=status, problem="problem_code_tries", headers=headers)
        if self.desk.visit(code, request.now) is None:
            return form.having(status=HTTPStatus.NOT_FOUND, problem="problem_code_unknown")
        return self.back(request, code)

    def open_visit(self, request: PageRequest, token: str) -> LinkVisit:
        """The visit that a link opens while it lives; raises PageError with the page that says why it doesn't."""
        visit = known_visit(self.desk, request, token)
        if standing(visit.link, request.now) is Standing.EXPIRED:
            raise PageError(
                Page(
                    template="over.html",
                    status=HTTPStatus.GONE,
                    visit=visit,
                    home=f"/pay/{_quoted(visit)}",
                    facts={"why": "replaced" if visit.link.status is LinkStatus.SUPERSEDED else "over"},
                )
            )
        return visit

    def balance(self, visit: LinkVisit, request: PageRequest, secret: str) -> Page:
        """What is owed, with the forms to pay it and to say something else about it."""
        bills, home = visit.bills, f"/pay/{_quoted(visit)}"
        if not bills:
            paid = any(bill.status is BillStatus.PAID for bill in link_scope(visit.book, visit.link))
            facts = {"paid": paid, "documents": self.documents and bool(visit.receipts)}
            return Page(template="paid.html", visit=visit, home=home, secret=secret, facts=facts)
        days, today = visit.organization.dunning.days_until_due, visit.today(request.now)
        target, draft = self.processors.page_of(visit), request.draft
        least = terms_of(visit.organization.payments).least
        return Page(
            template="balance.html",
            visit=visit,
            home=home,
            secret=secret,
            sends_to=target,
            facts={
                # Among several bills an amount in the field would be wrong for whoever picks one.
                "amount": draft.amount or ("" if len(bills) > 1 else dollars(visit.total)),
                "bills": [(bill, bill.due_date(days), bill.past_due(today, days)) for bill in bills],
                "subjects": {bill.statement_id: bill_subject(bill) for bill in bills},
                "can_pay": bool(target) and visit.total >= least,
                "on_its_way": visit.on_its_way,
                "credit": visit.book.account.credit,
                "documents": self.documents,
                "chosen": draft.statement_id if draft.statement_id in {bill.statement_id for bill in bills} else "",
                "most": visit.total,
                **request_facts(visit, request),
                "simulated": self.processors.simulates(visit),
                "total": visit.total,
            },
        )

    def _way_to_processor(self, visit: LinkVisit, request: PageRequest) -> str:
        """Where the browser goes to pay; raises FieldProblem or AmountError for an amount that can't be paid."""
        wanted = WantedPayment(
            amount=_amount_wanted(visit, request.form), statement_id=request.form.get("statementId", "")
        )
        if visit.organization.payments.processor is Processor.EXTERNAL:
            return _external_url(visit, wanted, request)
        begun = self.desk.begin_checkout(visit, wanted, request.now)
        return self.processors.way_to_pay(visit, begun, request)

    def _amount_refused(self, page: Page, error: AmountError, request: PageRequest) -> PageAnswer:
        typed, statement_id = request.form.get("amount", ""), request.form.get("statementId", "")
        if error.problem is AmountProblem.NOTHING_OPEN:
            # It was paid while this page was open: the link's page says so.
            return self.back(request, page.visit.token if page.visit else "")
        if error.problem is AmountProblem.NO_SUCH_BILL:
            several = page.visit and len(page.visit.bills) > 1
            return _again(page, "bill-all" if several else "amount", "problem_bill_gone", typed, "")
        if error.problem is AmountProblem.MORE_THAN_BILL:
            return _again(page, "amount", "problem_more_than_bill", dollars(error.most), statement_id, error.most)
        if error.problem is AmountProblem.LESS_THAN_LEAST:
            again = _again(page, "amount", "problem_less_than_least", typed, statement_id, error.most)
            return again.having(facts={**again.facts, "least": error.least})
        text = "problem_not_positive" if error.problem is AmountProblem.NOT_POSITIVE else "problem_more_than_sum"
        return _again(page, "amount", text, typed, statement_id, error.most)


def _amount_wanted(visit: LinkVisit, form: Form) -> Cents | None:
    """The amount to pay; None: all of what is chosen. Raises FieldProblem.

    Among several bills the field may stay empty, and the sum of all of them with one bill picked means that bill.
    """
    several = len(visit.bills) > 1
    if several and not form.get("amount"):
        return None
    amount = read_amount(form)
    return None if several and form.get("statementId") and amount == visit.total else amount


def _again(page: Page, field: str, text: str, amount: str, statement_id: str, most: Cents | None = None) -> Page:
    """The balance with its form as it was sent, and what is wrong with it."""
    facts = {**page.facts, "amount": amount[:40], "chosen": statement_id}
    if most is not None:
        facts["most"] = most
    return page.having(status=HTTPStatus.UNPROCESSABLE_ENTITY, problem_at=field, problem=text, facts=facts)


def _outcome(paid: Payment | None, checkout: Checkout | None) -> str:
    """What the last page tells; of money beyond what was owed it says so instead of thanking as usual."""
    if paid:
        return "over" if paid.credit > 0 else "paid"
    return "declined" if checkout and checkout.declined_at else "waiting"


def _asking(visit: LinkVisit) -> Asking:
    facts = {"action": "verify", "kept": ("amount", "statementId")}
    return Asking(template="question.html", home=f"/pay/{_quoted(visit)}", facts=facts)


def request_facts(visit: LinkVisit, request: PageRequest) -> dict[str, Any]:
    """What the forms know by which a patient says something else than to pay, and what was said with them before.

    Whoever got the link in the guarantor's place doesn't say when the guarantor is reminded.
    """
    first, latest = reminder_days(visit.today(request.now))
    account, own = visit.book.account, visit.recipient == GUARANTOR
    return {
        "objections": [each for each in account.objections if each.recipient == visit.recipient],
        "waits_until": account.remind_on if own and account.remind_on and account.remind_on >= first else None,
        "may_object": visit.recipient != TEST_CONTACT,
        "may_wait": own,
        "first": first,
        "latest": latest,
        "typed": {},
    }


def _quoted(visit: LinkVisit) -> str:
    return quote(visit.token, safe="")


def _external_url(visit: LinkVisit, wanted: WantedPayment, request: PageRequest) -> str:
    """An external payment site's address, with the organization's own id there (InstaMed style).

    Nothing is stored: such a site reports to the practice, not to us. Raises AmountError like any checkout.
    """
    checkout = begin_checkout(visit.book, visit.link, wanted, "", request.now)
    settings = visit.organization.payments
    values = {"id": settings.external_id, "amount": dollars(checkout.amount), "accountId": visit.link.account_id}
    return PaymentSite.read(settings.external_url_template).url(values)
