"""What emails say, and what they never say."""

import re
from dataclasses import replace
from datetime import date, datetime
from html.parser import HTMLParser
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import pytest
from jinja2.environment import Environment

from local.stack import inline_email
from shared.domain.vocabulary.words import Channel, Language, NotificationType
from shared.rendering.email_message import RenderedEmail, render_email
from shared.rendering.templates import MessageTemplate, system_template
from shared.rendering.variables import MessageVariables
from tests.worlds.bounds import some

ENGLISH, SPANISH = Language.ENGLISH, Language.SPANISH
LINK = "https://pay.example.com/pay/A1b2C3d4E5f6G7h8I9j0K1"
UNSUBSCRIBE = "https://pay.example.com/unsubscribe/A1b2C3d4E5f6G7h8I9j0K1"
VARIABLES = MessageVariables(
    practice="Northside Family Practice",
    short_name="Northside",
    first_name="Ada",
    phone="(518) 555-0100",
    address_lines=("12 Juniper Way", "Albany, NY 12207"),
    link=LINK,
    link_expires_at=datetime(2026, 4, 1, 11, 30, tzinfo=ZoneInfo("America/New_York")),
    unsubscribe_link=UNSUBSCRIBE,
)
ALL = list(product(NotificationType, Language))
REMINDERS = [NotificationType.INITIAL, NotificationType.DUE, NotificationType.PAST_DUE, NotificationType.FINAL]


ABOUT_THE_BUTTON = {
    ENGLISH: "If the button doesn't work, copy this address into your browser",
    SPANISH: "Si el botón no funciona, copie esta dirección en su navegador",
}


def words_of(text: str) -> set[str]:
    return set(re.findall(r"\w{4,}", text))


def rendered(
    kind: NotificationType = NotificationType.INITIAL, language: Language = ENGLISH, **changes: Any
) -> RenderedEmail:
    return render_email(kind, language, replace(VARIABLES, **changes))


