"""Sentences by which people withdraw consent to texts, beside the words of `inbound_texts.py`, and what may be one.

Consent may be withdrawn "in any reasonable manner" (47 CFR 64.1200(a)(10); docs/rules.md#stop-in-other-words), so
sentences count too that ask for no more messages, say that the number is the wrong one, or take consent back. One that
merely has such a word in it closes nothing: "I'll stop by tomorrow". Where it can't be told, a person reads it.

Texts are matched as `inbound_texts.py` makes them plain: lower case, no accents, apostrophes closed up ("dont"), with
`|` between clauses.
"""

import re
from dataclasses import dataclass

from shared.domain.vocabulary.words import Language

_TEXTS = r"(?:text\w*|txt\w*|sms|messag\w*|msgs?|msj|notif\w*|reminder\w*|alerts?)"
_AROUND = (
    r"(?: (?:with|of|all|sending|getting|receiving|me|us|my|the|these|those|this|your|any|further|more|please|so many"
    r"|payment|bill|billing))*"
)
_REACHING = r"(?:contact\w*|sending|calling|bothering|harass\w*|spam\w*|messing|pestering|annoying|reaching|writing)"
_NOT_I = r"(?<!\bi )(?<!\bwe )(?<!\bthey )(?<!\byou )(?<!\bto )(?<!\bhe )(?<!\bshe )"
_DO_NOT = rf"{_NOT_I}(?:dont|do not|never)(?: ever)?"
_NUMBER = r"(?:me|us|(?:my|this) (?:number|phone|cell|mobile)|number)"
_SOMEBODY = r"(?:number|person|phone|cell|guy|man|lady|woman)"
_MENSAJES = r"(?:mensaj\w*|msj\w*|textos?|sms|avisos?|recordatorio\w*|notificacion\w*|alertas?)"
_NUMERO = r"(?:mi|este) (?:numero|telefono|celular|movil)"


def _any(*patterns: str) -> re.Pattern[str]:
    """One pattern for any of several, each of whole words."""
    return re.compile(r"\b(?:" + "|".join(patterns) + r")(?!\w)")


INNOCENT = _any(
    r"stop(?:ped|ping|s)? (?:by|in|over|into|off|at(?! once)|signs?|payments?(?! (?:reminder|text|message|notif)))",
    r"stop (?:this|next) (?:week|month|morning|afternoon|evening|\w+day)",
    r"(?:non|bus|pit|one|full|next|last) stops?",
    r"(?:dont|do not|didnt|did not|never|not|cant|cannot|wont|couldnt) (?:ever |want to |want you to |want to be )?"
    r"(?:stop|opt|opted|unsubscribe|remove|cancel|take)(?: me)?(?: out| off)?",
)
"""What has a word of ours in it and has nothing to do with messages, or wants the contrary."""

TOLD_OR_ASKED = re.compile(
    r"\b(?:how (?:do|can|to|would)|why|if|what happens)\b"
    r"|^(?:\W|hi|hello|hey|so|and|but|well|ok|sorry)*(?:when|where|what|did|have you|has|is (?:this|it)|am i|do i"
    r"|can i|may i|should i|como|por que|cuando|porque)\b"
    r"|\bi (?:\w+ )?(?:called|dialed|dialled|gave|put|typed|entered|wrote|texted)\b|\bi (?:have|had|got) (?:the|a) $"
    r"|\bme equivoque\b"
)
"""What makes a clause tell of such a sentence or ask about it, as it stands before it."""

OTHER_WAYS = re.compile(
    r"\b(?:paper|mail\w*|letters?|emails?|post|envelopes?|collections?|papel|correos?|cartas?|cobranzas?|coleccion\w*)\b"
)
"""Other ways of being reached, and what isn't about messages: who wants none of those may want texts."""


@dataclass(frozen=True, slots=True)
class StopPhrase:
    """A kind of sentence that closes. name: how it is recorded, never what a person wrote.

    about_texts: it names texts themselves, so that other ways of being reached in the same breath don't matter.
    """

    name: str
    language: Language
    pattern: re.Pattern[str]
    about_texts: bool = False


