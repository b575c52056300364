"""How a message of test mode says that it is one, and for whom it was (docs/rules.md#test-messages)."""

from shared.domain.account.contacts import BILL_TO, GUARANTOR, PATIENT
from shared.domain.vocabulary.words import Language
from shared.rendering.variables import MessageVariables

_RECIPIENTS = {
    Language.ENGLISH: {GUARANTOR: "guarantor", PATIENT: "patient", BILL_TO: "bill-to party"},
    Language.SPANISH: {GUARANTOR: "titular de la cuenta", PATIENT: "paciente", BILL_TO: "tercero que paga"},
}
_SUBJECT = {Language.ENGLISH: "[TEST]", Language.SPANISH: "[PRUEBA]"}
_SENTENCE = {
    Language.ENGLISH: "Test message. It would have gone to: {recipient}, account {account}.",
    Language.SPANISH: "Mensaje de prueba. Habría sido para: {recipient}, cuenta {account}.",
}
_START = {Language.ENGLISH: "TEST for {recipient}, {account}", Language.SPANISH: "PRUEBA para {recipient}, {account}"}
_SHORT_START = {Language.ENGLISH: "TEST", Language.SPANISH: "PRUEBA"}


def subject_mark(language: Language) -> str:
    """What a test email's subject begins with."""
    return _SUBJECT[language]


def sentence_on_top(language: Language, variables: MessageVariables) -> str:
    """The sentence on top of a test email or letter."""
    return _filled(_SENTENCE, language, variables)


def text_starts(language: Language, variables: MessageVariables) -> tuple[str, ...]:
    """What a text begins with, the longer first; nothing where it is no test."""
    if not variables.test_recipient:
        return ("",)
    return f"{_filled(_START, language, variables)}: ", f"{_SHORT_START[language]}: "


def _filled(words: dict[Language, str], language: Language, variables: MessageVariables) -> str:
    recipient = _RECIPIENTS[language][variables.test_recipient]
    return words[language].format(recipient=recipient, account=variables.test_account)
