"""Payment links: their secrets, who may open one, and what the patient behind one may ask for."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from secrets import token_bytes
from typing import Any

import pytest

from shared.domain.paying.link_access import (
    A_DAY,
    ANSWERS_A_DAY,
    ANSWERS_BEFORE_LOCK,
    LOCKED_FOR,
    VERIFIED_FOR,
    AccessQuestion,
    AnswerOutcome,
    Standing,
    locked_until,
    question,
    standing,
    tries_left,
    verified,
    verify,
)
from shared.domain.paying.link_secrets import (
    CODE_ALPHABET,
    TOKEN_ALPHABET,
    new_bill_code,
    new_payment_link,
    new_secret,
    normalized_code,
    secret_hash,
    well_formed,
)
from shared.domain.paying.patient_requests import (
    MOST_RENEWALS,
    OUR_REFERENCE,
    RENEWAL_PAUSE,
    AmountError,
    AmountProblem,
    MoneyTaken,
    WantedPayment,
    begin_checkout,
    complete_checkout,
    decline_checkout,
    new_reference,
    open_bills,
    payment_id_of,
    renew,
)
from shared.domain.records.account import NO_WRONG_ANSWERS, Account, WrongAnswers
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import BillLevel
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.postal_codes import zip_code
from shared.domain.vocabulary.words import BillStatus, Channel, LinkStatus, NoticeStatus, NotificationType
from tests.worlds.bounds import some
from tests.worlds.examples import ADDRESS, NOW, account, bill, book, notice, organization

EMAIL, SMS, PRINT = Channel
SECOND = timedelta(seconds=1)
BIRTH = date(2015, 6, 7)
LINK = PaymentLink(
    link_id="lnk_1",
    org_id="org_1",
    account_id="G-1",
    notice_id="ntc_1",
    token_hash="t",
    created_at=NOW,
    expires_at=NOW + timedelta(days=30),
)
FOR_ONE = replace(LINK, statement_id="S-2")


# --- secrets -----------------------------------------------


def test_a_token_is_twenty_two_letters_and_digits_and_never_the_same() -> None:
    """Without punctuation that programs cut off."""
    tokens = {new_secret(token_bytes) for _ in range(200)}
    assert len(tokens) == 200
    assert all(re.fullmatch(r"[A-Za-z0-9]{22}", token) for token in some(tokens))
    assert set("".join(tokens)) == set(TOKEN_ALPHABET)


def test_a_bill_code_is_ten_signs_that_nobody_misreads() -> None:
    """In two groups."""
    codes = {new_bill_code(token_bytes) for _ in range(200)}
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", code) for code in some(codes))
    assert set("".join(codes)) - {"-"} == set(CODE_ALPHABET)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("01234-56789", "0123456789"),
        (" abcde\tfghjk ", "ABCDEFGHJK"),
        ("oil00\N{EN DASH}00000", "0110000000"),
        ("ABCDE\N{EM DASH}FGHJK", "ABCDEFGHJK"),
        ("ABCDEFGHJ", None),
        ("ABCDEFGHJKM", None),
        ("ABCDEFGHJU", None),
        ("", None),
    ],
)
def test_a_bill_code_is_read_as_it_was_meant(typed: str, meant: str | None) -> None:
    """Whatever the case, spaces, dashes and misread letters."""
    assert normalized_code(typed) == meant
    assert well_formed(typed) is (meant is not None)


def test_a_secret_is_stored_as_its_hash_and_codes_hash_alike() -> None:
    """A token's letters count as they are."""
    token = "abcdefghijklmnopqrstuv"
    assert secret_hash(token) == sha256(token.encode()).hexdigest()
    assert secret_hash("abcde-fghjk") == secret_hash("ABCDE FGHJK") == sha256(b"ABCDEFGHJK").hexdigest()
    assert secret_hash("neither") == sha256(b"neither").hexdigest()


@pytest.mark.parametrize(
    ("secret", "possible"),
    [("a" * 22, True), ("a" * 21, False), ("a" * 21 + "-", False), ("ABCDE-FGHJK", True), ("x", False)],
)
def test_what_can_be_no_secret_isnt_looked_up(secret: str, *, possible: bool) -> None:
    """By its shape alone."""
    assert well_formed(secret) is possible


