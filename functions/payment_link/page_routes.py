"""The addresses of the patient pages, with what docs/openapi.json says of each. What they show: patient_pages.py."""

from functools import partial

from functions.payment_link.frame import site
from functions.payment_link.ports import ports
from functions.payment_link.site import PageAnswer, PageRequest
from shared.domain.vocabulary.words import Language
from shared.http.routes import Query, Route, WordQuery

LANGUAGE = WordQuery("lang", "The language to show; default: the guarantor's, else the browser's.", Language)
SHOWN_STATEMENT = Query("statementId", "Of which bill; default: of all that can be paid.")
CHECKOUT = Query("checkout", "Which way to the processor the browser comes back from.")

page = partial(Route, site, tag="Patient pages", media_type="text/html", query=(LANGUAGE,))
"""Decorates what answers a page's address. Parameters that others add to a link, mail programs say, are ignored."""

document = partial(
    Route,
    site,
    tag="Patient pages",
    media_type="application/pdf",
    query=(LANGUAGE,),
    others={303: "Redirect to the question"},
)
"""Decorates what answers a document."""

back = partial(Route, site, tag="Patient pages", media_type="", query=(LANGUAGE,), status=303)
"""Decorates what only leads to another address."""


@page(
    "GET",
    "/pay/{token}",
    operation="openLink",
    summary="Ask for the date of birth, or show the balance to a browser that has answered",
    problems=(404, 410, 429),
)
def open_link(request: PageRequest, token: str) -> PageAnswer:
    """The link's own page."""
    return ports().pages.enter(request, token)


@back(
    "POST",
    "/pay/{token}/verify",
    operation="verify",
    summary="Check the date of birth, and redirect to the balance",
    problems=(400, 403, 404, 410, 422, 429, 503),
)
def verify(request: PageRequest, token: str) -> PageAnswer:
    """The answer to the question."""
    return ports().pages.verify(request, token)


@back(
    "POST",
    "/pay/{token}/checkout",
    operation="checkOut",
    summary="Send the browser to the processor",
    problems=(400, 403, 404, 409, 410, 422, 429, 503),
)
def check_out(request: PageRequest, token: str) -> PageAnswer:
    """On to the processor."""
    return ports().pages.checkout(request, token)


@page(
    "GET",
    "/pay/{token}/done",
    operation="finish",
    summary="Show what was paid",
    query=(LANGUAGE, CHECKOUT),
    problems=(404,),
)
def finish(request: PageRequest, token: str) -> PageAnswer:
    """Back from the processor."""
    return ports().pages.done(request, token)


@back(
    "POST",
    "/pay/{token}/objection",
    operation="objectToBill",
    summary="Say that a bill is wrong: a task for staff, until which no reminder goes; redirects to what was said",
    problems=(400, 403, 404, 410, 422, 429, 503),
)
def object_to_bill(request: PageRequest, token: str) -> PageAnswer:
    """What a patient has against a bill."""
    return ports().request_pages.object_to(request, token)


@page(
    "GET",
    "/pay/{token}/objection",
    operation="showObjection",
    summary="Show what was said against a bill, or redirect to the link's page",
    others={303: "Redirect to the link's page"},
    problems=(404, 410),
)
def show_objection(request: PageRequest, token: str) -> PageAnswer:
    """What was said, while staff haven't settled it."""
    return ports().request_pages.objected(request, token)


@back(
    "POST",
    "/pay/{token}/later",
    operation="remindLater",
    summary="Ask for no reminder before a day, at most 30 days ahead; redirects to what was asked for",
    problems=(400, 403, 404, 410, 422, 429, 503),
)
def remind_later(request: PageRequest, token: str) -> PageAnswer:
    """The day to be reminded on."""
    return ports().request_pages.remind_later(request, token)


@page(
    "GET",
    "/pay/{token}/later",
    operation="showReminderDay",
    summary="Show until when no reminder goes, or redirect to the link's page",
    others={303: "Redirect to the link's page"},
    problems=(404, 410),
)
def show_reminder_day(request: PageRequest, token: str) -> PageAnswer:
    """Until when no reminder goes."""
    return ports().request_pages.waiting(request, token)


@document(
    "GET",
    "/pay/{token}/statement",
    operation="viewStatement",
    summary="The statement as PDF, for a browser that has answered the question; any other is led there",
    query=(LANGUAGE, SHOWN_STATEMENT),
    problems=(404,),
)
def view_statement(request: PageRequest, token: str) -> PageAnswer:
    """What is owed, as a letter shows it."""
    return ports().document_pages.statement(request, token)


@document(
    "GET",
    "/pay/{token}/receipt/{paymentId}",
    operation="viewReceipt",
    summary="A payment's receipt as PDF, for a browser that has answered the question; any other is led there",
    problems=(404,),
)
def view_receipt(request: PageRequest, token: str, payment_id: str) -> PageAnswer:
    """What was paid."""
    return ports().document_pages.receipt(request, token, payment_id)


@page(
    "POST",
    "/pay/{token}/renew",
    operation="renewLink",
    summary="Send a new link to the address on file",
    problems=(400, 404, 503),
)
def renew(request: PageRequest, token: str) -> PageAnswer:
    """A new link instead of one that expired."""
    return ports().pages.renew(request, token)


# A phone that opens a tab again asks by GET for what was a form's answer.


@back(
    "GET", "/pay/{token}/verify", operation="returnFromVerify", summary="Redirect to the link's page", problems=(404,)
)
def return_from_verify(request: PageRequest, token: str) -> PageAnswer:
    """Back to the link's page."""
    return ports().pages.back(request, token)


@back(
    "GET",
    "/pay/{token}/checkout",
    operation="returnFromCheckout",
    summary="Redirect to the link's page",
    problems=(404,),
)
def return_from_checkout(request: PageRequest, token: str) -> PageAnswer:
    """Back to the link's page."""
    return ports().pages.back(request, token)


@back("GET", "/pay/{token}/renew", operation="returnFromRenew", summary="Redirect to the link's page", problems=(404,))
def return_from_renew(request: PageRequest, token: str) -> PageAnswer:
    """Back to the link's page."""
    return ports().pages.back(request, token)


@page("GET", "/bill", operation="askBillCode", summary="Ask for the printed bill code")
def ask_bill_code(request: PageRequest) -> PageAnswer:
    """The form for the code on a letter."""
    return ports().pages.ask_code(request)


@back(
    "POST",
    "/bill",
    operation="openBillCode",
    summary="Redirect to the page of a printed bill code",
    problems=(400, 404, 422, 429),
)
def open_bill_code(request: PageRequest) -> PageAnswer:
    """On to the page of a letter."""
    return ports().pages.find_code(request)


@page(
    "GET",
    "/unsubscribe/{token}",
    operation="showUnsubscribe",
    summary="Ask whether to stop emails; changes nothing",
    problems=(404,),
)
def show_unsubscribe(request: PageRequest, token: str) -> PageAnswer:
    """The channels, and the forms to choose them."""
    return ports().channel_pages.show(request, token)


@page(
    "POST",
    "/unsubscribe/{token}",
    operation="unsubscribe",
    summary="Stop emails (one click: RFC 8058), or choose channels",
    problems=(400, 403, 404, 422, 429, 503),
)
def unsubscribe(request: PageRequest, token: str) -> PageAnswer:
    """What was chosen."""
    return ports().channel_pages.act(request, token)
