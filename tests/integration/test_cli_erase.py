"""`dunlin erase`: nothing readable of a person is left in the table or the print bucket, and the money is."""
# ruff: noqa: F811 - the fixtures of test_cli.py are asked for by their names

import zlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cli.erasing import ErasureOutcome
from functions.ingest.ports import ports as ingest_ports
from functions.manage.ports import ports as manage_ports
from functions.send_email import handler as send_email
from functions.send_sms import handler as send_sms
from shared.domain.account.account_changes import change_account
from shared.domain.account.erasure import StillNeeded
from shared.domain.account.timeline import add_note
from shared.domain.records.account import HoldDetail
from shared.domain.records.book import Change, StatementClaim
from shared.domain.records.notice import StoredLetter
from shared.domain.records.payment import Allocation, Payment
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.statement import BillTo
from shared.domain.records.task import Task, TaskKind, resolved
from shared.domain.vocabulary.words import BillStatus, Channel, Hold, NoticeStatus
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.kept_messages import message_of
from shared.storage.organizations import Organizations
from shared.storage.tasks import Tasks
from shared.storage.writes import MARK
from tests.integration.test_cli import (
    Run,
    answer,
    run,  # noqa: F401 - a fixture
    stack,  # noqa: F401 - a fixture that every test here needs
)
from tests.worlds.aws import TABLE, listen
from tests.worlds.channel_stack import channel_stack
from tests.worlds.examples import NOW, account, as_if, bill, notice, organization
from tests.worlds.ingest_api import BUCKET, results
from tests.worlds.ingest_api import Partner as Sender
from tests.worlds.manage_api import ACCOUNT, BILL, ORGANIZATION, OWN, QUEUE
from tests.worlds.statement_examples import statement
from tests.worlds.wiring import wired

LETTERS = "dunlin-print"
LETTER = "letters/org_1/ntc_3.pdf"
REQUEST = ("--org", "org_1", "--account", "G-1")

CANARIES = {
    "names": ("Ada", "Example", "Payer Canary", "Grace Sample"),
    "addresses": ("ada@example.com", "kim@example.com", "payer@example.com", "Juniper"),
    "numbers": ("5185550111", "5185550122"),
    "birth dates": ("1980-02-29", "2015-06-07"),
    "care": ("Office visit", "Thank you for choosing us"),
    "masked": ("a**@", "1** J"),
    "words of staff": ("limps", "husband called", "moved in with", "was rude"),
}
"""What is known of the person, her child and who pays for her, in every form in which it is stored.

None is so short, or so like hexadecimal, that an id could hold it by chance.
"""


