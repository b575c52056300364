"""Who may see what is behind a payment link: who knows the patient's date of birth (docs/rules.md#date-of-birth)."""

import hmac
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from shared.domain.paying.link_secrets import new_secret, secret_hash
from shared.domain.paying.payments import link_scope
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment_link import PaymentLink
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.postal_codes import zip_code
from shared.domain.vocabulary.randomness import RandomBytes
from shared.domain.vocabulary.words import LinkStatus

ANSWERS_BEFORE_LOCK = 10
LOCKED_FOR = timedelta(minutes=15)
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


def locked(link: PaymentLink, now: datetime) -> bool:
    """Whether the link accepts no further answer, after too many wrong ones."""
    return link.locked_until is not None and now < link.locked_until


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
    right one locks the link, and so does every tenth after it.
    """
    if locked(link, now):
        return Verification(outcome=AnswerOutcome.LOCKED, link=link)
    if _right(book, link, answer):
        return _opened(book, link, now, new_secret(random))
    wrong = link.wrong_answers + 1
    if wrong % ANSWERS_BEFORE_LOCK:
        counted = replace(link, wrong_answers=wrong)
        return Verification(
            outcome=AnswerOutcome.WRONG, link=counted, change=Change(account=book.account, links=(counted,))
        )
    shut = replace(link, wrong_answers=wrong, locked_until=now + LOCKED_FOR)
    event = _event(now, "PaymentLinkLocked", link, "wrong answers")
    change = Change(account=book.account, links=(shut,), history=(event,))
    return Verification(outcome=AnswerOutcome.LOCKED, link=shut, change=change)


def tries_left(link: PaymentLink) -> int:
    """How many wrong answers more until the link is locked."""
    return ANSWERS_BEFORE_LOCK - link.wrong_answers % ANSWERS_BEFORE_LOCK


def _opened(book: AccountBook, link: PaymentLink, now: datetime, secret: str) -> Verification:
    first = link.status is LinkStatus.SENT
    opened = replace(
        link,
        status=LinkStatus.OPENED if first else link.status,
        wrong_answers=0,
        locked_until=None,
        verified_hash=secret_hash(secret),
        verified_until=now + VERIFIED_FOR,
    )
    events = (_event(now, "PaymentLinkOpened", link, ""),) if first else ()
    change = Change(account=book.account, links=(opened,), history=events)
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
