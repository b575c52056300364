"""Which keyword a text from a recipient says: STOP, START or HELP, however it is written.

Consent may be withdrawn "in any reasonable manner" (47 CFR 64.1200(a)(10)), so STOP is read generously: in any case,
case, with any punctuation, politely, in English and Spanish, as a clause of a longer message, or as a sentence that
plainly wants it (`stop_phrases.py`). What opens is read to the letter. What may be meant to close is for a person.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from shared.domain.texting.stop_phrases import INNOCENT, may_close, stop_phrase_in
from shared.domain.vocabulary.words import Language


class TextMeaning(StrEnum):
    """What a recipient asks for."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


@dataclass(frozen=True, slots=True)
class Keyword:
    """A keyword that a text said. `word` is the word as we know it, never the text."""

    meaning: TextMeaning
    word: str
    language: Language


STOP_ENGLISH = (
    "STOP",
    "STOPALL",
    "STOP ALL",
    "UNSUBSCRIBE",
    "UNSUB",
    "CANCEL",
    "END",
    "QUIT",
    "REMOVE",
    "REVOKE",
    "OPTOUT",
    "OPT OUT",
    "NO MORE",
    "DO NOT TEXT",
    "DO NOT TEXT ME",
    "DONT TEXT",
    "DONT TEXT ME",
    "LEAVE ME ALONE",
    "WRONG NUMBER",
    # Of other languages, but on the provider's own list, so that the provider opts the number out too.
    "ARRET",
    "TD",
)
STOP_SPANISH = (
    "ALTO",
    "BAJA",
    "BASTA",
    "CANCELA",
    "CANCELAR",
    "DAR DE BAJA",
    "DARME DE BAJA",
    "DETENER",
    "FIN",
    "NO MAS",
    "NUMERO EQUIVOCADO",
    "PARA",
    "PARAR",
    "PARE",
    "PAREN",
    "REVOCAR",
    "SALIR",
    "TERMINAR",
)
START_ENGLISH = ("START", "UNSTOP", "OPTIN", "OPT IN", "SUBSCRIBE", "RESUME")
"""YES is not among them: it may be the answer to anything, and the opt-out that it would undo was on purpose."""
START_SPANISH = ("COMENZAR", "EMPEZAR", "INICIAR", "REANUDAR")
HELP_ENGLISH = ("HELP", "INFO")
HELP_SPANISH = ("AYUDA", "INFORMACION")

_COURTESIES = (
    "please pls plz thanks thank you now immediately asap anymore again already just sir maam por favor gracias ya"
)
COURTESIES = frozenset(_COURTESIES.split())
_OBJECTS = (
    "me us it this these the all my to of at from with list sending send texting text texts txt txts sms messaging"
    " message messages msg msgs number phone"
    " de los mis mensajes mensaje textos texto enviar enviarme este numero lista"
)
OBJECTS = frozenset(_OBJECTS.split())
"""What may stand around STOP without changing what it says: "please stop sending me these texts"."""

_SPOKEN = (
    "once i we you u yall said told asked want wanted need wish would like id im could can will hey hi hello ok okay"
    " yes no oh so and but really seriously sorry guys dude hola oye si digo dije"
)
SPOKEN = frozenset(_SPOKEN.split())
"""What people say around a word which can't mean anything else: "I already told you to stop"."""

_UNMISTAKABLE = (
    "ALTO",
    "STOP",
    "STOPALL",
    "STOP ALL",
    "UNSUBSCRIBE",
    "UNSUB",
    "REVOKE",
    "OPTOUT",
    "OPT OUT",
    "LEAVE ME ALONE",
    "WRONG NUMBER",
    "BASTA",
    "DAR DE BAJA",
    "DARME DE BAJA",
    "NUMERO EQUIVOCADO",
    "PAREN",
)
"""The words that close wherever in a text they are a clause; the others may be a part of anything."""

ON_THE_PROVIDERS_LIST = re.compile(
    r"\s*(ARRET|CANCEL|END|OPT-OUT|OPTOUT|QUIT|REMOVE|STOP|TD|UNSUBSCRIBE)\b", re.IGNORECASE
)
"""AWS End User Messaging SMS user guide, "Required opt-out list keywords": the provider opts the number out itself and
answers by itself, unless opt-outs are self-managed there."""