@pytest.fixture(autouse=True)
def _deployed(stack: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    stack["PrintBucket"] = LETTERS
    s3 = clients.s3()
    s3.create_bucket(Bucket=LETTERS)
    s3.put_bucket_versioning(Bucket=LETTERS, VersioningConfiguration={"Status": "Enabled"})
    monkeypatch.delenv("SANDBOX_PROCESSOR_URL", raising=False)
    wired(monkeypatch, manage_ports, TABLE_NAME=TABLE, ALLOW_SIMULATED_TIME="true", PRINT_BUCKET=LETTERS)


def books() -> AccountBooks:
    return AccountBooks(clients.dynamodb(), TABLE)


def change(decided: Change | None) -> None:
    assert decided is not None
    books().commit(decided)


def book(account_id: str = "G-1") -> Any:
    return books().load("org_1", account_id)


@pytest.fixture
def person(stack: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who got an email, a text and a letter, about whom staff wrote, and who paid."""
    table = clients.dynamodb()
    clients.ses().create_email_identity(EmailIdentity="billing@dunlin.example")
    lease = {"status": NoticeStatus.QUEUED, "lease_until": NOW + timedelta(minutes=15)}
    emails = channel_stack(send_email, "send_email", table, monkeypatch)
    emails.answers["GetAccount"] = {"SendingEnabled": True, "EnforcementStatus": "HEALTHY", "SendQuota": {}}
    payer = BillTo(name="Payer Canary", email="payer@example.com", mobile_phone="+15185550122")
    emails.given(notice(**lease), who=account(bill_to=payer))
    assert emails.handle() == []
    texts = channel_stack(send_sms, "send_sms", table, monkeypatch)
    change(Change(account=book().account, notices=(notice(notice_id="ntc_2", channel=Channel.SMS, **lease),)))
    assert texts.handle(texts.message(notificationId="ntc_2")) == []
    write_about_her()
    clients.s3().put_object(Bucket=LETTERS, Key=LETTER, Body=b"%PDF Ada Example")
    clients.s3().put_object(Bucket=LETTERS, Key=LETTER, Body=b"%PDF Ada Example, 12 Juniper Way")
    clients.s3().put_object(Bucket=LETTERS, Key="letters/org_1/ntc_9.pdf", Body=b"%PDF somebody else's")


def write_about_her() -> None:
    """What staff said and did, until nothing is left to be done."""
    held = replace(
        book().account,
        holds=frozenset({Hold.DISPUTE}),
        hold_details=(HoldDetail(hold=Hold.DISPUTE, reason="her husband called", since=NOW),),
    )
    change(change_account(book(), held, NOW, "key:k1"))
    change(add_note(book(), "not_1", "she limps", NOW, "key:k1"))
    sent = as_if(
        notice(notice_id="ntc_3", channel=Channel.PRINT, sent_to="1** J******"),
        NoticeStatus.SENT,
        NOW,
        "key:k1",
        "she moved in with her son",
        letter=StoredLetter(pages=1, sha256="0"),
        provider_message_id="letters/org_1/ntc_3.json",
    )
    link = PaymentLink(
        link_id="lnk_9",
        org_id="org_1",
        account_id="G-1",
        token_hash="t9",
        created_at=NOW,
        expires_at=NOW,
        sent_to="a**@example.com",
    )
    payment = Payment(
        payment_id="pay_1",
        amount=74_60,
        method="cash",
        received_on=NOW.date(),
        posted_at=NOW,
        allocations=(Allocation(statement_id="S-1", amount=74_60),),
        reason="Ada was rude",
    )
    paid = replace(book().bills[0], status=BillStatus.PAID, balance=0, paid=74_60)
    delivered = (as_if(row, NoticeStatus.DELIVERED, NOW, "provider", lease_until=None) for row in book().notices)
    change(
        Change(
            account=book().account,
            bills=(paid,),
            notices=(sent, *delivered),
            payments=(payment,),
            links=(link,),
        )
    )
    task = Task(task_id="tsk_1", org_id="org_1", kind=TaskKind.REPLY_TO_READ, created_at=NOW, account_id="G-1")
    tasks = Tasks(clients.dynamodb(), TABLE)
    tasks.create(task)
    tasks.resolve(resolved(task, "Ada was rude", NOW, "key:k1", note="her husband called"))


def everything() -> dict[str, str]:
    """All that can be read in the table and in the print bucket, by where it lies; bodies as they are unpacked."""
    found = {f"{item['pk']['S']} {item['sk']['S']}": unpacked(item) for item in scanned()}
    s3 = clients.s3()
    for version in s3.list_object_versions(Bucket=LETTERS).get("Versions", []):
        body = s3.get_object(Bucket=LETTERS, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
        found[f"{version['Key']} {version['VersionId']}"] = body.decode()
    return found


def scanned() -> list[dict[str, Any]]:
    """Without the practice itself, which lives in the same street."""
    pages = clients.dynamodb().get_paginator("scan").paginate(TableName=TABLE)
    return [item for page in pages for item in page["Items"] if not item["pk"]["S"].startswith("O#")]


def unpacked(item: dict[str, Any]) -> str:
    """An item's text, its body unpacked; without the mark of a write, which is random."""
    parts = [str({name: value for name, value in item.items() if "B" not in value})]
    for name, attribute in item.items():
        if "dictionary" in item and name == "body":
            parts.append(repr(message_of(item)))
        elif "B" in attribute and name != MARK:
            try:
                parts.append(zlib.decompress(attribute["B"]).decode())
            except zlib.error:
                parts.append(repr(attribute["B"]))
    return "\n".join(parts)


def telling(word: str) -> list[str]:
    return [place for place, text in everything().items() if word in text]


WORDS = [word for words in CANARIES.values() for word in words]


def test_nothing_readable_of_the_person_is_left_anywhere(run: Run, person: None) -> None:
    assert [word for word in WORDS if not telling(word)] == [], "a canary that was never stored guards nothing"
    kinds = {place[:2] for word in WORDS for place in telling(word)}
    assert kinds >= {"A#", "H#", "W#", "le"}
    assert answer(run, "erase", *REQUEST, "--yes") == {
        "dryRun": False,
        "accounts": [{"orgId": "org_1", "accountId": "G-1", "outcome": ErasureOutcome.ERASED}],
    }
    assert {word: telling(word) for word in WORDS if telling(word)} == {}
    left = everything()
    assert not [place for place in left if place.startswith(("H#", "T#", "M#"))]
    assert (
        [place for place in left if place.startswith("letters/")]
        == [place for place in left if place.startswith("letters/org_1/ntc_9.pdf")]
        != []
    )


def test_a_dry_run_says_whom_it_would_erase_and_does_nothing(run: Run, person: None) -> None:
    before = everything()
    assert answer(run, "erase", *REQUEST) == {
        "dryRun": True,
        "accounts": [{"orgId": "org_1", "accountId": "G-1", "outcome": ErasureOutcome.WOULD_BE_ERASED}],
    }
    _, shown, _ = run("erase", *REQUEST)
    assert "dry run" in shown
    assert everything() == before


def paid_by_ledger() -> list[Any]:
    """What was paid; the lines of the visits go with the statement."""
    return [entry for entry in OWN.get(f"{ACCOUNT}/ledger").body["items"] if entry["kind"] == "Payment"]


def test_money_and_the_fact_of_each_notice_stay_and_are_read_by_the_api(run: Run, person: None) -> None:
    notices = [(row["notificationId"], row["status"]) for row in OWN.get(QUEUE).body["items"]]
    assert len(notices) == 3
    bill_before, payments = OWN.get(BILL).body, paid_by_ledger()
    assert payments
    answer(run, "erase", *REQUEST, "--yes")
    assert [(row["notificationId"], row["status"]) for row in OWN.get(QUEUE).body["items"]] == notices
    money = {name: value for name, value in bill_before.items() if name in {"balance", "paid", "totalBilled", "status"}}
    assert money.items() <= OWN.get(BILL).body.items()
    assert paid_by_ledger() == payments
    for path in (ACCOUNT, f"{ACCOUNT}/timeline", f"{ACCOUNT}/consents", f"{BILL}/history", f"{BILL}/explanation"):
        reply = OWN.get(path)
        assert reply.status == 200
        assert [word for word in WORDS if word in reply.text] == []
    assert OWN.get(f"{QUEUE}/ntc_1/message").status == 404
    assert OWN.get(f"{QUEUE}/ntc_3/message").status == 404
    sent_by_hand = OWN.post(f"{BILL}/payment-links", {"channel": "email", "sendTo": "patient"})
    assert 400 <= sent_by_hand.status < 500
    assert "PersonErased" in OWN.get(f"{ACCOUNT}/timeline").text


def test_once_more_finds_nobody_left(run: Run, person: None) -> None:
    answer(run, "erase", *REQUEST, "--yes")
    left = everything()
    for further in ([], ["--yes"]):
        assert answer(run, "erase", *REQUEST, *further)["accounts"] == []
    assert everything() == left


@pytest.mark.parametrize("dies_at", ["ListObjectVersions", "DeleteObjects", "BatchWriteItem"])
def test_an_erasure_that_died_halfway_is_finished_by_the_next(run: Run, person: None, dies_at: str) -> None:
    died = list[str]()

    def die(model: Any, **_: Any) -> None:
        if model.name == dies_at and not died:
            died.append(dies_at)
            raise OSError

    for client in (clients.s3(), clients.dynamodb()):
        listen(client, "before-call", die)
    assert run("erase", *REQUEST, "--yes")[0] == 1
    assert died
    assert answer(run, "erase", *REQUEST, "--yes")["accounts"]
    assert {word: telling(word) for word in WORDS if telling(word)} == {}


def test_who_still_owes_is_not_erased(run: Run) -> None:
    Organizations(clients.dynamodb(), TABLE).create(organization())
    change(Change(account=account(), bills=(bill(),)))
    before = everything()
    for further in ([], ["--yes"]):
        status, shown, _ = run("erase", *REQUEST, *further)
        assert (status, StillNeeded.OWES in shown) == (1, True)
    assert everything() == before


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--org", "org_1"),
        ("--account", "G-1"),
        ("--partner", "prt_1", "--account", "G-1"),
        ("--org", "org_1", "--account", "G-1", "--by-age"),
        ("--by-age",),
        ("--org", "org_1", "--account", "G-unknown"),
        ("--org", "org_9", "--by-age"),
    ],
)
def test_it_has_to_be_said_whose_data(run: Run, arguments: tuple[str, ...]) -> None:
    Organizations(clients.dynamodb(), TABLE).create(organization())
    status, _, error = run("erase", *arguments, "--yes")
    assert (status, error != "") == (1, True)


