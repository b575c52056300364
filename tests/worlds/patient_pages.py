"""Every page that a patient can get, made without a table behind."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from secrets import token_bytes
from typing import TYPE_CHECKING, Any, cast

import pytest
from aws_lambda_powertools import Logger

from functions.payment_link.channel_pages import ChannelPages
from functions.payment_link.page import Page, PageError, Redirect
from functions.payment_link.patient_pages import PatientPages
from functions.payment_link.processors import Processors
from functions.payment_link.request_pages import RequestPages
from functions.payment_link.site import BUSY_PAGE, UNKNOWN_PAGE, PageAnswer, PageRequest
from functions.payment_link.visits import Desk, LinkVisit
from shared.domain.account.contacts import number_hash
from shared.domain.paying.link_access import Verification, verify
from shared.domain.paying.link_secrets import new_payment_link
from shared.domain.paying.objections import Said, object_to, remind_on
from shared.domain.paying.patient_requests import payment_id_of
from shared.domain.records.account import WrongAnswers
from shared.domain.records.book import Change
from shared.domain.records.payment import Allocation, Payment
from shared.domain.records.payment_link import Checkout
from shared.domain.records.policy import PaymentSettings
from shared.domain.records.statement import OptOuts
from shared.domain.texting import channel_choices
from shared.domain.texting.channel_choices import Agreement
from shared.domain.vocabulary.words import Channel, Processor
from shared.processors.secret_values import SecretValues
from shared.processors.stripe_account import StripeAccounts
from tests.worlds.examples import NOW, account, bill, book, organization

if TYPE_CHECKING:
    from shared.storage.code_tries import CodeTries

BASE = "https://pay.example.com/prod"
ISSUED = new_payment_link(org_id="org_1", account_id="G-1", now=NOW, lives=timedelta(days=30), random=token_bytes)
RIGHT = {"month": "6", "day": "7", "year": "2015"}
TOKEN = ISSUED.token
VOID_TAGS = frozenset({"meta", "input", "br", "link", "hr", "img"})


class FakeDesk:
    """A desk with one visitor, who answers without a table behind."""

    def __init__(self, visit: LinkVisit) -> None:
        self.known = visit

    def visit(self, token: str, _: object) -> LinkVisit | None:
        return self.known if token == TOKEN else None

    def answer(self, visit: LinkVisit, given: date | str, now: Any) -> tuple[LinkVisit, Verification]:
        judged = verify(visit.book, visit.link, given, now, token_bytes)
        self.known = replace(visit, link=judged.link)
        return self.known, judged

    def renew(self, *_: object) -> None:
        pass

    def unsubscribe(self, visit: LinkVisit, now: datetime, agreed: Agreement) -> LinkVisit:
        return self._after(visit, channel_choices.unsubscribe(visit.book, now, agreed))

    def resubscribe(self, visit: LinkVisit, now: datetime, agreed: Agreement) -> LinkVisit:
        return self._after(visit, channel_choices.resubscribe(visit.book, now, agreed))

    def choose(
        self, visit: LinkVisit, wanted: frozenset[Channel], now: datetime, agreed: Agreement, *, may_opt_in: bool
    ) -> LinkVisit:
        return self._after(visit, channel_choices.choose(visit.book, wanted, now, agreed, may_opt_in=may_opt_in))

    def object_to(self, visit: LinkVisit, said: Said, now: datetime) -> None:
        for change in object_to(visit.book, [], visit.link, said, now):
            self.known = self._after(visit, change)

    def remind_on(self, visit: LinkVisit, day: date, now: datetime) -> None:
        for change in remind_on([visit.book], visit.link, day, now):
            self.known = self._after(visit, change)

    def _after(self, visit: LinkVisit, change: Change | None) -> LinkVisit:
        return replace(visit, book=visit.book.after(change)) if change else visit


class FakeTries:
    """Too many codes were tried until five minutes from now."""

    def refused_until(self, address: str, code: str, now: datetime) -> datetime:
        return now + timedelta(minutes=5)


def visit(**changes: Any) -> LinkVisit:
    """A visit to the account with its one bill."""
    processor = changes.pop("processor", Processor.SANDBOX)
    found = book(links=(ISSUED.link,), **changes)
    practice = organization(payments=PaymentSettings(processor=processor))
    return LinkVisit(token=TOKEN, organization=practice, book=found, link=ISSUED.link)


def pages(known: LinkVisit) -> PatientPages:
    desk, stripe = cast("Desk", FakeDesk(known)), StripeAccounts(SecretValues(cast("Any", None)))
    processors = Processors(
        desk=desk, base_url=BASE, stripe=stripe, logger=Logger(), sandbox_url="https://sandbox.example.net"
    )
    return PatientPages(
        desk=desk,
        code_tries=cast("CodeTries", FakeTries()),
        base_url=BASE,
        processors=processors,
        documents=True,
    )


def shown(answer: PageAnswer) -> Page:
    assert isinstance(answer, Page)
    return answer


def of_error(ask: Callable[[], object]) -> Page:
    with pytest.raises(PageError) as raised:
        ask()
    return raised.value.page


def balance(known: LinkVisit) -> Page:
    """What the right answer leads to."""
    asked = pages(known)
    answer = asked.verify(PageRequest(now=NOW, form=RIGHT), TOKEN)
    assert isinstance(answer, Redirect)
    return shown(asked.enter(PageRequest(now=NOW, cookie=answer.cookie), TOKEN))


def verified_wrongly(known: LinkVisit, **form: str) -> Page:
    return of_error(lambda: pages(known).verify(PageRequest(now=NOW, form=form), TOKEN))


def channel_pages(**changes: Any) -> ChannelPages:
    """The channel pages of an account with these differences."""
    bills = changes.pop("bills", (bill(),))
    known = visit(account=account(**changes), bills=bills)
    return ChannelPages(desk=cast("Desk", FakeDesk(known)))


def act(known: ChannelPages, **form: str) -> Page:
    """The page after a form, also where it is the question."""
    try:
        return shown(known.act(PageRequest(now=NOW, form=form), TOKEN))
    except PageError as error:
        return error.page


def every_channel_page() -> Iterator[tuple[str, Page]]:
    """Each page on which a patient says how to be reached."""
    nothing_known = replace(account().guarantor, date_of_birth=None, address=None)
    only_address = replace(account().guarantor, date_of_birth=None)
    stopped = frozenset({number_hash(account().guarantor.mobile_phone)})
    no_email = OptOuts(email=True)
    yield "unsubscribe", shown(channel_pages().show(PageRequest(now=NOW), TOKEN))
    yield "unsubscribed", act(channel_pages())
    yield "unsubscribed before", shown(channel_pages(opt_outs=no_email).show(PageRequest(now=NOW), TOKEN))
    yield "texts stopped", act(channel_pages(opt_outs=OptOuts(sms=True), stopped_numbers=stopped))
    yield "emails are on", act(channel_pages(), action="resubscribe")
    yield "emails on again", act(channel_pages(opt_outs=no_email), action="resubscribe", **RIGHT)
    bounced = channel_pages(opt_outs=no_email, undeliverable=frozenset({Channel.EMAIL}))
    yield "emails on, but bouncing", act(bounced, action="resubscribe", **RIGHT)
    yield "confirm", act(channel_pages(opt_outs=no_email), action="resubscribe")
    yield "confirm, wrong", act(channel_pages(opt_outs=no_email), action="resubscribe", **(RIGHT | {"day": "8"}))
    yield "confirm, again", act(channel_pages(opt_outs=no_email), action="resubscribe", verification="old")
    unborn = (bill(birth_dates=()),)
    known = channel_pages(opt_outs=no_email, guarantor=only_address, bills=unborn)
    yield "confirm by postal code", act(known, action="resubscribe")
    known = channel_pages(opt_outs=no_email, guarantor=nothing_known, bills=unborn)
    yield "confirm, impossible", act(known, action="resubscribe")
    yield "confirm, some closed", act(channel_pages(opt_outs=no_email), action="preferences", email="on", sms="on")
    yield "confirm, letters kept", act(channel_pages(opt_outs=no_email), action="preferences", email="on")
    yield "chosen", act(channel_pages(), action="preferences", email="on")
    yield "letters kept", act(channel_pages(), action="preferences")


def asked(known: LinkVisit, what: str, **form: str) -> tuple[PageAnswer, RequestPages]:
    """The answer to a form by which a patient says something else than to pay, and the pages afterwards."""
    behind = pages(known)
    found = RequestPages(desk=behind.desk, pages=behind)
    send = found.object_to if what == "objection" else found.remind_later
    return send(PageRequest(now=NOW, form=form), TOKEN), found


def every_request_page(verified: Page) -> Iterator[tuple[str, Page]]:
    """Each page on which a patient says something else than to pay; `verified`: the balance of several bills."""
    assert verified.visit is not None
    known, secret = verified.visit, {"verification": verified.secret}
    told = {"kind": "AlreadyPaid", "statementId": "S-1", "text": "By check, on March 1"}
    later = {"on": (NOW.date() + timedelta(days=9)).isoformat()}
    yield "objection, no kind", shown(asked(known, "objection", text="Why?", **secret)[0])
    yield "objection, too long", shown(asked(known, "objection", **told | {"text": "x" * 501}, **secret)[0])
    yield "objection, bill gone", shown(asked(known, "objection", **told | {"statementId": "S-9"}, **secret)[0])
    yield "objection, asked again", of_error(lambda: asked(known, "objection", kind="AlreadyPaid", text="By check"))
    yield "reminder, no day", shown(asked(known, "later", on="", **secret)[0])
    yield "reminder, too late", shown(asked(known, "later", on="2099-01-01", **secret)[0])
    yield "reminder, asked again", of_error(lambda: asked(known, "later", **later))
    back = PageRequest(now=NOW, cookie=verified.secret)
    _, objected = asked(known, "objection", **told, **secret)
    yield "objected", shown(objected.objected(back, TOKEN))
    yield "balance, objected", shown(objected.pages.enter(back, TOKEN))
    _, waiting = asked(known, "later", **later, **secret)
    yield "reminded later", shown(waiting.waiting(back, TOKEN))
    yield "balance, reminded later", shown(waiting.pages.enter(back, TOKEN))


def every_page() -> Iterator[tuple[str, Page]]:
    """Each page that a patient can get, by a name."""
    now, one = PageRequest(now=NOW), visit()
    many = visit(bills=(bill(), bill("S-2", balance=5, effective_created_date=date(2025, 12, 1))))
    nothing_known = account(guarantor=replace(account().guarantor, date_of_birth=None, address=None))
    only_address = account(guarantor=replace(account().guarantor, date_of_birth=None))
    unborn = (bill(birth_dates=()),)
    yield "question", shown(pages(one).enter(now, TOKEN))
    holders = visit(bills=unborn)
    yield "account holder's question", shown(pages(holders).enter(now, TOKEN))
    yield "question, no date", verified_wrongly(one, month="x")
    yield "question, wrong", verified_wrongly(one, **(RIGHT | {"day": "8"}))
    yield "postal code", shown(pages(visit(account=only_address, bills=unborn)).enter(now, TOKEN))
    yield "postal code, none", verified_wrongly(visit(account=only_address, bills=unborn))
    yield "nothing known", shown(pages(visit(account=nothing_known, bills=unborn)).enter(now, TOKEN))
    verified = balance(one)
    yield "balance", verified
    assert verified.visit is not None
    yield "balance of many", balance(many)
    yield from every_request_page(balance(many))
    yield "balance, endless words", balance(endless())
    refused = PageRequest(now=NOW, form={"verification": verified.secret, "amount": "none"})
    yield "balance, no amount", shown(pages(verified.visit).checkout(refused, TOKEN))
    offline = visit(processor=Processor.NONE, bills=many.book.bills)
    yield "not online", balance(offline)
    settled = visit(bills=(bill(balance=0),))
    yield "paid", balance(settled)
    yield "done, waiting", shown(pages(one).done(now, TOKEN))
    for name, declined_at, payments in (("declined", NOW, ()), ("paid", None, (payment("dln_1"),))):
        checkout = Checkout(
            reference="dln_1",
            org_id="org_1",
            account_id="G-1",
            link_id=ISSUED.link.link_id,
            amount=74_60,
            created_at=NOW,
            declined_at=declined_at,
        )
        known = replace(verified.visit, book=replace(verified.visit.book, checkouts=(checkout,), payments=payments))
        yield f"done, {name}", shown(pages(known).done(PageRequest(now=NOW, cookie=verified.secret), TOKEN))
    yield "over", of_error(lambda: pages(one).enter(PageRequest(now=NOW + timedelta(days=31)), TOKEN))
    locked = locked_out(one, NOW + timedelta(minutes=1))
    yield "locked", of_error(lambda: pages(locked).enter(now, TOKEN))
    for_a_day = locked_out(one, NOW + timedelta(days=1))
    yield "locked for a day", of_error(lambda: pages(for_a_day).enter(now, TOKEN))
    yield "renewed", shown(pages(one).renew(now, TOKEN))
    yield "bill", shown(pages(one).ask_code(now))
    yield "bill, no code", shown(pages(one).find_code(PageRequest(now=NOW, form={"code": "<b>"})))
    yield "bill, too often", shown(pages(one).find_code(PageRequest(now=NOW, form={"code": "ZZZZZ-ZZZZZ"})))
    yield from every_channel_page()
    yield "unknown", UNKNOWN_PAGE
    yield "trouble", BUSY_PAGE


def endless() -> LinkVisit:
    """Names and numbers that no line ends for."""
    known = visit(bills=(bill("S-" + "1234567890" * 9, balance=99_999_999_99), bill("W" * 100)))
    return replace(known, organization=replace(known.organization, name="Northside" * 11))


def locked_out(visit: LinkVisit, until: datetime) -> LinkVisit:
    owner = replace(visit.book.account, wrong_answers=WrongAnswers(count=10, locked_until=until))
    return replace(visit, book=replace(visit.book, account=owner))


def payment(reference: str) -> Payment:
    return Payment(
        payment_id=payment_id_of(reference),
        amount=74_60,
        method="card",
        received_on=NOW.date(),
        posted_at=NOW,
        transaction_id=reference,
        allocations=(Allocation(statement_id="S-1", amount=74_60),),
    )


PAGES = dict(every_page())
FOR_VERIFIED = frozenset(
    {
        "balance, endless words",
        "balance",
        "balance of many",
        "balance, no amount",
        "balance, objected",
        "balance, reminded later",
        "objected",
        "objection, bill gone",
        "objection, no kind",
        "objection, too long",
        "reminded later",
        "reminder, no day",
        "reminder, too late",
        "not online",
        "paid",
        "done, declined",
        "done, paid",
    }
)
