"""The patient pages as a browser, a screen reader and a careful eye find them."""

import base64
import hashlib
import json
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from secrets import token_bytes
from typing import Any, cast

import pytest
from aws_lambda_powertools import Logger

from functions.payment_link.channel_pages import ChannelPages
from functions.payment_link.forms import FieldProblem, FormError, checked, read_amount, read_answer, read_form
from functions.payment_link.page import FOLDER, Page, PageError, Redirect, render, style, style_source, words
from functions.payment_link.patient_pages import PatientPages
from functions.payment_link.processors import Processors
from functions.payment_link.site import BUSY_PAGE, UNKNOWN_PAGE, PageRequest
from functions.payment_link.visits import Desk, LinkVisit
from shared.domain.account.contacts import number_hash
from shared.domain.paying.link_access import AccessQuestion, Verification, verify
from shared.domain.paying.link_secrets import new_payment_link
from shared.domain.paying.patient_requests import payment_id_of
from shared.domain.records.account import WrongAnswers
from shared.domain.records.book import Change
from shared.domain.records.payment import Allocation, Payment
from shared.domain.records.payment_link import Checkout
from shared.domain.records.policy import PaymentSettings
from shared.domain.records.statement import OptOuts
from shared.domain.texting import channel_choices
from shared.domain.texting.channel_choices import Agreement
from shared.domain.vocabulary.words import Channel, Language, Processor
from shared.processors.secret_values import SecretValues
from shared.processors.stripe_account import StripeAccounts
from tests.worlds.bounds import some
from tests.worlds.examples import NOW, account, bill, book, organization

BASE = "https://pay.example.com/prod"
ISSUED = new_payment_link(org_id="org_1", account_id="G-1", now=NOW, lives=timedelta(days=30), random=token_bytes)
RIGHT = {"month": "6", "day": "7", "year": "2015"}
TOKEN = ISSUED.token
VOID_TAGS = frozenset({"meta", "input", "br", "link", "hr", "img"})


class FakeDesk:
    """A desk with one visitor, who answers without a table behind."""

    def __init__(self, visit: LinkVisit) -> None:
        self.known = visit

    def visit(self, token: str, _: object) -> LinkVisit | None:
        return self.known if token == TOKEN else None

    def answer(self, visit: LinkVisit, given: date | str, now: Any) -> tuple[LinkVisit, Verification]:
        judged = verify(visit.book, visit.link, given, now, token_bytes)
        self.known = replace(visit, link=judged.link)
        return self.known, judged

    def renew(self, *_: object) -> None:
        pass

    def unsubscribe(self, visit: LinkVisit, now: datetime, agreed: Agreement) -> LinkVisit:
        return self._after(visit, channel_choices.unsubscribe(visit.book, now, agreed))

    def resubscribe(self, visit: LinkVisit, now: datetime, agreed: Agreement) -> LinkVisit:
        return self._after(visit, channel_choices.resubscribe(visit.book, now, agreed))

    def choose(
        self, visit: LinkVisit, wanted: frozenset[Channel], now: datetime, agreed: Agreement, *, may_opt_in: bool
    ) -> LinkVisit:
        return self._after(visit, channel_choices.choose(visit.book, wanted, now, agreed, may_opt_in=may_opt_in))

    def _after(self, visit: LinkVisit, change: Change | None) -> LinkVisit:
        return replace(visit, book=visit.book.after(change)) if change else visit


def visit(**changes: Any) -> LinkVisit:
    """A visit to the account with its one bill."""
    processor = changes.pop("processor", Processor.SANDBOX)
    found = book(links=(ISSUED.link,), **changes)
    practice = organization(payments=PaymentSettings(processor=processor))
    return LinkVisit(token=TOKEN, organization=practice, book=found, link=ISSUED.link)


def pages(known: LinkVisit) -> PatientPages:
    desk, stripe = cast("Desk", FakeDesk(known)), StripeAccounts(SecretValues(cast("Any", None)))
    processors = Processors(
        desk=desk, base_url=BASE, stripe=stripe, logger=Logger(), sandbox_url="https://sandbox.example.net"
    )
    return PatientPages(desk=desk, base_url=BASE, processors=processors)


