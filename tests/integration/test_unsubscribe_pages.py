"""Unsubscribing, coming back and choosing channels, from the gateway's event to the table."""

import json
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from io import StringIO

import pytest

from shared.domain.account.consents import consents as registry
from shared.domain.account.contacts import BILL_TO, number_hash
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.policy import MessageContacts
from shared.domain.records.statement import BillTo, OptOuts
from shared.domain.texting.channel_choices import opted_in_channels
from shared.domain.vocabulary.words import BillStatus, Channel, LinkStatus, NoticeStatus
from shared.storage.account_books import AccountBooks, ConcurrentChangeError
from tests.worlds.bounds import some
from tests.worlds.clinic import EVENTS, PRIVATE, RIGHT, WRONG, Answer, Clinic, invoke
from tests.worlds.examples import notice
from tests.worlds.gateway import addressed

EMAIL, SMS, PRINT = Channel
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
UNDO = {"action": "resubscribe"}
SECRETIVE = (*PRIVATE, "ada@example.com", "a***@", "555-0111", "5550111", "••")


def path(clinic: Clinic, language: str = "") -> str:
    return f"/unsubscribe/{clinic.issued.token}{language}"


def opened(clinic: Clinic) -> set[Channel]:
    return set(opted_in_channels(clinic.book.account))


def close(clinic: Clinic, *channels: Channel) -> None:
    """Have the guarantor opted out of these channels, by no page."""
    opt_outs = OptOuts(**{channel.value: True for channel in channels})
    clinic.change(account=replace(clinic.book.account, opt_outs=opt_outs))


def consents(clinic: Clinic) -> list[tuple[str, ...]]:
    """What the registry of consent tells, oldest first."""
    told = [event for event in clinic.book.history if event.event in {"OptedOut", "OptedIn"}]
    return [(each.event, *(each.facts[fact] for fact in ("channel", "source", "wording"))) for each in told]


def preferences(clinic: Clinic, *channels: Channel, **more: str) -> Answer:
    return clinic.post(path(clinic), {"action": "preferences", **dict.fromkeys(channels, "on"), **more})


