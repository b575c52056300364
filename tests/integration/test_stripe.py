"""Stripe Checkout: the pages and webhooks against a simulated Stripe that the official SDK talks to over HTTP."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import permutations
from typing import Any
from urllib.parse import unquote_plus

import pytest

from functions.payment_link.ports import ports
from shared.domain.records.task import TaskKind
from shared.domain.vocabulary.words import BillStatus, Channel, NoticeStatus, NotificationType
from shared.messaging import clients
from shared.processors import secret_values
from shared.processors.stripe_account import StripeAccounts
from shared.storage.account_books import AccountBooks
from shared.storage.tasks import Tasks
from tests.worlds.aws import TABLE
from tests.worlds.examples import bill, notice
from tests.worlds.stripe_clinic import KEY_NAME, STRIPE, WEBHOOK_NAME, StripeClinic

# --- going there --------------------------------------------------------------------------------------------------


def test_a_checkout_is_opened_at_stripe_for_what_was_bound_to_it_before(stripe_clinic: StripeClinic) -> None:
    session_id = stripe_clinic.opened(amount="50.00")
    [checkout] = stripe_clinic.checkouts
    session = stripe_clinic.stripe.objects.sessions[session_id]
    assert (checkout.amount, checkout.session_id) == (50_00, session_id)
    assert (session["amount_total"], session["client_reference_id"]) == (50_00, checkout.reference)
    assert session["metadata"] == {"dunlinReference": checkout.reference}
    assert session["_intent"]["metadata"] == {"dunlinReference": checkout.reference}


def test_stripe_is_told_nothing_of_a_person_or_of_health(stripe_clinic: StripeClinic) -> None:
    owner = stripe_clinic.clinic.book.account
    canary = replace(owner.guarantor, first_name="Quillon", last_name="Fennimore", email="q.fennimore@example.org")
    stripe_clinic.clinic.change(account=replace(owner, guarantor=canary))
    stripe_clinic.opened()
    stripe_clinic.opened(amount="10.00")
    private = ("quillon", "fennimore", "juniper", "2015", "1980", "s-1", "g-1", "northside", "family")
    told = [unquote_plus(f"{path} {body}").casefold() for _, path, body in stripe_clinic.stripe.requests]
    assert len(told) == 3
    assert not [word for word in private if any(word in one for one in told)]


def test_the_payers_address_is_filled_in_only_where_the_practice_wants_that(stripe_clinic: StripeClinic) -> None:
    email = stripe_clinic.clinic.book.account.guarantor.email
    for wanted, told in ((False, None), (True, email)):
        stripe_clinic.clinic.settle(payments=replace(STRIPE, stripe_prefill_email=wanted))
        assert stripe_clinic.stripe.objects.sessions[stripe_clinic.opened()]["customer_email"] == told


def test_stripe_speaks_the_language_of_the_page(stripe_clinic: StripeClinic) -> None:
    stripe_clinic.clinic.verify()
    answer = stripe_clinic.clinic.post(f"{stripe_clinic.clinic.path}/checkout?lang=es")
    session = stripe_clinic.stripe.objects.sessions[answer.location.rsplit("/", 1)[1]]
    assert session["locale"] == "es"
    assert "lang=es" in session["success_url"]


def test_a_second_checkout_ends_the_first(stripe_clinic: StripeClinic) -> None:
    first, second = stripe_clinic.opened(), stripe_clinic.opened()
    assert [stripe_clinic.stripe.objects.sessions[one]["status"] for one in (first, second)] == ["expired", "open"]


def test_who_has_just_paid_is_not_let_pay_again_before_the_webhook_comes(stripe_clinic: StripeClinic) -> None:
    stripe_clinic.stripe.objects.pay(stripe_clinic.opened(), "card")
    paid = stripe_clinic.checkouts[0].reference
    answer = stripe_clinic.clinic.checkout()
    assert f"/done?checkout={paid}" in answer.location
    assert len(stripe_clinic.session_ids) == 1


@pytest.mark.parametrize(("amount", "status"), [("0.49", 422), ("0.50", 303)])
def test_the_least_that_stripe_takes_is_said_before_it_refuses(
    stripe_clinic: StripeClinic, amount: str, status: int
) -> None:
    stripe_clinic.clinic.verify()
    answer = stripe_clinic.clinic.checkout(amount=amount)
    assert answer.status == status
    assert ("$0.50 or more" in answer.text) == (status == 422)


def test_who_owes_less_than_stripe_takes_is_told_how_to_pay_otherwise(stripe_clinic: StripeClinic) -> None:
    stripe_clinic.clinic.change(bills=(bill(balance=49),))
    assert "/checkout" not in stripe_clinic.clinic.verify().body


def test_the_pages_form_may_lead_to_stripe(stripe_clinic: StripeClinic) -> None:
    policy = stripe_clinic.clinic.verify().headers["Content-Security-Policy"]
    assert f"form-action 'self' https://pay.example.com {stripe_clinic.stripe.url};" in policy


@pytest.mark.parametrize("trouble", ["no such secret", "key refused", "stripe is down"])
def test_where_stripe_cant_be_asked_nothing_is_charged_and_the_page_says_so(
    stripe_clinic: StripeClinic, log: StringIO, trouble: str
) -> None:
    stripe_clinic.clinic.verify()
    if trouble == "no such secret":
        stripe_clinic.clinic.settle(payments=replace(STRIPE, stripe_secret_name="dunlin-test/none"))
    elif trouble == "key refused":
        stripe_clinic.stripe.key = "sk_test_another"
    else:
        stripe_clinic.stripe.shutdown()
        stripe_clinic.stripe.server_close()
    answer = stripe_clinic.clinic.checkout(amount="74.60")
    assert answer.status == 503
    assert "Nothing was charged" in answer.text
    assert "processor not reached" in log.getvalue()


def test_a_rotated_key_is_read_again_once(stripe_clinic: StripeClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    stripe_clinic.opened()
    monkeypatch.setattr(secret_values, "RENEWAL_SECONDS", 0.0)
    stripe_clinic.stripe.key = "sk_test_rotated"
    clients.secrets().put_secret_value(SecretId=KEY_NAME, SecretString="sk_test_rotated")
    stripe_clinic.opened(amount="10.00")


# --- what Stripe says -----------------------------------------------------------------------------------------------


def test_money_is_posted_with_its_receipt_and_stops_what_was_pending(stripe_clinic: StripeClinic) -> None:
    pending = notice(status=NoticeStatus.SCHEDULED, channel=Channel.EMAIL, notice_id="ntc_9")
    stripe_clinic.clinic.change(notices=(pending,))
    payment = stripe_clinic.paid()
    book = stripe_clinic.clinic.book
    assert stripe_clinic.postings() == [("card", 74_60)]
    assert [one.status for one in book.bills] == [BillStatus.PAID]
    assert book.checkouts[0].processor_payment == payment
    assert [one.notification_type for one in book.notices if one.payment_id] == [NotificationType.RECEIPT]
    assert book.notice("ntc_9") is not None
    assert [one.status for one in book.notices if one.notice_id == "ntc_9"] == [NoticeStatus.WILL_NOT_SEND]


def test_a_bank_payment_is_posted_when_the_bank_has_paid(stripe_clinic: StripeClinic) -> None:
    session_id = stripe_clinic.opened()
    stripe_clinic.stripe.objects.pay(session_id, "bank")
    assert stripe_clinic.deliver() == [200]
    assert stripe_clinic.postings() == []
    assert "is on its way" in stripe_clinic.clinic.get().text
    stripe_clinic.stripe.objects.bank_pays(session_id)
    assert stripe_clinic.deliver() == [200]
    assert stripe_clinic.postings() == [("bank", 74_60)]


def test_a_bank_that_refuses_leaves_the_bill_owed_and_the_page_says_so(stripe_clinic: StripeClinic) -> None:
    session_id = stripe_clinic.opened()
    stripe_clinic.stripe.objects.pay(session_id, "bank")
    stripe_clinic.stripe.objects.bank_refuses(session_id)
    for events in permutations(stripe_clinic.events()):
        assert set(stripe_clinic.deliver(list(events))) == {200}
    assert stripe_clinic.postings() == []
    reference = stripe_clinic.checkouts[0].reference
    done = stripe_clinic.clinic.get(f"{stripe_clinic.clinic.path}/done?checkout={reference}")
    assert "not" in done.text
    assert "is on its way" not in stripe_clinic.clinic.get().text


def test_a_hundred_copies_of_one_webhook_make_one_posting(stripe_clinic: StripeClinic) -> None:
    stripe_clinic.stripe.objects.pay(stripe_clinic.opened(), "card")
    [event] = stripe_clinic.events()
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: stripe_clinic.hook(event).status, range(50)))
    statuses += [stripe_clinic.hook(event | {"id": f"evt_{n}"}).status for n in range(50)]
    # Who was too slow ten times over is told to send again, as Stripe does.
    assert set(statuses) <= {200, 409}
    assert stripe_clinic.hook(event).status == 200
    assert stripe_clinic.postings() == [("card", 74_60)]


def test_refunds_in_parts_are_posted_by_whichever_event_tells_of_them(stripe_clinic: StripeClinic) -> None:
    payment = stripe_clinic.paid()
    for amount in (20_00, 30_00):
        stripe_clinic.stripe.objects.refund_at_the_desk(payment, amount)
    events = stripe_clinic.events()
    assert [event["type"] for event in events] == ["refund.created", "charge.refunded"] * 2
    for kind in ("charge.refunded", "refund.created"):
        stripe_clinic.deliver([event for event in events if event["type"] == kind])
        assert stripe_clinic.net == 24_60
    assert [one.balance for one in stripe_clinic.clinic.book.bills] == [50_00]


def test_a_refund_that_fails_at_the_bank_is_the_practices_again(stripe_clinic: StripeClinic) -> None:
    payment = stripe_clinic.paid()
    refund = stripe_clinic.stripe.objects.refund_at_the_desk(payment, 20_00)
    stripe_clinic.deliver()
    assert stripe_clinic.net == 54_60
    stripe_clinic.stripe.objects.fail_refund(refund)
    stripe_clinic.deliver()
    assert stripe_clinic.net == 74_60
    assert [(one.status, one.balance) for one in stripe_clinic.clinic.book.bills] == [(BillStatus.PAID, 0)]


def test_an_open_dispute_suspends_the_bill_a_lost_one_leaves_it_so(stripe_clinic: StripeClinic) -> None:
    dispute = stripe_clinic.stripe.objects.dispute(stripe_clinic.paid())
    stripe_clinic.deliver()
    stripe_clinic.stripe.objects.close_dispute(dispute, "lost")
    stripe_clinic.deliver()
    assert stripe_clinic.postings() == [("card", 74_60), ("chargeback", -74_60)]
    assert [(one.status, one.balance) for one in stripe_clinic.clinic.book.bills] == [(BillStatus.SUSPENDED, 74_60)]


def test_a_dispute_that_is_won_pays_the_bill_again(stripe_clinic: StripeClinic) -> None:
    dispute = stripe_clinic.stripe.objects.dispute(stripe_clinic.paid())
    stripe_clinic.deliver()
    stripe_clinic.stripe.objects.close_dispute(dispute, "won")
    stripe_clinic.deliver()
    assert sorted(stripe_clinic.postings()) == [("card", 74_60), ("chargeback", -74_60), ("chargeback", 74_60)]
    assert [(one.status, one.balance) for one in stripe_clinic.clinic.book.bills] == [(BillStatus.PAID, 0)]


def test_an_inquiry_takes_no_money_until_it_becomes_a_dispute(stripe_clinic: StripeClinic) -> None:
    payment = stripe_clinic.paid()
    stripe_clinic.stripe.objects.dispute(payment, status="warning_needs_response")
    stripe_clinic.deliver()
    assert stripe_clinic.net == 74_60


def test_what_goes_back_beyond_the_payment_is_a_task_once(stripe_clinic: StripeClinic) -> None:
    payment = stripe_clinic.paid()
    stripe_clinic.stripe.objects.refund_at_the_desk(payment, 20_00)
    stripe_clinic.stripe.objects.dispute(payment, 74_60)
    events = stripe_clinic.events()
    stripe_clinic.deliver(events)
    stripe_clinic.deliver(events[::-1])
    tasks, _ = Tasks(stripe_clinic.clinic.client, TABLE).page("org_1", None, TaskKind.UNMATCHED_PAYMENT, 10, "")
    assert [(task.facts["amount"], task.account_id) for task in tasks] == [("-20.00", "G-1")]
    assert stripe_clinic.net == 0


def test_in_whatever_order_events_come_the_ledger_is_stripes(stripe_clinic: StripeClinic) -> None:
    """Even what tells of a payment before the payment is known."""
    payment = stripe_clinic.stripe.objects.pay(stripe_clinic.opened(), "card")["payment_intent"]
    stripe_clinic.stripe.objects.refund_at_the_desk(payment, 20_00)
    dispute = stripe_clinic.stripe.objects.dispute(payment, 30_00)
    stripe_clinic.stripe.objects.close_dispute(dispute, "won")
    events = stripe_clinic.events()
    assert len(events) == 7
    statuses = set(stripe_clinic.deliver(events[::-1]))
    assert statuses == {200}
    assert stripe_clinic.net == stripe_clinic.stripe.objects.balance_of(payment) == 54_60


def test_an_expired_checkout_stays_open_to_money_that_comes_all_the_same(stripe_clinic: StripeClinic) -> None:
    session_id = stripe_clinic.opened()
    stripe_clinic.stripe.objects.expire_session(session_id)
    assert stripe_clinic.deliver() == [200]
    assert stripe_clinic.checkouts[0].expired_at is not None
    stripe_clinic.stripe.objects.sessions[session_id]["status"] = "open"
    stripe_clinic.stripe.objects.pay(session_id, "card")
    stripe_clinic.deliver()
    assert stripe_clinic.net == 74_60


# --- whose event it is -----------------------------------------------------------------------------------------------


def changed(event: dict[str, Any], **about: Any) -> dict[str, Any]:
    return event | {"data": {"object": event["data"]["object"] | about}}


def test_an_unknown_session_of_ours_is_sent_again_and_one_that_isnt_ours_is_not(stripe_clinic: StripeClinic) -> None:
    stripe_clinic.stripe.objects.pay(stripe_clinic.opened(), "card")
    [event] = stripe_clinic.events()
    unknown = "dln_" + "A" * 22
    assert stripe_clinic.hook(changed(event, metadata={"dunlinReference": unknown})).status == 404
    assert stripe_clinic.hook(changed(event, metadata={}, client_reference_id=unknown)).status == 404
    for other in ({}, {"dunlinReference": "theirs"}, None):
        assert stripe_clinic.hook(changed(event, metadata=other, client_reference_id=None)).status == 200
    assert stripe_clinic.hook(event | {"type": "customer.created"}).status == 200
    assert stripe_clinic.hook(event, org_id="org_2").status == 404
    assert stripe_clinic.postings() == []


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("balance.available", {"object": "balance", "available": [{"amount": -1}]}),
        ("payout.paid", {"id": "po_1", "amount": -5, "status": None, "metadata": {}}),
        ("made.up", {}),
        ("checkout.session.completed", {"id": "cs_1", "amount_total": None, "currency": "jpy", "metadata": None}),
    ],
)
def test_whatever_else_a_practice_has_stripe_send_is_taken_and_ignored(
    stripe_clinic: StripeClinic, kind: str, about: dict[str, Any]
) -> None:
    answer = stripe_clinic.hook(QUIET | {"type": kind, "data": {"object": about}})
    assert (answer.status, json.loads(answer.body)["result"]) == (200, "ignored")


def test_the_practices_own_payments_refunds_and_disputes_are_nothing_here(stripe_clinic: StripeClinic) -> None:
    payment = stripe_clinic.paid()
    stripe_clinic.stripe.objects.refund_at_the_desk(payment, 20_00)
    stripe_clinic.stripe.objects.dispute(payment)
    for event in stripe_clinic.events():
        answer = stripe_clinic.hook(changed(event, payment_intent="pi_theirs", metadata={}))
        assert (answer.status, json.loads(answer.body)["result"]) == (200, "ignored")
    assert stripe_clinic.net == 74_60


@pytest.mark.parametrize(("skew", "status"), [(-301, 401), (-295, 200), (295, 200), (305, 401)])
def test_the_clocks_may_differ_by_five_minutes_either_way(stripe_clinic: StripeClinic, skew: int, status: int) -> None:
    stripe_clinic.stripe.objects.pay(stripe_clinic.opened(), "card")
    [event] = stripe_clinic.events()
    at = datetime.now(UTC).timestamp() + skew
    assert stripe_clinic.hook(event, at=at).status == status


@pytest.mark.parametrize(
    "signature", ["", "t=1,v1=", "v1=abc", "t=x,v1=abc", "t=99999999999999,v1=a", "t={now},v0={mac}", "t={now},v1=é"]
)
def test_an_unsigned_event_is_refused(stripe_clinic: StripeClinic, signature: str) -> None:
    now = int(datetime.now(UTC).timestamp())
    given = signature.replace("{now}", str(now)).replace("{mac}", "a" * 64)
    assert stripe_clinic.hook({"id": "evt_1"}, signature=given).status == 401


def test_a_header_with_several_times_is_refused(stripe_clinic: StripeClinic) -> None:
    """The SDK would sign by the first and judge its age; which is meant isn't known."""
    event = {"id": "evt_1"}
    old = stripe_clinic.stripe.webhooks.signed(json.dumps(event).encode(), 1)
    now = int(datetime.now(UTC).timestamp())
    assert stripe_clinic.hook(event, signature=f"{old},t={now}").status == 401