def shown(answer: Page | Redirect) -> Page:
    assert isinstance(answer, Page)
    return answer


def of_error(ask: Callable[[], object]) -> Page:
    with pytest.raises(PageError) as raised:
        ask()
    return raised.value.page


def balance(known: LinkVisit) -> Page:
    """What the right answer leads to."""
    asked = pages(known)
    answer = asked.verify(PageRequest(now=NOW, form=RIGHT), TOKEN)
    assert isinstance(answer, Redirect)
    return shown(asked.enter(PageRequest(now=NOW, cookie=answer.cookie), TOKEN))


def verified_wrongly(known: LinkVisit, **form: str) -> Page:
    return of_error(lambda: pages(known).verify(PageRequest(now=NOW, form=form), TOKEN))


def channel_pages(**changes: Any) -> ChannelPages:
    """The channel pages of an account with these differences."""
    bills = changes.pop("bills", (bill(),))
    known = visit(account=account(**changes), bills=bills)
    return ChannelPages(desk=cast("Desk", FakeDesk(known)))


def act(known: ChannelPages, **form: str) -> Page:
    """The page after a form, also where it is the question."""
    try:
        return shown(known.act(PageRequest(now=NOW, form=form), TOKEN))
    except PageError as error:
        return error.page


def every_channel_page() -> Iterator[tuple[str, Page]]:
    """Each page on which a patient says how to be reached."""
    nothing_known = replace(account().guarantor, date_of_birth=None, address=None)
    only_address = replace(account().guarantor, date_of_birth=None)
    stopped = frozenset({number_hash(account().guarantor.mobile_phone)})
    no_email = OptOuts(email=True)
    yield "unsubscribe", shown(channel_pages().show(PageRequest(now=NOW), TOKEN))
    yield "unsubscribed", act(channel_pages())
    yield "unsubscribed before", shown(channel_pages(opt_outs=no_email).show(PageRequest(now=NOW), TOKEN))
    yield "texts stopped", act(channel_pages(opt_outs=OptOuts(sms=True), stopped_numbers=stopped))
    yield "emails are on", act(channel_pages(), action="resubscribe")
    yield "emails on again", act(channel_pages(opt_outs=no_email), action="resubscribe", **RIGHT)
    bounced = channel_pages(opt_outs=no_email, undeliverable=frozenset({Channel.EMAIL}))
    yield "emails on, but bouncing", act(bounced, action="resubscribe", **RIGHT)
    yield "confirm", act(channel_pages(opt_outs=no_email), action="resubscribe")
    yield "confirm, wrong", act(channel_pages(opt_outs=no_email), action="resubscribe", **(RIGHT | {"day": "8"}))
    yield "confirm, again", act(channel_pages(opt_outs=no_email), action="resubscribe", verification="old")
    unborn = (bill(birth_dates=()),)
    known = channel_pages(opt_outs=no_email, guarantor=only_address, bills=unborn)
    yield "confirm by postal code", act(known, action="resubscribe")
    known = channel_pages(opt_outs=no_email, guarantor=nothing_known, bills=unborn)
    yield "confirm, impossible", act(known, action="resubscribe")
    yield "confirm, some closed", act(channel_pages(opt_outs=no_email), action="preferences", email="on", sms="on")
    yield "confirm, letters kept", act(channel_pages(opt_outs=no_email), action="preferences", email="on")
    yield "chosen", act(channel_pages(), action="preferences", email="on")
    yield "letters kept", act(channel_pages(), action="preferences")


