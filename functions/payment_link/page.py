"""Pages as HTML: templates, words in two languages, and the one style sheet, which stands in each page by its hash."""

import base64
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from functions.payment_link.forms import FieldProblem
from functions.payment_link.visits import LinkVisit
from shared.domain.vocabulary.words import Language
from shared.rendering.facts import readable_phone
from shared.rendering.formats import long_date, money, single_stops

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page to show.

    home: where, below the base address, the page is found again by GET, for the language switch; "" leaves it out.
    problem_at, problem: the form field with a problem, and the words for it; also: further ones.
    sends_to: an origin that its form may lead to.
    secret: of a browser that gave the right answer, to be kept in its cookie.
    """

    template: str
    status: HTTPStatus = HTTPStatus.OK
    visit: LinkVisit | None = None
    home: str = ""
    problem_at: str = ""
    problem: str = ""
    also: tuple[FieldProblem, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    sends_to: str = ""
    secret: str = ""

    def having(self, **changes: Any) -> "Page":  # noqa: ANN401 - any field
        """The same page with some fields changed."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Elsewhere to look, by GET. cookie: what the browser keeps for the pages of the link with this token."""

    location: str
    token: str = ""
    cookie: str = ""


@dataclass(frozen=True, slots=True)
class PatientDocument:
    """A PDF to look at. name: what a browser saves it as."""

    pdf: bytes
    name: str


@dataclass
class PageError(Exception):
    """A page that ends the work on a request."""

    page: Page


@cache
def environment() -> "Environment":
    """The pages' own templates, compiled once. Nobody but us writes them, so they need no sandbox."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - webhooks need none

    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def style() -> str:
    """The style sheet."""
    return (FOLDER / "page.css").read_text("utf-8")


@cache
def style_source() -> str:
    """The style sheet's hash as a CSP source, so that no other style is obeyed."""
    digest = hashlib.sha256(style().encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def words(language: Language) -> dict[str, str]:
    """All words of the pages in a language."""
    found: dict[str, str] = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    return found


def say(language: Language, name: str, **about: object) -> str:
    """Words by their name, with what they speak of put in. It is text: the template escapes it."""
    return single_stops(words(language)[name].format(**about), [str(about.get("practice", ""))])


def render(page: Page, language: Language, base_url: str, query: str) -> str:
    """A page as HTML. `query` keeps a language that the patient chose on the addresses of forms and links."""
    organization = page.visit.organization if page.visit else None
    phone = organization.phone if organization else ""
    latest = page.facts.get("latest")
    about = {bound: money(page.facts.get(bound, 0), language) for bound in ("most", "least")}
    about["latest"] = long_date(latest, language) if latest else ""
    problems = [FieldProblem(page.problem_at, page.problem), *page.also] if page.problem else []
    slips = {slip.field: say(language, slip.text, **about) for slip in problems}
    known = {
        "base_url": base_url,
        "css": style(),
        "dialable": "".join(sign for sign in phone if sign.isdecimal() or sign == "+"),
        "language": language,
        "long_date": partial(long_date, language=language),
        "money": partial(money, language=language),
        "organization": organization,
        "phone": readable_phone(phone),
        "other": Language.SPANISH if language is Language.ENGLISH else Language.ENGLISH,
        "page": page,
        "practice": organization.name if organization else "",
        "problem_text": slips.get(page.problem_at, ""),
        "query": query,
        "slips": slips,
        "t": partial(say, language),
        "token": quote(page.visit.token, safe="") if page.visit else "",
        "visit": page.visit,
    }
    return environment().get_template(page.template).render(**known, **page.facts)