class Forms(HTMLParser):
    """The forms of a page, as they would be sent if nobody touched them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((given["action"], {}))
        if tag == "input" and (given["type"] != "checkbox" or "checked" in given):
            self.found[-1][1][given["name"]] = given.get("value", "")


def forms(answer: Answer) -> list[tuple[str, dict[str, str]]]:
    return Forms(answer.body).found


# --- looking -----------------------------------------------


def test_looking_changes_nothing_however_often_and_by_whomever(clinic: Clinic) -> None:
    before = clinic.book
    for method in ("GET", "HEAD", *("GET",) * 20):
        answer = clinic.request(method, path(clinic))
        assert answer.status == 200
    assert "Stop emails about your bills?" in answer.text
    assert [form["action"] for _, form in forms(answer)] == ["unsubscribe", "preferences"]
    assert clinic.book == before


def test_the_page_names_the_practice_and_channels_and_nothing_of_the_person(clinic: Clinic) -> None:
    shown = [
        clinic.get(path(clinic)),
        clinic.post(path(clinic)),
        clinic.post(path(clinic), UNDO),
        clinic.post(path(clinic), UNDO | WRONG),
        clinic.post(path(clinic), UNDO | RIGHT),
        preferences(clinic),
        preferences(clinic, EMAIL, SMS),
    ]
    for answer in some(shown):
        # What was typed comes back in its own field.
        page = answer.body.partition("</style>")[2].replace('value="2015"', "")
        assert "Northside Family Practice" in page
        for private in SECRETIVE:
            assert private not in page


def test_the_boxes_show_what_is_on(clinic: Clinic) -> None:
    close(clinic, EMAIL, PRINT)
    (_, undo), (_, choice) = forms(clinic.get(path(clinic)))
    assert undo == UNDO | {"verification": ""}
    assert choice == {"action": "preferences", "verification": "", "sms": "on"}


# --- unsubscribing -----------------------------------------------


def test_one_click_opts_out_of_email_and_stops_what_was_going_to_be_sent(clinic: Clinic) -> None:
    clinic.change(notices=(notice(), notice(notice_id="ntc_2", channel=SMS)))
    clinic.now += timedelta(days=90)
    answers = [clinic.post(path(clinic), ONE_CLICK) for _ in range(2)]
    assert {answer.status for answer in answers} == {200}
    account_now = clinic.book.account
    assert account_now.opt_outs == OptOuts(email=True)
    assert account_now.planning_at == clinic.now
    assert [(one.channel, one.status) for one in clinic.book.notices] == [
        (Channel.EMAIL, NoticeStatus.CANCELLED),
        (Channel.SMS, NoticeStatus.SCHEDULED),
    ]
    assert consents(clinic) == [("OptedOut", "email", "one-click unsubscribe", "List-Unsubscribe=One-Click")]


def test_the_sample_one_click_is_multipart_and_needs_nothing_else(clinic: Clinic) -> None:
    sample = json.loads((EVENTS / "payment_link_one_click.json").read_text())
    answer = invoke(sample | addressed("POST", path(clinic)), clinic.context)
    assert answer.status == 200
    assert opened(clinic) == {SMS, PRINT}
    assert consents(clinic)[0][2] == "one-click unsubscribe"


@pytest.mark.parametrize(
    "form", [{}, {"unsubscribe": "Unsubscribe"}, ONE_CLICK | UNDO, ONE_CLICK | {"action": "preferences", "email": "on"}]
)
def test_a_post_that_asks_for_nothing_else_unsubscribes(clinic: Clinic, form: dict[str, str]) -> None:
    answer = clinic.post(path(clinic), form)
    assert (answer.status, opened(clinic)) == (200, {SMS, PRINT})


def test_a_body_of_a_type_that_is_no_form_unsubscribes_too(clinic: Clinic) -> None:
    answer = clinic.request("POST", path(clinic), body='{"List-Unsubscribe": "One-Click"}', content="application/json")
    assert (answer.status, opened(clinic)) == (200, {SMS, PRINT})


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("", "t get any more emails about your bills from Northside Family Practice."),
        ("?lang=es", "Ya no recibirá correos electrónicos de Northside Family Practice sobre sus facturas."),
    ],
)
def test_the_registry_keeps_the_sentence_above_the_button_in_the_language_it_was_read_in(
    clinic: Clinic, language: str, sentence: str
) -> None:
    page = clinic.get(path(clinic, language))
    assert sentence in page.text
    action, form = forms(page)[0]
    assert action.endswith(path(clinic, language))
    clinic.post(path(clinic, language), form)
    ((*told, wording),) = consents(clinic)
    assert told == ["OptedOut", "email", "unsubscribe page"]
    assert wording.endswith(sentence)
    assert wording in page.text


def test_the_page_afterwards_says_what_happened_what_still_comes_and_offers_the_way_back(clinic: Clinic) -> None:
    for answer in (clinic.post(path(clinic)), clinic.get(path(clinic))):
        assert "You are unsubscribed" in answer.text
        assert "receipts for your payments and links that you request" in answer.text
        assert "Undo: get emails again" in answer.text
        assert [form["action"] for _, form in forms(answer)] == ["resubscribe", "preferences"]


@pytest.mark.parametrize("status", [status for status in LinkStatus if status is not LinkStatus.REVOKED])
def test_unsubscribing_works_as_long_as_the_link_is_in_the_history(clinic: Clinic, status: LinkStatus) -> None:
    """The mail lies in its box for years; by then the link has expired, another replaced it, or all is paid."""
    clinic.now += timedelta(days=400)
    paid = replace(clinic.book.bills[0], status=BillStatus.PAID, balance=0)
    clinic.change(links=(replace(clinic.link, status=status),), bills=(paid,))
    assert clinic.get(path(clinic)).status == 200
    assert clinic.post(path(clinic), ONE_CLICK).status == 200
    assert opened(clinic) == {SMS, PRINT}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_revoked_and_malformed_tokens_answer_alike(clinic: Clinic, method: str) -> None:
    clinic.change(links=(replace(clinic.link, status=LinkStatus.REVOKED),))
    before = clinic.book
    tokens = (clinic.issued.token, "A" * 22, "x")
    answers = [clinic.request(method, f"/unsubscribe/{token}") for token in tokens]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1
    assert clinic.book == before


def test_an_unknown_wish_changes_nothing(clinic: Clinic) -> None:
    assert clinic.post(path(clinic), {"action": "everything"}).status == 400
    assert opened(clinic) == set(Channel)


def test_whoever_was_quicker_with_the_account_is_waited_for(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """A payment, say, that was written between reading and writing."""
    commit, lost = AccountBooks.commit, list[Change]()

    def quicker(books: AccountBooks, change: Change, book: AccountBook | None = None) -> Account:
        if not lost:
            lost.append(change)
            raise ConcurrentChangeError
        return commit(books, change, book)

    monkeypatch.setattr(AccountBooks, "commit", quicker)
    assert clinic.post(path(clinic), ONE_CLICK).status == 200
    assert (len(lost), opened(clinic)) == (1, {SMS, PRINT})


# --- links that went to somebody else -----------------------------------------------


@pytest.fixture
def third_party(clinic: Clinic) -> Clinic:
    """The link went to whoever pays the bill for the guarantor."""
    clinic.change(
        account=replace(clinic.book.account, bill_to=BillTo(name="Aunt", email="aunt@example.net")),
        notices=(notice(status=NoticeStatus.SENT, send_to=BILL_TO), notice(notice_id="ntc_2")),
        links=(replace(clinic.link, sent_to="a***@example.net"),),
    )
    return clinic


def test_a_third_party_unsubscribes_itself_and_takes_no_reminder_from_the_guarantor(third_party: Clinic) -> None:
    page = third_party.get(path(third_party))
    assert [form["action"] for _, form in forms(page)] == ["unsubscribe"]
    answer = third_party.post(path(third_party), ONE_CLICK)
    assert (answer.status, opened(third_party)) == (200, set(Channel))
    assert "You are unsubscribed" in answer.text
    assert "other ways below" not in answer.text
    assert [row.status for row in third_party.book.notices] == [NoticeStatus.SENT, NoticeStatus.SCHEDULED]
    third_party.post(path(third_party), ONE_CLICK)
    (told,) = registry(third_party.book)
    assert (told.recipient, told.given, told.source) == ("billTo", False, "one-click unsubscribe")
    assert "You are unsubscribed" in third_party.get(path(third_party)).text


def test_a_third_party_comes_back_by_the_question_and_has_no_say_in_the_guarantors_channels(
    third_party: Clinic,
) -> None:
    third_party.post(path(third_party), ONE_CLICK)
    assert preferences(third_party, PRINT).status == 400
    asked = third_party.post(path(third_party), UNDO)
    assert "to turn on: Email" in asked.text
    assert len(registry(third_party.book)) == 1
    assert "Emails are on" in third_party.post(path(third_party), UNDO | RIGHT).text
    assert [told.given for told in registry(third_party.book)] == [False, True]
    assert opened(third_party) == set(Channel)


def test_a_patient_with_the_guarantors_own_address_speaks_for_the_guarantor(third_party: Clinic) -> None:
    third_party.change(links=(replace(third_party.link, sent_to="a***@example.com"),))
    third_party.post(path(third_party), ONE_CLICK)
    assert opened(third_party) == {SMS, PRINT}


def test_whoever_tries_the_page_out_in_test_mode_turns_nothing_off_for_the_guarantor(clinic: Clinic) -> None:
    clinic.settle(test_contacts=MessageContacts(email="staff@example.org"))
    clinic.change(
        notices=(notice(status=NoticeStatus.SENT),), links=(replace(clinic.link, sent_to="s***@example.org"),)
    )
    for answer in (
        clinic.get(path(clinic)),
        clinic.post(path(clinic), ONE_CLICK),
        preferences(clinic, PRINT),
        clinic.post(path(clinic, "?lang=es"), ONE_CLICK),
    ):
        assert answer.status == 200
        assert "test" in answer.text or "prueba" in answer.text
        assert forms(answer) == []
    assert opened(clinic) == set(Channel)
    assert registry(clinic.book) == ()


# --- coming back -----------------------------------------------


def test_undo_asks_for_the_date_of_birth_and_then_lets_emails_go_again(clinic: Clinic) -> None:
    _, undo = forms(clinic.post(path(clinic)))[0]
    asked = clinic.post(path(clinic), undo)
    assert (asked.status, opened(clinic)) == (200, {SMS, PRINT})
    ((action, form),) = forms(asked)
    assert action.endswith(path(clinic))
    assert {"month", "day", "year"} < form.keys()
    clinic.now += timedelta(minutes=1)
    answer = clinic.post(path(clinic), form | RIGHT)
    assert (answer.status, opened(clinic)) == (200, set(Channel))
    assert "Emails are on" in answer.text
    assert clinic.book.account.planning_at == clinic.now
    sentence = "With this, Northside Family Practice may send you emails about your bills again."
    assert consents(clinic)[1] == ("OptedIn", "email", "unsubscribe page", sentence)
    assert sentence in clinic.post(path(clinic)).text


def test_what_happens_in_one_instant_is_all_kept_in_its_order(clinic: Clinic) -> None:
    for form in (ONE_CLICK, UNDO | RIGHT, ONE_CLICK):
        clinic.post(path(clinic), form)
    assert [told[0] for told in consents(clinic)] == ["OptedOut", "OptedIn", "OptedOut"]


@pytest.mark.parametrize("answer", [{}, WRONG, {"month": "13", "day": "1", "year": "2015"}, {"verification": "x" * 22}])
def test_without_the_right_answer_nothing_is_turned_on(clinic: Clinic, answer: dict[str, str]) -> None:
    close(clinic, EMAIL)
    before = opened(clinic)
    asked = clinic.post(path(clinic), UNDO | answer)
    assert asked.status in {200, 403, 422}
    assert forms(asked)[0][1]["action"] == "resubscribe"
    assert opened(clinic) == before


def test_ten_wrong_answers_lock_the_way_back_but_never_the_way_out(clinic: Clinic) -> None:
    close(clinic, SMS)
    wanted = {"action": "preferences", "email": "on", "sms": "on", "print": "on"}
    assert [clinic.post(path(clinic), wanted | WRONG).status for _ in range(10)] == [403] * 9 + [429]
    assert clinic.post(path(clinic), wanted | RIGHT).headers["Retry-After"] == "900"
    assert clinic.get(clinic.path).status == 429
    assert clinic.get(path(clinic)).status == 200
    assert clinic.post(path(clinic), ONE_CLICK).status == 200
    assert opened(clinic) == {PRINT}


def test_without_any_date_the_postal_code_is_asked_for(clinic: Clinic) -> None:
    owner = clinic.book.account
    unborn = replace(clinic.book.bills[0], birth_dates=())
    nameless = replace(owner.guarantor, date_of_birth=None)
    clinic.change(account=replace(owner, guarantor=nameless, opt_outs=OptOuts(email=True)), bills=(unborn,))
    assert "postalCode" in forms(clinic.post(path(clinic), UNDO))[0][1]
    assert clinic.post(path(clinic), UNDO | {"postalCode": "12207"}).status == 200
    assert opened(clinic) == set(Channel)


def test_where_nothing_is_known_to_ask_for_nothing_can_be_turned_on(clinic: Clinic) -> None:
    owner = clinic.book.account
    nobody = replace(owner.guarantor, date_of_birth=None, address=None)
    unborn = replace(clinic.book.bills[0], birth_dates=())
    clinic.change(account=replace(owner, guarantor=nobody, opt_outs=OptOuts(email=True)), bills=(unborn,))
    answer = clinic.post(path(clinic), UNDO)
    assert "turn messages on here There is nothing on file by which we could be sure" in answer.text
    assert "First, confirm" not in answer.text
    assert forms(answer) == []
    tried = clinic.post(path(clinic), UNDO | RIGHT)
    assert (tried.status, "Error" in tried.text, clinic.book.account.wrong_answers.count) == (403, False, 0)
    assert opened(clinic) == {SMS, PRINT}


def test_only_the_patient_is_told_that_an_address_does_not_work(clinic: Clinic) -> None:
    owner = clinic.book.account
    clinic.change(account=replace(owner, undeliverable=frozenset({EMAIL}), opt_outs=OptOuts(email=True)))
    told = "We have no address or number that works"
    assert told not in clinic.get(path(clinic)).text
    assert told in clinic.post(path(clinic), UNDO | RIGHT).text
    assert told not in clinic.get(path(clinic)).text
    assert told not in preferences(clinic, EMAIL, SMS, PRINT).text


# --- choosing -----------------------------------------------


def test_what_is_unchecked_is_off_at_once(clinic: Clinic) -> None:
    clinic.change(notices=(notice(), notice(notice_id="ntc_2", channel=SMS)))
    answer = preferences(clinic, EMAIL)
    assert "Your choice is saved" in answer.text
    assert opened(clinic) == {EMAIL}
    assert [one.status for one in clinic.book.notices] == [NoticeStatus.SCHEDULED, NoticeStatus.CANCELLED]
    sentence = "Northside Family Practice may reach me about my bills in the ways that are checked here."
    assert sentence in answer.text
    assert consents(clinic) == [
        ("OptedOut", "sms", "unsubscribe page", sentence),
        ("OptedOut", "print", "unsubscribe page", sentence),
    ]


def test_where_none_is_checked_letters_stay_on_and_the_page_says_so(clinic: Clinic) -> None:
    close(clinic, PRINT)
    answer = preferences(clinic)
    assert answer.status == 200
    assert "Letters stay on, because we need one way to reach you" in answer.text
    assert opened(clinic) == {PRINT}
    assert clinic.book.account.opt_outs == OptOuts(email=True, sms=True)


def test_paper_stays_on_also_for_somebody_without_a_mailing_address(clinic: Clinic) -> None:
    """An opt-out is honoured whatever is on file: having no address isn't a reason to go on by email."""
    owner = clinic.book.account
    only_email = replace(owner.guarantor, mobile_phone="", address=None)
    clinic.change(account=replace(owner, guarantor=only_email, opt_outs=OptOuts(sms=True, print=True)))
    clinic.post(path(clinic), ONE_CLICK)
    assert opened(clinic) == {PRINT}