def test_both_secrets_count_during_a_rotation_and_the_old_one_no_longer_than_a_day(
    stripe_clinic: StripeClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_values, "RENEWAL_SECONDS", 0.0)
    stripe_clinic.paid(amount="10.00")
    old = stripe_clinic.stripe.webhooks.secret
    clients.secrets().put_secret_value(SecretId=WEBHOOK_NAME, SecretString="whsec_new")
    for secret in (old, "whsec_new"):
        stripe_clinic.stripe.webhooks.secret = secret
        assert stripe_clinic.hook(QUIET).status == 200
    ports().secrets.clock = lambda: datetime.now(UTC) + timedelta(hours=25)
    ports().secrets.read(WEBHOOK_NAME)
    ports().secrets._known.clear()  # noqa: SLF001 - as in a process that begins now
    stripe_clinic.stripe.webhooks.secret = old
    assert stripe_clinic.hook(QUIET).status == 401


def test_bad_signatures_cost_no_reading_of_the_secret_each(stripe_clinic: StripeClinic) -> None:
    stripe_clinic.hook(QUIET)
    before = ports().secrets._known[WEBHOOK_NAME]  # noqa: SLF001 - what it read last, and when
    for _ in range(3):
        assert stripe_clinic.hook(QUIET, signature=f"t={int(datetime.now(UTC).timestamp())},v1=0").status == 401
    assert ports().secrets._known[WEBHOOK_NAME] is before  # noqa: SLF001 - the same


