"""What a patient says past the question instead of paying: an objection, or a day to be reminded on."""

import json
from dataclasses import replace
from datetime import timedelta
from secrets import token_bytes
from typing import TYPE_CHECKING

import pytest

from shared.domain.paying.link_secrets import new_secret, secret_hash
from shared.domain.records.book import Change
from shared.domain.records.task import Task, TaskKind, TaskStatus
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import BillStatus, LinkStatus, NoticeStatus, ObjectionKind
from shared.storage.account_books import AccountBooks
from shared.storage.tasks import Tasks
from tests.worlds.aws import TABLE
from tests.worlds.clinic import BASE, RIGHT, WRONG, Answer
from tests.worlds.examples import NOW, account, bill, notice

if TYPE_CHECKING:
    from io import StringIO

    from tests.worlds.clinic import Clinic

SAID = {"kind": "AlreadyPaid", "text": "By check, on March 1"}
DAY = (NOW + timedelta(days=9)).date().isoformat()
LATER = {"on": DAY}
FORMS = [("objection", SAID), ("later", LATER)]


def says(clinic: "Clinic", what: str, form: dict[str, str]) -> Answer:
    return clinic.post(f"{clinic.path}/{what}", form)


def tasks(clinic: "Clinic") -> list[Task]:
    found, _ = Tasks(clinic.client, TABLE).page("org_1", None, TaskKind.PATIENT_OBJECTION, 100, "")
    return found


def after(clinic: "Clinic", answer: Answer) -> Answer:
    """Where a browser is led."""
    assert answer.status == 303
    return clinic.get(answer.location.removeprefix(BASE))


def paused(clinic: "Clinic") -> bool:
    """Whether anything was done: to the account, or for staff."""
    owner = clinic.book.account
    return bool(owner.objections or owner.remind_on or tasks(clinic))


@pytest.mark.parametrize("kind", ObjectionKind)
def test_an_objection_is_a_task_and_dunning_pauses_at_once(clinic: "Clinic", kind: ObjectionKind) -> None:
    clinic.change(notices=(notice(status=NoticeStatus.SCHEDULED),))
    clinic.verify()
    told = after(clinic, says(clinic, "objection", SAID | {"kind": kind}))
    assert "Your message was sent" in told.text
    (task,) = tasks(clinic)
    assert (task.status, task.account_id) == (TaskStatus.OPEN, "G-1")
    assert task.facts == {"objection": kind, "recipient": "guarantor", "text": SAID["text"]}
    assert [each.task_id for each in clinic.book.account.objections] == [task.task_id]
    stopped = clinic.book.notice("ntc_1")
    assert stopped is not None
    assert (stopped.status, stopped.reason) == (NoticeStatus.CANCELLED, "a patient's objection is not settled")
    assert clinic.book.account.planning_at == clinic.now
    assert "You get no reminders until" in clinic.get().text


def test_a_day_to_be_reminded_on_is_kept_and_shown(clinic: "Clinic") -> None:
    clinic.verify()
    told = after(clinic, says(clinic, "later", LATER))
    assert "You get no reminders before March 11, 2026" in told.text
    assert clinic.book.account.remind_on is not None
    assert clinic.book.account.remind_on.isoformat() == DAY
    assert "You get no reminders before March 11, 2026" in clinic.get().text


@pytest.mark.parametrize(("what", "form"), FORMS)
def test_sent_twice_it_is_said_once(clinic: "Clinic", what: str, form: dict[str, str]) -> None:
    """A double click, a reload, a browser that goes back: the same page, and nothing more."""
    clinic.verify()
    first = says(clinic, what, form)
    before = clinic.book
    clinic.now += timedelta(minutes=3)
    again = says(clinic, what, form)
    assert (again.status, again.location) == (first.status, first.location)
    assert clinic.book.account == before.account
    assert clinic.book.history == before.history
    assert len(tasks(clinic)) == (what == "objection")


@pytest.mark.parametrize(("what", "form"), FORMS)
def test_who_has_not_answered_the_question_is_asked_and_nothing_is_done(
    clinic: "Clinic", what: str, form: dict[str, str]
) -> None:
    """Scanners press every button; and a page elsewhere can have a browser send a form, but not its answer with it."""
    for secret in ("", "made-up", clinic.issued.token):
        asked = says(clinic, what, form | {"verification": secret})
        assert (asked.status, "First, confirm it" in asked.text) == (403, True)
    assert clinic.request("HEAD", f"{clinic.path}/{what}").status in {303, 404}
    assert clinic.get(f"{clinic.path}/{what}").location == f"{BASE}{clinic.path}"
    assert not paused(clinic)


@pytest.mark.parametrize(("what", "form"), FORMS)
def test_after_the_session_has_ended_the_next_answer_says_what_was_typed(
    clinic: "Clinic", what: str, form: dict[str, str]
) -> None:
    clinic.verify()
    clinic.now += timedelta(hours=3)
    asked = says(clinic, what, form)
    assert asked.status == 403
    for name, value in form.items():
        assert f'name="{name}" value="{value}"' in asked.body
    assert says(clinic, what, form | WRONG).status == 403
    assert not paused(clinic)
    done = says(clinic, what, form | RIGHT)
    clinic.cookie = done.cookie
    assert after(clinic, done).status == 200
    assert paused(clinic)


@pytest.mark.parametrize(("what", "form"), FORMS)
def test_the_secret_of_another_link_says_nothing_here(clinic: "Clinic", what: str, form: dict[str, str]) -> None:
    clinic.verify()
    clinic.change(links=(replace(clinic.link, verified_hash=secret_hash(new_secret(token_bytes))),))
    assert says(clinic, what, form).status == 403
    assert not paused(clinic)


