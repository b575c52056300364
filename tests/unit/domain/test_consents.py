"""The registry of consent: what it is told, by which way; and what STOP and START do to an account."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.contracts.statements import read_statement
from shared.domain.account.account_changes import change_account
from shared.domain.account.consents import consents, opted_out_by_text_alone
from shared.domain.account.contacts import BILL_TO, GUARANTOR, PATIENT, Contact, contact_for, number_hash
from shared.domain.account.queue_actions import QueueAction, act
from shared.domain.delivery.claim_records import TEST_CONTACT
from shared.domain.delivery.orders import Rejected, failure
from shared.domain.delivery.settlement import DeliveryOutcome, settle
from shared.domain.intake.arrival import Arrival, IntakeContext
from shared.domain.intake.receive import receive_statement
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.policy import MessageContacts
from shared.domain.records.statement import BillTo, OptOuts
from shared.domain.texting.text_consent import gets_no_texts, note_text, opted_out_by, restart_texts, stop_texts
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.json_documents import DECODER
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import BillType, Channel, NoticeStatus
from tests.worlds.examples import NOW, account, book, notice, organization, received
from tests.worlds.statement_examples import statement

EMAIL, SMS, PRINT = Channel
S = NoticeStatus
OWN = number_hash("+15185550111")
OTHER = number_hash("+15185550199")
LATER = NOW + timedelta(hours=1)


def told(changed: AccountBook) -> list[tuple[str, bool, str, str, str, str]]:
    return [
        (each.channel, each.given, each.actor, each.source, each.wording, each.recipient) for each in consents(changed)
    ]


def after(before: AccountBook, change: Change | None) -> AccountBook:
    assert change is not None
    return before.after(change)


def stopped(before: AccountBook, number: str = OWN, *whose: str, at: datetime = NOW) -> AccountBook:
    return after(before, stop_texts(before, received(number, at), frozenset(whose or {GUARANTOR}), "STOP", at))


# --- by which way -----------------------------------------------


def arrival(**members: Any) -> Arrival:
    document = json.dumps(statement(**members))
    return Arrival(statement=read_statement(DECODER.decode(document)).statement, document=document.encode())


DELIVERY = IntakeContext(organization=organization(), bill_type=BillType.EPISODIC, ingestion_id="ing_1", now=NOW)


@pytest.mark.parametrize(
    ("said", "channels"), [("E", ["email"]), ("M", ["sms"]), ("B", ["email", "sms"]), (True, ["email", "sms"])]
)
def test_a_new_accounts_statement_that_opts_out_is_in_the_registry(said: object, channels: list[str]) -> None:
    received = receive_statement(None, arrival(electronicOptOut=said), DELIVERY)
    assert received.change is not None
    known = AccountBook(account=received.change.account).after(received.change)
    assert told(known) == [
        (channel, False, "partner", "partner statement", "electronicOptOut", GUARANTOR) for channel in channels
    ]


def test_a_new_account_that_opts_out_of_nothing_has_an_empty_registry() -> None:
    received = receive_statement(None, arrival(), DELIVERY)
    assert received.change is not None
    assert received.change.history == ()


def test_a_later_statement_that_opts_out_is_in_the_registry_once() -> None:
    first = receive_statement(None, arrival(), DELIVERY).change
    assert first is not None
    known = AccountBook(account=first.account).after(first)
    for text in ("a", "b"):
        change = receive_statement(known, arrival(statementMessage=text, electronicOptOut="M"), DELIVERY).change
        known = after(known, change)
    assert told(known) == [("sms", False, "partner", "partner statement", "electronicOptOut", GUARANTOR)]


def test_staff_that_cancels_and_opts_out_is_in_the_registry() -> None:
    before = book(notices=(notice(channel=SMS),))
    change = act(before, "ntc_1", QueueAction.CANCEL, NOW, "key:k1", opt_out=True)
    assert told(after(before, change)) == [("sms", False, "key:k1", "staff", "", GUARANTOR)]


def test_a_complaint_is_in_the_registry() -> None:
    before = book(notices=(notice(status=S.SENT),))
    change = settle(before, "ntc_1", DeliveryOutcome.COMPLAINED, "m-1", NOW)
    assert told(after(before, change)) == [("email", False, "provider", "complaint", "", GUARANTOR)]


RETURNS = organization(dunning=replace(organization().dunning, opt_out_after_undeliverable=True))


def test_a_returned_message_that_opts_out_is_in_the_registry() -> None:
    before = book(notices=(notice(status=S.SENT),))
    change = settle(before, "ntc_1", DeliveryOutcome.BOUNCED, "m-1", NOW, RETURNS)
    assert told(after(before, change)) == [("email", False, "provider", "returned message", "", GUARANTOR)]


def test_a_refused_number_that_opts_out_is_in_the_registry() -> None:
    taken = notice(channel=SMS, status=S.SENDING, attempt=1)
    change = failure(book(notices=(taken,)), taken, Rejected(reason="no", undeliverable=True), NOW, RETURNS)
    assert told(after(book(notices=(taken,)), change)) == [
        ("sms", False, "send_sms", "returned message", "", GUARANTOR)
    ]


def test_the_registry_is_in_order_and_tells_of_nothing_else() -> None:
    events = (
        HistoryEvent(at=LATER, event="OptedIn", actor="staff", facts={"channel": "email"}),
        HistoryEvent(at=NOW, event="HoldSet", actor="staff", facts={"hold": "Dispute"}),
        HistoryEvent(at=NOW, event="OptedOut", actor="partner", facts={"channel": "email"}),
    )
    assert told(book(history=events)) == [
        ("email", False, "partner", "", "", GUARANTOR),
        ("email", True, "staff", "", "", GUARANTOR),
    ]
    assert [each.at for each in consents(book(history=events))] == [NOW, LATER]


# --- STOP -----------------------------------------------


def test_stop_closes_texts_and_cancels_what_waits_in_the_same_change() -> None:
    waiting = (
        notice(notice_id="ntc_1", channel=SMS),
        notice(notice_id="ntc_2", channel=SMS, status=S.QUEUED, lease_until=LATER),
        notice(notice_id="ntc_3"),
    )
    change = stop_texts(book(notices=waiting), received(OWN), frozenset({GUARANTOR}), "REVOKE", LATER)
    assert change is not None
    assert change.account.opt_outs == OptOuts(sms=True)
    assert change.account.planning_at == LATER
    assert {row.notice_id: (row.status, row.reason) for row in change.notices} == {
        "ntc_1": (S.CANCELLED, "opted out of texts"),
        "ntc_2": (S.CANCELLED, "opted out of texts"),
    }
    assert told(book().after(change)) == [("sms", False, "recipient", "text message", "REVOKE", GUARANTOR)]


def by_staff() -> AccountBook:
    """An account whose texts staff closed."""
    return after(book(), change_account(book(), account(opt_outs=OptOuts(sms=True)), NOW, "staff", source="staff"))


def test_stop_said_again_changes_nothing() -> None:
    assert stop_texts(stopped(book()), received(OWN, LATER), frozenset({GUARANTOR}), "STOP", LATER) is None


def test_stop_is_in_the_registry_also_where_staff_had_closed_texts_before() -> None:
    """It is the guarantor's own word, once, and counts beside what staff recorded."""
    both = stopped(by_staff())
    assert told(both) == [
        ("sms", False, "staff", "staff", "", GUARANTOR),
        ("sms", False, "recipient", "text message", "STOP", GUARANTOR),
    ]


