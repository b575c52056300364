"""Templates that organizations write (docs/rules.md#own-template): what is refused, and that none can stop a sender."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.delivery.orders import TemplateFailedError
from shared.domain.records.own_template import template_in_use, template_place
from shared.domain.vocabulary.words import Channel, Language, NotificationType
from shared.rendering import own_templates
from shared.rendering.email_message import _context, email_length, render_email
from shared.rendering.forbidden_words import forbidden_words
from shared.rendering.own_templates import MOST_CHARACTERS, VARIABLES, forbidden, written
from shared.rendering.safe_markup import read_markup
from shared.rendering.template_previews import with_placeholders, with_sample_bill
from shared.rendering.template_review import ALL_KNOWN, LONGEST_NAMES, MOST_NAME, MOST_SHORT_NAME, review
from shared.rendering.templates import NoSuchTemplateError, system_template
from tests.worlds.examples import organization
from tests.worlds.template_examples import BODIES, EMAIL, LETTER, TEXT, own_template

INITIAL, EN = NotificationType.INITIAL, Language.ENGLISH


def faults(body: dict[str, Any], template_id: str = "Initial", **changes: Any) -> list[str]:
    """Pointers and details of what is wrong with a template."""
    found = review(own_template(body | changes, template_id))
    return [f"{fault.pointer} {fault.detail}" for fault in found]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_sound_template_is_taken(body: dict[str, Any]) -> None:
    assert faults(body) == []


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("language", Language)
def test_the_systems_own_templates_pass_the_same_rules(channel: Channel, language: Language) -> None:
    """A partner may take one as it is and change a word of it."""
    for kind in NotificationType:
        try:
            system = system_template(channel, kind, language)
        except NoSuchTemplateError:
            continue
        body = {"channel": channel, "language": language, "text": system.text}
        assert faults(body | {"subject": system.subject, "html": system.html}, kind.value) == []


def test_the_variables_of_emails_are_those_that_emails_are_written_with() -> None:
    assert set(_context(ALL_KNOWN, EN)) == VARIABLES[Channel.EMAIL]


def test_the_longest_names_are_as_long_as_names_may_be() -> None:
    assert MOST_NAME - 5 <= len(LONGEST_NAMES.practice) <= MOST_NAME
    assert len(LONGEST_NAMES.short_name) == MOST_SHORT_NAME


UNSAFE = {
    "{{ salary }}": "unknown variable salary",
    "{{ practice.__class__ }}": "an attribute",
    "{{ practice['x'] }}": "an item",
    "{{ practice.upper() }}": "a call",
    "{{ range(9) }}": "a call",
    "{{ practice * 99999999 }}": "mul",
    "{{ 9 ** 99999999 }}": "pow",
    "{{ practice ~ practice }}": "concat",
    "{{ practice % 9 }}": "mod",
    "{{ practice|safe }}": "filter safe",
    "{{ practice|center(99999999) }}": "filter center",
    "{{ practice|upper(1) }}": "filter upper",
    "{% for a in practice %}{% endfor %}": "loops over something else",
    "{% for a in address_lines %}{% for b in address_lines %}{% endfor %}{% endfor %}": "loop within a loop",
    "{% for a in address_lines if a %}{{ a }}{% endfor %}": "loop other than",
    "{% for a in address_lines recursive %}{{ a }}{% endfor %}": "loop other than",
    "{% for practice in address_lines %}{{ practice }}{% endfor %}": "loop other than",
    "{% for a in address_lines %}{{ loop.index }}{% endfor %}": "an attribute",
    "{% for a in address_lines %}{% endfor %}{{ a }}": "unknown variable a",
    "{% set practice = 1 %}": "assign",
    "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}": "macro",
    "{% include 'email.html' %}": "include",
    "{% import 'x' as y %}": "import",
    "{% extends 'x' %}": "extends",
    "{% block a %}{% endblock %}": "block",
    "{% filter upper %}x{% endfilter %}": "filterblock",
    "{% call practice() %}{% endcall %}": "callblock",
    "{{ [1, 2] }}": "list",
    "{{ {1: 2} }}": "dict",
    "{{ practice is callable }}": "test",
    "{{ practice": "can be read",
    "{% if practice %}": "can be read",
    "{% nonsense %}": "can be read",
    "{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}": "can be read",
    "{% if online %}" * 300 + "{% endif %}" * 300: "can be read",
    "{{ practice }}" * 2_100: "pieces",
}


@pytest.mark.parametrize("source", UNSAFE)
@pytest.mark.parametrize("name", ["subject", "html", "text"])
def test_what_a_template_may_not_do_is_refused_and_named(source: str, name: str) -> None:
    """In each of its sources alike, where it stands."""
    found = faults(EMAIL, **{name: EMAIL[name] + source})
    assert found
    assert all(fault.startswith(f"/{name} ") for fault in found)
    assert any(UNSAFE[source] in fault for fault in found), found


@pytest.mark.parametrize("source", UNSAFE)
def test_a_stored_template_that_does_it_fails_before_it_runs(source: str) -> None:
    """Rules grow: one that was saved before is looked at again when it is used."""
    template = own_template(EMAIL, text=EMAIL["text"] + source)
    with pytest.raises(TemplateFailedError):
        written(template, lambda made: render_email(INITIAL, EN, ALL_KNOWN, made), email_length)


def test_a_message_that_is_too_long_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(own_templates.MOST_CHARACTERS, Channel.EMAIL, 300)
    assert any("too long" in fault for fault in faults(EMAIL))


def test_no_template_of_the_largest_size_can_write_more_than_a_bounded_message() -> None:
    """All pieces a template may have, each the longest name that needs escaping most, in the only loop there is."""
    source = "{% for line in address_lines %}" + "{{ practice }}" * 900 + "{% endfor %}"
    assert forbidden(source, Channel.EMAIL) == []
    heavy = replace(ALL_KNOWN, practice="'" * MOST_NAME)
    email = render_email(INITIAL, EN, heavy, own_templates.sources_of(own_template(EMAIL, html=source)))
    assert len(email.html) < 5 * MOST_CHARACTERS[Channel.EMAIL]
    assert faults(EMAIL, html=source)


def test_whatever_a_template_raises_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(TemplateFailedError, match="ZeroDivisionError"):
        written(own_template(TEXT), broken, lambda _: 0)


@pytest.mark.parametrize(
    ("name", "source", "what"),
    [
        ("html", EMAIL["html"].replace("{{ practice }}", "We"), "the practice's name"),
        ("text", EMAIL["text"].replace("{{ practice }}", "Juniper"), "the practice's name"),
        ("html", EMAIL["html"].replace("{{ link }}", "#"), "the link"),
        ("text", EMAIL["text"].replace("{{ link }}", ""), "the link"),
        ("html", EMAIL["html"].replace("{{ unsubscribe_link }}", "#"), "opt out"),
        ("text", EMAIL["text"].replace("{{ unsubscribe_link }}", ""), "opt out"),
        ("text", "{% if online %}" + EMAIL["text"] + "{% endif %}", "opt out"),
        ("text", EMAIL["text"].replace("{{ link }}", "{% if first_name %}{{ link }}{% endif %}"), "the link"),
    ],
)
def test_an_email_always_has_name_link_and_the_way_to_opt_out(name: str, source: str, what: str) -> None:
    """Whatever is known of the person and the practice, in both parts."""
    found = faults(EMAIL, **{name: source})
    assert any(fault.startswith(f"/{name} ") and what in fault for fault in found), found
    assert all(fault.startswith(f"/{name} ") for fault in found)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("A statement waits: {{ link }} Reply STOP to opt out.", "the practice's name"),
        ("{{ short_name }}: a statement waits. Reply STOP to opt out.", "the link"),
        ("{{ short_name }}: a statement waits: {{ link }}", "STOP"),
        ("{{ short_name }}: {{ link }} No stops. NONSTOP.", "STOP"),
        ("{{ short_name }}: " + "a statement waits " * 5 + "{{ link }} STOP ends it", "segment"),
        ("{{ practice }} {{ practice }}: {{ link }} Reply STOP to opt out.", "segment"),
        ("{{ short_name }} \N{GRINNING FACE}: {{ link }} Reply STOP to opt out.", "U+1F600"),
    ],
)
def test_a_text_has_name_link_and_stop_in_one_segment_that_can_be_shown(text: str, what: str) -> None:
    assert any(what in fault for fault in faults(TEXT, text=text))


def test_everything_missing_is_told_at_once() -> None:
    assert len(faults(EMAIL, html="<p>Hello</p>", text="Hello")) == 6


@pytest.mark.parametrize(
    ("body", "change", "pointer"),
    [
        (EMAIL, {"html": ""}, "/html"),
        (EMAIL, {"subject": " "}, "/subject"),
        (TEXT, {"subject": "x"}, "/subject"),
        (LETTER, {"html": "<p>"}, "/html"),
        (LETTER, {"text": " "}, "/text"),
        (LETTER, {"text": "{{ link }}"}, "/text"),
        (TEXT, {"text": TEXT["text"] + "{{ first_name }}"}, "/text"),
    ],
)
def test_each_channel_has_its_own_sources_and_variables(
    body: dict[str, Any], change: dict[str, Any], pointer: str
) -> None:
    assert [fault.split()[0] for fault in faults(body, **change)] == [pointer]


HEALTH = [
    "Your diagnosis is in.",
    "Thank you for your TREATMENT with us",
    "after your surgery",
    "your test results",
    "about your lab work",
    "the Oncology bill",
    "HIV",
    "mental-health visit",
    "can\N{SOFT HYPHEN}cer care",
    "su diagnóstico",
    "DIAGNÓSTICO",
    "su cirugía",
    "salud mental",
    "su embarazo",
]
CREDIT = [
    "or we report it to a credit bureau",
    "this may hurt your credit",
    "your Credit Score",
    "credit-reporting",
    "Equifax",
    "reported to all three credit agencies",
    "afectará su crédito",
    "el buró de crédito",
    "su historial crediticio",
]
INNOCENT = [
    "You can pay by credit card.",
    "A credit of $5.00 is on your account.",
    "Your practice has a new statement for you.",
    "Please call us; we're happy to help.",
    "Su saldo a favor",
    "In any condition of the road, we are open.",
    "the final notice",
]


@pytest.mark.parametrize("words", HEALTH + CREDIT)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_words_that_name_health_or_threaten_a_credit_report_are_refused_by_the_rules_name(
    words: str, body: dict[str, Any]
) -> None:
    rule = "no-health-words" if words in HEALTH else "no-threats"
    assert any(fault.startswith("/text ") and rule in fault for fault in faults(body, text=f"{body['text']} {words}"))


@pytest.mark.parametrize("words", INNOCENT)
def test_plain_words_are_taken(words: str) -> None:
    assert list(forbidden_words(words)) == []


@pytest.mark.parametrize(
    "html",
    [
        "<p>Your <b>can</b>cer care</p>",
        "<p>Your can&shy;cer care</p>",
        "<p>Your &#99;ancer care</p>",
        '<p>Your {{ "can" }}{{ "cer" }} care</p>',
        '<img alt="Cancer care" src="https://www.example.com/a.png">',
        "<title>Cancer care</title>",
        "<!--[if mso]><p>Cancer care</p><![endif]-->",
        "{% if not first_name %}<p>Cancer care</p>{% endif %}",
    ],
)
def test_a_forbidden_word_is_found_however_it_is_written(html: str) -> None:
    """What counts is what a person reads, in any mail program, whatever is known of them."""
    assert any("no-health-words" in fault for fault in faults(EMAIL, html=EMAIL["html"] + html))


@pytest.mark.parametrize(
    "html",
    [
        "<script>x()</script>",
        "<SCRIPT SRC=//example.com/x.js></SCRIPT>",
        '<p onclick="x()">x</p>',
        '<iframe src="https://www.example.com"></iframe>',
        '<form action="https://www.example.com"><input name="card"></form>',
        '<object data="x"></object>',
        '<link rel="stylesheet" href="https://www.example.com/x.css">',
        '<meta http-equiv="refresh" content="0;url=https://www.example.com">',
        '<base href="https://www.example.com/">',
        '<a href="javascript:x()">x</a>',
        '<a href=" java\nscript:x()">x</a>',
        '<a href="data:text/html,x">x</a>',
        '<img src="http://www.example.com/pixel.gif">',
        '<img src="//www.example.com/pixel.gif">',
        "<style>@import 'https://www.example.com/x.css';</style>",
        "<style>p { background: u\\72l(https://www.example.com/x.png) }</style>",
        '<p style="background:url(https://www.example.com/x.png)">x</p>',
        "<svg><a/></svg>",
        "<p class={{ practice }}>x</p>",
        "<{{ practice }}>",
        "<!--[if mso]><script>x()</script><![endif]-->",
        '<p title="x"onmouseover="x()">x</p>',
    ],
)
def test_markup_that_runs_loads_or_asks_is_refused(html: str) -> None:
    """So is a variable where a name could become an attribute."""
    assert any(fault.startswith("/html ") for fault in faults(EMAIL, html=EMAIL["html"] + html)), html


def test_a_name_is_never_markup() -> None:
    email = render_email(
        INITIAL, EN, replace(ALL_KNOWN, practice="<script>x</script>"), own_templates.sources_of(own_template(EMAIL))
    )
    assert "<script" not in email.html
    assert read_markup(email.html).unsafe == ()


@pytest.mark.parametrize("part", ["html", "text"])
def test_an_email_without_the_practices_address_gets_one_at_its_end(part: str) -> None:
    """And one that has it doesn't get it twice."""
    address = "{% for line in address_lines %}{{ line }} {% endfor %}"
    for source in (EMAIL[part], EMAIL[part].replace("</body>", f"{address}</body>") + address * (part == "text")):
        template = own_templates.sources_of(own_template(EMAIL, **{part: source}))
        written_part = getattr(render_email(INITIAL, EN, ALL_KNOWN, template), part)
        assert all(written_part.count(line) == 1 for line in ALL_KNOWN.address_lines)


