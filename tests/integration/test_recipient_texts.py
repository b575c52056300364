"""What recipients text: STOP, START, HELP, and anything else."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.domain.account.consents import consents
from shared.domain.account.contacts import BILL_TO, PATIENT, number_hash
from shared.domain.delivery.claim_records import TEST_CONTACT
from shared.domain.records.book import AccountBook
from shared.domain.records.statement import OptOuts
from shared.domain.records.task import TaskKind, TaskStatus
from shared.domain.vocabulary.words import Language, NoticeStatus
from shared.rendering.text_answers import help_text
from shared.storage.account_books import AccountBooks
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations
from shared.storage.races import BusyError
from shared.storage.tasks import Tasks
from tests.worlds.aws import TABLE
from tests.worlds.bounds import some
from tests.worlds.cases import case
from tests.worlds.examples import NOW, account, notice, organization
from tests.worlds.text_provider import (
    PHONE,
    TextTable,
    a_text,
    happened,
    logged,
    record,
    sending,
    sent,
    text_table,
    texted,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

S = NoticeStatus
A_SECOND = timedelta(seconds=1)


@pytest.fixture
def table(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> TextTable:
    return text_table(dynamodb, monkeypatch)


def dies_before_it_is_noted(body: str, inbound_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text is heard for the first time, and the function dies once the accounts are changed."""

    def dies(*_: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr(Numbers, "record_handled", dies)
        with pytest.raises(TimeoutError):
            texted(body, inbound_id)


# --- STOP -----------------------------------------------


WAITING = (a_text("ntc_2"), a_text("ntc_3", status=S.QUEUED, lease_until=NOW), notice(notice_id="ntc_4"))


def test_stop_closes_texts_and_cancels_those_that_wait(table: TextTable) -> None:
    table.given(sent(a_text()), *WAITING)
    texted("Stop!", "in-1")
    after = table.book()
    assert after.account.opt_outs == OptOuts(sms=True)
    assert {row.notice_id: row.status for row in after.notices} == {
        "ntc_1": S.SENT,
        "ntc_2": S.CANCELLED,
        "ntc_3": S.CANCELLED,
        "ntc_4": S.SCHEDULED,
    }
    [consent] = consents(after)
    assert (consent.given, consent.actor, consent.source, consent.wording) == (
        False,
        "recipient",
        "text message",
        "STOP",
    )


def test_stop_closes_texts_on_every_account_that_texted_the_number(table: TextTable) -> None:
    table.given(sent(a_text()))
    table.given(sent(a_text("ntc_2", "G-2"), "m-2"), who=account(account_id="G-2"))
    table.given(who=account(account_id="G-3"), number="+15185550199")
    texted("unsubscribe", "in-1")
    closed = {name: table.book(name).account.opt_outs.sms for name in ("G-1", "G-2", "G-3")}
    assert closed == {"G-1": True, "G-2": True, "G-3": False}


@pytest.mark.parametrize("whose", [PATIENT, BILL_TO])
def test_stop_from_a_number_that_isnt_the_guarantors_leaves_the_guarantor_alone(table: TextTable, whose: str) -> None:
    table.given(*WAITING, whose=whose, number="+15185550199")
    texted("STOP", "in-1", "+15185550199")
    after = table.book()
    assert not after.account.opt_outs.sms
    assert after.account.stopped_numbers == {number_hash("+15185550199")}
    assert {row.status for row in after.notices} == {S.SCHEDULED, S.QUEUED}
    assert [(each.recipient, each.given) for each in consents(after)] == [(whose, False)]


def test_stop_from_a_test_contact_closes_nothing(table: TextTable) -> None:
    table.given(*WAITING, whose=TEST_CONTACT, number="+15185550199")
    before = table.book()
    texted("STOP", "in-1", "+15185550199")
    assert table.book() == before


@pytest.mark.parametrize(
    ("body", "confirmed"), [("STOP", 0), ("cancel", 0), ("REVOKE", 1), ("OPT OUT", 1), ("please stop", 1), ("Alto", 1)]
)
def test_a_word_that_the_providers_list_lacks_is_confirmed_once(table: TextTable, body: str, confirmed: int) -> None:
    """Where the provider manages opt-outs it answers the others itself, and one confirmation is all that may go."""
    table.given(sent(a_text()))
    texted(body, "in-1")
    texted(body, "in-1")
    texted(body, "in-2")
    assert len(table.answers) == confirmed
    assert table.book().account.opt_outs.sms


def test_where_opt_outs_are_self_managed_every_stop_is_confirmed(
    dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    table = text_table(dynamodb, monkeypatch, SELF_MANAGED_OPT_OUTS="true")
    table.given(sent(a_text()))
    texted("STOP", "in-1")
    assert table.answers == [
        (PHONE, "Northside: you will get no more texts from this number. Reply START to get them again.")
    ]


def test_a_confirmation_is_in_the_recipients_language(table: TextTable) -> None:
    guarantor = replace(account().guarantor, language=Language.SPANISH)
    table.given(sent(a_text()), who=account(guarantor=guarantor))
    texted("revoke", "in-1")
    [(_, text)] = table.answers
    assert text.startswith("Northside: no recibira mas textos")


def test_a_stop_whose_handling_died_is_handled_when_it_comes_again(
    table: TextTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.given(sent(a_text()))
    table.given(sent(a_text("ntc_2", "G-2"), "m-2"), who=account(account_id="G-2"))
    dies_before_it_is_noted("STOP", "in-1", monkeypatch)
    texted("STOP", "in-1")
    assert table.book().account.opt_outs.sms
    assert len(consents(table.book())) == 1


def test_a_stop_whose_handling_died_once_it_had_closed_texts_is_still_confirmed_once(
    table: TextTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.given(sent(a_text()))
    dies_before_it_is_noted("REVOKE", "in-1", monkeypatch)
    assert table.book().account.opt_outs.sms
    texted("REVOKE", "in-1")
    texted("REVOKE", "in-1")
    assert len(table.answers) == 1


def test_a_stop_whose_handling_died_is_neither_obeyed_nor_confirmed_after_a_start(
    table: TextTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.given(sent(a_text()))
    dies_before_it_is_noted("REVOKE", "in-1", monkeypatch)
    texted("START", "in-2")
    texted("REVOKE", "in-1")
    assert not table.book().account.opt_outs.sms
    assert table.answers == []


def test_a_start_that_comes_after_a_stop_that_was_said_later_opens_nothing(table: TextTable) -> None:
    table.given(sent(a_text()))
    texted("STOP", "in-2", said_at=NOW + A_SECOND)
    texted("START", "in-1", said_at=NOW)
    assert table.book().account.opt_outs.sms
    texted("START", "in-3", said_at=NOW + 2 * A_SECOND)
    assert not table.book().account.opt_outs.sms


def test_stop_speaks_for_the_number_at_every_practice_that_texted_it(table: TextTable) -> None:
    """Whichever partner's: they text from one number. The one that texted last confirms."""
    practice = organization(org_id="org_2", partner_id="prt_2", client_id="SOUTH", short_name="Southside")
    Organizations(table.client, TABLE).create(practice)
    table.given(sent(a_text()))
    elsewhere = sent(a_text("ntc_2", "H-7", org_id="org_2"), "m-2")
    table.given(elsewhere, who=account(org_id="org_2", account_id="H-7"), at=NOW + A_SECOND)
    texted("REVOKE", "in-1")
    assert table.book().account.opt_outs.sms
    assert table.book("H-7", "org_2").account.opt_outs.sms
    [(_, text)] = table.answers
    assert text.startswith("Southside: ")


def test_an_account_that_cant_be_changed_keeps_no_others_texts_going(
    table: TextTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.given(sent(a_text()))
    table.given(sent(a_text("ntc_2", "G-2"), "m-2"), who=account(account_id="G-2"), at=NOW + A_SECOND)
    real = AccountBooks.change

    def fails(self: AccountBooks, org_id: str, account_id: str, decide: Any) -> AccountBook | None:
        if account_id == "G-2":
            raise BusyError
        return real(self, org_id, account_id, decide)

    with monkeypatch.context() as patched:
        patched.setattr(AccountBooks, "change", fails)
        with pytest.raises(ExceptionGroup):
            texted("STOP", "in-1")
    assert table.book("G-1").account.opt_outs.sms
    texted("STOP", "in-1")
    assert table.book("G-2").account.opt_outs.sms


def test_of_two_copies_of_one_text_at_once_one_is_answered(table: TextTable, monkeypatch: pytest.MonkeyPatch) -> None:
    table.given(sent(a_text()))
    real = Numbers.record_handled

    def behind_a_copy(self: Numbers, number: str, heard: Any) -> bool:
        real(self, number, heard)
        return real(self, number, heard)

    monkeypatch.setattr(Numbers, "record_handled", behind_a_copy)
    texted("HELP", "in-1")
    assert table.answers == []


def test_an_old_stop_that_comes_again_after_a_start_doesnt_close_again(table: TextTable) -> None:
    table.given(sent(a_text()))
    texted("STOP", "in-1")
    texted("START", "in-2")
    texted("STOP", "in-1")
    assert not table.book().account.opt_outs.sms


def test_a_stop_from_a_number_that_was_never_texted_does_no_harm(table: TextTable) -> None:
    table.given(sent(a_text()))
    before = table.book()
    texted("STOP", "in-1", "+15185550199")
    assert table.book() == before
    assert table.answers == []


# --- START -----------------------------------------------


def test_start_opens_what_a_text_closed(table: TextTable) -> None:
    table.given(sent(a_text()))
    texted("STOP", "in-1")
    texted("unstop", "in-2")
    after = table.book()
    assert after.account.opt_outs == OptOuts()
    assert [(each.given, each.wording) for each in consents(after)] == [(False, "STOP"), (True, "UNSTOP")]
    assert after.account.planning_at is not None
    assert table.answers == []


def test_start_doesnt_open_what_staff_closed(table: TextTable) -> None:
    table.given(sent(a_text()), who=account(opt_outs=OptOuts(sms=True)))
    texted("START", "in-1")
    assert table.book().account.opt_outs.sms


def test_yes_opens_nothing(table: TextTable) -> None:
    table.given(sent(a_text()))
    texted("STOP", "in-1")
    texted("YES", "in-2")
    assert table.book().account.opt_outs.sms


# --- HELP and the rest -----------------------------------------------


@pytest.mark.parametrize(("body", "language"), [("help?", Language.ENGLISH), ("AYUDA", Language.SPANISH)])
def test_help_is_answered_once_for_a_text_however_often_it_comes(
    table: TextTable, body: str, language: Language
) -> None:
    table.given(sent(a_text()))
    before = table.book()
    texted(body, "in-1")
    texted(body, "in-1")
    assert table.answers == [(PHONE, help_text("Northside", "+15185550100", language))]
    assert table.published[0]["MessageAttributes"]["AWS.SNS.SMS.SMSType"]["StringValue"] == "Transactional"
    texted(body, "in-2")
    assert len(table.answers) == 2
    assert table.book() == before


def test_help_speaks_for_the_practice_that_texted_last(table: TextTable) -> None:
    Organizations(table.client, TABLE).create(organization(org_id="org_2", client_id="SOUTH", short_name="Southside"))
    table.given(sent(a_text()))
    table.given(who=account(org_id="org_2"), at=NOW + A_SECOND)
    texted("HELP", "in-1")
    assert table.answers[0][1].startswith("Southside: ")


def test_help_that_cant_be_sent_is_let_go(table: TextTable, caplog: pytest.LogCaptureFixture) -> None:
    def refuse() -> None:
        raise RuntimeError(f"cannot send to {PHONE}")

    table.given(sent(a_text()))
    table.fail = refuse
    texted("HELP", "in-1")
    table.fail = lambda: None
    texted("HELP", "in-1")
    assert table.answers == []
    assert "5550111" not in str([vars(each) for each in caplog.records])


SENTENCE = "I can't pay before Zebulon is back from Tallahassee"


def test_a_sentence_is_noted_once_without_its_words_and_changes_nothing_else(
    table: TextTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.given(sent(a_text()), *WAITING)
    before = table.book()
    dies_before_it_is_noted(SENTENCE, "in-1", monkeypatch)
    texted(SENTENCE, "in-1")
    texted(SENTENCE, "in-1")
    after = table.book()
    assert [event.event for event in after.history] == ["TextReceived"]
    assert (after.notices, after.account.opt_outs) == (before.notices, before.account.opt_outs)
    assert "Zebulon" not in str(after)


MAYBE = "Why won't Zebulon's phone stop buzzing?"


def test_a_sentence_that_may_mean_stop_becomes_one_task_to_read_it(
    table: TextTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.given(sent(a_text()), *WAITING)
    before = table.book()
    dies_before_it_is_noted(MAYBE, "in-1", monkeypatch)
    texted(MAYBE, "in-1")
    texted(MAYBE, "in-1")
    after = table.book()
    assert (after.notices, after.account.opt_outs) == (before.notices, before.account.opt_outs)
    [task], _ = Tasks(table.client, TABLE).page("org_1", TaskStatus.OPEN, TaskKind.REPLY_TO_READ, 10, "")
    assert (task.account_id, task.facts["text"], task.facts["textId"]) == ("G-1", MAYBE, "in-1")


@pytest.mark.parametrize("body", ["STOP", "HELP", SENTENCE, "I'll stop by tomorrow"])
def test_no_other_text_becomes_a_task(table: TextTable, body: str) -> None:
    table.given(sent(a_text()))
    texted(body, "in-1")
    assert Tasks(table.client, TABLE).page("org_1", None, None, 10, "") == ([], "")


def test_a_test_contacts_sentence_becomes_none_either(table: TextTable) -> None:
    table.given(whose=TEST_CONTACT, number="+15185550199")
    texted(MAYBE, "in-1", "+15185550199")
    assert Tasks(table.client, TABLE).page("org_1", None, None, 10, "") == ([], "")


def test_case_48_stop_in_other_words_closes(table: TextTable) -> None:
    for n, body in enumerate(case("48").inputs["texts"]):
        account_id, number = f"G-{n}", f"+1518555{100 + n:04d}"
        guarantor = replace(account().guarantor, guarantor_id=account_id, mobile_phone=number)
        table.given(who=account(account_id=account_id, guarantor=guarantor), number=number)
        texted(body, f"in-{n}", number)
        assert table.book(account_id).account.opt_outs.sms, body


def test_who_texts_a_sentence_is_told_once_a_day_how_to_reach_a_person_and_how_to_stop(table: TextTable) -> None:
    table.given(sent(a_text()))
    texted(SENTENCE, "in-1")
    texted("Are you there?", "in-2")
    [(number, text)] = table.answers
    assert number == PHONE
    assert "call (518) 555-0100" in text
    assert "STOP" in text


def test_who_wants_no_texts_gets_no_answer_to_a_sentence_but_one_to_help(table: TextTable) -> None:
    table.given(sent(a_text()))
    texted("STOP", "in-1")
    texted(SENTENCE, "in-2")
    assert table.answers == []
    texted("HELP", "in-3")
    assert len(table.answers) == 1


def test_nothing_personal_is_logged_and_no_number_is_in_a_key(
    table: TextTable, caplog: pytest.LogCaptureFixture
) -> None:
    table.given(sent(a_text()), sending(a_text("ntc_2")))
    for n, body in enumerate(("STOP", "START", "HELP", SENTENCE, MAYBE, "REVOKE")):
        texted(body, f"in-{n}")
    for event_type in ("TEXT_SENT", "TEXT_DELIVERED", "TEXT_INVALID"):
        happened(event_type)
        happened(event_type, "m-9")
        happened(event_type, "m-8", destinationPhoneNumber="+15185550199")
    logged(record("Invalid phone number"), "5550111 Zebulon")
    said = str([vars(each) for each in caplog.records])
    assert "text handled" in said
    for personal in ("5550111", "5550199", "Zebulon", "Tallahassee", "Ada", "Example", number_hash(PHONE)):
        assert personal not in said
    keys = [(item["pk"]["S"], item["sk"]["S"]) for item in table.client.scan(TableName=TABLE)["Items"]]
    assert not [key for key in some(keys) if "5550111" in str(key)]


def test_what_was_heard_is_forgotten_after_a_month(table: TextTable) -> None:
    """Longer than SNS goes on bringing it."""
    table.given(sent(a_text()))
    texted("HELP", "in-1")
    [text] = Numbers(table.client, TABLE).known(number_hash(PHONE)).handled
    [item] = [item for item in table.client.scan(TableName=TABLE)["Items"] if "expires_at" in item]
    assert int(item["expires_at"]["N"]) == int((text.at + timedelta(days=30)).timestamp())