def test_without_a_readable_secret_the_event_is_sent_again(stripe_clinic: StripeClinic) -> None:
    stripe_clinic.clinic.settle(payments=replace(STRIPE, stripe_webhook_secret_name="dunlin-test/none"))
    assert stripe_clinic.hook(QUIET).status == 503


def test_a_practice_without_stripe_has_no_such_webhook(stripe_clinic: StripeClinic) -> None:
    stripe_clinic.clinic.settle(payments=replace(STRIPE, stripe_webhook_secret_name=""))
    assert stripe_clinic.hook(QUIET).status == 404


QUIET = {
    "id": "evt_quiet",
    "object": "event",
    "type": "customer.created",
    "created": 1_772_460_000,
    "data": {"object": {"id": "cus_1", "object": "customer"}},
}


def test_nothing_personal_is_logged(stripe_clinic: StripeClinic, log: StringIO) -> None:
    payment = stripe_clinic.paid(amount="41.23")
    stripe_clinic.stripe.objects.refund_at_the_desk(payment, 20_00)
    stripe_clinic.deliver()
    written = log.getvalue()
    assert "webhook received" in written
    assert not [word for word in ("Ada", "Example", "41.23", "4123", "2000", "whsec", "sk_test") if word in written]


# --- faults ----------------------------------------------------------------------------------------------------------


