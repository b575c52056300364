"""The patient pages and the simulated processor's webhook, from the gateway's event to the table."""

import base64
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from secrets import token_bytes
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from functions.payment_link import sandbox
from functions.payment_link.ports import ports
from local.openapi.routes import declared
from shared.domain.paying.link_secrets import new_payment_link
from shared.domain.records.policy import PaymentSettings
from shared.domain.vocabulary.words import (
    BillStatus,
    Channel,
    Language,
    LinkStatus,
    NoticeStatus,
    NotificationType,
    Processor,
)
from shared.storage.account_books import AccountBooks, ConcurrentChangeError
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.clinic import (
    BASE,
    EVENTS,
    KEY,
    PRIVATE,
    PROCESSOR,
    RIGHT,
    WRONG,
    Clinic,
    gateway_event,
    invoke,
)
from tests.worlds.examples import NOW, bill, notice, organization
from tests.worlds.gateway import addressed
from tests.worlds.wiring import wired

# --- the question ------------------------------------


def test_a_link_asks_for_the_date_of_birth_and_shows_nothing_but_the_practice(clinic: Clinic) -> None:
    answer = clinic.get()
    assert answer.status == 200
    assert "Northside Family Practice" in answer.text
    assert {'name="month"', 'name="day"', 'name="year"'} <= set(re.findall(r'name="\w+"', answer.body))
    assert not any(private in answer.text for private in PRIVATE)


def test_every_page_forbids_script_framing_and_forms_that_lead_elsewhere(clinic: Clinic) -> None:
    policy = clinic.get().headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert "form-action 'self' https://pay.example.com;" in policy
    assert "frame-ancestors 'none'" in policy
    assert PROCESSOR in clinic.verify().headers["Content-Security-Policy"]


def test_the_right_date_of_birth_shows_the_balance_and_marks_the_link_opened(clinic: Clinic) -> None:
    answer = clinic.verify()
    assert answer.status == 200
    assert "$74.60" in answer.text
    assert "Due April 1, 2026" in answer.text
    assert 'value="74.60"' in answer.body
    assert clinic.link.status is LinkStatus.OPENED


def test_the_verified_cookie_is_for_this_links_pages_only_and_out_of_scripts_reach(clinic: Clinic) -> None:
    cookie = clinic.verify().headers["Set-Cookie"]
    assert f"; Path=/prod{clinic.path};" in cookie
    assert {"HttpOnly", "SameSite=Lax", "Secure", "Max-Age=1800"} <= set(cookie.split("; "))