def every_page() -> Iterator[tuple[str, Page]]:
    """Each page that a patient can get, by a name."""
    now, one = PageRequest(now=NOW), visit()
    many = visit(bills=(bill(), bill("S-2", balance=5, effective_created_date=date(2025, 12, 1))))
    nothing_known = account(guarantor=replace(account().guarantor, date_of_birth=None, address=None))
    only_address = account(guarantor=replace(account().guarantor, date_of_birth=None))
    unborn = (bill(birth_dates=()),)
    yield "question", shown(pages(one).enter(now, TOKEN))
    holders = visit(bills=unborn)
    yield "account holder's question", shown(pages(holders).enter(now, TOKEN))
    yield "question, no date", verified_wrongly(one, month="x")
    yield "question, wrong", verified_wrongly(one, **(RIGHT | {"day": "8"}))
    yield "postal code", shown(pages(visit(account=only_address, bills=unborn)).enter(now, TOKEN))
    yield "postal code, none", verified_wrongly(visit(account=only_address, bills=unborn))
    yield "nothing known", shown(pages(visit(account=nothing_known, bills=unborn)).enter(now, TOKEN))
    verified = balance(one)
    yield "balance", verified
    assert verified.visit is not None
    yield "balance of many", balance(many)
    refused = PageRequest(now=NOW, form={"verification": verified.secret, "amount": "none"})
    yield "balance, no amount", shown(pages(verified.visit).checkout(refused, TOKEN))
    offline = visit(processor=Processor.NONE, bills=many.book.bills)
    yield "not online", balance(offline)
    settled = visit(bills=(bill(balance=0),))
    yield "paid", balance(settled)
    yield "done, waiting", shown(pages(one).done(now, TOKEN))
    for name, declined_at, payments in (("declined", NOW, ()), ("paid", None, (payment("dln_1"),))):
        checkout = Checkout(
            reference="dln_1",
            org_id="org_1",
            account_id="G-1",
            link_id=ISSUED.link.link_id,
            amount=74_60,
            created_at=NOW,
            declined_at=declined_at,
        )
        known = replace(verified.visit, book=replace(verified.visit.book, checkouts=(checkout,), payments=payments))
        yield f"done, {name}", shown(pages(known).done(PageRequest(now=NOW, cookie=verified.secret), TOKEN))
    yield "over", of_error(lambda: pages(one).enter(PageRequest(now=NOW + timedelta(days=31)), TOKEN))
    locked = locked_out(one, NOW + timedelta(minutes=1))
    yield "locked", of_error(lambda: pages(locked).enter(now, TOKEN))
    for_a_day = locked_out(one, NOW + timedelta(days=1))
    yield "locked for a day", of_error(lambda: pages(for_a_day).enter(now, TOKEN))
    yield "renewed", shown(pages(one).renew(now, TOKEN))
    yield "bill", shown(pages(one).ask_code(now))
    yield "bill, no code", shown(pages(one).find_code(PageRequest(now=NOW, form={"code": "<b>"})))
    yield from every_channel_page()
    yield "unknown", UNKNOWN_PAGE
    yield "trouble", BUSY_PAGE


def locked_out(visit: LinkVisit, until: datetime) -> LinkVisit:
    owner = replace(visit.book.account, wrong_answers=WrongAnswers(count=10, locked_until=until))
    return replace(visit, book=replace(visit.book, account=owner))


def payment(reference: str) -> Payment:
    return Payment(
        payment_id=payment_id_of(reference),
        amount=74_60,
        method="card",
        received_on=NOW.date(),
        posted_at=NOW,
        transaction_id=reference,
        allocations=(Allocation(statement_id="S-1", amount=74_60),),
    )


PAGES = dict(every_page())
FOR_VERIFIED = frozenset(
    {"balance", "balance of many", "balance, no amount", "not online", "paid", "done, declined", "done, paid"}
)


@dataclass
class Structure(HTMLParser):
    """What a page is made of."""

    tags: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    inputs: list[dict[str, str | None]] = field(default_factory=list)
    references: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    forms: list[dict[str, str | None]] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    open: list[str] = field(default_factory=list)
    language: str | None = None
    title: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.attributes |= set(found)
        if tag not in VOID_TAGS:
            self.open.append(tag)
        if tag == "html":
            self.language = found["lang"]
        if tag == "input" and found["type"] != "hidden":
            self.inputs.append(found)
        if tag == "form":
            self.forms.append(found)
        if tag == "label":
            self.labels.add(found["for"] or "")
        if tag == "a":
            self.links.append(found["href"] or "")
        self.ids += [found["id"] or ""] if "id" in found else []
        for name in ("aria-describedby", "aria-labelledby"):
            self.references |= set((found.get(name) or "").split())

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "title":
            self.title += data


