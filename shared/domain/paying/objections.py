"""What a patient behind a payment link says instead of paying: that a bill is wrong, or to be reminded later."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256

from shared.domain.account.contacts import GUARANTOR
from shared.domain.account.pauses import OBJECTED, OBJECTION_SETTLED, REMINDER_ASKED_FOR
from shared.domain.account.stopping import cancel_pending
from shared.domain.records.account import Account, Objection
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.task import Task, TaskKind, task_id_at
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import ObjectionKind

LATEST_REMINDER = timedelta(days=30)
"""How long from today a patient may have reminders wait."""

MOST_OBJECTIONS = 5
"""How many objections of an account may wait for staff: one who gets no answer calls, and doesn't write for ever."""

MOST_WORDS = 500
"""Characters that may be said beside an objection's kind."""


class TooManyObjectionsError(Exception):
    """So many objections wait for staff that no further one is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said against a bill. statement_id: which one; "": all behind the link. text: in the patient's words."""

    kind: ObjectionKind
    recipient: str = GUARANTOR
    statement_id: str = ""
    text: str = ""


def object_to(
    book: AccountBook, elsewhere: Iterable[AccountBook], link: PaymentLink, said: Said, now: datetime
) -> list[Change]:
    """Take down an objection: a task for staff, until which dunning pauses (docs/rules.md#objection).

    Answers a change for the link's account, and one for each other that has bills of it by now (`elsewhere`); none:
    it was said before and isn't settled. Raises TooManyObjectionsError.
    """
    known = book.account.objections
    objection = Objection(
        task_id=task_id_at(now, book.account.account_id, TaskKind.PATIENT_OBJECTION, str(len(known))),
        kind=said.kind,
        said_at=now,
        statement_id=said.statement_id or link.statement_id,
        recipient=said.recipient,
        words=_hashed(said.text, book.account),
    )
    if any(_same(objection, each) for each in known):
        return []
    if len(known) >= MOST_OBJECTIONS:
        raise TooManyObjectionsError
    first = _objected(book, objection, link, now)
    others = [_objected(other, objection, link, now) for other in elsewhere]
    return [replace(first, tasks=(_task(book.account, objection, said),)), *others]


def settle_objection(book: AccountBook, task_id: str, now: datetime, actor: str) -> Change | None:
    """Let dunning go on that paused for an objection; None: it doesn't pause for it (any more)."""
    left = tuple(each for each in book.account.objections if each.task_id != task_id)
    if left == book.account.objections:
        return None
    event = HistoryEvent(at=now, event=OBJECTION_SETTLED, actor=actor, facts={"taskId": task_id})
    return Change(account=replace(book.account, objections=left, planning_at=now), history=(event,))


def reminder_days(today: date) -> tuple[date, date]:
    """The first and the last day on which a patient may ask to be reminded."""
    return today + timedelta(days=1), today + LATEST_REMINDER


def remind_on(books: Sequence[AccountBook], link: PaymentLink, day: date, now: datetime) -> list[Change]:
    """Have reminders wait until a day (docs/rules.md#remind-later), in the link's account and wherever its bills went.

    A day said before is forgotten for it. None: it is this day already. Whether the day may be asked for, see
    `reminder_days`.
    """
    return [_waiting(book, link, day, now) for book in books if book.account.remind_on != day]


def _waiting(book: AccountBook, link: PaymentLink, day: date, now: datetime) -> Change:
    facts = {"paymentLinkId": link.link_id, "until": day.isoformat()}
    event = HistoryEvent(at=now, event=REMINDER_ASKED_FOR, actor=Actor.PATIENT, facts=facts)
    return _paused(book, replace(book.account, remind_on=day), event, now)


def _objected(book: AccountBook, objection: Objection, link: PaymentLink, now: datetime) -> Change:
    facts = {"kind": objection.kind, "taskId": objection.task_id, "paymentLinkId": link.link_id}
    event = HistoryEvent(at=now, event=OBJECTED, actor=Actor.PATIENT, facts=facts)
    account = replace(book.account, objections=(*book.account.objections, objection))
    return _paused(book, account, event, now)


def _paused(book: AccountBook, account: Account, event: HistoryEvent, now: datetime) -> Change:
    """The change to an account whose dunning pauses from now on: what waits is cancelled at once."""
    stopped = cancel_pending(replace(book, account=account), now, Actor.PATIENT)
    return Change(account=replace(account, planning_at=now), notices=stopped, history=(event,))


def _task(account: Account, objection: Objection, said: Said) -> Task:
    facts = {"objection": objection.kind, "recipient": objection.recipient}
    return Task(
        task_id=objection.task_id,
        org_id=account.org_id,
        kind=TaskKind.PATIENT_OBJECTION,
        created_at=objection.said_at,
        account_id=account.account_id,
        statement_id=objection.statement_id,
        facts=facts | ({"text": said.text} if said.text else {}),
    )


def _same(objection: Objection, known: Objection) -> bool:
    """Whether it was said before: sent twice, or by a browser that goes back and forth."""
    return replace(known, task_id=objection.task_id, said_at=objection.said_at) == objection


def _hashed(text: str, account: Account) -> str:
    return sha256(f"{account.org_id}\n{account.account_id}\n{text}".encode()).hexdigest()[:24] if text else ""
