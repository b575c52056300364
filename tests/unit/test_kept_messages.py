"""How messages are kept: small, and readable for ever."""

import hashlib
from itertools import product

import pytest

from shared.domain.delivery.kept_messages import KeptMessage
from shared.domain.vocabulary.words import Language, NotificationType
from shared.storage import attributes, keys
from shared.storage.kept_messages import DICTIONARY, dictionary_file, message_item, message_of
from tests.unit.test_rendering_emails import rendered
from tests.worlds.memory_table import size_of

DIGESTS = {1: "22254a4cfc63d0f50f2c64e3157fcddee9160a93ce04175e6c7d6a0a22c03adb"}
"""Of each dictionary that was ever used. One that is missing, or isn't as it was, makes its messages unreadable."""

UNIT = 1024


def message(kind: NotificationType, language: Language) -> KeptMessage:
    email = rendered(kind, language)
    return KeptMessage(notice_id="ntc_1", subject=email.subject, html=email.html, text=email.text)


@pytest.mark.parametrize(("kind", "language"), [*product(NotificationType, Language)])
def test_an_email_of_ours_is_one_write_unit_large(kind: NotificationType, language: Language) -> None:
    kept = message(kind, language)
    item = message_item(kept)
    assert message_of(item) == kept
    assert size_of(item) <= UNIT * 2 / 3


@pytest.mark.parametrize("text", ["", "Hello", "Ünïcode \U0001f600", "x" * 100_000])
def test_whatever_a_practice_writes_is_kept_word_for_word(text: str) -> None:
    kept = KeptMessage(notice_id="ntc_1", subject=text, html=f"<p>{text}</p>", text=text)
    assert message_of(message_item(kept)) == kept


def test_a_message_that_was_kept_without_a_dictionary_is_read() -> None:
    kept = message(NotificationType.INITIAL, Language.ENGLISH)
    item = {**attributes.key(keys.kept_message("ntc_1")), "body": attributes.pack(KeptMessage, kept)}
    assert message_of(item) == kept


def test_a_dictionary_that_was_used_never_changes() -> None:
    assert max(DIGESTS) == DICTIONARY
    found = {which: hashlib.sha256(dictionary_file(which).read_bytes()).hexdigest() for which in DIGESTS}
    assert found == DIGESTS