@pytest.mark.parametrize(
    ("what", "form", "field"),
    [
        ("objection", {"text": "Why?"}, "kind-AlreadyPaid"),
        ("objection", {"kind": "Other"}, "kind-AlreadyPaid"),
        ("objection", SAID | {"statementId": "S-9"}, "about"),
        ("objection", SAID | {"text": "x" * 501}, "text"),
        ("later", {}, "on"),
        ("later", {"on": "soon"}, "on"),
        ("later", {"on": "2026-02-30"}, "on"),
        ("later", {"on": NOW.date().isoformat()}, "on"),
        ("later", {"on": "2026-04-02"}, "on"),
        ("later", {"on": "0001-01-01"}, "on"),
        ("later", {"on": "9999-12-31"}, "on"),
    ],
)
def test_what_can_not_be_is_told_next_to_its_field_and_nothing_is_done(
    clinic: "Clinic", what: str, form: dict[str, str], field: str
) -> None:
    clinic.change(bills=(bill("S-2"),))
    clinic.verify()
    answer = says(clinic, what, form)
    assert (answer.status, f'href="#{field}"' in answer.body, f'id="{field}-error"' in answer.body) == (422, True, True)
    assert not paused(clinic)


@pytest.mark.parametrize("typed", ["2026-03-03", "2026-04-01", "3/11/2026", "03/11/2026"])
def test_the_day_may_be_any_from_tomorrow_to_thirty_days_ahead(clinic: "Clinic", typed: str) -> None:
    clinic.verify()
    assert says(clinic, "later", {"on": typed}).status == 303


def test_the_sixth_open_objection_is_not_taken_and_the_page_says_so(clinic: "Clinic") -> None:
    clinic.verify()
    for n in range(5):
        assert says(clinic, "objection", SAID | {"text": str(n)}).status == 303
    refused = says(clinic, "objection", SAID)
    assert (refused.status, "We already have several messages from you" in refused.text) == (422, True)
    assert len(tasks(clinic)) == 5


def test_what_is_written_is_kept_for_staff_alone(clinic: "Clinic", log: "StringIO") -> None:
    """No log, no history and no page has it; signs that a person can't read are left out, line breaks stay."""
    clinic.verify()
    words = "Canary\u202e-4711\x07\r\nsecond line"
    told = after(clinic, says(clinic, "objection", SAID | {"text": words}))
    (task,) = tasks(clinic)
    assert task.facts["text"] == "Canary-4711\nsecond line"
    assert "4711" not in log.getvalue()
    assert "4711" not in told.body + clinic.get().body
    assert "4711" not in repr(clinic.book)


@pytest.mark.parametrize(("what", "form"), FORMS)
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_chosen_language_stays(clinic: "Clinic", what: str, form: dict[str, str], language: str) -> None:
    clinic.verify()
    answer = clinic.post(f"{clinic.path}/{what}?lang={language}", form)
    assert answer.location == f"{BASE}{clinic.path}/{what}?lang={language}"
    assert f'<html lang="{language}">' in after(clinic, answer).body


@pytest.mark.parametrize(("what", "form"), FORMS)
def test_nothing_is_paused_where_nothing_is_owed(clinic: "Clinic", what: str, form: dict[str, str]) -> None:
    clinic.verify()
    clinic.change(bills=(bill(balance=0, status=BillStatus.PAID),))
    assert says(clinic, what, form).location == f"{BASE}{clinic.path}"
    assert not paused(clinic)


@pytest.mark.parametrize(("what", "form"), FORMS)
def test_a_link_that_is_over_takes_no_word(clinic: "Clinic", what: str, form: dict[str, str]) -> None:
    clinic.verify()
    clinic.change(links=(replace(clinic.link, status=LinkStatus.SUPERSEDED),))
    assert says(clinic, what, form).status == 410
    clinic.change(links=(replace(clinic.link, status=LinkStatus.REVOKED),))
    assert says(clinic, what, form).status == 404
    assert not paused(clinic)


def test_who_got_the_link_in_the_guarantors_place_objects_but_does_not_put_off_the_guarantors_reminders(
    clinic: "Clinic",
) -> None:
    clinic.change(notices=(notice(send_to="billTo", status=NoticeStatus.SENT),))
    page = clinic.verify()
    assert ("/objection" in page.body, "/later" in page.body) == (True, False)
    assert says(clinic, "later", LATER).location == f"{BASE}{clinic.path}"
    assert not paused(clinic)
    assert says(clinic, "objection", SAID).status == 303
    (task,) = tasks(clinic)
    assert task.facts["recipient"] == "billTo"


@pytest.mark.parametrize(("what", "form"), FORMS)
def test_a_pause_goes_to_where_the_bills_are_by_now(clinic: "Clinic", what: str, form: dict[str, str]) -> None:
    """The bill went to the same person's account under another key: the link still leads to it."""
    books = AccountBooks(clinic.client, TABLE)
    books.commit(Change(account=account(account_id="G-2"), bills=(bill(),)))
    stub = bill(status=BillStatus.CANCELLED, moved_to="G-2", history=(moved_event(),))
    clinic.change(bills=(stub,))
    clinic.verify()
    assert says(clinic, what, form).status == 303
    there = books.load("org_1", "G-2")
    assert there is not None
    assert bool(there.account.objections or there.account.remind_on)
    assert paused(clinic)
    assert len(tasks(clinic)) == (what == "objection")


def moved_event() -> HistoryEvent:
    return HistoryEvent(at=NOW + timedelta(minutes=1), event="BillMoved", actor="partner")


def test_the_forms_are_described_as_they_are(clinic: "Clinic") -> None:
    """What a form has besides is left alone."""
    clinic.verify()
    assert says(clinic, "objection", SAID | {"amount": "1", "odd": json.dumps({})}).status == 303
