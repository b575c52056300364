"""Words that no template may hold: those that name health, and those that threaten a credit report.

Looked for in what a person would read, without markup, case, accents and invisible signs.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WordRule:
    """Words that a rule forbids, by the rule's name in docs/rules.md."""

    name: str
    says: str
    pattern: re.Pattern[str]


def _words(*parts: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{'|'.join(parts)})(?![a-z])")


# docs/rules.md#no-health-words
HEALTH_WORDS = WordRule(
    "no-health-words",
    "names health",
    _words(
        r"diagnos(?:is|es|tics?|ed|e)",
        r"treatments?|treated for",
        r"surger(?:y|ies)|surgical|operating room",
        r"medical procedures?|your procedures?",
        r"prescriptions?|medications?|medicines?|vaccin\w*|immuni[sz]ation\w*",
        r"(?:chemo|radio|psycho|physio|physical )?therap(?:y|ies|ist)|rehab\w*",
        r"cancers?|oncolog\w*|tumou?rs?|biops(?:y|ies)",
        r"hiv|aids|std|sti|hepatitis|diabet\w*|asthma|dialysis",
        r"psychiatr\w*|psycholog\w*|mental health|depression|addiction|substance abuse|counsel(?:l)?ing",
        r"pregnan\w*|prenatal|maternity|abortion|fertility|obstetric\w*|gyn(?:a)?ecolog\w*|urolog\w*",
        r"cardiolog\w*|dermatolog\w*|neurolog\w*|orthop(?:a)?edic\w*|pediatric\w*|radiolog\w*|patholog\w*",
        r"(?:lab|test|blood) (?:results?|tests?|work)|x ?rays?|mri|ct scans?|ultrasounds?|mammogra\w*|colonoscop\w*",
        r"symptoms?|illness(?:es)?|diseases?|disorders?|injur(?:y|ies)|your (?:medical |health )?conditions?",
        r"diagnosticos?|tratamientos?|cirugias?|quirurgic[oa]s?|recetas? medicas?|medicamentos?|medicinas?|vacunas?",
        r"terapias?|oncologic[oa]s?|tumor(?:es)?|biopsias?|vih|sida|diabetes|psiquiatr\w*|psicolog\w*|salud mental",
        r"embaraz\w*|aborto|ginecolog\w*|cardiolog\w*|dermatolog\w*|pediatri\w*|radiograf\w*|resonancias?",
        r"(?:resultados?|analisis|pruebas?) de (?:laboratorio|sangre)|sintomas?|enfermedad(?:es)?",
        r"trastornos?|lesion(?:es)?",
    ),
)

# docs/rules.md#no-threats
CREDIT_WORDS = WordRule(
    "no-threats",
    "threatens a credit report",
    _words(
        r"credit (?:report\w*|bureaus?|scores?|ratings?|histor(?:y|ies)|files?|agenc(?:y|ies)|standing|record)",
        r"(?:hurts?|damages?|affects?|harms?|ruins?|impacts?|lowers?) (?:your|the|any) credit",
        r"(?:report\w*|tell) (?:\w+ ){0,5}to (?:the |a |any |all |three |major )*credit\w*",
        r"credit[- ]reporting|consumer reporting|equifax|experian|transunion|trans union|fico",
        r"bur[oe]s? de credito|(?:informe|reporte|historial|puntaje|puntuacion|calificacion)s? de credito",
        r"agencias? (?:de credito|crediticias?|de informes? crediticios?)|historial(?:es)? crediticio\w*|crediticio\w*",
        r"(?:afecta|dana|perjudica)\w* su credito",
    ),
)

WORD_RULES = (HEALTH_WORDS, CREDIT_WORDS)


@dataclass(frozen=True, slots=True)
class ForbiddenWord:
    """A word that was found, with the rule that forbids it."""

    word: str
    rule: WordRule

    def __str__(self) -> str:
        return f'{self.rule.says} ("{self.word}"), which the rule {self.rule.name} forbids'


def forbidden_words(text: str) -> Iterator[ForbiddenWord]:
    """What a text says that no message may, the first word of each rule."""
    plain = _plain(text)
    for rule in WORD_RULES:
        found = rule.pattern.search(plain)
        if found:
            yield ForbiddenWord(found[0], rule)


def _plain(text: str) -> str:
    """A text as it is read aloud: no accents, no invisible signs, one blank between words."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    seen = (sign for sign in letters if unicodedata.category(sign) not in {"Mn", "Cf", "Cc"} or sign.isspace())
    return re.sub(r"[\s_\-\u2010-\u2015]+", " ", "".join(seen))