def test_the_cookie_is_not_confined_to_https_where_there_is_none(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired(monkeypatch, ports, PUBLIC_BASE_URL="http://127.0.0.1:4566/prod")
    answer = clinic.verify()
    assert "Secure" not in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" not in answer.headers


def test_a_reload_and_back_work_with_the_cookie_and_not_without_it(clinic: Clinic) -> None:
    clinic.verify()
    assert "$74.60" in clinic.get().text
    clinic.cookie = ""
    assert "$74.60" not in clinic.get().text


def test_the_cookie_counts_for_half_an_hour(clinic: Clinic) -> None:
    clinic.verify()
    clinic.now += timedelta(minutes=29)
    assert "$74.60" in clinic.get().text
    clinic.now += timedelta(minutes=1)
    assert "$74.60" not in clinic.get().text


@pytest.mark.parametrize("cookie", ["dunlin_verified=x", "dunlin_verified=", "a=b; ;;=", 'dunlin_verified="\\'])
def test_a_made_up_cookie_opens_nothing(clinic: Clinic, cookie: str) -> None:
    clinic.verify(keeps_cookie=False)
    clinic.cookie = cookie
    assert "$74.60" not in clinic.get().text


def test_any_patients_date_of_birth_on_the_open_bills_opens_the_account(clinic: Clinic) -> None:
    clinic.change(bills=(bill("S-2", birth_dates=(date(2018, 1, 2), date(2019, 3, 4))),))
    assert clinic.verify({"month": "3", "day": "4", "year": "2019"}).status == 200


def test_a_patient_whose_bill_is_paid_opens_nothing_that_others_owe(clinic: Clinic) -> None:
    clinic.change(bills=(bill("S-2", birth_dates=(date(2018, 1, 2),), status=BillStatus.PAID, balance=0),))
    assert clinic.verify({"month": "1", "day": "2", "year": "2018"}).status == 403


def test_the_guarantors_date_counts_only_where_no_patients_is_known(clinic: Clinic) -> None:
    guarantors = {"month": "2", "day": "29", "year": "1980"}
    assert clinic.verify(guarantors).status == 403
    clinic.change(bills=(bill(birth_dates=()),))
    assert clinic.verify(guarantors).status == 200


def test_without_any_date_the_postal_code_is_asked_for(clinic: Clinic) -> None:
    owner = clinic.book.account
    clinic.change(
        account=replace(owner, guarantor=replace(owner.guarantor, date_of_birth=None)), bills=(bill(birth_dates=()),)
    )
    assert 'name="postalCode"' in clinic.get().body
    assert clinic.verify(RIGHT).status == 422
    assert clinic.verify({"postalCode": "99999"}).status == 403
    assert clinic.verify({"postalCode": "12207-0001"}).status == 200


def test_a_date_that_is_not_one_is_asked_for_again_and_not_counted(clinic: Clinic) -> None:
    for _ in range(12):
        answer = clinic.verify({"month": "2", "day": "30", "year": "2015"})
        assert answer.status == 422
        assert "Enter a day that exists" in answer.text
    assert clinic.book.account.wrong_answers.count == 0


def test_ten_wrong_answers_lock_the_link_for_fifteen_minutes(clinic: Clinic) -> None:
    assert [clinic.verify(WRONG).status for _ in range(10)] == [403] * 9 + [429]
    locked = clinic.verify(RIGHT)
    assert (locked.status, locked.headers["Retry-After"]) == (429, "900")
    assert clinic.get().status == 429
    assert not any(private in locked.text for private in PRIVATE)
    clinic.now += timedelta(minutes=15)
    assert clinic.verify(RIGHT).status == 200


def test_after_a_lock_ten_more_wrong_answers_lock_again(clinic: Clinic) -> None:
    for _ in range(10):
        clinic.verify(WRONG)
    clinic.now += timedelta(minutes=15)
    assert [clinic.verify(WRONG).status for _ in range(10)] == [403] * 9 + [429]


def test_five_links_and_a_bill_code_of_one_account_are_no_more_guesses_than_one(clinic: Clinic) -> None:
    more = [
        new_payment_link(
            org_id="org_1", account_id="G-1", now=NOW, lives=timedelta(days=30), with_code=True, random=token_bytes
        )
        for _ in range(5)
    ]
    clinic.change(links=tuple(issued.link for issued in more))
    ways = [f"/pay/{secret}" for issued in more for secret in (issued.token, issued.code)]
    assert [clinic.post(f"{way}/verify", WRONG).status for way in ways] == [403] * 9 + [429]
    locked = [clinic.post(f"{way}/verify", RIGHT) for way in ways]
    assert {(answer.status, answer.headers["Retry-After"]) for answer in locked} == {(429, "900")}


def test_thirty_wrong_answers_in_a_day_lock_until_it_is_over(clinic: Clinic) -> None:
    for _ in range(2):
        for _ in range(10):
            clinic.verify(WRONG)
        clinic.now += timedelta(minutes=15)
    assert [clinic.verify(WRONG).status for _ in range(10)] == [403] * 9 + [429]
    locked = clinic.verify(RIGHT)
    assert (locked.status, locked.headers["Retry-After"]) == (429, str(24 * 3600 - 30 * 60))
    assert "in 24 hours" in locked.text
    clinic.now = NOW + timedelta(days=1)
    assert clinic.verify(RIGHT).status == 200


def test_a_right_answer_forgives_the_wrong_ones_before_it(clinic: Clinic) -> None:
    for _ in range(9):
        clinic.verify(WRONG)
    clinic.verify(keeps_cookie=False)
    assert [clinic.verify(WRONG).status for _ in range(9)] == [403] * 9


def test_a_lock_by_somebody_else_does_not_throw_a_verified_browser_out(clinic: Clinic) -> None:
    clinic.verify()
    mine, clinic.cookie = clinic.cookie, ""
    for _ in range(10):
        clinic.verify(WRONG)
    clinic.cookie = mine
    assert clinic.get().status == 200


# --- links that can't be used ---------------------------------


@pytest.mark.parametrize("status", [LinkStatus.REVOKED, None])
def test_unknown_revoked_and_malformed_tokens_look_alike(clinic: Clinic, status: LinkStatus | None) -> None:
    if status:
        clinic.change(links=(replace(clinic.link, status=status),))
    token = clinic.issued.token if status else "A" * 22
    answers = [
        clinic.get(f"/pay/{token}"),
        clinic.post(f"/pay/{token}/verify", RIGHT),
        clinic.post(f"/pay/{token}/checkout"),
        clinic.get(f"/pay/{token}/done"),
        clinic.post(f"/pay/{token}/renew"),
        clinic.get(f"/unsubscribe/{token}"),
        clinic.post(f"/unsubscribe/{token}"),
        clinic.get("/pay/x"),
        clinic.get("/pay/" + "B" * 3000),
        clinic.get("/pay/%00%ff"),
        clinic.get("/nothing/here"),
    ]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1


@pytest.mark.parametrize("status", [LinkStatus.SENT, LinkStatus.SUPERSEDED])
def test_expired_and_superseded_links_offer_a_new_one_and_nothing_else(clinic: Clinic, status: LinkStatus) -> None:
    if status is LinkStatus.SENT:
        clinic.now += timedelta(days=30)
    clinic.change(links=(replace(clinic.link, status=status),))
    for answer in (clinic.get(), clinic.verify(RIGHT), clinic.checkout()):
        assert answer.status == 410
        assert ("expired" in answer.text) is (status is LinkStatus.SENT)
        assert ("newer link" in answer.text) is (status is LinkStatus.SUPERSEDED)
        assert re.findall(r'action="([^"]+)"', answer.body) == [f"{BASE}{clinic.path}/renew"]
        assert not any(private in answer.text for private in PRIVATE)


def test_a_scanner_that_fetches_and_posts_everything_consumes_nothing(clinic: Clinic) -> None:
    for _ in range(20):
        assert clinic.request("HEAD", clinic.path).body == ""
        assert clinic.get().status == 200
        clinic.get(f"{clinic.path}/done")
        clinic.post(f"{clinic.path}/verify")
        clinic.post(f"{clinic.path}/checkout", {"amount": "74.60"})
        clinic.post(f"{clinic.path}/verify", {"month": "", "day": "", "year": ""})
    assert clinic.link == clinic.issued.link
    assert clinic.book.checkouts == ()
    assert clinic.verify().status == 200


# --- paying ------------------------------------


def test_checkout_sends_the_browser_to_the_processor_with_what_is_owed(clinic: Clinic) -> None:
    clinic.verify()
    answer = clinic.checkout(amount="74.60")
    assert answer.status == 303
    url = urlsplit(answer.location)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    (checkout,) = clinic.book.checkouts
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{PROCESSOR}/checkout"
    assert query == {
        "session": checkout.reference,
        "org": "org_1",
        "amount": "7460",
        "currency": "usd",
        "reference": checkout.reference,
        "practice": "Northside Family Practice",
        "webhook": f"{BASE}/webhooks/sandbox/org_1",
        "return": f"{BASE}{clinic.path}/done?checkout={checkout.reference}",
        "asOf": clinic.now.isoformat(),
    }


def test_checkout_takes_the_pages_own_field_where_cookies_are_off(clinic: Clinic) -> None:
    page = clinic.verify(keeps_cookie=False)
    (secret,) = set(re.findall(r'name="verification" value="(\w+)"', page.body))
    assert clinic.checkout(amount="1", verification="").status == 403
    assert clinic.checkout(amount="1", verification=secret).status == 303


def test_checkout_without_a_right_answer_asks_for_it(clinic: Clinic) -> None:
    answer = clinic.checkout(amount="74.60", verification="A" * 22)
    assert answer.status == 403
    assert "$74.60" not in answer.text
    assert 'name="month"' in answer.body


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("", "Enter the amount"),
        ("abc", "such as 74.60"),
        ("0", "more than zero"),
        ("74.61", "Enter $74.60 or less"),
    ],
)
def test_an_amount_that_cannot_be_paid_is_asked_for_again(clinic: Clinic, amount: str, says: str) -> None:
    clinic.verify()
    answer = clinic.checkout(amount=amount)
    assert answer.status == 422
    assert says in answer.text
    assert f'value="{amount}"' in answer.body
    assert clinic.book.checkouts == ()