def test_stop_counts_for_the_guarantor_whatever_the_text_before_it_was_for() -> None:
    """A household's number: the text went to it as the patient's, but it is the guarantor's too."""
    closed = stopped(book(), OWN, PATIENT)
    assert closed.account.opt_outs.sms
    assert [each.recipient for each in consents(closed)] == [GUARANTOR, PATIENT]


def test_stop_from_the_guarantors_former_number_closes_texts() -> None:
    assert stopped(book(), OTHER, GUARANTOR).account.opt_outs.sms


@pytest.mark.parametrize("whose", [PATIENT, BILL_TO])
def test_stop_from_somebody_elses_number_closes_that_number_alone(whose: str) -> None:
    before = book(account=account(bill_to=BillTo(name="Aunt", mobile_phone="+15185550199")))
    closed = stopped(before, OTHER, whose)
    assert not closed.account.opt_outs.sms
    assert contact_for(SMS, closed, organization(), BILL_TO) is Reason.OPTED_OUT_SMS
    assert isinstance(contact_for(SMS, closed, organization()), Contact)
    assert told(closed) == [("sms", False, "recipient", "text message", "STOP", whose)]


def test_a_stopped_number_gets_no_text_when_it_becomes_the_guarantors() -> None:
    closed = stopped(book(), OTHER, PATIENT)
    guarantor = replace(closed.account.guarantor, mobile_phone="+15185550199")
    moved = replace(closed, account=replace(closed.account, guarantor=guarantor))
    assert contact_for(SMS, moved, organization()) is Reason.OPTED_OUT_SMS
    assert isinstance(contact_for(EMAIL, moved, organization()), Contact)


