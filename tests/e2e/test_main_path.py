"""The whole path on a deployed stack: statements in, notices out, a payment, and silence after it."""

from collections.abc import Callable
from datetime import datetime

import boto3
import httpx
import pytest

from local.stack.watch import LocalStack
from tests.worlds.bounds import some
from tests.worlds.partner_at_work import Partner, statement
from tests.worlds.patient_at_work import Form, link_in

pytestmark = pytest.mark.e2e

DATE_OF_BIRTH = {"month": "6", "day": "7", "year": "2015"}


def mail_to(stack: LocalStack, address: str) -> list[str]:
    return [mail.text for mail in stack.sent_mail() if address in mail.to]


def pay(stack: LocalStack, link: str, now: datetime, amount: str = "", outcome: str = "approve") -> httpx.Response:
    """Open a link, say the patient's date of birth, and pay at the simulated processor, as a patient does."""
    with httpx.Client(headers={"Dunlin-As-Of": now.isoformat()}, follow_redirects=True, timeout=60) as browser:
        question = browser.get(link)
        assert question.status_code == 200
        assert "74.60" not in question.text
        assert "Ben" not in question.text
        balance = Form(question, "/verify").send(browser, **DATE_OF_BIRTH)
        assert "74.60" in balance.text
        processor = Form(balance, "/checkout").send(browser, amount=amount or "74.60")
        assert processor.status_code == 200, processor.text
        return Form(processor, "/checkout").send(browser, outcome=outcome)