def test_the_right_answer_leads_on_by_get_so_that_the_browser_can_come_back(clinic: Clinic) -> None:
    answer = clinic.answer(query="?lang=es")
    assert (answer.status, answer.location) == (303, f"{BASE}{clinic.path}?lang=es")
    assert "74.60" not in answer.body
    clinic.cookie = answer.cookie
    assert "74.60" in clinic.get(answer.location.removeprefix(BASE)).text


def test_an_amount_typed_before_the_session_ended_is_there_after_the_next_answer(clinic: Clinic) -> None:
    clinic.change(bills=(bill("S-2", balance=10_00),))
    clinic.verify()
    clinic.now += timedelta(minutes=31)
    again = clinic.checkout(amount="7.25", statementId="S-2")
    assert again.status == 403
    kept = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', again.body))
    assert kept == {"amount": "7.25", "statementId": "S-2"}
    slipped = clinic.verify(kept | WRONG)
    assert dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', slipped.body)) == kept
    page = clinic.verify(kept | RIGHT)
    assert 'value="7.25"' in page.body
    assert re.search(r'value="S-2" checked', page.body)
    assert 'value="7.25"' not in clinic.get().body


@pytest.mark.parametrize("amount", [{}, {"amount": ""}, {"amount": "84.60"}])
def test_one_bill_is_paid_by_picking_it_whatever_was_in_the_amounts_field_before(
    clinic: Clinic, amount: dict[str, str]
) -> None:
    clinic.change(bills=(bill("S-2", balance=10_00),))
    page = clinic.verify()
    assert re.search(r'name="amount"[^>]* value=""', page.body)
    assert clinic.checkout(statementId="S-2", **amount).status == 303
    (checkout,) = clinic.book.checkouts
    assert (checkout.statement_id, checkout.amount) == ("S-2", 10_00)


