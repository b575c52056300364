"""The frame of the patient pages: every request made plain, every answer with its headers, every error a page."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.payment_link.forms import Form, FormDraft, FormError, read_cookie, read_form
from functions.payment_link.page import Page, PageError, PatientDocument, Redirect, render, style_source
from shared import clock as simulated_time
from shared.domain.paying.link_access import VERIFIED_FOR
from shared.domain.vocabulary.words import Language
from shared.http import gateway
from shared.http.routes import Route
from shared.storage.races import BusyError

COOKIE = "dunlin_verified"
WEIGHT = re.compile(r"q\s*=\s*([01](?:\.\d{0,3})?)", re.ASCII | re.IGNORECASE)
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}

UNKNOWN_PAGE = Page(template="unknown.html", status=HTTPStatus.NOT_FOUND)
UNREADABLE_PAGE = Page(template="trouble.html", status=HTTPStatus.BAD_REQUEST)
BUSY_PAGE = Page(template="trouble.html", status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "2"})
FAILED_PAGE = Page(template="trouble.html", status=HTTPStatus.INTERNAL_SERVER_ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """What a browser asks.

    as_of: the simulated time that it came with, as it came; cookie: what it kept; address: where the gateway saw it.
    """

    now: datetime
    as_of: str = ""
    query: dict[str, str] = field(default_factory=dict)
    form: Form = field(default_factory=dict)
    cookie: str = ""
    address: str = ""

    @property
    def language(self) -> Language | None:
        """The language that the patient chose; None: none."""
        return _chosen_language(self.query)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What may show that this browser gave the right answer: the page's own, or the cookie after a reload."""
        return tuple(secret for secret in (self.form.get("verification", ""), read_cookie(self.cookie)[0]) if secret)

    @property
    def draft(self) -> FormDraft:
        """What was typed into the pay form before the question was asked again."""
        return read_cookie(self.cookie)[1]


DOCUMENT_POLICY = "default-src 'none'; object-src 'self'; frame-ancestors 'none'"
"""Of a PDF. Chromium shows one as an object of its own page."""

type PageAnswer = Page | Redirect | PatientDocument
type PageRoute = Callable[..., PageAnswer]


