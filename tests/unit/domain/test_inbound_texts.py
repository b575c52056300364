"""Which word a recipient's text says: generous with what closes, to the letter with what opens."""

import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.texting import inbound_texts
from shared.domain.texting.inbound_texts import (
    HELP_ENGLISH,
    HELP_SPANISH,
    START_ENGLISH,
    START_SPANISH,
    STOP_ENGLISH,
    STOP_SPANISH,
    TextMeaning,
    answered_by_provider,
    keyword_of,
)
from shared.domain.vocabulary.words import Language
from shared.rendering.gsm import ONE_SEGMENT, septets
from shared.rendering.text_answers import help_text, stopped_text

STOP, START, HELP = TextMeaning
LISTS = [
    *((word, STOP, Language.ENGLISH) for word in STOP_ENGLISH),
    *((word, STOP, Language.SPANISH) for word in STOP_SPANISH),
    *((word, START, Language.ENGLISH) for word in START_ENGLISH),
    *((word, START, Language.SPANISH) for word in START_SPANISH),
    *((word, HELP, Language.ENGLISH) for word in HELP_ENGLISH),
    *((word, HELP, Language.SPANISH) for word in HELP_SPANISH),
]


def read(body: str) -> tuple[TextMeaning, str] | None:
    keyword = keyword_of(body)
    return (keyword.meaning, keyword.word) if keyword else None


@pytest.mark.parametrize(("word", "meaning", "language"), LISTS, ids=[word for word, _, _ in LISTS])
@pytest.mark.parametrize(
    "dress", ["{}", " {}\r\n", "{}.", "“{}”!!!", "{} \N{OCTAGONAL SIGN}", "\N{ZERO WIDTH SPACE}{}"]
)
@pytest.mark.parametrize("case", [str.upper, str.lower, str.title])
def test_every_word_is_known_in_any_case_and_dress(
    word: str, meaning: TextMeaning, language: Language, dress: str, case: type[str]
) -> None:
    keyword = keyword_of(dress.format(case(word)))
    assert keyword is not None
    assert (keyword.meaning, keyword.word, keyword.language) == (meaning, word, language)


def test_the_words_are_the_same_at_every_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their table is built when the module is loaded, so loading it anew shows what building it does."""
    spec = spec_from_file_location(inbound_texts.__name__, inbound_texts.__file__)
    assert spec
    assert spec.loader
    anew = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, inbound_texts.__name__, anew)
    spec.loader.exec_module(anew)
    known = {word: anew.keyword_of(word) for word, _, _ in LISTS}
    assert [(known[word].word, known[word].meaning, known[word].language) for word in known] == LISTS


@pytest.mark.parametrize(
    ("body", "word"), [("Help please", "HELP"), ("info, thanks", "INFO"), ("Ayuda por favor", "AYUDA")]
)
def test_who_asks_for_help_politely_gets_it(body: str, word: str) -> None:
    assert read(body) == (HELP, word)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("opt-out", "OPT OUT"),
        ("Opt Out", "OPT OUT"),
        ("S.T.O.P.", "STOP"),
        ("s t o p", "STOP"),
        ("T.D.", "TD"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER S}top", "STOP"),
        ("STOP STOP STOP", "STOP"),
        ("S\N{SOFT HYPHEN}TOP", "STOP"),
        ("Please stop", "STOP"),
        ("Please stop sending me these text messages, thank you", "STOP"),
        ("stop texting this number", "STOP"),
        ("unsubscribe me from this list", "UNSUBSCRIBE"),
        ("Stop. Thanks, Ada", "STOP"),
        ("STOP\nSent from my phone", "STOP"),
        ("don't text me", "DONT TEXT ME"),
        ("Please don\N{RIGHT SINGLE QUOTATION MARK}t text me anymore", "DONT TEXT ME"),
        ("no more texts", "NO MORE"),
        ("¡No más mensajes por favor!", "NO MAS"),
        ("Número equivocado", "NUMERO EQUIVOCADO"),
    ],
)
def test_what_closes_is_understood_however_it_is_put(body: str, word: str) -> None:
    """Any reasonable way of withdrawing consent counts (47 CFR 64.1200(a)(10))."""
    assert read(body) == (STOP, word)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        "\N{THUMBS UP SIGN}",
        "Yes",
        "No",
        "ok",
        "I can stop by the office tomorrow",
        "Can you cancel my appointment?",
        "End of the month is when I can pay",
        "please don't stop",
        "nonstop",
        "I paid this already",
        "start sending me texts",
        "I need help with my bill",
        "How do I stop this?",
        "stop or help",
    ],
)
def test_a_sentence_that_says_no_word_of_ours_is_not_interpreted(body: str) -> None:
    assert read(body) is None


@pytest.mark.parametrize(
    "body", ["start texting me", "Start. Ada", "unstop these texts", "opt in me", "start please", "gracias, comenzar"]
)
def test_what_opens_is_read_to_the_letter(body: str) -> None:
    """A mistake there would be a text to somebody who wants none."""
    assert read(body) is None


@pytest.mark.parametrize(
    ("body", "answered"),
    [
        ("STOP", True),
        (" stop please", True),
        ("opt-out", True),
        ("OptOut", True),
        ("cancel.", True),
        ("REVOKE", False),
        ("OPT OUT", False),
        ("STOPALL", False),
        ("Alto", False),
        ("please stop", False),
        ("ending", False),
    ],
)
def test_the_provider_answers_what_begins_with_a_word_of_its_own_list(body: str, *, answered: bool) -> None:
    """Then no confirmation of ours may go: there is to be one."""
    assert answered_by_provider(body) is answered


@given(st.text(max_size=400))
def test_any_text_is_read_without_fault(body: str) -> None:
    keyword = keyword_of(body)
    assert keyword is None or (keyword.word, keyword.meaning, keyword.language) in LISTS


# --- the answers -----------------------------------------------


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", ["Northside", "Clínica Núñez & Søn", "A" * 200, "{name} {phone}", "\N{HOSPITAL} Care"])
@pytest.mark.parametrize("phone", ["+15185550100", ""])
def test_an_answer_fits_one_segment_in_its_alphabet(name: str, phone: str, language: Language) -> None:
    for text in (help_text(name, phone, language), stopped_text(name, language)):
        taken = septets(text)
        assert taken is not None
        assert taken <= ONE_SEGMENT


def test_help_names_the_practice_its_phone_and_how_to_stop() -> None:
    text = help_text("Northside", "+15185550100", Language.ENGLISH)
    assert text == "Northside: messages about your bill. For help call (518) 555-0100. Reply STOP to get no more texts."
    assert "STOP" in help_text("Northside", "", Language.SPANISH)


def test_the_confirmation_says_that_texts_stopped_and_nothing_else() -> None:
    text = stopped_text("Northside", Language.ENGLISH)
    assert text == "Northside: you will get no more texts from this number. Reply START to get them again."
    assert stopped_text("Northside", Language.SPANISH).startswith("Northside: no recibira")