def test_one_bill_can_be_picked_and_its_amount_is_offered_where_more_was_typed(clinic: Clinic) -> None:
    clinic.change(bills=(bill("S-2", balance=10_00),))
    clinic.verify()
    corrected = clinic.checkout(amount="20", statementId="S-2")
    assert corrected.status == 422
    assert 'value="10.00"' in corrected.body
    assert re.search(r'value="S-2" checked', corrected.body)
    clinic.checkout(amount="10.00", statementId="S-2")
    (checkout,) = clinic.book.checkouts
    assert (checkout.statement_id, checkout.amount) == ("S-2", 10_00)
    clinic.webhook(reference=checkout.reference, amount=1000)
    assert {one.statement_id: one.balance for one in clinic.book.bills} == {"S-1": 74_60, "S-2": 0}


def test_a_bill_that_is_not_behind_the_link_cannot_be_picked(clinic: Clinic) -> None:
    clinic.verify()
    assert clinic.checkout(amount="1", statementId="S-9").status == 422


def test_a_link_sent_by_staff_is_for_its_statement_only(clinic: Clinic) -> None:
    clinic.change(
        bills=(bill("S-2", balance=10_00, birth_dates=(date(2018, 1, 2),)),),
        links=(replace(clinic.link, statement_id="S-2", staff_name="Sam"),),
    )
    assert clinic.verify(RIGHT).status == 403
    answer = clinic.verify({"month": "1", "day": "2", "year": "2018"})
    assert "$10.00" in answer.text
    assert "74.60" not in answer.text
    clinic.checkout()
    assert [(one.statement_id, one.amount) for one in clinic.book.checkouts] == [("S-2", 10_00)]


def test_a_confirmed_payment_pays_the_bill_and_stops_what_was_queued(clinic: Clinic) -> None:
    queued = (notice(), notice(notice_id="ntc_2", channel=Channel.SMS, status=NoticeStatus.QUEUED))
    clinic.change(notices=queued)
    reference = clinic.reference(amount="74.60")
    assert clinic.webhook(reference=reference).status == 200
    book = clinic.book
    assert (book.bills[0].status, book.bills[0].balance) == (BillStatus.PAID, 0)
    assert clinic.link.status is LinkStatus.PAID
    assert book.checkouts[0].completed_at == clinic.now
    (payment,) = book.payments
    assert (payment.amount, payment.link_id, payment.method) == (74_60, clinic.link.link_id, "card")
    kinds = {one.notice_id[:3]: (one.notification_type, one.status) for one in book.notices}
    assert kinds["rcp"] == (NotificationType.RECEIPT, NoticeStatus.SCHEDULED)
    assert kinds["ntc"] == (NotificationType.INITIAL, NoticeStatus.WILL_NOT_SEND)


def test_a_hundred_copies_of_one_webhook_at_once_make_one_ledger_entry(clinic: Clinic) -> None:
    reference = clinic.reference(amount="74.60")
    ready = threading.Barrier(20)

    def tell(copy: int) -> int:
        if copy < 20:
            ready.wait()
        return clinic.webhook(reference=reference, eventId=f"evt_{copy}").status

    with ThreadPoolExecutor(20) as workers:
        statuses = list(workers.map(tell, range(100)))
    assert set(statuses) == {200}
    assert len(clinic.book.payments) == 1
    assert clinic.book.account.credit == 0
    assert len([one for one in clinic.book.notices if one.notification_type is NotificationType.RECEIPT]) == 1


def test_two_different_payments_of_one_bill_are_one_applied_and_one_credit(clinic: Clinic) -> None:
    first, second = clinic.reference(amount="74.60"), clinic.reference(amount="74.60")
    assert {clinic.webhook(reference=one).status for one in (first, second)} == {200}
    assert [payment.credit for payment in clinic.book.payments].count(74_60) == 1
    assert (clinic.book.bills[0].balance, clinic.book.account.credit) == (0, 74_60)


def test_a_payment_that_comes_after_the_link_expired_counts(clinic: Clinic) -> None:
    reference = clinic.reference(amount="74.60")
    clinic.now += timedelta(days=31)
    assert clinic.webhook(reference=reference).status == 200
    assert clinic.book.bills[0].status is BillStatus.PAID


def test_a_paid_link_says_so_once_the_question_is_answered(clinic: Clinic) -> None:
    clinic.webhook(reference=clinic.reference())
    assert "This balance is paid. Thank you." in clinic.get().text
    clinic.cookie = ""
    assert "paid" not in clinic.get().text
    assert "This balance is paid. Thank you." in clinic.verify().text


def test_a_form_still_open_after_the_balance_was_paid_leads_to_the_paid_page(clinic: Clinic) -> None:
    clinic.webhook(reference=clinic.reference())
    answer = clinic.checkout(amount="74.60")
    assert "This balance is paid. Thank you." in answer.text or answer.location == f"{BASE}{clinic.path}"


