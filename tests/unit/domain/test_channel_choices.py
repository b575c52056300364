"""What a patient chooses of the channels, and what the registry of consent keeps of it."""

from dataclasses import replace
from datetime import timedelta
from itertools import chain, combinations
from secrets import token_bytes

import pytest

from shared.domain import dunning
from shared.domain.account.consents import Consent, consents
from shared.domain.account.contacts import BILL_TO, GUARANTOR, PATIENT, number_hash
from shared.domain.delivery.claim_records import TEST_CONTACT
from shared.domain.dunning.decision import Refuse, Send
from shared.domain.dunning.judging import judge
from shared.domain.paying.link_secrets import new_payment_link
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.policy import MessageContacts
from shared.domain.records.statement import BillTo, OptOuts
from shared.domain.texting.channel_choices import (
    Agreement,
    choose,
    gets_emails,
    opted_in_channels,
    recipient_of,
    resubscribe,
    to_opt_in,
    unsubscribe,
)
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel, ConsentSource, NoticeStatus, NotificationType
from tests.worlds.examples import NOW, account, book, notice, organization

EMAIL, SMS, PRINT = Channel
ALL = frozenset(Channel)
SETS = [frozenset(some) for some in chain.from_iterable(combinations(Channel, count) for count in range(4))]
STOPPED = frozenset({number_hash(account().guarantor.mobile_phone)})
LATER = NOW + timedelta(minutes=5)
AGREED = Agreement(source=ConsentSource.UNSUBSCRIBE_PAGE, wording="No more emails, please.")
AUNT = BillTo(name="Aunt", email="aunt@example.net", mobile_phone="+15185550199")


def reached_by(*channels: Channel, **changes: object) -> AccountBook:
    """An account that has only these channels open."""
    opt_outs = OptOuts(**{channel.value: channel not in channels for channel in Channel})
    return book(account=account(opt_outs=opt_outs), **changes)


def after(before: AccountBook, change: Change | None) -> frozenset[Channel]:
    return opted_in_channels((before.after(change) if change else before).account)


def told(change: Change | None) -> list[tuple[str, str]]:
    assert change is not None
    return [(event.event, event.facts["channel"]) for event in change.history]


# --- whose link it is -----------------------------------------------

TESTING = organization(test_contacts=MessageContacts(email="tester@practice.example"))


def whose(sent_to: str, notice_id: str = "ntc_1", *, send_to: str = PATIENT, testing: bool = False) -> str:
    """Whose channels a link is about that went to a masked address, in an account with an earlier reminder."""
    asked = notice(send_to=send_to, notification_type=NotificationType.ON_DEMAND)
    issued = new_payment_link(
        org_id="org_1",
        account_id="G-1",
        now=NOW,
        lives=timedelta(days=30),
        notice_id=notice_id,
        sent_to=sent_to,
        random=token_bytes,
    )
    return recipient_of(
        book(notices=(notice(notice_id="ntc_0"), asked)), issued.link, TESTING if testing else organization()
    )


@pytest.mark.parametrize("send_to", [GUARANTOR, PATIENT, BILL_TO])
def test_a_link_is_about_whom_its_message_was_for(send_to: str) -> None:
    assert whose("s***@example.net", send_to=send_to) == send_to


def test_a_link_that_went_to_the_guarantors_own_address_is_about_the_guarantor() -> None:
    """Staff named them as the patient, say; also in test mode, which may have begun since."""
    assert whose("a***@example.com") == GUARANTOR
    assert whose("a***@example.com", testing=True) == GUARANTOR


def test_a_link_whose_message_nobody_knows_is_about_the_guarantor() -> None:
    assert whose("s***@example.net", "ntc_9") == GUARANTOR


def test_a_link_that_went_to_the_test_contact_is_about_nobodys_channels_while_test_mode_lasts() -> None:
    """Afterwards it counts as any other; and one that went to the patient before test mode is the patient's."""
    assert whose("t***@practice.example", testing=True) == TEST_CONTACT
    assert whose("t***@practice.example") == PATIENT
    assert whose("s***@example.net", testing=True) == PATIENT


# --- unsubscribing -----------------------------------------------


def test_emails_go_to_the_guarantor_unless_emails_were_opted_out_of() -> None:
    """What was said of the other channels, or by another recipient, says nothing of them."""
    assert not gets_emails(reached_by(SMS, PRINT), GUARANTOR)
    aunt = reached_by(EMAIL)
    assert gets_emails(aunt.after(unsubscribe(aunt, NOW, AGREED, BILL_TO) or Change(account=aunt.account)), GUARANTOR)