def test_a_test_contacts_stop_is_no_guarantors() -> None:
    assert stop_texts(book(), received(OTHER), frozenset({TEST_CONTACT}), "STOP", NOW) is None
    assert note_text(book(), received(OTHER), frozenset({TEST_CONTACT}), NOW) is None
    assert restart_texts(book(), received(OTHER), frozenset({TEST_CONTACT}), "START", NOW) is None


def test_a_guarantors_own_number_counts_though_a_test_contact_has_it_too() -> None:
    """Somebody of the practice's staff may be its patient."""
    closed = stopped(book(), OWN, TEST_CONTACT)
    assert closed.account.opt_outs.sms
    assert after(closed, started(closed, OWN, TEST_CONTACT)).account.opt_outs == OptOuts()
    assert note_text(book(), received(OWN), frozenset({TEST_CONTACT}), NOW) is not None


def test_in_test_mode_a_stopped_number_still_counts_for_its_owner() -> None:
    testing = organization(test_contacts=MessageContacts(mobile_phone="+15185550190"))
    closed = stopped(book(account=account(bill_to=BillTo(name="Aunt", mobile_phone="+15185550199"))), OTHER, BILL_TO)
    assert contact_for(SMS, closed, testing, BILL_TO) is Reason.OPTED_OUT_SMS


def test_the_last_channel_stays_open_on_paper() -> None:
    closed = stopped(book(account=account(opt_outs=OptOuts(email=True, print=True))))
    assert closed.account.opt_outs == OptOuts(email=True, sms=True)


# --- START -----------------------------------------------


def started(before: AccountBook, number: str = OWN, *whose: str) -> Change | None:
    return restart_texts(before, received(number, LATER), frozenset(whose or {GUARANTOR}), "START", LATER)


def test_start_opens_what_a_text_closed() -> None:
    opened = after(stopped(book()), started(stopped(book())))
    assert opened.account.opt_outs == OptOuts()
    assert opened.account.stopped_numbers == frozenset()
    assert told(opened)[-1] == ("sms", True, "recipient", "text message", "START", GUARANTOR)
    assert isinstance(contact_for(SMS, opened, organization()), Contact)


@pytest.mark.parametrize("source", ["staff", "partner statement", "unsubscribe page", "returned message", ""])
def test_start_doesnt_open_what_was_closed_by_another_way(source: str) -> None:
    closed = change_account(book(), account(opt_outs=OptOuts(sms=True)), NOW, "staff", source=source)
    assert started(after(book(), closed)) is None


def test_start_takes_back_a_stop_but_not_what_staff_had_closed_before_it() -> None:
    both = stopped(by_staff())
    opened = after(both, started(both))
    assert opened.account.opt_outs.sms
    assert opened.account.stopped_numbers == frozenset()
    assert not opted_out_by_text_alone(both)


def test_start_counts_what_closed_texts_since_they_were_last_open() -> None:
    shut = by_staff()
    open_again = after(shut, change_account(shut, account(), NOW, "staff", source="staff"))
    assert after(stopped(open_again), started(stopped(open_again))).account.opt_outs == OptOuts()


def test_start_opens_texts_whatever_else_than_texts_was_closed() -> None:
    """That the guarantor unsubscribed from emails is no word about texts."""
    away = after(book(), change_account(book(), account(opt_outs=OptOuts(email=True)), NOW, "patient", source="page"))
    assert after(stopped(away), started(stopped(away))).account.opt_outs == OptOuts(email=True)


def test_start_where_nothing_is_closed_changes_nothing() -> None:
    assert started(book()) is None


def test_start_from_the_former_number_doesnt_open_texts_to_the_present_one() -> None:
    closed = stopped(book(), OTHER, GUARANTOR)
    opened = after(closed, started(closed, OTHER))
    assert opened.account.opt_outs.sms