_CLAUSE = re.compile(r"[\n.!?;,:()¡¿…]+|\s-+\s|[\N{EN DASH}\N{EM DASH}]+")


def keyword_of(body: str) -> Keyword | None:
    """The keyword that a text says; None: none that we know.

    The whole text has to be the keyword, except that courtesies may stand around STOP or HELP, and STOP may stand alone
    one that closes may stand alone in the first clause of a longer message, or if it can't be mistaken in any, or be a
    sentence. What opens has to be said as the carrier wants it, or we would text a number that it still holds back.
    """
    whole = _words(body)
    exact, polite = KEYWORDS.get(whole), KEYWORDS.get(_without(whole, COURTESIES))
    if exact or (polite and polite.meaning is not TextMeaning.START):
        return exact or polite
    clauses = _clauses(body)
    for words in (whole, *clauses[:1]):
        for bare in (words, _without(words, COURTESIES), _without(words, COURTESIES | OBJECTS)):
            found = KEYWORDS.get(bare)
            if found and found.meaning is TextMeaning.STOP:
                return found
    return _unmistakable(clauses) or _sentence(clauses)


def needs_reading(body: str) -> bool:
    """Whether a person should read a text: it says no word of ours, and may be meant to close all the same."""
    return keyword_of(body) is None and may_close(_joined(_clauses(body)))


def _unmistakable(clauses: Sequence[tuple[str, ...]]) -> Keyword | None:
    """The word that can't be mistaken and is all that a clause says, beside what people say around it."""
    sentences = INNOCENT.sub("#", _joined(clauses)).split("|")
    for words in (tuple(sentence.split()) for sentence in sentences):
        said = _without(words, COURTESIES | OBJECTS | SPOKEN)
        found = KEYWORDS.get(tuple(word for word in said if not word.isdecimal()))
        if found and found.word in _UNMISTAKABLE:
            return found
    return None


def _sentence(clauses: Sequence[tuple[str, ...]]) -> Keyword | None:
    phrase = stop_phrase_in(_joined(clauses))
    return Keyword(TextMeaning.STOP, phrase.name, phrase.language) if phrase else None


def _clauses(body: str) -> list[tuple[str, ...]]:
    return [words for words in map(_words, _CLAUSE.split(body.replace("#", " number "))) if words]


def _joined(clauses: Sequence[tuple[str, ...]]) -> str:
    return " | ".join(" ".join(words) for words in clauses)


def answered_by_provider(body: str) -> bool:
    """Whether the provider answers a STOP by itself, where it manages opt-outs."""
    return ON_THE_PROVIDERS_LIST.match(body) is not None


def _words(body: str) -> tuple[str, ...]:
    """The words of a text in lower case, none twice in a row; without accents, punctuation, emoji, invisible signs."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", body).casefold())
    letters = "".join(_letter(character) for character in plain)
    words = [word for word, _ in groupby(letters.split())]
    return ("".join(words),) if len(words) > 1 and all(len(word) == 1 for word in words) else tuple(words)


def _letter(character: str) -> str:
    """The character itself, nothing, or a space where a word ends."""
    if character.isalnum():
        return character
    joins = character in "'\N{RIGHT SINGLE QUOTATION MARK}" or unicodedata.category(character) in {"Mn", "Cf"}
    return "" if joins else " "


def _without(words: tuple[str, ...], left_out: frozenset[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in left_out)


def _table() -> dict[tuple[str, ...], Keyword]:
    lists = (
        (TextMeaning.STOP, Language.ENGLISH, STOP_ENGLISH),
        (TextMeaning.STOP, Language.SPANISH, STOP_SPANISH),
        (TextMeaning.START, Language.ENGLISH, START_ENGLISH),
        (TextMeaning.START, Language.SPANISH, START_SPANISH),
        (TextMeaning.HELP, Language.ENGLISH, HELP_ENGLISH),
        (TextMeaning.HELP, Language.SPANISH, HELP_SPANISH),
    )
    return {
        tuple(word.lower().split()): Keyword(meaning, word, language)
        for meaning, language, words in lists
        for word in words
    }


KEYWORDS = _table()
