"""What patients and staff do during the sixty days: each scene happens on its day, in the morning.

Patients act through their mail, texts and letters and the real pages; staff and the practice's front desk through the
API. What they do is told to the input's bookkeeping, so that it can be compared with what the product made of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from local.demo import patient
from local.demo.input import ELSEWHERE, ONLINE
from local.demo.practices import BAY, RIDGE
from local.stack.errors import LocalStackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from local.demo.api import DemoApi
    from local.demo.input import DemoInput, InputAccount
    from local.demo.mailbox import Mailbox
    from local.demo.practices import Practice
    from local.stack.watch import LocalStack


@dataclass
class SceneWorld:
    """What scenes act on. `problems` are what patients and staff found wrong."""

    stack: LocalStack
    api: DemoApi
    input: DemoInput
    mailbox: Mailbox
    org_ids: Mapping[str, str]
    problems: list[str] = field(default_factory=list)
    waiting: dict[str, InputAccount] = field(default_factory=dict)
    _met: set[tuple[str, str]] = field(default_factory=set)

    def meet(self, practice: Practice, fits: Callable[[InputAccount], bool]) -> InputAccount:
        """Find somebody who fits, whom no file and no other scene touches, and who owes enough to hear of it."""
        lowest = max(practice.minimums.values())
        for account in self.input.of(practice):
            taken = account.touched or account.key in self._met or self.input.shares_an_address(account)
            if not taken and all(bill.balance > lowest for bill in account.bills) and fits(account):
                self._met.add(account.key)
                return account
        raise LocalStackError("the sample has nobody left for a scene of the demo")

    def path(self, account: InputAccount, *rest: str) -> str:
        """Return the API path of an account's organization, with more behind it."""
        return "/".join(["/v1/organizations", self.org_ids[account.facts.client_id], *rest])

    def mail(self, account: InputAccount) -> str:
        """Return the text of the latest email to somebody."""
        return self.mailbox.mail_to(account.addresses["email"]).text

    def text(self, account: InputAccount) -> str:
        """Return the latest text to somebody."""
        return self.mailbox.text_to(account.addresses["sms"]).message

    def letter(self, account: InputAccount, now: datetime) -> bytes:
        """Return the PDF of the latest letter to somebody; only its number, not its address, tells whose it is."""
        for item in self.api.every(self.path(account, "notifications"), now, channel="print", status="Sent"):
            if item["accountId"] == account.facts.account_id:
                letter = next(
                    each for _, each in self.mailbox.letters if each.notification_id == item["notificationId"]
                )
                return self.stack.printed(letter.pdf)
        raise LocalStackError("a patient waits for a letter that didn't come")


@dataclass(frozen=True)
class Scene:
    """Something that happens on a day after the start; `play` returns what to say about it."""

    day: int
    practice: Practice
    play: Callable[[SceneWorld, Practice, datetime], str]


# --- who ----------------------------------------------------------------------------------------------------------


def _alone(account: InputAccount) -> bool:
    return len(account.bills) == 1


def _by_email(account: InputAccount) -> bool:
    return _alone(account) and "email" in account.addresses and not account.facts.opted_out_email


def _by_text(account: InputAccount) -> bool:
    return _alone(account) and "sms" in account.addresses and not account.facts.opted_out_sms


def _by_both(account: InputAccount) -> bool:
    return _by_email(account) and _by_text(account)


def _by_letter_only(account: InputAccount) -> bool:
    return _alone(account) and not account.addresses


def _of_kind(kind: str) -> Callable[[InputAccount], bool]:
    return lambda account: account.facts.kind == kind and "sms" in account.addresses


def _answer(account: InputAccount) -> date | str:
    """What the account's link asks for: a date of birth, or the postal code where none is known."""
    return account.facts.birth_dates[0] if account.facts.birth_dates else account.facts.postal_code[:5]


# --- what ---------------------------------------------------------------------------------------------------------


def _pay_all(world: SceneWorld, account: InputAccount, link: str, now: datetime) -> int:
    """Pay everything behind a link, as the page offers it; returns the cents."""
    with patient.Browser(now) as browser:
        balance = patient.identify(browser, link, _answer(account))
        return _confirm(world, account, balance, browser, now)