def test_start_by_the_patient_opens_the_patients_number_alone() -> None:
    closed = stopped(stopped(book()), OTHER, PATIENT)
    opened = after(closed, started(closed, OTHER, PATIENT))
    assert opened.account.stopped_numbers == {OWN}
    assert opened.account.opt_outs.sms
    assert told(opened)[-1] == ("sms", True, "recipient", "text message", "START", PATIENT)


def test_start_shows_that_the_number_can_be_reached() -> None:
    """The provider refused a text to it because it had opted out there."""
    unreachable = book(account=account(undeliverable=frozenset({SMS, EMAIL})))
    assert after(unreachable, started(unreachable)).account.undeliverable == {EMAIL}
    assert started(unreachable, OTHER) is None


def test_start_where_no_text_stopped_texts_gives_no_consent() -> None:
    """The number was out of reach, which was nobody's word."""
    unreachable = book(account=account(undeliverable=frozenset({SMS})))
    assert told(after(unreachable, started(unreachable, OWN, PATIENT))) == []


def test_staff_that_opens_texts_opens_the_guarantors_number_too() -> None:
    """Otherwise texts would be open by all that is shown, and yet none would go."""
    closed = stopped(stopped(book()), OTHER, PATIENT)
    wanted = replace(closed.account, opt_outs=OptOuts())
    opened = after(closed, change_account(closed, wanted, LATER, "staff", source="staff"))
    assert opened.account.stopped_numbers == {OTHER}
    assert isinstance(contact_for(SMS, opened, organization()), Contact)


# --- out of order, and again -----------------------------------------------


def test_a_stop_that_comes_again_after_a_start_doesnt_close_again() -> None:
    opened = after(stopped(book()), started(stopped(book())))
    assert stop_texts(opened, received(OWN, NOW), frozenset({GUARANTOR}), "STOP", LATER) is None
    assert opted_out_by(stopped(book()), received(OWN, NOW))
    assert not opted_out_by(opened, received(OWN, NOW))


def test_a_start_that_comes_after_a_stop_that_was_said_later_opens_nothing() -> None:
    """It failed at first, say, and was brought again, or by a redrive days afterwards."""
    closed = stopped(book(), at=LATER)
    early = received(OWN, NOW, "in-start")
    assert restart_texts(closed, early, frozenset({GUARANTOR}), "START", LATER + timedelta(days=1)) is None


def test_a_start_said_at_the_same_moment_as_the_stop_before_it_opens() -> None:
    """Only a STOP that was said after it holds it back."""
    closed = stopped(book(), at=NOW)
    assert restart_texts(closed, received(OWN, NOW, "in-start"), frozenset({GUARANTOR}), "START", LATER) is not None


def test_a_start_that_comes_again_takes_back_nothing_that_came_since() -> None:
    """A text came back from the number meanwhile, say."""
    opened = after(stopped(book()), started(stopped(book())))
    unreachable = replace(opened, account=replace(opened.account, undeliverable=frozenset({SMS})))
    assert started(unreachable) is None


def test_a_text_that_comes_again_is_noted_once() -> None:
    text = received(OWN)
    noted = after(book(), note_text(book(), text, frozenset({GUARANTOR}), NOW))
    assert note_text(noted, text, frozenset({GUARANTOR}), LATER) is None


# --- any other text -----------------------------------------------


def test_a_text_that_says_no_word_of_ours_is_noted_without_what_it_says() -> None:
    change = note_text(book(), received(OWN, LATER, "in-1"), frozenset({GUARANTOR}), LATER)
    assert change is not None
    (event,) = change.history
    assert (event.at, event.event, event.actor) == (LATER, "TextReceived", "recipient")
    assert event.facts == {"channel": "sms", "textId": "in-1", "saidAt": "2026-03-02T16:00:00+00:00"}
    assert change.account == book().account
    assert consents(book().after(change)) == ()


def test_who_asked_for_no_more_texts_gets_none_unasked() -> None:
    assert not gets_no_texts(account(), OWN)
    assert gets_no_texts(stopped(book()).account, OWN)
    assert gets_no_texts(stopped(book(), OTHER, PATIENT).account, OTHER)
    assert gets_no_texts(account(opt_outs=OptOuts(sms=True)), OWN)