def test_a_new_link_keeps_hashes_only() -> None:
    """With a code for paper only."""
    facts: dict[str, Any] = {"org_id": "org_1", "account_id": "G-1", "now": NOW, "lives": timedelta(days=2)}
    more: dict[str, Any] = {"statement_id": "S-1", "notice_id": "ntc_1", "sent_to": "m***"}
    issued, paper = (
        new_payment_link(**facts, **more, random=token_bytes),
        new_payment_link(**facts, with_code=True, random=token_bytes),
    )
    assert issued.link == PaymentLink(
        link_id=issued.link.link_id,
        org_id="org_1",
        account_id="G-1",
        statement_id="S-1",
        notice_id="ntc_1",
        token_hash=secret_hash(issued.token),
        created_at=NOW,
        expires_at=NOW + timedelta(days=2),
        sent_to="m***",
    )
    assert re.fullmatch(r"lnk_[0-9a-f]{20}", issued.link.link_id)
    assert (issued.code, paper.link.code_hash) == ("", secret_hash(paper.code))
    assert (paper.link.statement_id, paper.link.notice_id, paper.link.sent_to) == ("",) * 3
    assert well_formed(paper.code)


# --- who may open it -----------------------------------------------


@pytest.mark.parametrize(
    ("status", "stands"),
    [
        (LinkStatus.SENT, Standing.OPEN),
        (LinkStatus.OPENED, Standing.OPEN),
        (LinkStatus.PAID, Standing.OPEN),
        (LinkStatus.SUPERSEDED, Standing.EXPIRED),
        (LinkStatus.EXPIRED, Standing.EXPIRED),
        (LinkStatus.REVOKED, Standing.REVOKED),
    ],
)
def test_a_link_stands_by_its_status_until_it_expires(status: LinkStatus, stands: Standing) -> None:
    """At the very instant of its end it is over."""
    link = replace(LINK, status=status)
    assert standing(link, NOW) is stands
    assert standing(link, LINK.expires_at - SECOND) is stands
    over = Standing.REVOKED if status is LinkStatus.REVOKED else Standing.EXPIRED
    assert standing(link, LINK.expires_at) is over


def test_a_right_answer_opens_the_link_for_this_browser_for_half_an_hour() -> None:
    """And counts the wrong ones anew."""
    wrong = WrongAnswers(count=3, in_day=13, day_began=NOW - LOCKED_FOR, locked_until=NOW)
    asked = replace(book(), account=replace(account(), wrong_answers=wrong))
    verification = verify(asked, LINK, BIRTH, NOW, token_bytes)
    link = verification.link
    assert verification.outcome is AnswerOutcome.RIGHT
    assert link.status is LinkStatus.OPENED
    assert link.verified_until == NOW + VERIFIED_FOR
    assert verified(link, verification.secret, NOW + VERIFIED_FOR - SECOND)
    assert not verified(link, verification.secret, NOW + VERIFIED_FOR)
    assert not verified(link, new_secret(token_bytes), NOW)
    assert not verified(link, "", NOW)
    assert not verified(replace(LINK, verified_hash=secret_hash("")), "", NOW)
    assert not verified(replace(link, verified_hash=secret_hash("")), "", NOW)
    assert verification.change is not None
    forgiven = replace(wrong, count=0, locked_until=None)
    assert verification.change.account == replace(account(), wrong_answers=forgiven)
    assert verification.change.links == (link,)
    assert [
        (event.event, event.at, event.actor, event.reason, event.facts) for event in verification.change.history
    ] == [("PaymentLinkOpened", NOW, "patient", "", {"paymentLinkId": "lnk_1"})]


@pytest.mark.parametrize("status", [LinkStatus.OPENED, LinkStatus.PAID])
def test_a_link_that_was_opened_before_keeps_its_status(status: LinkStatus) -> None:
    """And its history says it once."""
    verification = verify(book(), replace(LINK, status=status), BIRTH, NOW, token_bytes)
    assert verification.link.status is status
    assert verification.change is not None
    assert verification.change.history == ()


