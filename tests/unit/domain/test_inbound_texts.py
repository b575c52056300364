"""Which word a recipient's text says: generous with what closes, to the letter with what opens."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

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
    needs_reading,
)
from shared.domain.texting.stop_phrases import PHRASES
from shared.domain.vocabulary.words import Language
from shared.rendering.gsm import ONE_SEGMENT, septets
from shared.rendering.text_answers import help_text, stopped_text

STOP, START, HELP = TextMeaning
SENTENCES = [(phrase.name, STOP, phrase.language) for phrase in PHRASES]
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


# --- sentences -----------------------------------------------

CLOSES = [
    "stop it",
    "pls stop txting",
    "STOP!!! you have the wrong person",
    "I said stop",
    "already told you to stop",
    "I already told you guys to stop",
    "please remove my number from your system",
    "I'd like to unsubscribe",
    "no longer wish to receive texts",
    "I no longer wish to receive these text messages",
    "quit messaging me",
    "cancel texts",
    "end messages",
    "Cease and desist",
    "opt me out",
    "I want to opt out",
    "Don't send me any more of these texts",
    "stop messaging my wife",
    "this is not Ada stop texting",
    "Stop sending me reminders",
    "Stop with the texts",
    "can you stop?",
    "Can you please stop texting me",
    "could you stop sending these",
    "please don't text this number again",
    "do not text",
    "Never text me again",
    "Do not ever contact me again",
    "I don't want any text messages from you",
    "I do not want to receive messages",
    "don't contact me",
    "Take my number off of your list",
    "get me off this list",
    "delete my number",
    "wrong person",
    "u have the wrong #",
    "You've got the wrong number, sorry",
    "Sorry wrong number",
    "I withdraw my consent to be texted",
    "I no longer consent to texts",
    "Enough with the messages",
    "Stop harassing me",
    "stop contacting me",
    "leave me alone!!",
    "No stop",
    "No, stop",
    "STOP please, this is my work phone",
    "Thanks. Stop",
    "Hola, no me manden más mensajes por favor",
    "deja de escribirme",
    "dejen de mandarme textos",
    "ya no me escriban",
    "no quiero mensajes",
    "no quiero recibir más mensajes",
    "no quiero que me manden mensajes",
    "paren",
    "por favor paren",
    "Paren de molestarme",
    "quítenme de la lista",
    "bórrenme de su lista",
    "no me molesten",
    "no me envíen más textos",
    "no me llamen",
    "no me contacten",
    "no más textos",
    "se equivocó de número",
    "se equivocaron de numero",
    "Número incorrecto",
    "tiene el número equivocado",
    "basta ya",
    "basta de mensajes",
    "cancelar mensajes",
    "dame de baja",
    "quiero darme de baja",
    "revoco mi consentimiento",
    "no autorizo mensajes",
    "borren mi número",
    "déjenme en paz",
    "Alto",
    "No envíen más mensajes",
    "stop payment reminders",
    "stop texting me, email me instead",
    "stop at once",
    "Please stop these reminders. I paid already.",
    "I want these messages to stop",
    "make it stop",
]
INNOCENT = [
    "I'll stop by tomorrow to pay",
    "can you stop by",
    "non-stop",
    "nonstop",
    "I stopped by yesterday",
    "I can stop by the office tomorrow",
    "we stop at 5",
    "stopping in later",
    "Where do I stop by to pay?",
    "I will stop this week to pay",
    "I put a stop payment on the check",
    "The bus stop is near",
    "please don't stop",
    "please don't stop the reminders",
    "don't stop texting me",
    "I can't stop coughing",
    "End of the month is when I can pay",
    "When does the office end its day?",
    "Can you cancel my appointment?",
    "I need to cancel my insurance",
    "Did you remove the late fee?",
    "can you text me the link",
    "I do not have the money",
    "I don't have enough money",
    "I don't get your texts",
    "I never received the message",
    "I did not get the text message",
    "I didn't get a reminder",
    "Para cuándo es el pago?",
    "el doctor es alto",
    "no me llegó el mensaje",
    "no me mandaron la factura",
    "no me llamaron",
    "es para mi hijo",
    "voy a parar en la oficina mañana",
    "I paid this already",
    "I need help with my bill",
    "Please don't send me to collections",
    "no me manden a colección",
    "the account number is wrong",
    "you have the wrong address",
    "You have the wrong number of visits on my bill",
    "I did not authorize this visit",
    "Yes",
    "ok thanks",
    "When can I come in?",
    "start sending me texts",
    "this is Sue",
    "please text me when it's ready",
    "Do not forget about me",
    "how much do I owe",
    "I quit my job",
    "dejé un mensaje",
    "Le dejé un mensaje a la doctora",
    "Me equivoqué de cuenta",
    "remove the late fee please",
    "I'm not able to pay until Friday",
]
UNCLEAR = [
    "How do I stop this?",
    "How do I unsubscribe?",
    "stop or help",
    "Why did you stop texting me?",
    "if you stop texting me I will pay",
    "Is this the wrong number for billing?",
    "Stop mailing me letters",
    "stop sending paper, text me instead",
    "please don't send emails, do not contact me by mail",
    "this is not Ada",
    "I'm not Ada",
    "this is not my number",
    "My husband passed away",
    "I filed bankruptcy",
    "my lawyer will call you",
    "no soy Ada",
    "stpo",
    "remove me as guarantor",
    "Stop charging my card",
    "opt out of paper statements",
    "I did not consent to this procedure",
    "I'll stop tomorrow",
]
DRESSES = ["{}", "Hi. {}", "{}. Thank you", "{}\n-Ada", "  {}!!! "]


def dressed(bodies: list[str]) -> list[str]:
    return [dress.format(body) for body in bodies for dress in DRESSES]


@pytest.mark.parametrize("body", dressed(CLOSES))
def test_a_sentence_that_wants_no_more_texts_closes(body: str) -> None:
    for written in (body, body.upper(), body.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")):
        keyword = keyword_of(written)
        assert keyword is not None
        assert keyword.meaning is STOP
        assert not needs_reading(written)


@pytest.mark.parametrize("body", dressed(INNOCENT))
def test_a_sentence_that_means_something_else_closes_nothing_and_bothers_nobody(body: str) -> None:
    keyword = keyword_of(body)
    assert keyword is None or keyword.meaning is not STOP
    assert not needs_reading(body)


@pytest.mark.parametrize("body", dressed(UNCLEAR))
def test_a_sentence_that_may_want_it_is_for_a_person_to_read(body: str) -> None:
    assert keyword_of(body) is None
    assert needs_reading(body)


RULES = (Path(__file__).resolve().parents[3] / "docs" / "rules.md").read_text()
EXAMPLES = re.findall(r"^\| (.+) \| (closes|nothing|a task) \|$", RULES, re.MULTILINE)


@pytest.mark.parametrize(("body", "does"), EXAMPLES)
def test_the_examples_of_the_rules_do_what_they_say(body: str, does: str) -> None:
    keyword = keyword_of(body)
    closes = keyword is not None and keyword.meaning is STOP
    assert (closes, needs_reading(body)) == (does == "closes", does == "a task")


def test_the_rules_have_examples() -> None:
    assert {does for _, does in EXAMPLES} == {"closes", "nothing", "a task"}


def test_what_is_recorded_is_our_name_of_a_sentence_in_its_language() -> None:
    english, spanish = keyword_of("take my number off your list, Ada"), keyword_of("no me manden más mensajes")
    assert english is not None
    assert (english.word, english.language) == ("REMOVE ME", Language.ENGLISH)
    assert spanish is not None
    assert (spanish.word, spanish.language) == ("NO MAS MENSAJES", Language.SPANISH)


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
    assert keyword is None or (keyword.word, keyword.meaning, keyword.language) in [*LISTS, *SENTENCES]
    assert not (keyword and needs_reading(body))


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