# --- by age -----------------------------------------------------------------------------------------------------------


PAID = bill(status=BillStatus.PAID, balance=0)
IN_A_YEAR = ("--as-of", f"{NOW + timedelta(days=400):%Y-%m-%dT%H:%M:%S%z}")


def practice_with(retention_days: int | None) -> None:
    """Somebody quiet, somebody who was seen lately, somebody who owes, and one whose bill went to another."""
    Organizations(clients.dynamodb(), TABLE).create(organization(retention_days=retention_days))
    lately = replace(PAID, statement_id="S-2", created_at=NOW + timedelta(days=100))
    moved = replace(PAID, statement_id="S-4", moved_to="G-5")
    for account_id, one in {"G-1": PAID, "G-2": lately, "G-3": bill("S-3"), "G-4": moved}.items():
        claims = (StatementClaim(statement_id=one.statement_id),)
        change(Change(account=account(account_id=account_id), bills=(one,), claims=claims))
    further = replace(PAID, statement_id="S-4", moved_to="G-6")
    change(Change(account=account(account_id="G-5"), bills=(further,)))
    change(Change(account=account(account_id="G-6"), bills=(replace(PAID, statement_id="S-4"),)))


def test_by_age_all_go_for_whom_nothing_happened_as_long_as_the_organization_says(run: Run) -> None:
    """Also where their bills went elsewhere meanwhile, so that no index leads to them any more."""
    practice_with(retention_days=365)
    outcomes = {
        row["accountId"]: row["outcome"]
        for row in answer(run, "erase", "--org", "org_1", "--by-age", *IN_A_YEAR, "--yes")["accounts"]
    }
    gone = dict.fromkeys(("G-1", "G-4", "G-5", "G-6"), ErasureOutcome.ERASED)
    assert outcomes == {**gone, "G-3": StillNeeded.OWES}
    names = {account_id: book(account_id).account.guarantor.name for account_id in (*gone, "G-2", "G-3")}
    assert names == {**dict.fromkeys(gone, ""), "G-2": "Ada Example", "G-3": "Ada Example"}
    again = answer(run, "erase", "--org", "org_1", "--by-age", *IN_A_YEAR, "--yes")["accounts"]
    assert [row["accountId"] for row in again] == ["G-3"]