def wrongly_answered(times: int, now: datetime, wrong: WrongAnswers = NO_WRONG_ANSWERS) -> tuple[Account, str]:
    """The account after so many wrong answers at once, whatever was locked meanwhile, and the last one's outcome."""
    owner, outcome = replace(account(), wrong_answers=wrong), AnswerOutcome.RIGHT
    for n in range(times):
        unlocked = replace(owner, wrong_answers=replace(owner.wrong_answers, locked_until=None))
        asked = replace(LINK, link_id=f"lnk_{n}")
        verification = verify(replace(book(), account=unlocked), asked, date(2000, 1, 1), now, token_bytes)
        assert verification.change is not None
        assert (verification.link, verification.secret, verification.change.links) == (asked, "", ())
        locks = verification.outcome is AnswerOutcome.LOCKED
        events = [(event.event, event.reason, event.at) for event in verification.change.history]
        assert events == ([("PaymentLinkLocked", "wrong answers", now)] if locks else [])
        owner, outcome = verification.change.account, verification.outcome
    return owner, outcome


def test_every_tenth_wrong_answer_locks_all_links_of_the_account() -> None:
    """For a quarter of an hour, in which no answer is looked at, whichever links they were given to."""
    for count in range(1, 2 * ANSWERS_BEFORE_LOCK + 1):
        owner, outcome = wrongly_answered(count, NOW)
        locks = count % ANSWERS_BEFORE_LOCK == 0
        assert outcome is (AnswerOutcome.LOCKED if locks else AnswerOutcome.WRONG)
        assert tries_left(owner, NOW) == ANSWERS_BEFORE_LOCK - count % ANSWERS_BEFORE_LOCK
        assert locked_until(owner, NOW + LOCKED_FOR - SECOND) == (NOW + LOCKED_FOR if locks else None)
        assert locked_until(owner, NOW + LOCKED_FOR) is None
    refused = verify(replace(book(), account=owner), LINK, BIRTH, NOW, token_bytes)
    assert (refused.outcome, refused.link, refused.change) == (AnswerOutcome.LOCKED, LINK, None)


def test_the_thirtieth_wrong_answer_within_a_day_locks_until_the_day_is_over() -> None:
    """A day from the first of them. Right answers in between change nothing about that."""
    before, _ = wrongly_answered(25, NOW)
    opened = verify(replace(book(), account=before), LINK, BIRTH, NOW, token_bytes).change
    assert opened is not None
    later = NOW + timedelta(hours=23)
    assert tries_left(opened.account, later) == ANSWERS_A_DAY - 25
    owner, outcome = wrongly_answered(5, later, opened.account.wrong_answers)
    assert outcome is AnswerOutcome.LOCKED
    assert locked_until(owner, later) == NOW + A_DAY
    assert locked_until(owner, NOW + A_DAY) is None
    assert tries_left(owner, NOW + A_DAY) == ANSWERS_BEFORE_LOCK - 5
    again, _ = wrongly_answered(1, NOW + A_DAY, owner.wrong_answers)
    assert (again.wrong_answers.in_day, again.wrong_answers.day_began) == (1, NOW + A_DAY)


def without_births(**changes: Any) -> AccountBook:
    guarantor = replace(account().guarantor, date_of_birth=None)
    return book(account=account(guarantor=replace(guarantor, **changes)), bills=(bill(birth_dates=()),))


def test_any_patients_date_of_birth_on_the_open_bills_opens_it() -> None:
    """Not that of a paid one while another is open; where all is paid, any."""
    other = bill("S-2", birth_dates=(date(2001, 1, 1), date(2002, 2, 2)))
    paid = bill(status=BillStatus.PAID, balance=0)
    assert verify(book(bills=(bill(), other)), LINK, date(2002, 2, 2), NOW, token_bytes).outcome is AnswerOutcome.RIGHT
    assert verify(book(bills=(paid, other)), LINK, BIRTH, NOW, token_bytes).outcome is AnswerOutcome.WRONG
    assert verify(book(bills=(paid,)), LINK, BIRTH, NOW, token_bytes).outcome is AnswerOutcome.RIGHT
    assert verify(book(bills=(bill(), other)), FOR_ONE, BIRTH, NOW, token_bytes).outcome is AnswerOutcome.WRONG