def structure(page: Page, language: Language) -> Structure:
    found = Structure()
    found.feed(render(page, language, BASE, ""))
    found.close()
    return found


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_well_built_for_a_screen_reader(name: str, language: Language) -> None:
    page, found = PAGES[name], structure(PAGES[name], language)
    assert found.open == []
    assert found.language == language
    assert found.tags.count("h1") == found.tags.count("main") == 1
    assert found.title
    assert found.title.startswith("Error: ") is bool(page.problem)
    assert len(found.ids) == len(set(found.ids))
    assert {one["id"] for one in found.inputs} == found.labels
    assert found.references <= set(found.ids)
    choices = [one for one in found.inputs if one["type"] in {"radio", "checkbox"}]
    dates = [one for one in found.inputs if one["name"] == "month"]
    if choices or dates:
        assert found.tags.count("fieldset") == found.tags.count("legend") == 1
    if page.problem:
        assert f"#{page.problem_at}" in found.links
        assert page.problem_at in found.ids
        (wrong,) = [one for one in found.inputs if one["id"] == page.problem_at]
        assert f"{page.problem_at}-error" in (wrong["aria-describedby"] or "").split()
        assert wrong["aria-invalid"] == "true"
        source = render(page, language, BASE, "")
        assert '<div class="summary" role="alert" tabindex="-1" autofocus' in source


@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_script_or_anything_from_elsewhere(name: str) -> None:
    found, source = structure(PAGES[name], Language.ENGLISH), render(PAGES[name], Language.ENGLISH, BASE, "")
    assert not {"script", "img", "iframe", "link", "object", "video"} & set(found.tags)
    assert not {one for one in found.attributes if one.startswith("on")} | ({"style"} & found.attributes)
    assert "url(" not in source
    assert "@import" not in source


def test_links_and_forms_lead_to_our_own_pages() -> None:
    """Not every page has one, but all of them together do."""
    found = [structure(page, Language.ENGLISH) for page in PAGES.values()]
    links = [link for page in found for link in page.links]
    forms = [form for page in found for form in page.forms]
    assert all(link.startswith((BASE, "#", "tel:", "?lang=")) for link in some(links))
    assert all((form["action"] or "").startswith(BASE) and form["method"] == "post" for form in some(forms))


@pytest.mark.parametrize("name", [name for name in PAGES if name not in FOR_VERIFIED])
def test_before_the_right_answer_nothing_personal_is_shown(name: str) -> None:
    source = render(PAGES[name], Language.ENGLISH, BASE, "")
    for private in ("Ada", "Example", "74.60", "1980", "2015", "S-1", "ada@", "5550111", "555-0111"):
        assert private not in source.replace('value="2015"', "")


def test_the_fields_are_named_as_the_contract_says_and_a_parents_own_birthday_is_not_offered() -> None:
    fields = {one["name"]: one.get("autocomplete") for one in structure(PAGES["question"], Language.ENGLISH).inputs}
    assert fields == {"month": "off", "day": "off", "year": "off"}
    postal = structure(PAGES["postal code"], Language.ENGLISH)
    assert [(one["name"], one["autocomplete"]) for one in postal.inputs] == [("postalCode", "postal-code")]
    assert [one["name"] for one in structure(PAGES["balance"], Language.ENGLISH).inputs] == ["amount"]
    assert [one["name"] for one in structure(PAGES["bill"], Language.ENGLISH).inputs] == ["code"]
    boxes = structure(PAGES["unsubscribe"], Language.ENGLISH).inputs
    assert [(one["name"], one["type"]) for one in boxes] == [
        ("email", "checkbox"),
        ("sms", "checkbox"),
        ("print", "checkbox"),
    ]