def _phrase(name: str, language: Language, *patterns: str, about_texts: bool = False) -> StopPhrase:
    return StopPhrase(name, language, _any(*patterns), about_texts)


_EN, _ES = Language.ENGLISH, Language.SPANISH

PHRASES = (
    _phrase(
        "STOP TEXTS",
        _EN,
        rf"(?:stop|quit|cease|discontinue|halt|end|cancel|no more|enough){_AROUND} {_TEXTS}",
        rf"{_DO_NOT} (?:text|txt|message|msg)\w*",
        rf"{_DO_NOT} send{_AROUND} {_TEXTS}",
        rf"(?:dont|do not|no longer|never|not)(?: [^| ]+)? (?:want|wish|need|like)"
        rf"(?: (?:to|be|being|have|get|receive|you))*{_AROUND} {_TEXTS}",
        rf"not to (?:be|get|receive){_AROUND} {_TEXTS}",
        about_texts=True,
    ),
    _phrase(
        "STOP CONTACT",
        _EN,
        rf"(?:stop|quit|cease|discontinue){_AROUND} {_REACHING}",
        r"stop (?:it|this|that|these|those)(?= (?:now|please|already|immediately|right|crap|nonsense)\b| \||$)",
        r"(?:want|need|make) (?:this|these|those|it|them|you) (?:all )?(?:to )?stop",
        rf"{_DO_NOT} (?:contact|bother|harass|spam|call|write|reach)(?: to)? (?:me|us|this|here|again|any ?more)",
        rf"{_DO_NOT} (?:contact|bother|harass|spam)(?= \||$)",
        rf"{_DO_NOT} send (?:me |us )?(?:any ?thing|any ?more|any|these|those|this)(?= (?:please|again|stuff)\b| \||$)",
        r"(?:dont|do not|no longer) (?:want|wish|like)(?: (?:to|be|being|you))* contact\w*",
        r"leave (?:me|us) alone",
        r"lose (?:my|this) number",
        r"cease and desist",
    ),
    _phrase(
        "REMOVE ME",
        _EN,
        rf"(?:take|get) {_NUMBER}(?: [^| ]+)? off",
        rf"take off {_NUMBER}",
        rf"(?:remove|delete|erase|drop) {_NUMBER}"
        r"(?! (?:as|from (?:the|this|that|my) (?:bill|account|statement|policy|plan)))",
    ),
    _phrase("UNSUBSCRIBE", _EN, r"unsub\w*"),
    _phrase("OPT OUT", _EN, r"opt(?:ing|ed)?(?: (?:me|us|my number|this number))? out", r"optout"),
    _phrase(
        "REVOKE CONSENT",
        _EN,
        r"(?:revok\w+|withdraw\w*|rescind\w*|retract\w*|cancel\w*|take back)(?: [^| ]+){0,2}"
        r" (?:consent|permission|authori[sz]ation)",
        r"(?:dont|do not|no longer) consent",
    ),
    _phrase("WRONG NUMBER", _EN, rf"wrong {_SOMEBODY}(?! (?:of|on|for|in)\b)"),
    _phrase(
        "NO MAS MENSAJES",
        _ES,
        r"no (?:me |nos )?(?:mande[ns]?|envie[ns]?|quiero|queremos|deseo|necesito|acepto|autorizo|enviar\w*|mandar\w*)"
        rf"(?: (?:mas|recibir|que|me|nos|manden|envien|lleguen|los|las|sus|tus|estos|tantos|ningun))* {_MENSAJES}",
        r"(?:no mas|basta|ya no|deten\w+|paren?|cancel\w+|suspend\w+|elimin\w+|quit\w+)"
        rf"(?: (?:con|de|mas|los|sus|estos|tus|tantos|ya|quiero))* {_MENSAJES}",
        about_texts=True,
    ),
    _phrase(
        "NO CONTACTAR",
        _ES,
        r"no (?:me|nos) (?:mande|envie|escriba|llame|contacte|textee|texte|moleste|mensajee|busque)[ns]?"
        r"(?! a (?:coleccion|cobr))",
        r"no (?:molest|contact|escrib|llam)(?:ar|en|an)(?:me|nos)?",
        r"(?:dej(?:e|en|a|ar|ame)|paren?|basta) de (?:envi|mand|escrib|contact|llam|molest|text|mensaj|acos)\w*",
        r"no quiero que (?:me|nos) (?:mand|envi|escrib|contact|llam|molest|text)\w*",
        r"dej(?:en|a|e)(?:me|nos) en paz",
    ),
    _phrase(
        "QUITENME DE LA LISTA",
        _ES,
        r"(?:quit|sac|saqu|borr|elimin|remuev)(?:e|en|a|an)(?:me|nos)",
        rf"(?:quit|sac|saqu|borr|elimin|remuev)\w+ {_NUMERO}",
    ),
    _phrase("DAR DE BAJA", _ES, r"(?:dar|darme|dame|deme|denme|doy|dandome|dese|desen) de baja", r"desuscrib\w*"),
    _phrase(
        "REVOCAR CONSENTIMIENTO",
        _ES,
        r"(?:revoco|revocar|retiro|retirar|cancelo|anulo)(?: [^| ]+){0,2} (?:consentimiento|permiso|autorizacion)",
        r"no (?:les )?(?:autorizo|doy (?:mi )?(?:permiso|consentimiento|autorizacion))",
    ),
    _phrase(
        "NUMERO EQUIVOCADO",
        _ES,
        r"(?:numero|telefono|persona) (?:equivocad[oa]|incorrect[oa]|erroneo)",
        r"(?:se equivoc\w+|equivocad[oa]s?) de (?:numero|persona|telefono)",
    ),
)
"""What closes, the plainest first."""