def test_without_a_patients_the_guarantors_date_of_birth_opens_it() -> None:
    """And not beside one."""
    unknown = book(bills=(bill(birth_dates=()),))
    assert question(unknown, LINK) is AccessQuestion.HOLDERS_BIRTH_DATE
    assert question(book(), LINK) is AccessQuestion.BIRTH_DATE
    assert verify(unknown, LINK, date(1980, 2, 29), NOW, token_bytes).outcome is AnswerOutcome.RIGHT
    assert verify(book(), LINK, date(1980, 2, 29), NOW, token_bytes).outcome is AnswerOutcome.WRONG


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("12207", AnswerOutcome.RIGHT),
        (" 12207-1234", AnswerOutcome.RIGHT),
        ("12208", AnswerOutcome.WRONG),
        ("", AnswerOutcome.WRONG),
        (BIRTH, AnswerOutcome.WRONG),
    ],
)
def test_without_any_date_of_birth_the_postal_code_is_asked(answer: date | str, outcome: AnswerOutcome) -> None:
    """Its first five digits."""
    assert question(without_births(), LINK) is AccessQuestion.POSTAL_CODE
    assert verify(without_births(), LINK, answer, NOW, token_bytes).outcome is outcome


def test_a_postal_code_opens_nothing_where_a_date_is_asked() -> None:
    """It stands on the envelope."""
    assert verify(book(), LINK, "12207", NOW, token_bytes).outcome is AnswerOutcome.WRONG


@pytest.mark.parametrize("address", [None, replace(ADDRESS, postal_code="unknown")])
def test_where_nothing_is_known_nothing_opens(address: Any) -> None:
    """Not even nothing."""
    unknown = without_births(address=address)
    assert question(unknown, LINK) is AccessQuestion.NOTHING_KNOWN
    assert verify(unknown, LINK, "", NOW, token_bytes).outcome is AnswerOutcome.WRONG
    assert verify(unknown, LINK, "unknown", NOW, token_bytes).outcome is AnswerOutcome.WRONG


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("12207", "12207"),
        ("12207-1234", "12207"),
        ("12 207", "12207"),
        ("122071234", "12207"),
        ("1220", None),
        ("122071", None),
        ("1220x", None),
        ("\N{ARABIC-INDIC DIGIT ONE}2207", None),
    ],
)
def test_a_zip_code_is_its_five_digits(typed: str, code: str | None) -> None:
    """However it is typed."""
    assert zip_code(typed) == code


# --- paying -----------------------------------------------

TWO = book(bills=(bill("S-2", balance=50_00, created_at=NOW + SECOND), bill(balance=20_00)))


def test_the_bills_behind_a_link_are_those_that_can_be_paid_oldest_first() -> None:
    """A link sent by staff is for its one."""
    paid = bill("S-3", status=BillStatus.PAID, balance=0)
    several = replace(TWO, bills=(*TWO.bills, paid))
    older = replace(several.bills[1], statement_date=date(2026, 1, 1))
    ordered = replace(several, bills=(several.bills[0], older, paid))
    assert [each.statement_id for each in open_bills(ordered, LINK, organization())] == ["S-1", "S-2"]
    assert [each.statement_id for each in open_bills(ordered, FOR_ONE, organization())] == ["S-2"]


@pytest.mark.parametrize(
    ("link", "amount", "chosen", "paid", "for_bill"),
    [
        (LINK, None, "", 70_00, ""),
        (LINK, 70_00, "", 70_00, ""),
        (LINK, 1, "", 1, ""),
        (LINK, None, "S-1", 20_00, "S-1"),
        (FOR_ONE, None, "", 50_00, "S-2"),
    ],
)
def test_a_checkout_is_for_what_was_chosen(
    link: PaymentLink, amount: int | None, chosen: str, paid: int, for_bill: str
) -> None:
    """At most what is owed."""
    assert begin_checkout(TWO, link, WantedPayment(amount=amount, statement_id=chosen), "dln_1", NOW) == Checkout(
        reference="dln_1",
        org_id="org_1",
        account_id="G-1",
        link_id="lnk_1",
        statement_id=for_bill,
        amount=paid,
        created_at=NOW,
    )