@pytest.mark.parametrize("language", list(Language))
def test_where_only_the_guarantors_date_opens_it_the_page_asks_for_the_account_holders(language: Language) -> None:
    """Case 17."""
    source = render(PAGES["account holder's question"], language, BASE, "")
    holder, patient = {"en": ("account holder", "the patient"), "es": ("titular", "del paciente")}[language]
    assert holder in source
    assert patient not in source
    assert holder not in render(PAGES["question"], language, BASE, "")


def test_the_balance_says_whose_bill_it_is_and_for_which_visits() -> None:
    document = {
        "statementId": "S-1",
        "clientId": "C-1",
        "totalBilled": "120.00",
        "totalBalance": "74.60",
        "guarantor": {"guarantorId": "G-1", "firstName": "Ada", "lastName": "Example"},
        "patients": [
            {
                "accountId": "P-1",
                "firstName": "Ben",
                "lastName": "Example <Jr>",
                "visits": [{"visitId": f"V-{day}", "date": f"2026-01-{day}"} for day in (15, 12, 20, 28)],
            }
        ],
    }
    known = bill(document=json.dumps(document).encode())
    for bills in ((known,), (known, bill("S-2"))):
        source = render(balance(visit(bills=bills)), Language.ENGLISH, BASE, "")
        assert "For Ben Example &lt;Jr&gt; · Visits: January 12, 2026; January 15, 2026; January 20, 2026 …" in source


def test_the_thanks_name_the_day_the_reference_and_the_statement() -> None:
    source = render(PAGES["done, paid"], Language.ENGLISH, BASE, "")
    for told in ("March 2, 2026", "dln_1", "S-1"):
        assert f"<dd>{told}</dd>" in source


def test_the_balance_lists_each_bill_with_its_due_date_and_the_sum() -> None:
    source = render(PAGES["balance of many"], Language.ENGLISH, BASE, "")
    for told in ("$74.65", "$74.60", "$0.05", "Due April 1, 2026", "Was due December 31, 2025", "Past due"):
        assert told in source
    assert 'name="amount" inputmode="decimal" autocomplete="transaction-amount" value=""' in source


def test_an_unsupported_processor_says_how_to_pay_by_phone_or_post() -> None:
    source = render(PAGES["not online"], Language.ENGLISH, BASE, "")
    assert "<form" not in source
    assert "(518) 555-0100" in source
    assert "12 Juniper Way" in source


def test_a_chosen_language_stays_on_forms_and_links() -> None:
    source = render(PAGES["question"], Language.SPANISH, BASE, "?lang=es")
    assert f'action="{BASE}/pay/{TOKEN}/verify?lang=es"' in source
    assert f'href="{BASE}/pay/{TOKEN}?lang=en" hreflang="en" lang="en">English' in source


def test_what_people_type_is_shown_again_as_text() -> None:
    assert 'value="&lt;b&gt;"' in render(PAGES["bill, no code"], Language.ENGLISH, BASE, "")


def test_both_languages_have_the_same_words_with_the_same_gaps() -> None:
    english, spanish = words(Language.ENGLISH), words(Language.SPANISH)
    assert list(english) == list(spanish)
    for name, text in some(english.items()):
        assert _gaps(text) == _gaps(spanish[name]), name
        assert text.strip() == text
        assert spanish[name].strip()


def _gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_word_is_used() -> None:
    sources = [*FOLDER.glob("*.html"), *FOLDER.parent.glob("*.py")]
    used = "".join(path.read_text("utf-8") for path in sources)
    # The words of a payment and of a link that is over are named by what became of it; slips by their field.
    composed = re.compile(
        r"(over|replaced)_(title|heading|text)|done_(title|heading)_(paid|over|declined|waiting)"
        r"|problem_(month|day|year)(_missing)?"
    )
    assert [
        name
        for name in words(Language.ENGLISH)
        if not composed.fullmatch(name) and f"'{name}'" not in used and f'"{name}"' not in used
    ] == []


# --- colours -----------------------------------------------


LIGHT, DARK = style().split("prefers-color-scheme: dark")


def _colours(scheme: str = LIGHT) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", scheme))


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str, scheme: str) -> float:
    colours = _colours(scheme)
    light, dark = sorted((_luminance(colours[one]), _luminance(colours[other])), reverse=True)
    return (light + 0.05) / (dark + 0.05)


