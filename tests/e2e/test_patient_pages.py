"""The patient pages on a deployed stack, beyond paying: documents as the gateway hands them over, and what is said."""

import re
from collections.abc import Iterator
from html import unescape
from secrets import token_hex

import httpx
import pymupdf
import pytest

from local.stack.watch import LocalStack
from tests.e2e.test_main_path import DATE_OF_BIRTH, mail_to, pay
from tests.worlds.partner_at_work import Partner, statement
from tests.worlds.patient_at_work import Form, link_in

pytestmark = pytest.mark.e2e


@pytest.fixture
def patient(stack: LocalStack, partner: Partner) -> Iterator[tuple[httpx.Client, str, str]]:
    """A browser, the link that its owner was sent, and the organization."""
    name = f"pages{token_hex(4)}"
    org_id = partner.organization(f"E2E-{name}")
    partner.call("POST", "/v1/statements", {"statements": [statement(f"S-{name}", f"E2E-{name}")]})
    partner.days_go_by(1)
    [mail, *_] = mail_to(stack, f"ada.s-{name}@example.com")
    headers = {"Dunlin-As-Of": partner.now.isoformat()}
    with httpx.Client(headers=headers, follow_redirects=True, timeout=60) as browser:
        yield browser, link_in(mail), org_id


def document(browser: httpx.Client, page: httpx.Response, kind: str) -> str:
    """The text of a document that a page leads to, as the gateway hands it over."""
    [address] = [unescape(found) for found in re.findall(rf'href="([^"]+/{kind}[^"]*)"', page.text)]
    answer = browser.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == f'inline; filename="{kind}.pdf"'
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert answer.headers["referrer-policy"] == "no-referrer"
    # The bytes themselves, not their base64, or their letters in another encoding.
    assert answer.content.startswith(b"%PDF-")
    stranger = httpx.get(address, headers=dict(browser.headers.items()) | {"Cookie": ""}, timeout=60)
    assert (stranger.status_code, b"%PDF" in stranger.content) == (303, False)
    with pymupdf.open(stream=answer.content, filetype="pdf") as pdf:  # type: ignore[no-untyped-call] # untyped
        return " ".join("".join(page.get_text() for page in pdf).split())


def test_a_patient_gets_the_statement_and_the_receipt_as_pdf(
    stack: LocalStack, partner: Partner, patient: tuple[httpx.Client, str, str]
) -> None:
    browser, link, _ = patient
    balance = Form(browser.get(link), "/verify").send(browser, **DATE_OF_BIRTH)
    told = document(browser, balance, "statement")
    assert "S-pages" in told
    assert "74.60" in told
    pay(stack, link, partner.now)
    stack.settle()
    after = Form(browser.get(link), "/verify").send(browser, **DATE_OF_BIRTH)
    assert "74.60" in document(browser, after, "receipt")


def test_who_objects_hears_nothing_until_staff_resolve_the_task(
    partner: Partner, patient: tuple[httpx.Client, str, str]
) -> None:
    browser, link, org_id = patient
    balance = Form(browser.get(link), "/verify").send(browser, **DATE_OF_BIRTH)
    said = Form(balance, "/objection").send(browser, kind="InsurancePending", text="Claim 4711 is still open")
    assert (said.status_code, "Your message was sent" in said.text) == (200, True)
    before = len(partner.notices(org_id))
    partner.days_go_by(60)
    assert len(partner.notices(org_id)) == before
    found = partner.call("GET", f"/v1/organizations/{org_id}/tasks?kind=PatientObjection").json()["items"]
    [task] = found
    assert task["facts"]["text"] == "Claim 4711 is still open"
    resolve = f"/v1/organizations/{org_id}/tasks/{task['taskId']}/resolve"
    assert partner.call("POST", resolve, {"resolution": "insurance answered"}).status_code == 200
    partner.days_go_by(5)
    assert len(partner.notices(org_id)) > before


def test_who_asked_to_be_reminded_later_is_reminded_then(
    partner: Partner, patient: tuple[httpx.Client, str, str]
) -> None:
    browser, link, org_id = patient
    balance = Form(browser.get(link), "/verify").send(browser, **DATE_OF_BIRTH)
    day = re.search(r'name="on"[^>]* max="([^"]+)"', balance.text)
    assert day is not None
    said = Form(balance, "/later").send(browser, on=day[1])
    assert (said.status_code, "You get no reminders before" in said.text) == (200, True)
    before = len(partner.notices(org_id))
    partner.days_go_by(28)
    assert len(partner.notices(org_id)) == before
    partner.days_go_by(6)
    assert len(partner.notices(org_id)) > before
