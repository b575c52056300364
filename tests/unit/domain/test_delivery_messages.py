"""What a notice's message is made of at the moment of sending: its link, its facts, and to whom it goes."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.account.contacts import PATIENT, Contact
from shared.domain.account.masking import masked
from shared.domain.paying.link_secrets import secret_hash
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.policy import MessageContacts
from shared.domain.records.statement import Address, OptOuts, Patient
from shared.domain.vocabulary.words import (
    BillStatus,
    Channel,
    Language,
    LinkStatus,
    NoticeStatus,
    NotificationType,
)
from shared.rendering.facts import message_variables, readable_phone
from tests.worlds.examples import NOW, account, bill, organization
from tests.worlds.sending_world import World, queued, world

# --- links -----------------------------------------------


def test_each_notice_carries_a_link_to_the_account_for_as_long_as_the_organization_sets() -> None:
    it = world(practice=organization(link_days=45))
    it.deliver()
    [link] = it.book.links
    [order] = it.provider.sent
    assert it.row.link_id == link.link_id
    assert (link.org_id, link.account_id, link.notice_id, link.statement_id) == ("org_1", "G-1", "ntc_1", "")
    assert (link.sent_to, link.expires_at) == ("a***@example.com", NOW + timedelta(days=45))
    assert link.token_hash == secret_hash(order.link.token)
    assert link.code_hash == ""


def test_a_letter_carries_a_bill_code_too() -> None:
    it = world(row=queued(channel=Channel.PRINT))
    it.deliver()
    [order] = it.provider.sent
    assert it.book.links[0].code_hash == secret_hash(order.link.code)


def test_a_letter_that_was_put_back_has_new_secrets_for_its_own_link_which_lives_from_when_it_goes() -> None:
    other = replace(LINK, link_id="lnk_0", token_hash="y")
    it = world(
        row=queued(channel=Channel.PRINT, link_id="lnk_1"), links=(other, LINK), practice=organization(link_days=45)
    )
    it.deliver()
    [order] = it.provider.sent
    renewed = replace(
        LINK,
        token_hash=secret_hash(order.link.token),
        code_hash=secret_hash(order.link.code),
        expires_at=NOW + timedelta(days=45),
        sent_to="Albany, NY",
    )
    assert it.book.links == (other, renewed)
    assert it.row.link_id == "lnk_1"
    assert order.link.code


def test_a_link_of_staff_keeps_its_id_bill_and_end_and_gets_its_secret_at_sending() -> None:
    link = PaymentLink(
        link_id="lnk_1",
        org_id="org_1",
        account_id="G-1",
        statement_id="S-1",
        token_hash="unsent",
        created_at=NOW - timedelta(hours=1),
        expires_at=NOW + timedelta(hours=23),
        staff_name="Dana Whitfield",
    )
    row = queued(notification_type=NotificationType.PAYMENT_LINK, link_id="lnk_1")
    it = world(row=row, links=(link,))
    it.deliver()
    [order] = it.provider.sent
    assert it.book.links == (replace(link, token_hash=secret_hash(order.link.token), sent_to="a***@example.com"),)
    assert message_variables(order, "https://x").staff_name == "Dana Whitfield"


def test_a_link_that_a_patient_asked_for_lives_for_a_day_and_is_for_its_bill() -> None:
    it = world(row=queued(notification_type=NotificationType.PAYMENT_LINK))
    it.deliver()
    [link] = it.book.links
    assert (link.expires_at, link.statement_id) == (NOW + timedelta(hours=24), "S-1")


def test_what_may_be_on_its_way_keeps_its_own_link() -> None:
    it = world(row=queued(attempt=1, link_id="lnk_old"), links=(replace(LINK, link_id="lnk_old"),))
    it.deliver()
    assert len(it.book.links) == 2
    assert it.row.link_id != "lnk_old"


LINK = PaymentLink(
    link_id="lnk_1",
    org_id="org_1",
    account_id="G-1",
    token_hash="x",
    created_at=NOW,
    expires_at=NOW,
    status=LinkStatus.SENT,
)


# --- to whom, and what it may tell -----------------------------------------------


def facts_of(it: World, **kwargs: Any) -> Any:
    it.deliver(**kwargs)
    [order] = it.provider.sent
    return message_variables(order, "https://pay.example.com")


def test_the_facts_of_a_message_name_the_practice_and_the_guarantors_first_name() -> None:
    facts = facts_of(world())
    assert (facts.practice, facts.short_name, facts.first_name) == ("Northside Family Practice", "Northside", "Ada")
    assert facts.phone == "(518) 555-0100"
    assert facts.address_lines == ("12 Juniper Way", "Albany, NY 12207")
    assert facts.link.startswith("https://pay.example.com/pay/")
    assert facts.unsubscribe_link == facts.link.replace("/pay/", "/unsubscribe/")


def test_the_amount_is_told_only_where_the_organization_switched_it_on() -> None:
    two = (bill(), bill("S-2", balance=25_40), bill("S-3", status=BillStatus.SUSPENDED))
    assert facts_of(world(bills=two)).amount_due is None
    assert facts_of(world(bills=two, practice=organization(amount_in_email=True))).amount_due == 100_00


def test_a_suspended_bill_is_asked_for_only_where_a_person_sends_it() -> None:
    practice = organization(amount_in_email=True)
    by_staff = queued(notification_type=NotificationType.ON_DEMAND)
    suspended = bill(status=BillStatus.SUSPENDED)
    assert facts_of(world(row=by_staff, bills=(suspended,), practice=practice)).amount_due == 74_60
    beside = replace(suspended, statement_id="S-2")
    assert facts_of(world(row=queued(), bills=(bill(), beside), practice=practice)).amount_due == 74_60


def test_a_receipt_tells_the_payment_and_not_what_is_owed() -> None:
    paid = Payment(payment_id="pay_1", amount=74_60, method="card", received_on=NOW.date(), posted_at=NOW)
    row = queued(notification_type=NotificationType.RECEIPT, payment_id="pay_1")
    facts = facts_of(world(row=row, payments=(paid,), practice=organization(amount_in_email=True)))
    assert (facts.amount_paid, facts.paid_on, facts.amount_due) == (74_60, date(2026, 3, 2), None)


def test_a_patient_is_written_to_at_their_own_address_and_not_called_by_the_guarantors_name() -> None:
    row = queued(notification_type=NotificationType.ON_DEMAND, send_to=PATIENT)
    patient = Patient(account_id="P-1", first_name="Kim", last_name="Example", email="kim@example.com")
    it = world(row=row)
    facts = facts_of(it, patient=patient)
    assert it.provider.sent[0].contact.destination == "kim@example.com"
    assert facts.first_name == ""


def test_in_test_mode_nothing_reaches_a_guarantor() -> None:
    it = world(practice=organization(test_contacts=MessageContacts(email="go-live@practice.example")))
    it.deliver()
    assert it.provider.sent[0].contact.destination == "go-live@practice.example"
    assert it.row.sent_to == "g***@practice.example"


def test_a_receipt_reaches_even_someone_who_unsubscribed() -> None:
    row = queued(notification_type=NotificationType.RECEIPT)
    it = world(row=row, account=account(opt_outs=OptOuts(email=True)))
    it.deliver()
    assert it.row.status is NoticeStatus.SENT


def test_the_language_is_the_guarantors() -> None:
    guarantor = replace(account().guarantor, language=Language.SPANISH)
    it = world(account=account(guarantor=guarantor))
    it.deliver()
    assert it.provider.sent[0].book.account.guarantor.language is Language.SPANISH


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        (Contact(channel=Channel.EMAIL, name="", destination="ada.lovelace@example.com"), "a***@example.com"),
        (Contact(channel=Channel.EMAIL, name="", destination='"ada@home"@example.com'), '"***@example.com'),
        (Contact(channel=Channel.SMS, name="", destination="+15185550111"), "***0111"),
        (Contact(channel=Channel.PRINT, name=""), ""),
        (
            Contact(
                channel=Channel.PRINT,
                name="",
                address=Address(line1="12 Juniper Way", city="Albany", state="NY", postal_code="12207"),
            ),
            "Albany, NY",
        ),
    ],
)
def test_where_something_went_is_told_so_that_a_stranger_learns_nothing(contact: Contact, shown: str) -> None:
    assert masked(contact) == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("+15185550100", "(518) 555-0100"),
        ("518-555-0100", "(518) 555-0100"),
        ("1 (518) 555 0100", "(518) 555-0100"),
        ("+442079460000", "+442079460000"),
        ("518-555-0100 ext. 7", "518-555-0100 ext. 7"),
        ("1-800-FLOWERS", "1-800-FLOWERS"),
        ("", ""),
    ],
)
def test_phone_numbers_are_written_as_people_write_them(given: str, shown: str) -> None:
    assert readable_phone(given) == shown


def test_a_message_to_a_test_contact_knows_for_whom_it_was() -> None:
    testing = organization(test_contacts=MessageContacts(email="go-live@practice.example"))
    facts = facts_of(world(practice=testing))
    assert (facts.test_recipient, facts.test_account) == ("guarantor", "G-1")
    assert facts_of(world()).test_recipient == ""