@pytest.mark.parametrize(
    ("link", "amount", "chosen", "problem", "most"),
    [
        (LINK, 0, "", AmountProblem.NOT_POSITIVE, 70_00),
        (LINK, -1, "S-1", AmountProblem.NOT_POSITIVE, 20_00),
        (LINK, 70_01, "", AmountProblem.MORE_THAN_SUM, 70_00),
        (LINK, 20_01, "S-1", AmountProblem.MORE_THAN_BILL, 20_00),
        (LINK, 1, "S-9", AmountProblem.NO_SUCH_BILL, 0),
        (FOR_ONE, 1, "S-1", AmountProblem.NO_SUCH_BILL, 0),
        (replace(LINK, statement_id="S-9"), 1, "", AmountProblem.NOTHING_OPEN, 0),
    ],
)
def test_other_amounts_are_refused(
    link: PaymentLink, amount: int, chosen: str, problem: AmountProblem, most: int
) -> None:
    """With what could be paid."""
    with pytest.raises(AmountError) as refused:
        begin_checkout(TWO, link, WantedPayment(amount=amount, statement_id=chosen), "dln_1", NOW)
    assert (refused.value.problem, refused.value.most) == (problem, most)


def test_a_reference_is_known_as_ours() -> None:
    """And leads to one payment."""
    reference = new_reference(token_bytes)
    assert OUR_REFERENCE.fullmatch(reference)
    assert payment_id_of(reference) == f"pay_{reference}"


WENT = Checkout(
    reference="dln_1",
    org_id="org_1",
    account_id="G-1",
    link_id="lnk_1",
    statement_id="S-2",
    amount=50_00,
    created_at=NOW,
)


def test_what_the_processor_took_is_posted_once() -> None:
    """To the bill that the checkout was for, as of the practice's day."""
    late = NOW.replace(day=3, hour=3)  # still the second in New York
    went = replace(TWO, checkouts=(replace(WENT, declined_at=NOW),), links=(LINK,))
    change = complete_checkout(went, organization(), "dln_1", MoneyTaken(amount=50_00), late)
    assert change is not None
    (payment,) = change.payments
    assert (payment.payment_id, payment.amount, payment.method, payment.transaction_id, payment.link_id) == (
        "pay_dln_1",
        50_00,
        "card",
        "dln_1",
        "lnk_1",
    )
    assert (payment.received_on, [share.statement_id for share in payment.allocations]) == (date(2026, 3, 2), ["S-2"])
    assert change.checkouts == (replace(WENT, completed_at=late, declined_at=None),)
    assert change.history[0].actor == "processor"
    assert complete_checkout(went.after(change), organization(), "dln_1", MoneyTaken(amount=50_00), late) is None
    assert complete_checkout(went, organization(), "dln_2", MoneyTaken(amount=50_00), late) is None


def test_a_decline_is_noted_once_and_never_after_the_money_came() -> None:
    """A patient may try again there."""
    went = replace(TWO, checkouts=(WENT,))
    change = decline_checkout(went, "dln_1", NOW)
    assert change is not None
    assert (change.account, change.checkouts) == (account(), (replace(WENT, declined_at=NOW),))
    assert decline_checkout(went.after(change), "dln_1", NOW) is None
    assert decline_checkout(replace(went, checkouts=(replace(WENT, completed_at=NOW),)), "dln_1", NOW) is None
    assert decline_checkout(went, "dln_2", NOW) is None


# --- a new link, and no more emails -----------------------------------------------

ASKED = book(notices=(notice(),))


