"""The worklist of errors clears itself."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.domain.account.worklist import clear, cleared_by
from shared.domain.records.notice import Notice, StatusChange
from shared.domain.vocabulary.words import NoticeStatus
from tests.worlds.examples import NOW, book, notice

S = NoticeStatus
MONTH = timedelta(days=30)
LATER = NOW + MONTH + timedelta(hours=1)


def failed(**changes: Any) -> Notice:
    """An email that came back a month ago."""
    facts: dict[str, Any] = {"status": S.DELIVERY_ERROR, "sent_at": NOW, "lease_until": NOW}
    return replace(notice(), **facts | changes)


def delivered(**changes: Any) -> Notice:
    facts: dict[str, Any] = {"notice_id": "ntc_2", "status": S.DELIVERED, "sent_at": NOW + MONTH}
    return replace(notice(), **facts | changes)


def test_what_was_delivered_archives_the_errors_before_it_and_says_so() -> None:
    """It needs nobody any more, and nothing looks at it again."""
    (archived,) = cleared_by(book(notices=(failed(), delivered())), delivered(), LATER)
    assert (archived.notice_id, archived.status, archived.lease_until) == (notice().notice_id, S.ARCHIVED, None)
    assert archived.status_history[-1] == StatusChange(
        status=S.ARCHIVED,
        at=LATER,
        actor="system",
        reason="a later notice to this contact succeeded",
        level=archived.level,
        template_id=archived.template_id,
    )


def test_an_error_of_the_same_instant_is_not_earlier() -> None:
    together = failed(sent_at=NOW + MONTH)
    assert cleared_by(book(notices=(together, delivered())), delivered(), LATER) == ()


def test_clearing_by_an_id_changes_the_errors_alone() -> None:
    before = book(notices=(failed(), delivered()))
    change = clear(before, "ntc_2", LATER)
    assert change is not None
    assert change.account == before.account
    assert [(row.status, row.status_history[-1].at) for row in change.notices] == [(S.ARCHIVED, LATER)]


def test_where_nothing_failed_or_nothing_is_known_by_the_id_there_is_no_change() -> None:
    assert clear(book(notices=(delivered(),)), "ntc_2", LATER) is None
    assert clear(book(notices=(failed(),)), "ntc_unknown", LATER) is None