def _confirm(
    world: SceneWorld, account: InputAccount, balance: patient.BrowserPage, browser: patient.Browser, now: datetime
) -> int:
    """Pay what a balance page offers, and see that it is what is owed and that it is thanked for."""
    asked = patient.amount_asked(balance)
    if asked != account.balance:
        world.problems.append(f"account {account.facts.account_id}: the page asks for another amount than is owed")
    done = patient.pay(browser, balance)
    if not patient.thanks(done):
        world.problems.append(f"account {account.facts.account_id}: a payment ends on “{done.heading}”")
    world.input.pay(account, asked, now.date(), ONLINE)
    return asked


def pay_by_email(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Pay in full from an email."""
    account = world.meet(practice, _by_email)
    cents = _pay_all(world, account, patient.link_in(world.mail(account)), now)
    return f"a patient paid {dollars(cents)} from an email"


def pay_by_text(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Pay in full from a text."""
    account = world.meet(practice, _by_text)
    cents = _pay_all(world, account, patient.link_in(world.text(account)), now)
    return f"a patient paid {dollars(cents)} from a text"


def pay_after_a_scanner(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Pay from an email whose link a mail scanner has been at first."""
    account = world.meet(practice, _by_email)
    link = patient.link_in(world.mail(account))
    with patient.Browser(now) as scanner:
        patient.scan(scanner, link)
    cents = _pay_all(world, account, link, now)
    return f"a patient paid {dollars(cents)} from an email after a mail scanner had opened its link 20 times"


def pay_by_letter(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Pay from the QR code of a letter, without email or mobile."""
    account = world.meet(practice, _by_letter_only)
    cents = _pay_all(world, account, patient.link_on_letter(world.letter(account, now)), now)
    return f"a patient paid {dollars(cents)} from the QR code of a letter"


def pay_by_bill_code(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Pay by typing in the bill code of a letter in Spanish."""
    account = world.meet(practice, _of_kind("spanish"))
    code = patient.bill_code_on_letter(world.letter(account, now))
    with patient.Browser(now) as browser:
        question = browser.submit(browser.open(f"{world.stack.api_url}/bill"), "/bill", code=code.lower())
        balance = patient.answer_question(browser, question, _answer(account))
        cents = _confirm(world, account, balance, browser, now)
    return f"a patient paid {dollars(cents)} after typing in the bill code of a letter"


def pay_by_postal_code(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Pay where no date of birth is known, and the postal code is asked instead."""
    account = world.meet(practice, _of_kind("no birth date"))
    cents = _pay_all(world, account, patient.link_in(world.text(account)), now)
    return f"a patient paid {dollars(cents)} from a text, with the postal code for a question"


def pay_in_part(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Mistake the date of birth first, then pay half."""
    account = world.meet(practice, _by_email)
    link, half = patient.link_in(world.mail(account)), account.balance // 2
    with patient.Browser(now) as browser:
        question = browser.open(link)
        wrong = patient.answer_question(browser, question, account.facts.birth_dates[0] - timedelta(days=1))
        if wrong.status != HTTPStatus.FORBIDDEN:
            world.problems.append(f"account {account.facts.account_id}: a wrong date of birth gets {wrong.status}")
        balance = patient.answer_question(browser, wrong, _answer(account))
        patient.pay(browser, balance, amount=f"{half // 100}.{half % 100:02d}")
    world.input.pay(account, half, now.date(), ONLINE)
    return f"a patient mistook the date of birth, then paid half, {dollars(half)}"


def pay_at_the_second_try(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Have the payment declined, go back and pay."""
    account = world.meet(practice, _by_both)
    with patient.Browser(now) as browser:
        balance = patient.identify(browser, patient.link_in(world.mail(account)), _answer(account))
        declined = patient.pay(browser, balance, outcome="decline")
        if patient.thanks(declined):
            world.problems.append(f"account {account.facts.account_id}: a declined payment is thanked for")
        cents = _confirm(world, account, balance, browser, now)
    return f"a patient was declined, then paid {dollars(cents)}"


def pay_one_bill(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Pick one of several bills and pay it."""
    account = world.meet(practice, lambda each: len(each.bills) > 1 and "email" in each.addresses)
    bill = max(account.bills, key=lambda each: each.statement_id)
    cents = bill.balance
    with patient.Browser(now) as browser:
        balance = patient.identify(browser, patient.link_in(world.mail(account)), _answer(account))
        amount = f"{cents // 100}.{cents % 100:02d}"
        patient.pay(browser, balance, amount=amount, statementId=bill.statement_id)
    world.input.pay(account, cents, now.date(), ONLINE, bill.statement_id)
    return f"a patient picked one of {len(account.bills)} bills and paid {dollars(cents)}"


def ask_for_a_new_link(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Open a link that has expired and have a new one sent."""
    account = world.meet(practice, _by_email)
    first = next(mail.text for _, mail in world.mailbox.mails if account.addresses["email"] in mail.to)
    with patient.Browser(now) as browser:
        over = browser.open(patient.link_in(first))
        if over.status != HTTPStatus.GONE:
            world.problems.append(f"account {account.facts.account_id}: an expired link gets {over.status}")
        browser.submit(over, "/renew")
    world.waiting[practice.client_id] = account
    return "a patient opened a link that had expired and asked for a new one"


def pay_by_the_new_link(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Pay from the email with the new link."""
    account = world.waiting.pop(practice.client_id)
    cents = _pay_all(world, account, patient.link_in(world.mail(account)), now)
    return f"a patient paid {dollars(cents)} from the new link"


def unsubscribe(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Press the mail program's own unsubscribe button."""
    account = world.meet(practice, _by_both)
    with patient.Browser(now) as browser:
        browser.post(patient.unsubscribe_link_in(world.mail(account)), **{"List-Unsubscribe": "One-Click"})
    account.opted_out_from["email"] = now.date()
    return "a patient unsubscribed from email"


def dispute(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Staff put an account on hold."""
    account = world.meet(practice, _by_both)
    world.api.call("PATCH", world.path(account, "accounts", account.facts.account_id), now, body={"holds": ["Dispute"]})
    account.held_from = now.date()
    return "a patient disputed a bill; staff put the account on hold"


def pay_at_the_desk(world: SceneWorld, practice: Practice, now: datetime) -> str:
    """Pay at the practice's front desk, on the morning of the day for which a reminder is planned."""
    account = world.meet(practice, _by_both)
    bill, cents = account.bills[0], account.balance
    world.api.call(
        "POST",
        world.path(account, "bills", bill.statement_id, "payments"),
        now,
        body={
            "amount": f"{cents // 100}.{cents % 100:02d}",
            "method": "cash",
            "transactionId": f"desk-{bill.statement_id}",
            "receivedOn": now.date().isoformat(),
        },
    )
    world.input.pay(account, cents, now.date(), ELSEWHERE)
    return f"a patient paid {dollars(cents)} at the front desk"


SCENES = (
    Scene(2, BAY, pay_after_a_scanner),
    Scene(2, RIDGE, pay_by_text),
    Scene(3, BAY, pay_by_letter),
    Scene(4, RIDGE, pay_by_postal_code),
    Scene(8, BAY, pay_in_part),
    Scene(9, BAY, dispute),
    Scene(9, RIDGE, dispute),
    Scene(11, RIDGE, pay_at_the_second_try),
    Scene(12, BAY, pay_by_bill_code),
    Scene(15, BAY, pay_by_email),
    Scene(18, RIDGE, pay_by_email),
    Scene(22, BAY, pay_by_text),
    Scene(25, BAY, unsubscribe),
    Scene(25, RIDGE, unsubscribe),
    Scene(30, BAY, pay_at_the_desk),
    Scene(30, RIDGE, pay_at_the_desk),
    Scene(30, BAY, pay_by_email),
    Scene(31, BAY, pay_one_bill),
    Scene(32, RIDGE, pay_by_text),
    Scene(36, RIDGE, pay_in_part),
    Scene(45, RIDGE, ask_for_a_new_link),
    Scene(46, RIDGE, pay_by_the_new_link),
    Scene(47, BAY, pay_by_email),
    Scene(60, BAY, pay_by_text),
)
"""Sixty days of them. A link lives for thirty days, so those who pay later do so from a reminder."""


def dollars(cents: int) -> str:
    """Return an amount as a person reads it."""
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"