def test_turning_one_on_and_another_off_asks_for_the_first_and_does_the_second(clinic: Clinic) -> None:
    close(clinic, SMS)
    asked = preferences(clinic, SMS)
    assert opened(clinic) == {PRINT}
    assert "Only letters stay on until another way is on." in asked.text
    assert "to turn on: Text messages" in asked.text
    ((_, form),) = forms(asked)
    assert (form["action"], form["sms"], "email" in form, "print" in form) == ("preferences", "on", False, False)
    assert "Your choice is saved" in clinic.post(path(clinic), form | RIGHT).text
    assert opened(clinic) == {SMS}


def test_who_has_answered_chooses_freely_for_half_an_hour(clinic: Clinic) -> None:
    close(clinic, EMAIL)
    _, form = forms(clinic.post(path(clinic), UNDO | RIGHT))[0]
    assert form["action"] == "preferences"
    kept = {"verification": form["verification"]}
    clinic.now += timedelta(minutes=29)
    preferences(clinic, PRINT)
    assert preferences(clinic, EMAIL, SMS, PRINT, **kept).status == 200
    assert opened(clinic) == set(Channel)
    preferences(clinic, PRINT)
    clinic.now += timedelta(minutes=1)
    assert preferences(clinic, EMAIL, **kept).status == 403
    assert opened(clinic) == {PRINT}