def test_a_declined_payment_posts_nothing_and_can_be_tried_again(clinic: Clinic) -> None:
    reference = clinic.reference()
    assert clinic.webhook(reference=reference, type="checkout.declined").status == 200
    assert clinic.book.payments == ()
    page = clinic.get(f"{clinic.path}/done?checkout={reference}")
    assert "nothing was charged" in page.text
    assert clinic.webhook(reference=reference).status == 200
    assert clinic.webhook(reference=reference, type="checkout.declined").status == 200
    assert "We received $74.60" in clinic.get(f"{clinic.path}/done?checkout={reference}").text


def test_the_done_page_waits_for_the_webhook_and_tells_the_amount_to_a_verified_browser_only(clinic: Clinic) -> None:
    reference = clinic.reference(amount="20")
    waiting = clinic.get(f"{clinic.path}/done?checkout={reference}")
    assert "being confirmed" in waiting.text
    assert f'href="{BASE}{clinic.path}/done?checkout={reference}"' in waiting.body
    clinic.webhook(reference=reference, amount=2000)
    page = clinic.get(f"{clinic.path}/done")
    assert "We received $20.00" in page.text
    assert "$54.60 is still open" in page.text
    clinic.cookie = ""
    stranger = clinic.get(f"{clinic.path}/done?checkout={reference}")
    assert "Thank you" in stranger.text
    assert "$" not in stranger.text


def test_the_done_page_works_though_the_link_has_expired_meanwhile(clinic: Clinic) -> None:
    clinic.now += timedelta(days=29, hours=23, minutes=50)
    reference = clinic.reference()
    clinic.now += timedelta(minutes=15)
    clinic.webhook(reference=reference)
    assert "We received $74.60" in clinic.get(f"{clinic.path}/done").text


@pytest.mark.parametrize("form", ["verify", "checkout", "renew"])
def test_a_tab_opened_again_after_a_form_leads_back_to_the_link(clinic: Clinic, form: str) -> None:
    answer = clinic.get(f"{clinic.path}/{form}?lang=es")
    assert (answer.status, answer.location) == (303, f"{BASE}{clinic.path}?lang=es")


def test_without_a_processor_the_page_tells_how_to_pay_and_takes_no_checkout(clinic: Clinic) -> None:
    clinic.settle(payments=PaymentSettings())
    page = clinic.verify()
    assert "$74.60" in page.text
    assert "By mail" in page.text
    assert "/checkout" not in page.body
    assert clinic.checkout(amount="1").status == 409
    assert clinic.book.checkouts == ()


def test_an_external_site_is_reached_by_the_organizations_own_id(clinic: Clinic) -> None:
    external = PaymentSettings(
        processor=Processor.EXTERNAL,
        external_url_template="https://pay.site.example/?m={id}&a={amount}",
        external_id="A B",
    )
    clinic.settle(payments=external)
    assert "https://pay.site.example" in clinic.verify().headers["Content-Security-Policy"]
    assert clinic.checkout(amount="20").location == "https://pay.site.example/?m=A%20B&a=20.00"
    assert clinic.checkout(amount="99").status == 422
    clinic.settle(payments=replace(external, external_id=""))
    assert "/checkout" not in clinic.get().body


@pytest.mark.parametrize(
    "template",
    [
        "https://[bad",
        "https://site.example; script-src *",
        "https://site.example;script-src/{id}",
        "https://site.example\r\nSet-Cookie: a=b/",
        "https://{id}.example/",
        "https://user@site.example/",
        "https://site.example:99999/{id}",
        "https://site.example/{unknown}",
        "javascript:alert(1)",
        "",
    ],
)
def test_a_template_stored_before_templates_were_checked_breaks_no_page_and_leads_nowhere(
    clinic: Clinic, template: str
) -> None:
    clinic.settle(
        payments=PaymentSettings(processor=Processor.EXTERNAL, external_url_template=template, external_id="A")
    )
    page = clinic.verify()
    assert page.status == 200
    assert "$74.60" in page.text
    assert page.headers["Content-Security-Policy"].endswith(
        "form-action 'self' https://pay.example.com; base-uri 'none'; frame-ancestors 'none'"
    )
    assert "/checkout" not in page.body
    assert clinic.checkout(amount="20").status == 409


# --- the webhook ------------------------------------


def test_an_unsigned_or_wrongly_signed_webhook_is_refused(clinic: Clinic) -> None:
    reference = clinic.reference()
    assert clinic.webhook(reference=reference, key="another key").status == 401
    event = gateway_event("POST", "/webhooks/sandbox/org_1", "{}", {})
    assert invoke(event, clinic.context).status == 401
    assert clinic.book.payments == ()


@pytest.mark.parametrize(("seconds", "status"), [(-290, 200), (290, 200), (-310, 401), (310, 401)])
def test_a_signature_may_be_five_minutes_off_the_real_clock_either_way(
    clinic: Clinic, seconds: int, status: int
) -> None:
    at = int(datetime.now(UTC).timestamp()) + seconds
    assert clinic.webhook(reference=clinic.reference(), at=at).status == status