def test_a_notice_goes_by_the_template_it_names_then_its_types_own_then_the_systems() -> None:
    places = tuple(template_place(name, Channel.EMAIL, EN) for name in ("gentle", "Initial"))
    practice = replace(organization(), own_templates=places)

    def used(template_id: str, kind: NotificationType = INITIAL, language: Language = EN) -> str | None:
        return template_in_use(practice, template_id, kind, Channel.EMAIL, language)

    assert used("gentle") == used("gentle", NotificationType.DUE) == "gentle/email/en"
    assert used("missing") == used("<System Default>") == "Initial/email/en"
    assert used("<System Default>", NotificationType.DUE) is None
    assert used("gentle", language=Language.SPANISH) is None
    assert template_in_use(practice, "gentle", INITIAL, Channel.SMS, EN) is None


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("own", [True, False])
def test_a_preview_shows_placeholders_or_a_made_up_bill(channel: Channel, *, own: bool) -> None:
    """Of a template of one's own and of the system's alike."""
    template = own_template(BODIES[channel]) if own else None
    shown = with_placeholders(template, INITIAL, channel, EN)
    assert "{{ practice }}" in shown.text or "{{ short_name }}" in shown.text
    practice = organization()
    sample = with_sample_bill(template, practice, INITIAL, channel, EN)
    assert practice.name in sample.text or practice.short_name in sample.text
    assert "{{" not in sample.text + sample.html + sample.subject
    assert bool(sample.html) == bool(sample.subject) == (channel is Channel.EMAIL)