def test_who_unsubscribes_gets_no_more_emails_and_what_waits_is_stopped() -> None:
    """Dunning's and those that staff asked for; receipts and links that the person asked for still go."""
    kinds = (NotificationType.INITIAL, NotificationType.ON_DEMAND, NotificationType.RECEIPT)
    rows = [notice(notice_id=f"ntc_{kind}", notification_type=kind) for kind in kinds]
    before = book(notices=(*rows, notice(notice_id="ntc_sms", channel=SMS)))
    change = unsubscribe(before, NOW, AGREED)
    assert change is not None
    assert change.account.opt_outs == OptOuts(email=True)
    assert [(row.notice_id, row.status, row.status_history[-1].actor) for row in change.notices] == [
        ("ntc_OnDemand", NoticeStatus.CANCELLED, "patient"),
        ("ntc_Initial", NoticeStatus.CANCELLED, "patient"),
    ]
    assert change.account.planning_at == NOW
    assert unsubscribe(before.after(change), NOW, AGREED) is None


def test_who_said_stop_and_wants_neither_emails_nor_letters_keeps_letters() -> None:
    """The number may have said it when it was somebody else's, so that the guarantor's own opt-out says nothing."""
    closed = account(opt_outs=OptOuts(email=True, sms=False, print=True))
    assert opted_in_channels(closed) == {SMS}
    assert opted_in_channels(account(opt_outs=closed.opt_outs, stopped_numbers=STOPPED)) == {PRINT}


def test_unsubscribing_from_the_last_channel_leaves_paper_on() -> None:
    """Also for somebody who had opted out of letters before."""
    change = unsubscribe(reached_by(EMAIL), NOW, AGREED)
    assert after(reached_by(EMAIL), change) == {PRINT}
    assert told(change) == [("OptedOut", "email"), ("OptedIn", "print")]


def test_letters_that_stay_on_as_the_last_way_count_as_no_consent_of_the_persons() -> None:
    """Who closed the last other channel said nothing about letters, so no words of theirs stand beside them."""
    for change in (
        unsubscribe(reached_by(EMAIL), NOW, AGREED),
        choose(reached_by(SMS), frozenset(), NOW, AGREED, may_opt_in=True),
    ):
        assert change is not None
        assert [(event.facts["source"], event.facts["wording"]) for event in change.history] == [
            ("unsubscribe page", "No more emails, please."),
            ("last channel kept", ""),
        ]


def test_the_registry_keeps_when_where_and_in_which_words() -> None:
    """That is the event of the account's history."""
    change = unsubscribe(book(), LATER, AGREED)
    assert change is not None
    (event,) = change.history
    assert (event.at, event.event, event.actor) == (LATER, "OptedOut", "patient")
    assert event.facts == {"channel": "email", "source": "unsubscribe page", "wording": "No more emails, please."}


def test_a_third_party_that_unsubscribed_gets_no_message_on_demand_but_the_links_that_it_asks_for() -> None:
    """A link that staff sends is on somebody's request. Texts to the same third party, and the guarantor, go on."""
    aunt = book(account=account(bill_to=AUNT))
    closed = aunt.after(unsubscribe(aunt, NOW, AGREED, BILL_TO) or Change(account=aunt.account))
    assert unsubscribe(closed, LATER, AGREED, BILL_TO) is None

    def verdict(
        kind: NotificationType, send_to: str, known: AccountBook = closed, channel: Channel = Channel.EMAIL
    ) -> object:
        row = notice(notification_type=kind, send_to=send_to, level=0, channel=channel)
        return judge(row, known, organization(), LATER)

    assert verdict(NotificationType.ON_DEMAND, BILL_TO) == Refuse(reason=Reason.OPTED_OUT_EMAIL)
    assert isinstance(verdict(NotificationType.PAYMENT_LINK, BILL_TO), Send)
    assert isinstance(verdict(NotificationType.ON_DEMAND, BILL_TO, channel=SMS), Send)
    assert isinstance(verdict(NotificationType.ON_DEMAND, GUARANTOR), Send)
    back = resubscribe(closed, LATER, AGREED, BILL_TO)
    assert back is not None
    assert isinstance(verdict(NotificationType.ON_DEMAND, BILL_TO, closed.after(back)), Send)


def test_the_registry_keeps_what_a_third_party_said_as_the_third_partys_own() -> None:
    """Whoever gets emails already and asks for them says nothing new."""
    aunt = book(account=account(bill_to=AUNT))
    assert resubscribe(aunt, NOW, AGREED, BILL_TO) is None
    away = aunt.after(unsubscribe(aunt, NOW, AGREED, BILL_TO) or Change(account=aunt.account))
    back = away.after(resubscribe(away, LATER, AGREED, BILL_TO) or Change(account=aunt.account))
    gone = Consent(
        channel=EMAIL,
        given=False,
        at=NOW,
        actor=BILL_TO,
        source="unsubscribe page",
        wording="No more emails, please.",
        recipient=BILL_TO,
    )
    assert consents(back) == (gone, replace(gone, given=True, at=LATER))