class Reader(HTMLParser):
    """What a person who hears the mail read aloud gets: its words and its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent += tag in {"style", "title"}
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"style", "title"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.mark.parametrize(("kind", "language"), ALL)
def test_every_email_names_the_practice_and_shows_address_phone_and_unsubscribe_link(
    kind: NotificationType, language: Language
) -> None:
    email = rendered(kind, language)
    reader = Reader(email.html)
    for part in (reader.text, email.text):
        for fact in ("Northside Family Practice", "Ada", "12 Juniper Way", "Albany, NY 12207", "(518) 555-0100"):
            assert fact in part
    assert UNSUBSCRIBE in reader.links
    assert UNSUBSCRIBE in email.text
    assert "Northside Family Practice" in email.subject


@pytest.mark.parametrize(("kind", "language"), [(kind, language) for kind, language in ALL if kind != "Receipt"])
def test_the_link_is_there_as_a_button_and_to_be_copied(kind: NotificationType, language: Language) -> None:
    email = rendered(kind, language)
    reader = Reader(email.html)
    assert reader.links.count(LINK) == 2
    assert LINK in reader.text
    assert f"\n{LINK}\n" in email.text


@pytest.mark.parametrize(("kind", "language"), ALL)
def test_the_text_part_says_what_the_html_part_says(kind: NotificationType, language: Language) -> None:
    facts = {"amount_paid": 74_60, "paid_on": date(2026, 3, 2)} if kind == "Receipt" else {"amount_due": 74_60}
    email = rendered(kind, language, **facts)
    html = re.sub(r'<div class="preheader".*?</div>', "", email.html)
    assert html != email.html
    reader = Reader(html)
    links = [link for link in reader.links if not link.startswith("tel:")]
    said, shown = words_of(email.text), words_of(" ".join([reader.text, *links]))
    assert said <= shown
    assert shown - said <= words_of(ABOUT_THE_BUTTON[language])


@pytest.mark.parametrize(("kind", "language"), ALL)
def test_no_amount_is_named_unless_it_is_given(kind: NotificationType, language: Language) -> None:
    email = rendered(kind, language)
    assert "$" not in email.subject + Reader(email.html).text + email.text


def test_an_amount_is_written_as_people_in_the_us_write_it() -> None:
    for language in some(Language):
        email = rendered(NotificationType.DUE, language, amount_due=1_074_60)
        assert "$1,074.60" in email.text
        assert "$1,074.60" in email.html
        assert "1,074.60" not in email.subject


def test_the_body_itself_has_its_style_whatever_the_mail_program_drops() -> None:
    (style,) = re.findall(r'<body style="([^"]*)"', rendered().html)
    assert {"margin: 0", "padding: 0", "background-color: #f1f4f6"} <= set(re.split(r";\s*", style))


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", list(NotificationType))
def test_a_practice_whose_name_ends_in_a_stop_ends_no_sentence_with_two(
    kind: NotificationType, language: Language
) -> None:
    email = rendered(kind, language, practice="Smith & Sons, P.L.L.C.")
    assert ".." not in email.subject + email.text
    assert ".." not in email.html
    assert "P.L.L.C." in email.text


def test_a_receipt_says_for_which_statement_it_is_and_how_the_payment_is_called() -> None:
    email = rendered(
        NotificationType.RECEIPT,
        amount_paid=74_60,
        paid_on=date(2026, 3, 2),
        payment_reference="dln_1",
        paid_statements=("S-1", "S-2"),
    )
    for part in (email.text, email.html):
        assert "Statement: S-1, S-2" in part
        assert "Reference: dln_1" in part


def test_a_receipt_states_the_amount_paid_and_the_day() -> None:
    email = rendered(NotificationType.RECEIPT, amount_paid=74_60, paid_on=date(2026, 3, 2))
    assert "Amount paid: $74.60\nReceived on March 2, 2026\n" in email.text
    email = rendered(NotificationType.RECEIPT, SPANISH, amount_paid=74_60, paid_on=date(2026, 3, 2))
    assert "Monto pagado: $74.60\nRecibido el 2 de marzo de 2026\n" in email.text


def test_a_link_that_lives_for_a_day_has_the_time_of_its_end_told() -> None:
    assert "works until April 1, 2026." in rendered().text
    assert "works until April 1, 2026 at 11:30" in rendered(link_expires_soon=True).text
    assert "EDT" in rendered(link_expires_soon=True).text


def test_a_one_time_link_is_from_the_staff_member_and_its_subject_is_the_practice_alone() -> None:
    email = rendered(NotificationType.PAYMENT_LINK, staff_name="Dana Whitfield")
    assert email.subject == "Northside Family Practice"
    assert "Dana Whitfield at Northside Family Practice has sent you a secure link" in email.text


@pytest.mark.parametrize(("kind", "language"), ALL)
def test_no_email_is_clinical_or_threatens(kind: NotificationType, language: Language) -> None:
    email = rendered(kind, language, staff_name="Dana")
    words = f"{email.subject} {Reader(email.html).text} {email.text}".lower()
    clinical = ("visit", "doctor", "medical", "treatment", "diagnos", "procedure", "care ", "provider", "médic", "cita")
    threats = ("credit", "collection", "collector", "legal", "attorney", "agency", "bureau", "crédito", "cobranza")
    assert not [word for word in (*clinical, *threats) if word in words]


def test_what_a_variable_holds_is_text_in_html() -> None:
    email = rendered(practice='<script>alert(1)</script> & "Sons"', first_name="{{ link }}")
    assert "<script>" not in email.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;Sons&#34;" in email.html
    assert "{{ link }}" in email.text


def test_without_a_first_name_nobody_is_called_by_an_empty_one() -> None:
    assert "\nHello,\n" in rendered(first_name="").text
    assert "\nHola:\n" in rendered(language=SPANISH, first_name="").text


def test_without_a_phone_number_nothing_is_said_about_calling_it() -> None:
    assert "Call us at" not in rendered(phone="").text + rendered(phone="").html


def test_a_subject_stays_on_one_line() -> None:
    assert "\n" not in rendered(practice="North\nside").subject


@pytest.mark.parametrize(("kind", "language"), ALL)
def test_an_email_can_be_read_aloud_and_in_the_dark(kind: NotificationType, language: Language) -> None:
    html = rendered(kind, language).html
    tags = Reader(html).tags
    assert ("html", {"lang": language.value, "dir": "ltr"}) in tags
    assert sum(tag == "h1" for tag, _ in tags) == 1
    assert not [tag for tag, _ in tags if tag in {"table", "img", "script", "link"}]
    assert "prefers-color-scheme: dark" in html
    assert html.index('charset="utf-8"') < 1024


def test_every_element_carries_its_style_because_mail_programs_drop_style_sheets() -> None:
    tags = Reader(rendered(NotificationType.DUE, amount_due=74_60).html).tags
    styled = [attributes for _, attributes in tags if "class" in attributes]
    assert styled
    assert all(attributes.get("style") for attributes in some(styled))


@pytest.mark.parametrize("language", Language)
def test_the_reminders_differ_from_each_other(language: Language) -> None:
    emails = [rendered(kind, language) for kind in REMINDERS]
    assert len({email.subject for email in emails}) == len(REMINDERS)
    assert len({email.text for email in emails}) == len(REMINDERS)


def test_the_layout_that_ships_is_what_inlining_makes_of_its_source() -> None:
    assert inline_email.SHIPPED.read_text("utf-8") == inline_email.inlined()


def test_a_template_is_compiled_once_and_not_for_each_message(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, language in ALL:
        rendered(kind, language)
    compiled: list[Any] = []
    monkeypatch.setattr(Environment, "compile", lambda *args, **_: compiled.append(args))
    for kind, language in ALL:
        rendered(kind, language, first_name="Grace")
    assert compiled == []


OWN = MessageTemplate(subject="From {{ practice }}", html="<p>{{ link }}</p>", text="{{ link }}")


def test_an_organizations_own_template_stands_for_the_systems() -> None:
    email = render_email(NotificationType.DUE, ENGLISH, VARIABLES, OWN)
    assert email.subject == "From Northside Family Practice"
    assert email.text.startswith(f"{LINK}\n")


@pytest.mark.parametrize("text", ["{{ diagnosis }}", "{{ practice.__class__.__mro__ }}", "{{ address_lines.append }}"])
def test_an_own_template_can_neither_guess_nor_break_out(text: str) -> None:
    with pytest.raises(jinja2.TemplateError):
        render_email(NotificationType.DUE, ENGLISH, VARIABLES, replace(OWN, text=text))


@pytest.mark.parametrize(("kind", "language"), ALL)
def test_our_own_words_hold_no_markup(kind: NotificationType, language: Language) -> None:
    text = system_template(Channel.EMAIL, kind, language).text
    assert not re.search(r"[<>&\[\]]", re.sub(r"\{[{%].*?[%}]\}", "", text))


@pytest.mark.parametrize("own", [None, OWN])
@pytest.mark.parametrize(
    ("language", "mark", "recipient"), [(ENGLISH, "TEST", "patient"), (SPANISH, "PRUEBA", "paciente")]
)
def test_a_test_message_says_that_it_is_one_and_for_whom_it_was(
    own: MessageTemplate | None, language: Language, mark: str, recipient: str
) -> None:
    tested = replace(VARIABLES, test_recipient="patient", test_account="G-<1>")
    email = render_email(NotificationType.DUE, language, tested, own)
    assert email.subject.startswith(f"[{mark}] ")
    assert f"{recipient}, " in email.text.splitlines()[0]
    assert email.text.splitlines()[0].endswith(" G-<1>.")
    assert "G-&lt;1&gt;" in email.html
    assert "[TEST]" not in render_email(NotificationType.DUE, language, VARIABLES, own).subject
