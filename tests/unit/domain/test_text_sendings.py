"""Which sending of which text a provider's word is about."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.records.notice import Notice, StatusChange
from shared.domain.texting.text_sendings import Sending, sending_of
from shared.domain.vocabulary.words import Channel, NoticeStatus
from tests.worlds.examples import NOW, book, notice

S = NoticeStatus
NUMBER, ANOTHER_NUMBER = "+15185550111", "+15185550199"
A_MINUTE = timedelta(minutes=1)
A_SECOND = timedelta(seconds=1)
WAITED = 240
"""Minutes after which a text that nobody reported on is sent once more."""


def text(*way: tuple[S, int], **changes: Any) -> Notice:
    """A text to the number that came by a way: statuses, and the minutes after NOW at which it came into each."""
    history = tuple(StatusChange(status=status, at=NOW + minutes * A_MINUTE, actor="test") for status, minutes in way)
    known = {"channel": Channel.SMS, "sent_to": "***0111", "status": way[-1][0], "status_history": history}
    return notice(**{**known, "attempt": sum(status is S.SENDING for status, _ in way), **changes})


UNKNOWN = text((S.SCHEDULED, -9), (S.QUEUED, -1), (S.SENDING, 0), (S.UNKNOWN, 5))
SENDING = text((S.SCHEDULED, -9), (S.QUEUED, -1), (S.SENDING, 0))
SENT = text((S.SENDING, 0), (S.SENT, 0), provider_message_id="m-1")
TWICE = text((S.SENDING, 0), (S.UNKNOWN, 5), (S.SCHEDULED, WAITED), (S.SENDING, WAITED), (S.UNKNOWN, WAITED + 5))
PUT_OFF = text((S.SENDING, 0), (S.SCHEDULED, 0), (S.SENDING, 10), (S.UNKNOWN, 15), attempt=1)


def found(
    *rows: Notice, message_id: str = "m-9", asked_at: datetime | None = NOW, number: str = NUMBER
) -> Sending | None:
    """The sending, of these rows of one account each."""
    return sending_of([book(), *(book(notices=(row,)) for row in rows)], number, message_id, asked_at)


# --- by the message's id -----------------------------------------------


@pytest.mark.parametrize("asked_at", [None, NOW, NOW + timedelta(days=1)])
def test_a_word_is_about_the_notice_that_has_its_messages_id(asked_at: datetime | None) -> None:
    """Whoever else is in doubt, and whenever it was asked for."""
    assert found(UNKNOWN, SENT, message_id="m-1", asked_at=asked_at) == Sending(notice=SENT, attempt=None)


def test_a_word_about_a_message_whose_id_another_notice_doesnt_have_is_not_about_it() -> None:
    assert found(SENT, message_id="m-9") is None


def test_a_word_without_a_message_id_is_not_about_a_notice_that_has_none_either() -> None:
    """An id that nobody knows settles nothing."""
    assert found(text((S.SENDING, 0), (S.SENT, 0)), message_id="") is None


def test_a_word_about_a_text_is_never_about_an_email() -> None:
    """Even if its id or its masked address happened to be the same."""
    email = text((S.SENDING, 0), (S.UNKNOWN, 5), channel=Channel.EMAIL, provider_message_id="m-1")
    assert found(email, message_id="m-1") is None
    assert found(email) is None


# --- by the number and the time, where no answer of the provider's was heard ---------------


@pytest.mark.parametrize("row", [SENDING, UNKNOWN])
@pytest.mark.parametrize("apart", [timedelta(), 2 * A_MINUTE, -2 * A_MINUTE])
def test_a_message_whose_answer_was_lost_is_the_sending_in_doubt_that_began_within_two_minutes_of_it(
    row: Notice, apart: timedelta
) -> None:
    assert found(row, asked_at=NOW + apart) == Sending(notice=row, attempt=1)


@pytest.mark.parametrize("row", [SENDING, UNKNOWN])
@pytest.mark.parametrize("apart", [2 * A_MINUTE + A_SECOND, -2 * A_MINUTE - A_SECOND])
def test_a_message_asked_for_at_another_time_is_no_sending_of_ours(row: Notice, apart: timedelta) -> None:
    assert found(row, asked_at=NOW + apart) is None


@pytest.mark.parametrize("row", [SENDING, UNKNOWN, TWICE])
def test_where_it_is_not_known_when_it_was_asked_for_it_may_be_any_sending_of_the_one_in_doubt(row: Notice) -> None:
    assert found(row, asked_at=None) == Sending(notice=row, attempt=None)


@pytest.mark.parametrize("asked_at", [None, NOW])
def test_a_message_to_another_number_is_not_the_one_in_doubt(asked_at: datetime | None) -> None:
    assert found(UNKNOWN, number=ANOTHER_NUMBER, asked_at=asked_at) is None


def test_a_text_whose_sending_was_answered_is_not_in_doubt() -> None:
    """So a message with an id that nobody knows isn't it, though it went to the number at the time."""
    assert found(SENT) is None
    assert found(SENT, UNKNOWN) == Sending(notice=UNKNOWN, attempt=1)


@pytest.mark.parametrize("asked_at", [None, NOW])
def test_of_two_notices_that_it_could_be_neither_is_settled(asked_at: datetime | None) -> None:
    assert found(UNKNOWN, SENDING, asked_at=asked_at) is None


def test_of_two_sendings_of_one_notice_that_it_could_be_neither_is_settled() -> None:
    at_once = text((S.SENDING, 0), (S.UNKNOWN, 0), (S.SCHEDULED, 1), (S.SENDING, 1))
    assert found(at_once) is None


@pytest.mark.parametrize(("minutes", "attempt"), [(0, 1), (WAITED, 2)])
def test_of_a_text_that_was_sent_once_more_the_time_tells_which_sending_it_is(minutes: int, attempt: int) -> None:
    assert found(TWICE, asked_at=NOW + minutes * A_MINUTE) == Sending(notice=TWICE, attempt=attempt)


def test_a_sending_that_the_provider_put_off_is_none_that_it_tells_of() -> None:
    """It didn't take it, so it was no attempt either."""
    assert found(PUT_OFF, asked_at=NOW) is None
    assert found(PUT_OFF, asked_at=NOW + 10 * A_MINUTE) == Sending(notice=PUT_OFF, attempt=1)
