"""Who may see what is behind a payment link: who knows the patient's date of birth (docs/rules.md#date-of-birth)."""

import hmac
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from shared.domain.paying.link_secrets import new_secret, secret_hash
from shared.domain.paying.payments import link_scope
from shared.domain.records.account import Account, WrongAnswers
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment_link import PaymentLink
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.postal_codes import zip_code
from shared.domain.vocabulary.randomness import RandomBytes
from shared.domain.vocabulary.words import LinkStatus

ANSWERS_BEFORE_LOCK = 10
LOCKED_FOR = timedelta(minutes=15)
ANSWERS_A_DAY = 30
"""Wrong answers within a day, over all links and bill codes of an account, after which that day's answers are over."""
A_DAY = timedelta(days=1)
VERIFIED_FOR = timedelta(minutes=30)
"""How long a browser that gave the right answer may see and pay without giving it again."""


class Standing(StrEnum):
    """Whether a link can be used."""

    OPEN = "open"
    EXPIRED = "expired"
    REVOKED = "revoked"


class AccessQuestion(StrEnum):
    """What is asked for before anything is shown; the holder of an account is its guarantor."""

    BIRTH_DATE = "birthDate"
    HOLDERS_BIRTH_DATE = "holdersBirthDate"
    POSTAL_CODE = "postalCode"
    NOTHING_KNOWN = "nothingKnown"


class AnswerOutcome(StrEnum):
    """What an answer led to."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The outcome of an answer with what it changes. `secret` is for the browser that gave the right one."""

    outcome: AnswerOutcome
    link: PaymentLink
    change: Change | None = None
    secret: str = ""


def standing(link: PaymentLink, now: datetime) -> Standing:
    """Whether a link is open at an instant; a superseded one counts as expired."""
    if link.status is LinkStatus.REVOKED:
        return Standing.REVOKED
    expired = link.status in {LinkStatus.SUPERSEDED, LinkStatus.EXPIRED} or now >= link.expires_at
    return Standing.EXPIRED if expired else Standing.OPEN


def locked_until(account: Account, now: datetime) -> datetime | None:
    """Until when the account's links accept no further answer, after too many wrong ones; None: they do accept one."""
    until = account.wrong_answers.locked_until
    return until if until is not None and now < until else None


def verified(link: PaymentLink, secret: str, now: datetime) -> bool:
    """Whether a browser's secret is the one that it got for a right answer, not too long ago."""
    in_time = link.verified_until is not None and now < link.verified_until
    return in_time and bool(secret) and hmac.compare_digest(secret_hash(secret), link.verified_hash)


def question(book: AccountBook, link: PaymentLink) -> AccessQuestion:
    """What to ask: a patient's date of birth, the guarantor's, or the guarantor's postal code, as far as known."""
    if _patients_birth_dates(book, link):
        return AccessQuestion.BIRTH_DATE
    if _birth_dates(book, link):
        return AccessQuestion.HOLDERS_BIRTH_DATE
    address = book.account.guarantor.address
    return AccessQuestion.POSTAL_CODE if address and zip_code(address.postal_code) else AccessQuestion.NOTHING_KNOWN


def verify(
    book: AccountBook, link: PaymentLink, answer: date | str, now: datetime, random: RandomBytes
) -> Verification:
    """Judge an answer: a date of birth, or a postal code where that is what was asked for.

    A right one makes a secret for this browser, which replaces an earlier browser's. The tenth wrong one since the last
    right one locks all links of the account, and so does every tenth after it; the last one of a day (ANSWERS_A_DAY)
    locks them until the day is over. Counted by link, five links of one account would be five times as many guesses.
    """
    if locked_until(book.account, now):
        return Verification(outcome=AnswerOutcome.LOCKED, link=link)
    if _right(book, link, answer):
        return _opened(book, link, now, new_secret(random))
    wrong = _counted(book.account.wrong_answers, now)
    account = replace(book.account, wrong_answers=wrong)
    if wrong.locked_until is None:
        return Verification(outcome=AnswerOutcome.WRONG, link=link, change=Change(account=account))
    event = _event(now, "PaymentLinkLocked", link, "wrong answers")
    change = Change(account=account, history=(event,))
    return Verification(outcome=AnswerOutcome.LOCKED, link=link, change=change)


def tries_left(account: Account, now: datetime) -> int:
    """How many wrong answers more until the account's links are locked."""
    wrong = account.wrong_answers
    until_lock = ANSWERS_BEFORE_LOCK - wrong.count % ANSWERS_BEFORE_LOCK
    return min(until_lock, ANSWERS_A_DAY - wrong.in_day) if _same_day(wrong, now) else until_lock


def _counted(before: WrongAnswers, now: datetime) -> WrongAnswers:
    """One wrong answer more, with the lock that it may lead to."""
    same_day = _same_day(before, now)
    wrong = WrongAnswers(
        count=before.count + 1,
        in_day=before.in_day + 1 if same_day else 1,
        day_began=before.day_began if same_day else now,
    )
    if wrong.in_day >= ANSWERS_A_DAY and wrong.day_began is not None:
        return replace(wrong, locked_until=wrong.day_began + A_DAY)
    locks = wrong.count % ANSWERS_BEFORE_LOCK == 0
    return replace(wrong, locked_until=now + LOCKED_FOR) if locks else wrong


def _same_day(wrong: WrongAnswers, now: datetime) -> bool:
    return wrong.day_began is not None and now < wrong.day_began + A_DAY


def _opened(book: AccountBook, link: PaymentLink, now: datetime, secret: str) -> Verification:
    first = link.status is LinkStatus.SENT
    opened = replace(
        link,
        status=LinkStatus.OPENED if first else link.status,
        verified_hash=secret_hash(secret),
        verified_until=now + VERIFIED_FOR,
    )
    events = (_event(now, "PaymentLinkOpened", link, ""),) if first else ()
    # The day's count stays: a right answer of one of the family isn't the end of somebody else's guessing.
    forgiven = replace(book.account.wrong_answers, count=0, locked_until=None)
    change = Change(account=replace(book.account, wrong_answers=forgiven), links=(opened,), history=events)
    return Verification(outcome=AnswerOutcome.RIGHT, link=opened, change=change, secret=secret)


def _event(now: datetime, event: str, link: PaymentLink, reason: str) -> HistoryEvent:
    return HistoryEvent(at=now, event=event, actor=Actor.PATIENT, reason=reason, facts={"paymentLinkId": link.link_id})


def _right(book: AccountBook, link: PaymentLink, answer: date | str) -> bool:
    if isinstance(answer, date):
        return answer in _birth_dates(book, link)
    address = book.account.guarantor.address
    asked = question(book, link) is AccessQuestion.POSTAL_CODE
    return asked and address is not None and zip_code(address.postal_code) == zip_code(answer)


def _birth_dates(book: AccountBook, link: PaymentLink) -> frozenset[date]:
    guarantors = book.account.guarantor.date_of_birth
    return _patients_birth_dates(book, link) or frozenset({guarantors} if guarantors else ())


def _patients_birth_dates(book: AccountBook, link: PaymentLink) -> frozenset[date]:
    scope = link_scope(book, link)
    open_bills = tuple(bill for bill in scope if bill.payable)
    # Where all is paid, the bills that were may still be opened, to say so.
    return frozenset(birth for bill in open_bills or scope for birth in bill.birth_dates)
