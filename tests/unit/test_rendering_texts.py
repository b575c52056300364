"""Text messages fit one segment and name the practice; letters say why they come."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from shared.domain.vocabulary.words import Language, NotificationType
from shared.rendering.gsm import ONE_SEGMENT, septets, transliterated
from shared.rendering.letter_message import render_letter_message
from shared.rendering.templates import MessageTemplate, NoSuchTemplateError
from shared.rendering.text_message import render_text
from shared.rendering.variables import MessageVariables

TOKEN = "A1b2C3d4E5f6G7h8I9j0K1"
SHORT_LINK = f"https://pay.example.com/pay/{TOKEN}"
LONG_LINK = f"https://a1b2c3d4e5.execute-api.ap-southeast-2.amazonaws.com/production/pay/{TOKEN}"
VARIABLES = MessageVariables(
    practice="Northside Family Practice",
    short_name="Northside Family",
    first_name="Ada",
    phone="(518) 555-0100",
    link=SHORT_LINK,
    amount_due=74_60,
)
ALL = list(product(NotificationType, Language))
DUNNING = [kind for kind in NotificationType if kind.dunning]
LONGEST_NAMES = [
    "The Greater Northeastern Pennsylvania and Southern Tier Orthopedic Rehabilitation Associates",
    "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
    "Clínica Ángel Íñigo de la Misericordia y Asociados de Río Piedras",
    "€€€€€ {Care} [Group] ~ ^ | \\ €€€€€ {Care} [Group] ~ ^ | \\ €€€€€",
    "عيادة الشمال 北方诊所",
]


def message(kind: NotificationType, language: Language, **changes: Any) -> str:
    return render_text(kind, language, replace(VARIABLES, **changes)).message


@pytest.mark.parametrize(("kind", "language"), ALL)
@pytest.mark.parametrize("name", [VARIABLES.short_name, *LONGEST_NAMES])
@pytest.mark.parametrize("link", [SHORT_LINK, LONG_LINK])
def test_every_text_is_one_segment_with_its_whole_link_and_the_word_stop(
    kind: NotificationType, language: Language, name: str, link: str
) -> None:
    text = message(kind, language, short_name=name, practice=name, link=link)
    size = septets(text)
    assert size is not None
    assert size <= ONE_SEGMENT
    assert f" {link} " in text
    assert "STOP" in text.split(link)[1]


def test_the_long_link_of_these_tests_is_as_long_as_links_get() -> None:
    assert len(LONG_LINK) >= 93


@pytest.mark.parametrize(("kind", "language"), ALL)
def test_a_text_begins_with_the_practice_and_names_nothing_else(kind: NotificationType, language: Language) -> None:
    text = message(kind, language)
    assert text.startswith("Northside Family: ")
    assert "Ada" not in text
    assert "74" not in text


def test_the_phone_number_is_there_where_it_fits() -> None:
    assert "Call (518) 555-0100." in message(NotificationType.DUE, Language.ENGLISH, short_name="Northside")
    assert "555-0100" not in message(NotificationType.DUE, Language.ENGLISH, link=LONG_LINK)


def test_words_are_given_up_before_the_name() -> None:
    text = message(NotificationType.PAST_DUE, Language.SPANISH, link=LONG_LINK[:-10])
    assert text.startswith("Northside Family: vea su estado de cuenta: https://")


def test_a_name_is_cut_at_the_end_of_a_word() -> None:
    text = message(NotificationType.INITIAL, Language.ENGLISH, short_name=LONGEST_NAMES[0], link=LONG_LINK)
    name = text.partition(":")[0]
    assert LONGEST_NAMES[0].startswith(f"{name} ")
    assert len(name) >= 8


def test_a_name_that_gsm_cannot_show_still_says_that_a_practice_writes() -> None:
    assert message(NotificationType.INITIAL, Language.ENGLISH, short_name="诊所", practice="诊所").startswith(
        "Your practice: "
    )


def test_a_link_too_long_for_one_segment_is_sent_whole_all_the_same() -> None:
    text = render_text(NotificationType.DUE, Language.ENGLISH, replace(VARIABLES, link=LONG_LINK * 2))
    assert LONG_LINK * 2 in text.message
    assert (septets(text.message) or 0) > ONE_SEGMENT


@pytest.mark.parametrize(
    ("given", "size"),
    [("abc", 3), ("é ñ ü à", 7), ("€", 2), ("[a]", 5), ("á", None), ("ç", None), ("Ç", 1), ("", 0), ("x" * 160, 160)],
)
def test_septets_are_counted_as_phones_count_them(given: str, size: int | None) -> None:
    assert septets(given) == size


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Clínica Ángel", "Clinica Angel"),
        ("Peña & Muñoz", "Peña & Muñoz"),
        ("D\N{RIGHT SINGLE QUOTATION MARK}Amico \N{EN DASH} Care", "D'Amico - Care"),
        ("Care 😀 Group", "Care  Group"),
        ("ﬁne", "fine"),
    ],
)
def test_accents_that_gsm_lacks_are_left_off(given: str, shown: str) -> None:
    assert transliterated(given) == shown


def test_an_organizations_own_text_is_fitted_too() -> None:
    own = MessageTemplate(text="{{ short_name }} {{ link }} {% if phone %}{{ phone }} {% endif %}STOP")
    text = render_text(
        NotificationType.DUE, Language.ENGLISH, replace(VARIABLES, short_name="N" * 90, link=LONG_LINK), own
    )
    assert (septets(text.message) or 999) <= ONE_SEGMENT
    assert text.message.endswith(f"{LONG_LINK} STOP")


@pytest.mark.parametrize(("kind", "language"), list(product([*DUNNING, NotificationType.ON_DEMAND], Language)))
def test_a_letter_says_why_it_comes(kind: NotificationType, language: Language) -> None:
    assert len(render_letter_message(kind, language, VARIABLES)) > 80


@pytest.mark.parametrize("language", Language)
def test_each_step_writes_another_letter(language: Language) -> None:
    letters = {render_letter_message(kind, language, VARIABLES) for kind in DUNNING}
    assert len(letters) == len(DUNNING)


def test_a_receipt_has_no_letter() -> None:
    with pytest.raises(NoSuchTemplateError):
        render_letter_message(NotificationType.RECEIPT, Language.ENGLISH, VARIABLES)


@pytest.mark.parametrize(("kind", "language"), ALL)
@pytest.mark.parametrize("account", ["G-1", "G" * 100])
def test_a_test_text_says_that_it_is_one_and_stays_one_segment(
    kind: NotificationType, language: Language, account: str
) -> None:
    text = message(kind, language, test_recipient="guarantor", test_account=account)
    assert text.startswith("TEST" if language is Language.ENGLISH else "PRUEBA")
    assert (f", {account}: " in text) is (account == "G-1")
    assert (septets(text) or 0) <= ONE_SEGMENT
    assert f" {SHORT_LINK} " in text


@pytest.mark.parametrize("language", list(Language))
def test_a_letters_message_says_that_it_is_a_test(language: Language) -> None:
    facts = replace(VARIABLES, practice="Northside P.L.L.C.", test_recipient="guarantor", test_account="G-1")
    letter = render_letter_message(NotificationType.INITIAL, language, facts)
    assert "G-1." in letter.partition("P.L.L.C.")[0]
    assert ".." not in letter