def test_an_organization_that_says_nothing_keeps_everybody(run: Run) -> None:
    practice_with(retention_days=None)
    before = everything()
    assert answer(run, "erase", "--org", "org_1", "--by-age", *IN_A_YEAR, "--yes")["accounts"] == []
    assert everything() == before


def test_an_organization_says_for_how_long_people_are_kept(run: Run) -> None:
    Organizations(clients.dynamodb(), TABLE).create(organization())
    assert OWN.get(ORGANIZATION).body["retentionDays"] is None
    assert OWN.patch(ORGANIZATION, {"retentionDays": 2557}).body["retentionDays"] == 2557
    assert OWN.patch(ORGANIZATION, {"retentionDays": 30}).status == 422
    assert OWN.patch(ORGANIZATION, {"retentionDays": None}).body["retentionDays"] is None


# --- what comes afterwards --------------------------------------------------------------------------------------------


def test_the_same_statement_once_more_brings_nobody_back_and_a_new_one_begins_anew(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired(monkeypatch, ingest_ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    Organizations(clients.dynamodb(), TABLE).create(organization())
    sent, partner = statement(), Sender()
    name = sent["guarantor"]["lastName"]
    assert results(partner.send(sent)) == ["Created"]
    account_id = sent["guarantor"]["guarantorId"]
    paid = replace(book(account_id).bills[0], status=BillStatus.PAID, balance=0)
    pending = [as_if(row, NoticeStatus.CANCELLED, NOW, "system") for row in book(account_id).notices]
    change(Change(account=book(account_id).account, bills=(paid,), notices=tuple(pending)))
    answer(run, "erase", "--org", "org_1", "--account", account_id, "--yes")
    assert results(partner.send(sent)) == ["Ignored"]
    assert book(account_id).account.guarantor.name == ""
    assert results(partner.send(statement("S-NEW"))) == ["Created"]
    assert book(account_id).account.guarantor.last_name == name
    assert book(account_id).bill(sent["statementId"]).document == b""
