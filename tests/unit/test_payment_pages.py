"""The patient pages as a browser, a screen reader and a careful eye find them."""

import base64
import hashlib
import json
import re
import string
from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser

import pytest

from functions.payment_link.forms import FieldProblem, FormError, checked, read_amount, read_answer, read_form
from functions.payment_link.page import FOLDER, Page, render, style, style_source, words
from functions.payment_link.site import UNKNOWN_PAGE
from shared.domain.paying.link_access import AccessQuestion
from shared.domain.vocabulary.words import Language
from tests.worlds.bounds import some
from tests.worlds.examples import NOW, bill
from tests.worlds.patient_pages import (
    BASE,
    FOR_VERIFIED,
    PAGES,
    RIGHT,
    TOKEN,
    VOID_TAGS,
    balance,
    verified_wrongly,
    visit,
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
        if tag in {"select", "textarea"} or (tag == "input" and found["type"] != "hidden"):
            self.inputs.append({"type": tag, **found})
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
    groups = {one["name"] for one in found.inputs if one["type"] == "radio" or one["name"] == "month"}
    boxes = [one for one in found.inputs if one["type"] == "checkbox"]
    assert found.tags.count("fieldset") == found.tags.count("legend") == len(groups) + bool(boxes)
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
    fields_to_pay = [one["name"] for one in structure(PAGES["balance"], Language.ENGLISH).inputs]
    assert fields_to_pay == ["amount", "kind", "kind", "kind", "kind", "text", "on"]
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
    assert "/checkout" not in source
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
        r"|problem_(month|day|year)(_missing)?|object_(AlreadyPaid|InsurancePending|NotMine|WrongAmount)"
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