def test_an_unknown_reference_of_our_shape_is_sent_again_and_another_is_not_ours(clinic: Clinic) -> None:
    assert clinic.webhook(reference="dln_" + "A" * 22).status == 404
    assert clinic.webhook(reference="dln_" + "A" * 22, type="checkout.declined").status == 404
    assert clinic.webhook().status == 200
    assert clinic.webhook(reference="somebody-elses").status == 200


def test_a_reference_of_another_organization_is_unknown(clinic: Clinic) -> None:
    Organizations(clinic.client, TABLE).create(organization(org_id="org_2", client_id="SOUTH"))
    assert clinic.webhook(reference=clinic.reference(), org_id="org_2").status == 404
    assert clinic.book.payments == ()


@pytest.mark.parametrize("wrong", [{"amount": 0}, {"amount": "7460"}, {"currency": "eur"}, {"type": "checkout.lost"}])
def test_a_webhook_that_is_no_event_is_refused_with_its_member(clinic: Clinic, wrong: dict[str, Any]) -> None:
    answer = clinic.webhook(reference=clinic.reference(), **wrong)
    assert answer.status == 422
    assert json.loads(answer.body)["errors"][0]["pointer"] == f"/{next(iter(wrong))}"
    assert clinic.book.payments == ()


def test_stacks_without_the_simulated_processor_have_no_such_webhook(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired(monkeypatch, ports, SANDBOX_PROCESSOR_URL="")
    assert clinic.webhook(reference="dln_" + "A" * 22).status == 404
    assert "/checkout" not in clinic.verify().body


def test_the_sample_webhook_is_an_event_of_the_contract() -> None:
    sample = json.loads((EVENTS / "payment_link_webhook.json").read_text())
    event = sandbox.SandboxEvent.model_validate_json(base64.b64decode(sample["body"]))
    assert event.type == "checkout.completed"


def test_a_webhook_in_base64_is_read_as_it_was_signed(clinic: Clinic) -> None:
    reference = clinic.reference()
    sample = json.loads((EVENTS / "payment_link_webhook.json").read_text())
    told = json.loads(base64.b64decode(sample["body"])) | {"reference": reference}
    body = json.dumps(told).encode()
    signed = sandbox.signature(body, KEY, int(datetime.now(UTC).timestamp()))
    event = sample | {
        "path": "/webhooks/sandbox/org_1",
        "body": base64.b64encode(body).decode(),
        "headers": {sandbox.SIGNATURE_HEADER: signed},
    }
    assert invoke(event, clinic.context).status == 200
    assert len(clinic.book.payments) == 1


# --- a new link ------------------------------------


def asked_for(clinic: Clinic) -> list[Any]:
    return [one for one in clinic.book.notices if one.notification_type is NotificationType.PAYMENT_LINK]


def test_an_expired_link_has_a_new_one_sent_on_the_channel_that_it_came_by(clinic: Clinic) -> None:
    clinic.change(notices=(notice(channel=Channel.SMS, status=NoticeStatus.SENT),))
    clinic.now += timedelta(days=31)
    answer = clinic.post(f"{clinic.path}/renew")
    assert answer.status == 200
    assert "If we have an address on file, a new link is on its way." in answer.text
    (asked,) = asked_for(clinic)
    assert (asked.channel, asked.status, asked.scheduled_for) == (Channel.SMS, NoticeStatus.SCHEDULED, clinic.now)
    assert asked.bills == ()


def test_a_letters_link_is_renewed_by_email_and_one_for_a_statement_stays_so(clinic: Clinic) -> None:
    clinic.change(
        notices=(notice(channel=Channel.PRINT, status=NoticeStatus.SENT),),
        links=(replace(clinic.link, statement_id="S-1"),),
    )
    clinic.post(f"{clinic.path}/renew")
    (asked,) = asked_for(clinic)
    assert (asked.channel, asked.statement_ids) == (Channel.EMAIL, ("S-1",))


def test_without_an_address_the_answer_is_the_same_and_nothing_is_planned(clinic: Clinic) -> None:
    with_address = clinic.post(f"{clinic.path}/renew").body
    owner = clinic.book.account
    stranger = replace(owner, guarantor=replace(owner.guarantor, email="", mobile_phone=""))
    clinic.change(account=stranger)
    clinic.now += timedelta(hours=1)
    assert clinic.post(f"{clinic.path}/renew").body == with_address
    assert len(asked_for(clinic)) == 1


def test_pressing_renew_again_and_again_sends_one_link_in_ten_minutes_and_five_in_all(clinic: Clinic) -> None:
    for minute in range(0, 100, 5):
        clinic.now = NOW + timedelta(minutes=minute)
        clinic.post(f"{clinic.path}/renew")
        assert len(asked_for(clinic)) == min(minute // 10 + 1, 5)


# --- the bill code ------------------------------------


def test_a_bill_code_leads_to_the_question_however_it_is_typed(clinic: Clinic) -> None:
    assert 'name="code"' in clinic.get("/bill").body
    answer = clinic.post("/bill", {"code": f" {clinic.issued.code.lower().replace('-', ' ')} "})
    assert answer.status == 303
    path = answer.location.removeprefix(BASE)
    assert 'name="month"' in clinic.get(path).body
    opened = clinic.post(f"{path}/verify", RIGHT)
    assert opened.location == f"{BASE}{path}"
    clinic.cookie = opened.cookie
    assert "$74.60" in clinic.get(path).text
    assert f"Path=/prod{path};" in opened.headers["Set-Cookie"]


@pytest.mark.parametrize(("code", "status"), [("", 422), ("ABC", 422), ("ZZZZZ-ZZZZZ", 404)])
def test_a_bill_code_that_is_not_known_is_asked_for_again(clinic: Clinic, code: str, status: int) -> None:
    answer = clinic.post("/bill", {"code": code})
    assert answer.status == status
    assert f'value="{code}"' in answer.body


# --- languages, time, trouble ------------------------------------


def test_pages_speak_the_guarantors_language_unless_another_is_chosen(clinic: Clinic) -> None:
    owner = clinic.book.account
    clinic.change(account=replace(owner, guarantor=replace(owner.guarantor, language=Language.SPANISH)))
    assert "Fecha de nacimiento" in clinic.get().text
    assert "date of birth" in clinic.get(f"{clinic.path}?lang=en").text
    assert "Fecha de nacimiento" in clinic.get(f"{clinic.path}?lang=xx").text


def test_pages_of_nobody_speak_the_browsers_language(clinic: Clinic) -> None:
    clinic.accepts_language = "es-MX,es;q=0.9"
    assert "Código de factura" in clinic.get("/bill").text


@pytest.mark.parametrize(
    ("header", "spanish"),
    [("es", True), ("fr, ES-us;q=0.8, en;q=0.5", True), ("en-US,en;q=0.9,es;q=0.8", False), ("es;q=0, en", False)],
)
def test_a_browsers_languages_count_by_their_weight(clinic: Clinic, header: str, *, spanish: bool) -> None:
    clinic.accepts_language = header
    assert ("No encontramos esta página" in clinic.get("/pay/unknown").text) is spanish


def test_an_unknown_or_revoked_links_page_keeps_a_language_and_offers_the_other(clinic: Clinic) -> None:
    clinic.change(links=(replace(clinic.link, status=LinkStatus.REVOKED),))
    for path in (clinic.path, "/pay/unknown"):
        spanish = clinic.get(f"{path}?lang=es")
        assert "No encontramos esta página" in spanish.text
        assert 'href="?lang=en"' in spanish.body
        assert f'href="{BASE}/bill?lang=es"' in spanish.body


def test_a_chosen_language_comes_back_from_the_processor(clinic: Clinic) -> None:
    clinic.verify()
    answer = clinic.post(f"{clinic.path}/checkout?lang=es", {"amount": "1"})
    assert "lang=es" in parse_qs(urlsplit(answer.location).query)["return"][0]


def test_head_answers_as_get_does_without_the_body_on_every_page(clinic: Clinic) -> None:
    reads = [route for route, _ in declared()["PaymentLink"] if route.method == "GET"]
    assert len(reads) > 5
    for route in reads:
        path = route.path.replace("{token}", clinic.issued.token)
        read, probed = clinic.get(path), clinic.request("HEAD", path)
        assert (probed.status, probed.body) == (read.status, ""), route
        assert probed.headers == read.headers


def test_what_others_add_to_a_links_address_keeps_nobody_from_their_page(clinic: Clinic) -> None:
    assert "date of birth" in clinic.get(f"{clinic.path}?utm_source=mail&fbclid=x&lang=xx").text


def test_a_stack_without_simulated_time_ignores_the_header(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    wired(monkeypatch, ports, ALLOW_SIMULATED_TIME="false")
    expired = replace(clinic.link, expires_at=datetime.now(UTC) + timedelta(hours=1))
    clinic.change(links=(expired,))
    clinic.now = datetime(2099, 1, 1, tzinfo=UTC)
    assert clinic.verify().status == 200
    assert "asOf" not in clinic.checkout(amount="1").location


def test_a_time_or_form_that_cannot_be_read_is_a_page_too(clinic: Clinic) -> None:
    event = gateway_event("GET", clinic.path, None, {"Dunlin-As-Of": "yesterday"})
    assert invoke(event, clinic.context).status == 400
    event = gateway_event("POST", f"{clinic.path}/verify", base64.b64encode(b"\xff\xfe").decode())
    assert invoke(event | {"isBase64Encoded": True}, clinic.context).status == 400


def test_a_form_in_base64_is_read(clinic: Clinic) -> None:
    body = base64.b64encode(urlencode(RIGHT).encode()).decode()
    event = gateway_event("POST", f"{clinic.path}/verify", body, {"Dunlin-As-Of": NOW.isoformat()})
    assert invoke(event | {"isBase64Encoded": True}, clinic.context).status == 303


def test_what_breaks_is_a_page_that_tells_nothing_and_a_log_line_without_what_was_sent(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("Ada Example owes 74.60")

    monkeypatch.setattr(AccountBooks, "load", broken)
    answer = clinic.get()
    assert answer.status == 500
    assert "Something went wrong" in answer.text
    assert "RuntimeError" in log.getvalue()
    assert "Ada" not in log.getvalue()
    assert clinic.issued.token not in log.getvalue()


def test_nothing_personal_reaches_the_log(clinic: Clinic, log: StringIO) -> None:
    clinic.verify(WRONG)
    clinic.webhook(reference=clinic.reference(amount="74.60"))
    clinic.post(f"{clinic.path}/renew")
    clinic.post(f"/unsubscribe/{clinic.issued.token}")
    assert "org_1" in log.getvalue()
    for private in (*PRIVATE, "7460", clinic.issued.token, clinic.issued.code):
        assert private not in log.getvalue()


def test_the_log_tells_a_request_by_its_route_and_answer(clinic: Clinic, log: StringIO) -> None:
    sample = json.loads((EVENTS / "payment_link_verify.json").read_text())
    wrong = addressed("POST", f"{clinic.path}/verify") | {"body": "month=1&day=1&year=1901"}
    invoke(sample | wrong | {"headers": {"Dunlin-As-Of": NOW.isoformat()}}, clinic.context)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (answered,) = [line for line in lines if line["message"] == "answered"]
    assert (answered["method"], answered["route"], answered["status"]) == ("POST", "/pay/{token}/verify", 403)


def test_the_sample_form_is_what_the_browser_sends(clinic: Clinic) -> None:
    sample = json.loads((EVENTS / "payment_link_verify.json").read_text())
    event = sample | addressed("POST", f"{clinic.path}/verify") | {"headers": {"Dunlin-As-Of": NOW.isoformat()}}
    assert invoke(event, clinic.context).status == 303


def test_an_account_that_keeps_changing_is_asked_for_again_later(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise ConcurrentChangeError

    monkeypatch.setattr(AccountBooks, "commit", lost)
    answer = clinic.verify()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")


# --- one checkout at a time, and what is paid twice all the same -----------------------------------------------


def test_a_new_checkout_ends_the_links_one_before_here_and_at_the_processor(
    clinic: Clinic, ended_checkouts: list[str]
) -> None:
    clinic.verify()
    first, second = clinic.reference(amount="74.60"), clinic.reference(amount="10.00")
    assert ended_checkouts == [first]
    checkouts = {checkout.reference: checkout for checkout in clinic.book.checkouts}
    assert (checkouts[first].expired_at, checkouts[second].expired_at) == (clinic.now, None)


def test_a_checkout_that_was_paid_or_has_ended_is_not_ended_again(clinic: Clinic, ended_checkouts: list[str]) -> None:
    clinic.verify()
    paid = clinic.reference(amount="10.00")
    clinic.webhook(reference=paid, amount=10_00)
    second, third = clinic.reference(amount="10.00"), clinic.reference(amount="10.00")
    assert (ended_checkouts, third != second) == ([second], True)


def test_one_paid_twice_all_the_same_is_posted_and_told_instead_of_thanked_for(clinic: Clinic) -> None:
    clinic.verify()
    first, second = clinic.reference(amount="74.60"), clinic.reference(amount="74.60")
    for reference in (second, first):
        assert clinic.webhook(reference=reference, amount=74_60).status == 200
    assert clinic.book.account.credit == 74_60
    thanked = clinic.get(f"{clinic.path}/done?checkout={second}").text
    told = clinic.get(f"{clinic.path}/done?checkout={first}").text
    assert "Thank you for your payment" in thanked
    assert "You paid more than was owed" in told
    assert "$74.60 of it is more than was owed" in told
    assert "Thank you" not in told
    assert "Pagó más de lo que debía" in clinic.get(f"{clinic.path}/done?checkout={first}&lang=es").text


@pytest.mark.parametrize("status", [BillStatus.CANCELLED, BillStatus.PAID])
def test_only_a_bill_that_was_paid_is_called_paid(clinic: Clinic, status: BillStatus) -> None:
    clinic.verify()
    clinic.change(bills=(bill(status=status, balance=0),))
    text = clinic.get().text
    assert ("This balance is paid. Thank you." in text) is (status is BillStatus.PAID)
    assert ("There is nothing to pay here" in text) is (status is BillStatus.CANCELLED)


def test_the_page_shows_a_credit_that_the_practice_keeps(clinic: Clinic) -> None:
    clinic.verify()
    clinic.change(account=replace(clinic.book.account, credit=5_00))
    assert "$5.00 of yours lies with" in clinic.get().text