MAY_CLOSE = _any(
    r"sto+p+\w*",
    r"stpo|sotp|tsop|stp",
    r"unsub\w*|opt(?:ing|ed)? ?out|revok\w*|consent\w*|cease|quit (?:it|this)|not interested",
    rf"wrong {_SOMEBODY}(?! of)|(?:not|isnt|no longer) (?:my|her|his|their) (?:number|phone|cell)",
    r"(?:this is|im|i am|thats) not (?!sure|able|going|ready|home|here|paying)\w+(?: \w+)?(?= \||$)",
    r"no ?(?:body|one) (?:here )?by (?:that|this)|no such person",
    r"harass\w*|spam\w*|leave (?:me|us)|(?:dont|do not)(?: [^| ]+){0,2} (?:call|contact|message|bother)\w*",
    r"(?:remove|delete|erase) (?:me|us|my)|cancel my (?:number|phone|account)|attorney|lawyer",
    r"basta|dej\w* de|equivocad\w*|no soy|ya no me|no autoriz\w*|no es (?:mi|su) (?:numero|telefono)",
    r"no me (?:mande|envie|escriba|contacte|moleste)[ns]?(?! a (?:coleccion|cobr))|acoso|abogad\w*",
    r"de baja|quiten\w*|borren\w*",
    r"passed away|deceased|died|bankrupt\w*|fallecio|murio|bancarrota",
)
"""What a person should read: it may ask for an end of texts, or tell of what stops dunning (a death, a bankruptcy)."""


def stop_phrase_in(sentence: str) -> StopPhrase | None:
    """The kind of sentence that closes in a text made plain; None: there is none beyond doubt."""
    kept = INNOCENT.sub("#", sentence)
    for phrase in PHRASES:
        for found in phrase.pattern.finditer(kept):
            begin, end = kept.rfind("|", 0, found.start()) + 1, kept.find("|", found.end())
            clause = kept[begin : end if end >= 0 else None]
            of_other_ways = not phrase.about_texts and OTHER_WAYS.search(clause)
            if not of_other_ways and not TOLD_OR_ASKED.search(kept[begin : found.start()]):
                return phrase
    return None


def may_close(sentence: str) -> bool:
    """Whether a person should read a text made plain, because it may be meant to close."""
    return MAY_CLOSE.search(INNOCENT.sub("#", sentence)) is not None