class Site:
    """The pages' routes. Each is called with a request and the ids of its path, and answers what a browser gets."""

    problem_type = "text/html"

    def __init__(
        self, logger: Logger, *, base_url: Callable[[], str], allow_simulated_time: Callable[[], bool]
    ) -> None:
        """Make the frame; settings are asked for at the first request, not at import."""
        self.routes = APIGatewayRestResolver()
        self.declared: list[tuple[Route, PageRoute]] = []
        self._logger = logger
        self._base_url = base_url
        self._allow_simulated_time = allow_simulated_time
        self.routes.not_found(self._no_route)

    def add(self, route: Route, function: PageRoute) -> None:
        """Answer requests for the route with the function's page."""
        self.declared.append((route, function))

        def called(**ids: str) -> Response[Any]:
            return self._response(self._answer(function, list(ids.values())))

        self.routes.route(route.rule, method=route.method)(called)

    def resolve(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """The answer to a proxy event."""
        return gateway.resolve(self.routes, event, context)

    def _answer(self, show: PageRoute, ids: list[str]) -> PageAnswer:
        try:
            return show(self._request(), *map(gateway.decoded_id, ids))
        except PageError as error:
            return error.page
        except gateway.UnreadableIdError:
            return UNKNOWN_PAGE
        except FormError:
            return UNREADABLE_PAGE
        except BusyError:
            return BUSY_PAGE
        except Exception as error:  # noqa: BLE001 - whatever it is, a patient gets a page
            # The type only: an exception's text may quote what a person sent.
            self._logger.error(  # noqa: TRY400 - and so may its trace
                "page failed", extra={"error": type(error).__name__, "at": _where(error)}
            )
            return FAILED_PAGE

    def _request(self) -> PageRequest:
        event = self.routes.current_event
        as_of = event.headers.get(simulated_time.SIMULATED_TIME_HEADER, "") if self._allow_simulated_time() else ""
        try:
            now = simulated_time.now(as_of, allowed=True)
            content_type = event.headers.get("Content-Type", "")
            form = read_form(event.decoded_body or "", content_type) if event.http_method == "POST" else {}
        except ValueError:
            raise FormError from None
        query = dict(event.query_string_parameters or {})
        return PageRequest(
            now=now,
            as_of=as_of,
            query=query,
            form=form,
            cookie=_cookie(event.headers.get("Cookie", "")),
            # As the gateway saw it: headers that forward an address are the browser's to choose.
            address=str(event["requestContext"].get("identity", {}).get("sourceIp") or ""),
        )

    def _response(self, answer: PageAnswer) -> Response[Any]:
        if isinstance(answer, Redirect):
            return self._redirect(answer)
        if isinstance(answer, PatientDocument):
            return _shown(answer)
        event, base_url = self.routes.current_event, self._base_url()
        chosen = _chosen_language(dict(event.query_string_parameters or {}))
        language, query = chosen or self._language(answer), language_query(chosen)
        body = render(answer, language, base_url, query)
        headers = {**HEADERS, "Content-Security-Policy": page_policy(base_url, answer.sends_to), **answer.headers}
        if urlsplit(base_url).scheme == "https":
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if answer.secret and answer.visit:
            headers["Set-Cookie"] = _set_cookie(base_url, answer.visit.token, answer.secret)
        return Response(
            status_code=answer.status, content_type="text/html; charset=utf-8", body=body, headers=dict(headers)
        )

    def _redirect(self, answer: Redirect) -> Response[str]:
        headers = {**HEADERS, "Content-Security-Policy": "default-src 'none'", "Location": answer.location}
        if answer.cookie:
            headers["Set-Cookie"] = _set_cookie(self._base_url(), answer.token, answer.cookie)
        return Response(
            status_code=HTTPStatus.SEE_OTHER, content_type="text/plain; charset=utf-8", body="", headers=dict(headers)
        )

    def _language(self, page: Page) -> Language:
        """The guarantor's language, where it is known whose page it is; else the browser's."""
        if page.visit:
            return page.visit.book.account.guarantor.language
        return accepted_language(self.routes.current_event.headers.get("Accept-Language", ""))

    def _no_route(self, _: NotFoundError) -> Response[Any]:
        return self._response(UNKNOWN_PAGE)


def _shown(answer: PatientDocument) -> Response[bytes]:
    headers = {
        **HEADERS,
        "Content-Security-Policy": DOCUMENT_POLICY,
        "Content-Disposition": f'inline; filename="{answer.name}"',
    }
    return Response(status_code=HTTPStatus.OK, content_type="application/pdf", body=answer.pdf, headers=dict(headers))


def accepted_language(header: str) -> Language:
    """Which of our languages a browser likes best, by the weights of its Accept-Language; English if it has neither."""
    weights = dict.fromkeys(Language, 0.0)
    for part in header.split(","):
        tag, _, parameter = part.partition(";")
        language = tag.strip().casefold().partition("-")[0]
        weight = WEIGHT.fullmatch(parameter.strip()) if parameter else None
        if language in weights and (weight or not parameter):
            known = Language(language)
            weights[known] = max(weights[known], float(weight[1]) if weight else 1.0)
    return Language.SPANISH if weights[Language.SPANISH] > weights[Language.ENGLISH] else Language.ENGLISH


def language_query(chosen: Language | None) -> str:
    """The query that keeps a chosen language on further addresses."""
    return f"?lang={chosen}" if chosen else ""


def _chosen_language(query: dict[str, str]) -> Language | None:
    chosen = query.get("lang", "")
    return Language(chosen) if chosen in set(Language) else None


def page_policy(base_url: str, sends_to: str) -> str:
    """The content security policy of a page whose form may lead to a further origin; "": to none."""
    forms = " ".join(origin for origin in ("'self'", _origin(base_url), _origin(sends_to)) if origin)
    return (
        f"default-src 'none'; style-src {style_source()}; form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _set_cookie(base_url: str, token: str, value: str) -> str:
    """The cookie that keeps a browser verified on this link's pages only, also after a reload and on its way back."""
    parts = urlsplit(base_url)
    secure = "; Secure" if parts.scheme == "https" else ""
    age = int(VERIFIED_FOR.total_seconds())
    return f"{COOKIE}={value}; Path={parts.path}/pay/{token}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"


def _where(error: Exception) -> str:
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return f"{frame.tb_frame.f_code.co_qualname}:{frame.tb_lineno}" if frame else ""