def test_texts_that_were_stopped_by_stop_show_how_to_get_them_again(clinic: Clinic) -> None:
    owner = clinic.book.account
    stopped = frozenset({number_hash(owner.guarantor.mobile_phone)})
    clinic.change(account=replace(owner, opt_outs=OptOuts(sms=True), stopped_numbers=stopped))
    page = clinic.get(path(clinic))
    assert "reply START" in page.text
    assert 'name="sms"' not in page.body
    preferences(clinic, EMAIL, SMS, PRINT, **RIGHT)
    assert opened(clinic) == {EMAIL, PRINT}


# --- scanners -----------------------------------------------


def test_a_scanner_that_sends_every_form_can_unsubscribe_but_turns_nothing_on(clinic: Clinic) -> None:
    """As it found them, and those of the pages that came back; a person can undo it."""
    close(clinic, SMS)
    waiting = [clinic.get(path(clinic))]
    for _ in range(3):
        sent = [(action, form) for page in waiting for action, form in forms(page)]
        waiting = [clinic.post(path(clinic), form) for _, form in sent]
        assert len(waiting) >= 2
    assert {told[0] for told in consents(clinic)} == {"OptedOut"}
    assert opened(clinic) == {PRINT}
    assert clinic.book.account.wrong_answers.count == 0
    assert clinic.post(path(clinic), UNDO | RIGHT).status == 200
    assert opened(clinic) == {EMAIL, PRINT}


def test_nothing_personal_reaches_the_log(clinic: Clinic, log: StringIO) -> None:
    for form in (ONE_CLICK, UNDO, UNDO | WRONG, UNDO | RIGHT, {"action": "preferences"}, {"action": "none"}):
        clinic.post(path(clinic), form)
    for private in (*SECRETIVE, clinic.issued.token):
        assert private not in log.getvalue()