SCHEMES = pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])


def test_each_colour_has_one_for_the_dark() -> None:
    assert _colours(DARK).keys() == _colours(LIGHT).keys()


@SCHEMES
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        ("ink", "card"),
        ("ink", "ground"),
        ("ink", "panel"),
        ("muted", "card"),
        ("muted", "ground"),
        ("muted", "panel"),
        ("brand", "ground"),
        ("brand", "panel"),
        ("brand", "card"),
        ("link", "card"),
        ("link", "ground"),
        ("brand-strong", "card"),
        ("on-brand", "brand"),
        ("on-brand", "brand-strong"),
        ("error", "card"),
        ("error", "error-ground"),
        ("good", "good-ground"),
        ("late", "late-ground"),
    ],
)
def test_text_stands_out_from_its_ground_at_level_aa(ink: str, ground: str, scheme: str) -> None:
    assert _contrast(ink, ground, scheme) >= 4.5


@SCHEMES
@pytest.mark.parametrize("ground", ["card", "ground", "panel"])
@pytest.mark.parametrize("line", ["field-line", "focus", "error", "brand"])
def test_fields_and_focus_stand_out_from_their_ground(line: str, ground: str, scheme: str) -> None:
    assert _contrast(line, ground, scheme) >= 3


def test_every_colour_is_a_property_so_that_these_tests_see_it() -> None:
    rules = LIGHT.partition("}")[2] + DARK.partition("}\n}")[2]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", rules) == []
    assert set(re.findall(r"var\(--([\w-]+)\)", style())) == set(_colours())


def test_the_style_in_the_page_is_the_one_that_the_policy_names() -> None:
    (inline,) = re.findall(r"<style>(.*?)</style>", render(UNKNOWN_PAGE, Language.ENGLISH, BASE, ""), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    assert style_source() == f"'sha256-{digest}'"


# --- what people type -----------------------------------------------


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("74.60", 74_60),
        ("$74.6", 74_60),
        ("$ 1,234.50", 1234_50),
        ("1,234,567.89", 1234567_89),
        ("5", 5_00),
        ("5.", 5_00),
        (".5", 50),
        ("0", 0),
    ],
)
def test_an_amount_is_read_as_people_write_it(typed: str, cents: int) -> None:
    assert read_amount({"amount": typed}) == cents


@pytest.mark.parametrize(
    "typed", ["", "$", ".", "-5", "5-", "1,23", "74,60", "1.234", "NaN", "1e3", "٣", "1 2", "99999999999"]
)
def test_what_is_no_amount_is_asked_for_again(typed: str) -> None:
    with pytest.raises(FieldProblem) as raised:
        read_amount({"amount": typed})
    assert raised.value.field == "amount"


def test_a_form_that_did_not_ask_for_an_amount_means_all() -> None:
    assert read_amount({}) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"month": ""}, "month"),
        ({"month": "13"}, "month"),
        ({"month": "0"}, "month"),
        ({"month": "²"}, "month"),
        ({"day": ""}, "day"),
        ({"day": "x"}, "day"),
        ({"month": "2", "day": "30"}, "day"),
        ({"year": ""}, "year"),
        ({"year": "15"}, "year"),
        ({"year": "0000"}, "year"),
        ({"year": "9" * 5000}, "year"),
        ({"year": "2026", "month": "3", "day": "3"}, "year"),
    ],
)
def test_a_date_that_is_not_one_is_told_beside_its_field(change: dict[str, str], field: str) -> None:
    with pytest.raises(FieldProblem) as raised:
        read_answer(RIGHT | change, AccessQuestion.BIRTH_DATE, NOW.date())
    assert raised.value.field == field
    assert raised.value.text in words(Language.ENGLISH)


def test_all_that_is_wrong_with_a_date_is_told_at_once() -> None:
    page = verified_wrongly(visit(), month="13", day="", year="85")
    source = render(page, Language.ENGLISH, BASE, "")
    assert [page.problem_at, *(slip.field for slip in page.also)] == ["month", "day", "year"]
    for part in ("month", "day", "year"):
        assert f'href="#{part}"' in source
        assert f'id="{part}-error"' in source
        assert re.search(rf'id="{part}"[^>]* aria-invalid="true" aria-describedby="{part}-error"', source)


