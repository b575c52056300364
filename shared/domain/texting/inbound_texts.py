"""Which keyword a text from a recipient says: STOP, START or HELP, however it is written.

Consent may be withdrawn "in any reasonable manner" (47 CFR 64.1200(a)(10)), so STOP is read generously: in any case,
with any punctuation, politely, in English and Spanish, at the head of a longer message. START is read to the letter. A
sentence without a keyword is not interpreted.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

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

ON_THE_PROVIDERS_LIST = re.compile(
    r"\s*(ARRET|CANCEL|END|OPT-OUT|OPTOUT|QUIT|REMOVE|STOP|TD|UNSUBSCRIBE)\b", re.IGNORECASE
)
"""AWS End User Messaging SMS user guide, "Required opt-out list keywords": the provider opts the number out itself and
answers by itself, unless opt-outs are self-managed there."""

_CLAUSE = re.compile(r"[\n.!?;,:]+")


def keyword_of(body: str) -> Keyword | None:
    """The keyword that a text says; None: none that we know.

    The whole text has to be the keyword, except that courtesies may stand around STOP or HELP, and STOP may stand alone
    in the first clause of a longer message. START has to be said as the carrier wants it, or we would text a number
    that it still blocks.
    """
    whole = _words(body)
    exact, polite = KEYWORDS.get(whole), KEYWORDS.get(_without(whole, COURTESIES))
    if exact or (polite and polite.meaning is not TextMeaning.START):
        return exact or polite
    first_clause = next((words for words in map(_words, _CLAUSE.split(body)) if words), ())
    for words in (whole, first_clause):
        for bare in (words, _without(words, COURTESIES), _without(words, COURTESIES | OBJECTS)):
            found = KEYWORDS.get(bare)
            if found and found.meaning is TextMeaning.STOP:
                return found
    return None


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