# --- coming back -----------------------------------------------


def test_coming_back_to_email_leaves_the_other_channels_as_they_are() -> None:
    """Whatever was chosen of them."""
    for others in ({SMS, PRINT}, {PRINT}, {SMS}):
        before = reached_by(*others)
        change = resubscribe(before, LATER, AGREED)
        assert after(before, change) == {EMAIL, *others}
        assert told(change) == [("OptedIn", "email")]
    assert resubscribe(book(), LATER, AGREED) is None


def test_an_email_that_unsubscribing_stopped_is_planned_again_on_the_same_day() -> None:
    """A day's notice has one row: it is taken up again, with all of its history."""
    planned = book(notices=dunning.plan(book(), organization(), NOW).notices)
    (email,) = [row for row in planned.notices if row.channel is EMAIL]
    gone = unsubscribe(planned, NOW, AGREED)
    assert gone is not None
    away = planned.after(gone)
    back = resubscribe(away, LATER, AGREED)
    assert back is not None
    assert back.account.planning_at == LATER
    (again,) = [row for row in dunning.plan(away.after(back), organization(), LATER).notices if row.channel is EMAIL]
    assert again.notice_id == email.notice_id
    states = [entry.status for entry in again.status_history]
    assert states == [NoticeStatus.SCHEDULED, NoticeStatus.CANCELLED, NoticeStatus.SCHEDULED]


# --- choosing -----------------------------------------------


@pytest.mark.parametrize("was", [some for some in SETS if some])
@pytest.mark.parametrize("wanted", SETS)
def test_exactly_what_is_wanted_stays_on_and_paper_where_that_is_nothing(
    was: frozenset[Channel], wanted: frozenset[Channel]
) -> None:
    """For somebody who is known to be the patient, from any state to any other."""
    before = reached_by(*was)
    change = choose(before, wanted, LATER, AGREED, may_opt_in=True)
    assert after(before, change) == (wanted or {PRINT})
    assert (change is None) is ((wanted or {PRINT}) == was)


@pytest.mark.parametrize("was", [some for some in SETS if some])
@pytest.mark.parametrize("wanted", SETS)
def test_nobody_unknown_opens_a_channel(was: frozenset[Channel], wanted: frozenset[Channel]) -> None:
    """Only what is open stays; what would open waits for the answer to the question."""
    before = reached_by(*was)
    left = after(before, choose(before, wanted, LATER, AGREED, may_opt_in=False))
    assert left == (wanted & was or {PRINT})
    assert to_opt_in(before.account, wanted) == wanted - was


def test_sending_a_form_back_as_it_came_changes_nothing() -> None:
    """That is what scanners do; where all is opted out of, letters are on, and checked in the form."""
    for was in SETS:
        before = reached_by(*was)
        shown = opted_in_channels(before.account)
        assert choose(before, shown, LATER, AGREED, may_opt_in=False) is None


def test_what_waits_for_a_channel_that_is_closed_is_stopped() -> None:
    """Here the text."""
    before = book(notices=(notice(), notice(notice_id="ntc_2", channel=SMS)))
    change = choose(before, {EMAIL, PRINT}, LATER, AGREED, may_opt_in=False)
    assert change is not None
    assert [(row.notice_id, row.status) for row in change.notices] == [("ntc_2", NoticeStatus.CANCELLED)]


def test_texts_that_were_stopped_by_stop_are_opened_by_no_page() -> None:
    """The carrier's own list holds them back until the number says START."""
    before = book(account=account(opt_outs=OptOuts(sms=True), stopped_numbers=STOPPED))
    assert to_opt_in(before.account, ALL) == frozenset()
    assert choose(before, ALL, LATER, AGREED, may_opt_in=True) is None
    assert after(before, choose(before, {SMS}, LATER, AGREED, may_opt_in=True)) == {PRINT}


def test_saving_a_choice_that_shows_no_box_for_texts_says_nothing_of_texts() -> None:
    """The number said STOP as somebody else's. An opt-out recorded here would outlive the START that follows."""
    before = book(account=account(stopped_numbers=STOPPED))
    change = choose(before, {PRINT}, LATER, AGREED, may_opt_in=False)
    assert told(change) == [("OptedOut", "email")]
    assert after(before, change) == {PRINT}
    assert change is not None
    assert opted_in_channels(replace(change.account, stopped_numbers=frozenset())) == {SMS, PRINT}
