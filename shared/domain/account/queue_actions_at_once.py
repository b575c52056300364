"""One action on many notices of an account, as one change."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.account.queue_actions import ActionRefusedError, QueueAction, act
from shared.domain.records.book import AccountBook, Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What an action on many changes, if anything; and by notice why it wasn't done, "" where it was."""

    change: Change | None
    refusals: dict[str, str]


def act_on_all(
    book: AccountBook,
    notice_ids: Iterable[str],
    action: QueueAction,
    now: datetime,
    actor: str,
    *,
    opt_out: bool = False,
    reason: str = "",
) -> Acted:
    """Do it to each notice that allows it; one that doesn't stops no other. Of an unknown notice nothing is said.

    Each is decided on the book as the ones before leave it: an opt-out may have stopped the next already, which is then
    as it was wanted.
    """
    whole: Change | None = None
    refusals = dict[str, str]()
    asked = dict.fromkeys(notice_ids)
    for notice_id in asked:
        before, notice = None if whole is None else _notice_in(whole, notice_id), book.notice(notice_id)
        if notice is None:
            continue
        if before is not None and action is QueueAction.CANCEL:
            refusals[notice_id] = ""  # stopped by the opt-out that came with one before it
            continue
        try:
            change = act(book, notice_id, action, now, actor, opt_out=opt_out, reason=reason)
        except ActionRefusedError as error:
            refusals[notice_id] = str(error)
            continue
        refusals[notice_id] = ""
        if change is not None:
            book, whole = book.after(change), whole.then(change) if whole else change
    return Acted(change=whole, refusals=refusals)


def _notice_in(change: Change, notice_id: str) -> object | None:
    return next((notice for notice in change.notices if notice.notice_id == notice_id), None)