def test_a_statement_becomes_an_email_a_text_and_a_letter_and_a_payment_ends_the_reminders(
    stack: LocalStack, partner: Partner
) -> None:
    org_id = partner.organization("E2E-MAIN")
    answer = partner.call("POST", "/v1/statements", {"statements": [statement("S-MAIN", "E2E-MAIN")]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["counts"] == {"total": 1, "created": 1, "updated": 0, "ignored": 0, "failed": 0}

    partner.days_go_by(1)
    sent = {notice["channel"]: notice for notice in partner.notices(org_id)}
    assert {channel: notice["status"] for channel, notice in sent.items()} == dict.fromkeys(
        ("email", "sms", "print"), "Sent"
    )
    assert all(notice["notificationType"] == "Initial" for notice in some(sent.values()))
    [mail] = mail_to(stack, "ada.s-main@example.com")
    assert "Practice E2E-MAIN" in mail
    assert "Office visit" not in mail
    [job] = [job.job for job in stack.print_jobs() if job.job["orgId"] == org_id]
    assert stack.printed(job["pdf"]).startswith(b"%PDF-")

    done = pay(stack, link_in(mail), partner.now)
    assert done.status_code == 200
    partner.days_go_by(1)
    bill = partner.call("GET", f"/v1/organizations/{org_id}/bills/S-MAIN").json()
    assert (bill["status"], bill["balance"]) == ("Paid", "0.00")
    assert any("74.60" in text for text in mail_to(stack, "ada.s-main@example.com")[1:]), "no receipt"

    before = len(partner.notices(org_id))
    partner.days_go_by(120)
    assert len(partner.notices(org_id)) == before


def test_nothing_is_sent_twice_however_often_the_scheduler_runs(stack: LocalStack, partner: Partner) -> None:
    org_id = partner.organization("E2E-TWICE")
    partner.call("POST", "/v1/statements", {"statements": [statement("S-TWICE", "E2E-TWICE")]})
    partner.days_go_by(1)
    for _ in range(3):
        stack.advance(partner.now)
        stack.settle()
    assert len(mail_to(stack, "ada.s-twice@example.com")) == 1
    assert len(partner.notices(org_id)) == 3


def test_a_bill_paid_at_the_desk_stops_the_notices_that_were_planned(stack: LocalStack, partner: Partner) -> None:
    org_id = partner.organization("E2E-DESK")
    partner.call("POST", "/v1/statements", {"statements": [statement("S-DESK", "E2E-DESK")]})
    stack.advance(partner.now)
    assert {notice["status"] for notice in partner.notices(org_id)} == {"Scheduled"}
    update = {
        "statementId": "S-DESK",
        "clientId": "E2E-DESK",
        "patients": [{"accountId": "P-S-DESK"}],
        "partnerTransactions": [{"transactionId": "T-1", "transactionDate": "2026-03-02", "transactionAmt": "74.60"}],
    }
    file = {"schema": "payment-updates", "partnerTransactionsOnly": True, "statements": [update]}
    answer = partner.call("POST", "/v1/statements", file)
    assert answer.json()["counts"]["updated"] == 1, answer.text
    partner.days_go_by(3)
    notices = partner.notices(org_id)
    assert {(notice["status"], notice["reason"]) for notice in notices} == {("WillNotSend", "payment made")}
    assert mail_to(stack, "ada.s-desk@example.com") == []


def test_a_mail_scanner_leaves_the_link_usable_and_a_decline_leaves_the_bill_due(
    stack: LocalStack, partner: Partner
) -> None:
    org_id = partner.organization("E2E-SCAN")
    partner.call("POST", "/v1/statements", {"statements": [statement("S-SCAN", "E2E-SCAN")]})
    partner.days_go_by(1)
    [mail] = mail_to(stack, "ada.s-scan@example.com")
    link = link_in(mail)
    with httpx.Client(headers={"Dunlin-As-Of": partner.now.isoformat()}, timeout=60) as scanner:
        for _ in range(20):
            assert scanner.get(link).status_code == 200
        scanner.head(link)
        assert scanner.post(f"{link}/checkout", data={"amount": "74.60"}).status_code < 500
    pay(stack, link, partner.now, outcome="decline")
    assert partner.call("GET", f"/v1/organizations/{org_id}/bills/S-SCAN").json()["status"] == "Due"
    pay(stack, link, partner.now)
    assert partner.call("GET", f"/v1/organizations/{org_id}/bills/S-SCAN").json()["status"] == "Paid"


def test_the_gateway_refuses_a_bad_key_with_a_problem(stack: LocalStack) -> None:
    for headers in ({}, {"Authorization": "Bearer dun_test_nokey_nosecret"}, {"Authorization": "Basic x"}):
        answer = httpx.get(f"{stack.api_url}/v1/organizations", headers=headers, timeout=60)
        assert answer.status_code == 401
        assert answer.json()["status"] == 401


def test_another_partners_ids_are_as_unknown_as_those_that_do_not_exist(new_partner: Callable[[], Partner]) -> None:
    owner, stranger = new_partner(), new_partner()
    org_id = owner.organization("E2E-OWN")
    owner.call("POST", "/v1/statements", {"statements": [statement("S-OWN", "E2E-OWN")]})
    for path in (
        "",
        "/dunning",
        "/bills",
        "/bills/S-OWN",
        "/bills/S-OWN/history",
        "/notifications",
        "/accounts/G-S-OWN",
    ):
        assert stranger.call("GET", f"/v1/organizations/{org_id}{path}").status_code == 404, path
    answer = stranger.call("POST", "/v1/statements", {"statements": [statement("S-THEFT", "E2E-OWN")]})
    assert answer.json()["counts"]["failed"] == 1


def test_no_log_holds_a_name_an_address_an_amount_or_a_links_secret(stack: LocalStack, partner: Partner) -> None:
    partner.organization("E2E-CANARY")
    # So long an amount that no id and no time of day in the logs can hold its digits by chance.
    body = statement("S-CANARY", "E2E-CANARY", totalBalance="8317264.46")
    body["guarantor"] |= {"firstName": "Zzcanaria", "email": "zzcanaria@example.com", "dateOfBirth": "1931-12-30"}
    broken = statement("S-BROKEN", "E2E-CANARY", totalBalance="not-zzcanaria")
    partner.call("POST", "/v1/statements", {"statements": [body, broken]})
    partner.days_go_by(1)
    [mail] = mail_to(stack, "zzcanaria@example.com")
    link = link_in(mail)
    httpx.post(f"{link}/verify", data={"month": "12", "day": "30", "year": "1931"}, timeout=60)
    logged = "\n".join(stack.logs()).casefold()
    assert "s-canary" not in logged or "zzcanaria" not in logged
    for secret in (
        "zzcanaria",
        "8317264",
        "8,317,264",
        "1931-12-30",
        "5185550123",
        "juniper",
        link.rsplit("/", 1)[1].casefold(),
    ):
        assert secret not in logged, f"{secret[:3]}… is in a log"


def test_a_message_that_cannot_be_read_goes_to_the_dead_letter_queue_and_holds_nobody_up(
    stack: LocalStack, partner: Partner
) -> None:
    sqs = boto3.client("sqs")
    url = stack.queues["email"]
    sqs.send_message(QueueUrl=url, MessageBody="this is no notice")
    org_id = partner.organization("E2E-POISON")
    partner.call("POST", "/v1/statements", {"statements": [statement("S-POISON", "E2E-POISON")]})
    report = partner.stack.advance(partner.now)
    assert report.next_due_at is not None
    partner.now = report.next_due_at
    partner.stack.advance(partner.now)
    for _ in range(200):
        if any(notice["status"] == "Sent" and notice["channel"] == "email" for notice in partner.notices(org_id)):
            break
    assert mail_to(stack, "ada.s-poison@example.com")
    sqs.purge_queue(QueueUrl=url)
