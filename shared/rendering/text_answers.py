"""Texts that answer a text: what HELP gets, and the one confirmation that texts have stopped. One segment each.

Fixed words, not templates: carriers ask for them, and 47 CFR 64.1200(a)(12) lets a confirmation say nothing else.
"""

from shared.domain.vocabulary.words import Language
from shared.rendering.facts import readable_phone
from shared.rendering.gsm import ONE_SEGMENT, septets, transliterated

_HELP = {
    Language.ENGLISH: "{name}: messages about your bill. For help {call}. Reply STOP to get no more texts.",
    Language.SPANISH: "{name}: mensajes sobre su factura. Para ayuda {call}. Responda STOP para no recibir más textos.",
}
_CALL = {
    Language.ENGLISH: ("call {phone}", "ask the practice"),
    Language.SPANISH: ("llame al {phone}", "llame al consultorio"),
}
_STOPPED = {
    Language.ENGLISH: "{name}: you will get no more texts from this number. Reply START to get them again.",
    Language.SPANISH: "{name}: no recibirá más textos de este número. Responda START para volver a recibirlos.",
}


def help_text(name: str, phone: str, language: Language) -> str:
    """Who texts, how to reach a person, how to stop. `phone`: the practice's, in E.164; "": none is known."""
    with_phone, without = _CALL[language]
    call = with_phone.format(phone=readable_phone(phone)) if phone else without
    return _fitted(name, _HELP[language].replace("{call}", call))


def stopped_text(name: str, language: Language) -> str:
    """That no more texts come, and how to get them again."""
    return _fitted(name, _STOPPED[language])


def _fitted(name: str, template: str) -> str:
    """The text with as much of the name as one segment holds."""
    plain = " ".join(transliterated(name).split())
    while True:
        text = transliterated(template.format(name=plain))
        if (septets(text) or 0) <= ONE_SEGMENT or not plain:
            return text
        plain = plain[:-1].rstrip(" ,;&-")