def test_a_date_is_read_with_or_without_zeros_in_front() -> None:
    assert read_answer(RIGHT, AccessQuestion.BIRTH_DATE, NOW.date()) == date(2015, 6, 7)
    zeros = {"month": "06", "day": "07", "year": "2015"}
    assert read_answer(zeros, AccessQuestion.BIRTH_DATE, NOW.date()) == date(2015, 6, 7)


@pytest.mark.parametrize(("typed", "code"), [("12207", "12207"), ("12207-1234", "12207"), ("12207 1234", "12207")])
def test_a_postal_code_is_read_by_its_first_five_digits(typed: str, code: str) -> None:
    assert read_answer({"postalCode": typed}, AccessQuestion.POSTAL_CODE, NOW.date()) == code


@pytest.mark.parametrize("typed", ["", "1220", "ABCDE", "122071"])
def test_a_postal_code_that_is_not_one_is_asked_for_again(typed: str) -> None:
    with pytest.raises(FieldProblem):
        read_answer({"postalCode": typed}, AccessQuestion.POSTAL_CODE, NOW.date())


def test_a_form_sent_twice_in_one_counts_by_its_first() -> None:
    assert read_form("a=1&a=2&b=+x+") == {"a": "1", "b": "x"}


@pytest.mark.parametrize("body", ["&".join(f"f{n}=1" for n in range(50)), "a=" + "x" * 20_000])
def test_a_body_that_is_no_form_of_ours_is_refused(body: str) -> None:
    with pytest.raises(FormError):
        read_form(body)


ONE_CLICK_FORM = {"List-Unsubscribe": "One-Click"}
AS_RFC_8058_PRINTS_IT = (
    '---FormBoundaryjWmhtjORrn\nContent-Disposition: form-data; name="List-Unsubscribe"\n\nOne-Click\n'
    "---FormBoundaryjWmhtjORrn--\n"
)
"""Two dashes are missing before each delimiter."""


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
        ("", "List-Unsubscribe=One-Click"),
        (
            "multipart/form-data; boundary=abc",
            '--abc\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--abc--\r\n',
        ),
        (
            'multipart/form-data; charset=utf-8; boundary="a b+c"',
            "--a b+c\r\ncontent-disposition: form-data; name=List-Unsubscribe\r\n\r\nOne-Click\r\n--a b+c--",
        ),
        ("multipart/form-data; boundary=---FormBoundaryjWmhtjORrn", AS_RFC_8058_PRINTS_IT),
    ],
)
def test_one_click_is_read_in_each_form_that_mail_programs_send(content_type: str, body: str) -> None:
    assert read_form(body, content_type) == ONE_CLICK_FORM


def test_of_a_multipart_form_only_fields_are_read_and_of_two_the_first() -> None:
    parts = ("; name=a\r\n\r\n1", "; name=a\r\n\r\n2", "; filename=b\r\n\r\n3", "; name=c", "; name=d\r\n\r\n\r\n4\r\n")
    body = "".join(f"--x\r\nContent-Disposition: form-data{part}\r\n" for part in parts) + "--x--"
    assert read_form(body, "multipart/form-data; boundary=x") == {"a": "1", "d": "4"}
    assert read_form("nothing of the kind", "multipart/form-data; boundary=x") == {}
    assert read_form("List-Unsubscribe=One-Click", "multipart/form-data; boundary=--") == {}


def test_a_multipart_form_with_too_many_parts_is_refused() -> None:
    with pytest.raises(FormError):
        read_form("--x\n" * 30, "multipart/form-data; boundary=x")


@pytest.mark.parametrize(("value", "is_checked"), [("on", True), ("1", True), ("email", True), ("OFF", False)])
def test_a_box_counts_as_checked_unless_its_value_says_otherwise(value: str, *, is_checked: bool) -> None:
    assert checked({"email": value}, "email") is is_checked
    assert not checked({}, "email")