def test_a_new_link_goes_where_the_old_one_went() -> None:
    """Open for the whole account, as the old one was."""
    change = renew(ASKED, LINK, NOW)
    assert change is not None
    (new,) = change.notices
    assert re.fullmatch(r"rnw_[0-9a-f]{24}_1", new.notice_id)
    assert (new.org_id, new.account_id, new.channel, new.notification_type, new.send_to) == (
        "org_1",
        "G-1",
        EMAIL,
        NotificationType.PAYMENT_LINK,
        "guarantor",
    )
    assert (new.bills, new.scheduled_for, new.created_at, new.status) == ((), NOW, NOW, NoticeStatus.SCHEDULED)
    (entry,) = new.status_history
    assert (entry.status, entry.at, entry.actor, entry.reason) == (
        NoticeStatus.SCHEDULED,
        NOW,
        "patient",
        "new link asked for",
    )
    (event,) = change.history
    assert (event.event, event.at, event.actor, event.facts) == (
        "PaymentLinkAskedFor",
        NOW,
        "patient",
        {"paymentLinkId": "lnk_1"},
    )
    assert change.account == account()


def test_a_new_link_for_one_bill_is_for_that_bill() -> None:
    """If it is owed still."""
    change = renew(replace(TWO, notices=(notice(),)), FOR_ONE, NOW)
    assert change is not None
    assert change.notices[0].bills == (BillLevel(statement_id="S-2", aging_period="S-2/1", level=0),)
    paid = replace(TWO, bills=(bill("S-2", status=BillStatus.PAID, balance=0), bill()))
    assert renew(paid, FOR_ONE, NOW) is None


def test_new_links_are_asked_for_with_pauses_and_not_without_end() -> None:
    """Scanners press every button."""
    asked, now = ASKED, NOW
    for count in range(1, MOST_RENEWALS + 1):
        change = renew(asked, LINK, now)
        assert change is not None
        assert change.notices[0].notice_id.endswith(f"_{count}")
        asked = asked.after(change)
        assert renew(asked, LINK, now + RENEWAL_PAUSE - SECOND) is None
        now += RENEWAL_PAUSE
    assert renew(asked, LINK, now) is None
    assert renew(asked, replace(LINK, link_id="lnk_2"), now)


def channel_of_renewal(row: dict[str, Any], **changes: Any) -> Channel | None:
    change = renew(book(account=account(**changes), notices=(notice(**row),)), LINK, NOW)
    return change.notices[0].channel if change else None


def nowhere(**members: Any) -> dict[str, Any]:
    return {"guarantor": replace(account().guarantor, **members)}


@pytest.mark.parametrize(
    ("row", "changes", "channel"),
    [
        ({"channel": SMS}, {}, SMS),
        ({"channel": PRINT}, {}, EMAIL),
        ({"channel": PRINT}, nowhere(email=""), SMS),
        ({"channel": SMS}, nowhere(mobile_phone=""), EMAIL),
        ({"channel": EMAIL}, {"undeliverable": frozenset({EMAIL})}, SMS),
        ({"channel": EMAIL}, {"opt_outs": OptOuts(email=True)}, EMAIL),
        ({"channel": SMS}, {"opt_outs": OptOuts(sms=True)}, EMAIL),
        ({"channel": SMS}, {"opt_outs": OptOuts(sms=True)} | nowhere(email=""), None),
        ({"notice_id": "ntc_other", "channel": SMS}, {}, EMAIL),
        ({"channel": SMS, "send_to": "patient"}, nowhere(mobile_phone=""), SMS),
        ({"channel": PRINT, "send_to": "patient"}, nowhere(email=""), EMAIL),
    ],
)
def test_a_new_link_goes_by_a_channel_that_can_be_used(
    row: dict[str, Any], changes: dict[str, Any], channel: Channel | None
) -> None:
    """Someone who opted out of email asks for this one; after STOP no text goes, whoever asks."""
    assert channel_of_renewal(row, **changes) is channel


def test_a_new_link_goes_to_whom_the_old_one_went() -> None:
    """To a patient, for instance."""
    change = renew(book(notices=(notice(send_to="patient"),)), LINK, NOW)
    assert change is not None
    assert change.notices[0].send_to == "patient"