def test_wherever_a_webhook_fails_its_next_try_posts_it_once(
    stripe_clinic: StripeClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The n-th commit of all fails, for each n: before it, or after it was written."""
    payment = stripe_clinic.stripe.objects.pay(stripe_clinic.opened(), "card")["payment_intent"]
    stripe_clinic.stripe.objects.refund_at_the_desk(payment, 20_00)
    stripe_clinic.stripe.objects.dispute(payment, 30_00)
    commit, calls = AccountBooks.commit_together, list[int]()

    def failing(books: AccountBooks, *given: Any) -> Any:
        calls.append(len(calls))
        if len(calls) % 3 == 1:
            raise ConnectionError
        done = commit(books, *given)
        if len(calls) % 3 == 2:
            raise ConnectionError
        return done

    monkeypatch.setattr(AccountBooks, "commit_together", failing)
    events = stripe_clinic.events()
    for event in (*events[::-1], *events):
        tries = [stripe_clinic.hook(event).status for _ in range(6)]
        assert 200 in tries
    assert stripe_clinic.net == stripe_clinic.stripe.objects.balance_of(payment) == 24_60


def test_of_two_tabs_that_go_to_stripe_at_once_one_gets_there(
    stripe_clinic: StripeClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later one doesn't know of the earlier one's session yet, so the earlier one ends it by itself."""
    open_session, later = StripeAccounts.open_session, list[str]()

    def slow(*given: Any) -> Any:
        session = open_session(*given)
        if not later:
            later.append("began")
            later.append(stripe_clinic.clinic.checkout().location)
        return session

    stripe_clinic.clinic.verify()
    monkeypatch.setattr(StripeAccounts, "open_session", slow)
    earlier = stripe_clinic.clinic.checkout().location
    assert earlier.endswith(stripe_clinic.clinic.path)
    assert later[1].startswith(stripe_clinic.stripe.url)
    states = {one["id"]: one["status"] for one in stripe_clinic.stripe.objects.sessions.values()}
    assert sorted(states.values()) == ["expired", "open"]
    assert states[later[1].rsplit("/", 1)[1]] == "open"


CALLS = [
    (AccountBooks, "commit_together"),
    (StripeAccounts, "open_session"),
    (StripeAccounts, "end_session"),
]
"""All that a checkout does outside of this process, call by call, in its order: store, end, open, bind."""


@pytest.mark.parametrize("done", [False, True], ids=["before the call", "after it"])
def test_wherever_a_checkout_dies_its_next_try_charges_once(
    stripe_clinic: StripeClinic, monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    """The n-th call of a second checkout fails, for each n; then the patient presses Pay again, and pays."""
    stripe_clinic.opened(amount="10.00")
    for n in range(4):
        calls = list[str]()
        with monkeypatch.context() as patched:
            for kind, name in CALLS:
                patched.setattr(kind, name, dying(getattr(kind, name), name, calls, n, done=done))
            answer = stripe_clinic.clinic.checkout(amount="10.00")
        assert (len(calls), answer.status) == (n + 1, 500)
    stripe_clinic.opened(amount="10.00")
    live = [one for one in stripe_clinic.stripe.objects.sessions.values() if one["status"] == "open"]
    reachable = [one for one in live if one["id"] in {each.session_id for each in stripe_clinic.checkouts}]
    assert len(reachable) == 1
    stripe_clinic.stripe.objects.pay(reachable[0]["id"], "card")
    stripe_clinic.deliver()
    assert stripe_clinic.postings() == [("card", 10_00)]


def dying(call: Any, name: str, calls: list[str], n: int, *, done: bool) -> Any:
    """The call, which fails if it is the n-th of all: before it is made, or with its answer lost."""

    def made(*given: Any, **named: Any) -> Any:
        calls.append(name)
        if len(calls) == n + 1 and not done:
            raise ConnectionError
        answer = call(*given, **named)
        if len(calls) == n + 1:
            raise ConnectionError
        return answer

    return made
