"""The print channel against an AWS in this process."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, timedelta
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

import pymupdf
import pytest
from botocore.exceptions import ClientError

from functions.render_print import handler
from functions.render_print.print_job import page_count
from functions.render_print.statement_contents import statement_page
from functions.render_print.statement_pdf import render
from shared.contracts.statements import read_statement
from shared.domain.account.contacts import Contact
from shared.domain.account.reconciliation import lease_ended
from shared.domain.delivery.orders import Order
from shared.domain.paying.credit import use_credit
from shared.domain.paying.link_secrets import new_payment_link, secret_hash
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice, StoredLetter
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel, Language, NoticeStatus, NotificationType
from shared.messaging import clients
from shared.storage.links import Links
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations
from shared.storage.print_batches import PrintBatches
from tests.worlds.aws import TABLE
from tests.worlds.cases import case
from tests.worlds.channel_stack import BASE_URL, DOCUMENT, ChannelStack, channel_stack
from tests.worlds.examples import ADDRESS, NOW, account, bill, book, notice, organization

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

BUCKET = "dunlin-print"
PDF, JOB = "letters/org_1/ntc_1.pdf", "letters/org_1/ntc_1.json"


@pytest.fixture
def stack(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> ChannelStack:
    clients.s3().create_bucket(Bucket=BUCKET)
    return channel_stack(handler, "render_print", dynamodb, monkeypatch)


@pytest.fixture
def s3(stack: ChannelStack) -> "S3Client":
    assert stack  # it makes the bucket
    return clients.s3()


def queued(**changes: Any) -> Notice:
    waits = {"status": NoticeStatus.QUEUED, "lease_until": NOW + timedelta(minutes=15)}
    return notice(**(waits | {"channel": Channel.PRINT} | changes))


def stored(s3: "S3Client", key: str) -> bytes:
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def text_of(pdf: bytes) -> str:
    document: Any = pymupdf.open(stream=pdf)  # type: ignore[no-untyped-call] # it has no types
    return " ".join(" ".join(page.get_text() for page in document).split())


def failing_once(operation: str, code: str, suffix: str, stack: ChannelStack) -> None:
    """Make one put of a key that ends so fail, as if the function died there."""
    failed: list[str] = []

    def fail(name: str) -> None:
        last = stack.requests[-1][1] if stack.requests else {}
        if name == operation and str(last.get("Key", "")).endswith(suffix) and not failed:
            failed.append(name)
            raise ClientError(
                {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 500}},  # type: ignore[typeddict-item] # what matters of it
                name,
            )

    stack.fail = fail


def test_the_sample_event_makes_one_letter_and_its_print_job(stack: ChannelStack, s3: "S3Client") -> None:
    stack.given(queued())
    assert stack.handle() == []
    pdf, job = stored(s3, PDF), json.loads(stored(s3, JOB))
    assert job == {
        "printJobId": "ntc_1",
        "orgId": "org_1",
        "notificationId": "ntc_1",
        "pdf": PDF,
        "pages": 1,
        "sha256": hashlib.sha256(pdf).hexdigest(),
        "recipientBlock": True,
        "createdAt": "2026-03-02T15:00:00Z",
    }
    row = stack.row()
    assert (row.status, row.provider_message_id, row.sent_to) == (NoticeStatus.SENT, JOB, "Albany, NY")


def test_a_letter_shows_what_a_billing_office_would_mail(stack: ChannelStack, s3: "S3Client") -> None:
    stack.given(queued())
    stack.handle()
    text = text_of(stored(s3, PDF))
    for shown in (
        "Northside Family Practice",
        "Ada Example",
        "12 Juniper Way",
        "Albany, NY 12207",
        "$74.60",
        "Kim Example",
        "Office visit",
        "Dr. Grace Sample",
        "Main Street",
        "Thank you for choosing us.",
        "(518) 555-0100",
        "April 1, 2026",
        "Bill code",
        f"{BASE_URL}/bill",
    ):
        assert shown in text


def test_the_printed_code_opens_the_same_link_as_the_qr_code(stack: ChannelStack, s3: "S3Client") -> None:
    stack.given(queued())
    stack.handle()
    code = text_of(stored(s3, PDF)).partition("Bill code")[2].split()[0]
    owner = Links(stack.dynamodb, TABLE).by_secret_hash(secret_hash(code))
    assert owner is not None
    assert owner.link_id == stack.row().link_id


def test_a_letter_costs_three_calls_to_the_table_and_two_to_the_store(stack: ChannelStack) -> None:
    for number in range(10):
        row = queued(account_id=f"G-{number}", notice_id=f"ntc_{number}")
        stack.given(row, who=account(account_id=f"G-{number}"))
    stack.handle(*[stack.message(accountId=f"G-{number}", noticeId=f"ntc_{number}") for number in range(10)])
    assert stack.calls_to("s3") == 20
    # Once for them all the organization and the channel's gate are read, and once for ever the gate is stored.
    assert stack.calls_to("dynamodb") == 10 * 3 + 2 + 1


@pytest.mark.parametrize("suffix", [".pdf", ".json"])
def test_a_letter_that_was_interrupted_is_finished_later_and_exists_once(
    stack: ChannelStack, s3: "S3Client", suffix: str
) -> None:
    stack.given(queued())
    failing_once("PutObject", "InternalError", suffix, stack)
    stack.handle()
    row = stack.row()
    assert (row.status, row.attempt) == (NoticeStatus.SCHEDULED, 0)
    later = row.scheduled_for.astimezone(UTC).isoformat()
    assert stack.handle(stack.message(asOf=later)) == []
    assert stack.row().status is NoticeStatus.SENT
    assert json.loads(stored(s3, JOB))["sha256"] == hashlib.sha256(stored(s3, PDF)).hexdigest()
    assert len(s3.list_objects_v2(Bucket=BUCKET)["Contents"]) == 2


def test_a_letter_whose_record_was_lost_is_found_again_and_keeps_its_link(stack: ChannelStack, s3: "S3Client") -> None:
    stack.given(queued())
    stack.handle()
    first, printed_link = stored(s3, PDF), stack.row().link_id
    # As the scheduler leaves a letter whose consumer died before it could record anything.
    before = stack.row()
    died = replace(before, status=NoticeStatus.SENDING, sent_at=None, provider_message_id="")
    again = lease_ended(died, NOW, NOW + timedelta(minutes=15))
    assert Notices(stack.dynamodb, TABLE).move(before, again)
    assert stack.handle() == []
    row = stack.row()
    assert stored(s3, PDF) == first
    assert (row.status, row.link_id, row.attempt) == (NoticeStatus.SENT, printed_link, 2)
    assert len(s3.list_objects_v2(Bucket=BUCKET)["Contents"]) == 2


def test_a_document_that_cannot_be_read_is_shown_to_people(stack: ChannelStack, s3: "S3Client") -> None:
    stack.given(queued())
    stack.books.change(
        "org_1",
        "G-1",
        lambda read: replace_bill(read, document=b'{"statementId": "S-1"}'),
    )
    assert stack.handle() == []
    assert stack.row().status is NoticeStatus.DELIVERY_ERROR
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def replace_bill(read: Any, **changes: Any) -> Any:
    from shared.domain.records.book import Change  # noqa: PLC0415 - a short helper

    return Change(account=read.account, bills=(replace(read.bills[0], **changes),))


def order(**changes: Any) -> Order:
    row = changes.pop("notice", queued())
    issued = new_payment_link(
        org_id="org_1",
        account_id="G-1",
        now=NOW,
        lives=timedelta(days=30),
        with_code=True,
        notice_id=row.notice_id,
        random=token_bytes,
    )
    given = {
        "notice": row,
        "book": book(bills=(bill(document=DOCUMENT),)),
        "organization": organization(),
        "contact": Contact(channel=Channel.PRINT, name="Ada Example", address=ADDRESS),
        "link": issued,
        "now": NOW,
    }
    return Order(**(given | changes))


def test_the_statement_lists_every_open_bill_oldest_first_with_their_sum_and_ages() -> None:
    bills = (
        bill("S-1", document=DOCUMENT),
        bill(
            "S-2",
            document=DOCUMENT,
            balance=25_40,
            created_at=NOW - timedelta(days=61),
            effective_created_date=(NOW - timedelta(days=61)).date(),
        ),
        bill("S-3", document=DOCUMENT, balance=0),
    )
    page = statement_page(order(book=book(bills=bills)), BASE_URL)
    assert [shown.statement_id for shown in page.bills] == ["S-2", "S-1"]
    assert page.amount_due == 100_00
    assert page.due_date == (NOW - timedelta(days=31)).date()
    assert page.aging is not None
    assert (page.aging.current, page.aging.days_31_60, page.aging.days_61_90) == (74_60, 0, 25_40)


@pytest.mark.parametrize(
    ("age", "bucket"),
    [
        (-3, "current"),
        (0, "current"),
        (30, "current"),
        (31, "days_31_60"),
        (60, "days_31_60"),
        (90, "days_61_90"),
        (91, "days_91_120"),
        (120, "days_91_120"),
        (121, "over_120"),
        (4000, "over_120"),
    ],
)
def test_a_balance_stands_under_its_age(age: int, bucket: str) -> None:
    old = bill(document=DOCUMENT, effective_created_date=(NOW - timedelta(days=age)).date())
    page = statement_page(order(book=book(bills=(old,))), BASE_URL)
    assert getattr(page.aging, bucket) == 74_60


def test_without_a_message_of_its_own_a_statement_shows_the_organizations() -> None:
    silent = DOCUMENT.replace(b"Thank you for choosing us.", b" ")
    page = statement_page(
        order(
            book=book(bills=(bill(document=silent),)),
            organization=organization(statement_message="We are here for you."),
        ),
        BASE_URL,
    )
    assert page.organization_message == "We are here for you."


OWN, OWN_ES = {"statementMessage": "Call us."}, {"statementMessageEs": "Llámenos."}
HOUSE, HOUSE_ES = {"statement_message": "We are here."}, {"statement_message_es": "Aquí estamos."}


@pytest.mark.parametrize(
    ("own", "house", "english", "spanish"),
    [
        (OWN | OWN_ES, HOUSE | HOUSE_ES, "Call us.", "Llámenos."),
        (OWN, HOUSE | HOUSE_ES, "Call us.", "Call us."),
        (OWN_ES, HOUSE | HOUSE_ES, "We are here.", "Llámenos."),
        ({}, HOUSE | HOUSE_ES, "We are here.", "Aquí estamos."),
        ({}, HOUSE, "We are here.", "We are here."),
        ({}, HOUSE_ES, "", "Aquí estamos."),
        ({}, {}, "", ""),
    ],
)
def test_a_letters_message_is_in_the_letters_language_where_it_is_there_so(
    own: dict[str, str], house: dict[str, str], english: str, spanish: str
) -> None:
    told = {name: value for name, value in json.loads(DOCUMENT).items() if name != "statementMessage"} | own
    found = []
    for language in (Language.ENGLISH, Language.SPANISH):
        guarantor = replace(account().guarantor, language=language)
        one = book(account=account(guarantor=guarantor), bills=(bill(document=json.dumps(told).encode()),))
        found.append(statement_page(order(book=one, organization=organization(**house)), BASE_URL).organization_message)
    assert found == [english, spanish]


def test_a_location_that_the_organization_does_not_know_is_left_blank() -> None:
    known = statement_page(order(organization=organization(locations=("Main Street",))), BASE_URL)
    unknown = statement_page(order(organization=organization(locations=("Harbor",))), BASE_URL)
    assert known.bills[0].visits[0].location == "Main Street"
    assert unknown.bills[0].visits[0].location == ""


def test_payments_go_to_the_remittance_address_where_there_is_one() -> None:
    lockbox = replace(ADDRESS, line1="PO Box 100")
    page = statement_page(order(organization=organization(remit_address=lockbox)), BASE_URL)
    assert page.practice.remit_to_lines == ("Northside Family Practice", "PO Box 100", "Albany, NY 12207")


def test_a_spanish_guarantor_gets_a_spanish_letter() -> None:
    guarantor = replace(account().guarantor, language=Language.SPANISH)
    bills = (bill(document=DOCUMENT),)
    row = queued(notification_type=NotificationType.DUE)
    page = statement_page(order(notice=row, book=book(account=account(guarantor=guarantor), bills=bills)), BASE_URL)
    assert page.language == "es"
    assert "recordatorio" in page.message


def test_pages_are_counted_in_the_file_itself() -> None:
    assert page_count(b"1 0 obj<</Type/Pages/Count 3/Kids[2 0 R]>>endobj") == 3
    with pytest.raises(ValueError, match="empty"):
        page_count(b"%PDF-1.7")


def test_the_first_letter_of_an_invocation_opens_the_days_batch_for_all(stack: ChannelStack) -> None:
    for number in range(3):
        stack.given(queued(account_id=f"G-{number}", notice_id=f"ntc_{number}"), who=account(account_id=f"G-{number}"))
    stack.handle(*[stack.message(accountId=f"G-{number}", noticeId=f"ntc_{number}") for number in range(3)])
    batches = PrintBatches(stack.dynamodb, TABLE)
    opened = batches.state("org_1")
    assert opened is not None
    assert (opened.claims, len(batches.letters("org_1"))) == (1, 3)


def test_a_letter_that_was_not_claimed_opens_no_batch(stack: ChannelStack) -> None:
    stack.given(queued(status=NoticeStatus.CANCELLED, lease_until=None))
    stack.handle()
    assert PrintBatches(stack.dynamodb, TABLE).state("org_1") is None


def test_a_row_knows_the_pages_and_checksum_of_what_is_in_the_bucket(stack: ChannelStack, s3: "S3Client") -> None:
    stack.given(queued())
    failing_once("PutObject", "InternalError", ".json", stack)
    stack.handle()
    first = stored(s3, PDF)
    stack.handle(stack.message(asOf=stack.row().scheduled_for.isoformat()))
    assert stack.row().letter == StoredLetter(pages=1, sha256=hashlib.sha256(first).hexdigest())


# --- names ------------------------------------------------------------------------------------------------------


def named(first: str, last: str) -> Any:
    who = account()
    return replace(who, guarantor=replace(who.guarantor, first_name=first, last_name=last))


def test_case_32_names_in_chinese_korean_and_japanese_are_printed(stack: ChannelStack, s3: "S3Client") -> None:
    for number, (first, last) in enumerate(case("32").inputs["names"]):
        row = queued(notice_id=f"ntc_{number}", account_id=f"G-{number}")
        stack.given(row, who=replace(named(first, last), account_id=f"G-{number}"))
        record = stack.message(accountId=f"G-{number}", noticeId=row.notice_id)
        assert stack.handle(record) == []
        text = text_of(stored(s3, f"letters/org_1/{row.notice_id}.pdf"))
        assert f"{first} {last}" in text
        assert "\N{WHITE SQUARE}" not in text


@pytest.mark.parametrize("name", ["\N{EGYPTIAN HIEROGLYPH A001}", "N\N{REPLACEMENT CHARACTER}ez", "\N{YI SYLLABLE IT}"])
def test_a_letter_to_a_name_that_no_font_has_goes_to_the_worklist(
    stack: ChannelStack, s3: "S3Client", name: str
) -> None:
    stack.given(queued(), who=named("Ada", name))
    assert stack.handle() == []
    row = stack.row()
    assert (row.status, row.reason) == (NoticeStatus.DELIVERY_ERROR, Reason.UNPRINTABLE)
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="letters/")


# --- what was posted, and whose it is ---------------------------------------------------------------------------


def family() -> dict[str, Any]:
    """A statement of two patients: 66.30 and 8.30 of charges."""
    document: dict[str, Any] = json.loads(DOCUMENT)
    first = document["patients"][0]
    second = json.loads(json.dumps(first)) | {"accountId": "P-2", "firstName": "Lou"}
    document["patients"] = [first, second]
    return document


def after_payments(document: dict[str, Any], *payments: PaymentReceived) -> AccountBook:
    total = sum(
        round(float(charge["balance"]) * 100)
        for patient in document["patients"]
        for visit in patient["visits"]
        for charge in visit["charges"]
    )
    one = bill(balance=total, total_billed=total, document=json.dumps(document).encode())
    paid = book(bills=(one,))
    for payment in payments:
        change = post_payment(paid, organization(), payment, NOW, "test")
        assert change is not None
        paid = paid.after(change)
    return paid


def letter_text(paid: AccountBook, language: Language = Language.ENGLISH) -> str:
    guarantor = replace(account().guarantor, language=language)
    with_language = replace(paid, account=replace(paid.account, guarantor=guarantor))
    return text_of(render(statement_page(order(book=with_language), BASE_URL)).pdf)


def a_payment(amount: int, method: str, payment_id: str = "pay_1") -> PaymentReceived:
    return PaymentReceived(payment_id=payment_id, amount=amount, method=method, received_on=NOW.date())


@pytest.mark.parametrize(
    ("language", "shown"),
    [(Language.ENGLISH, "Mar 2, 2026 · Payment (check)"), (Language.SPANISH, "2 mar 2026 · Pago (cheque)")],
)
def test_a_letter_shows_each_payment_with_its_day_way_and_amount(language: Language, shown: str) -> None:
    paid = after_payments(json.loads(DOCUMENT), a_payment(7_00, "check"), a_payment(-2_00, "store card", "pay_2"))
    text = letter_text(paid, language)
    assert f"{shown} 7.00 -7.00" in text
    assert "(store card) -2.00 2.00" in text
    assert "not listed above" not in text
    assert "no indicados" not in text


def test_a_letter_shows_what_credit_paid() -> None:
    paid = after_payments(json.loads(DOCUMENT))
    with_credit = replace(paid, account=replace(paid.account, credit=5_00))
    change = use_credit(with_credit, organization(), NOW, "test")
    assert change is not None
    assert "Paid by credit 5.00 -5.00" in letter_text(with_credit.after(change))


def test_a_payment_that_the_statements_own_columns_know_is_not_shown_twice() -> None:
    paid = after_payments(json.loads(DOCUMENT), a_payment(7_00, "check"))
    later = HistoryEvent(at=NOW + timedelta(days=1), event="BillUpdated", actor="partner", facts={"ingestionId": "i"})
    (one,) = paid.bills
    known = replace(paid, bills=(replace(one, balance=one.balance + 7_00, history=(*one.history, later)),))
    assert "Payment (check)" not in letter_text(known)


def test_a_bill_of_several_patients_names_each_above_that_patients_visits() -> None:
    (shown,) = statement_page(order(book=after_payments(family())), BASE_URL).bills
    assert [visit.patient for visit in shown.visits if visit.patient] == ["Kim Example", "Lou Example"]
    assert shown.patient_name == ""
    text = letter_text(after_payments(family()))
    assert text.index("Kim Example") < text.index("Office visit") < text.index("Lou Example")


def test_a_letter_does_not_ask_for_what_lies_in_the_credit() -> None:
    paid = after_payments(json.loads(DOCUMENT))
    owed = paid.bills[0].balance
    page = statement_page(order(book=replace(paid, account=replace(paid.account, credit=5_00))), BASE_URL)
    assert (page.amount_due, page.credit) == (owed - 5_00, 5_00)


# --- long letters ---------------------------------------------------------------------------------------------------


def long_statement(charges: int) -> dict[str, Any]:
    """Case 63: much of everything that a statement may have much of."""
    dearest, words = "99999999.99", "Infusion of a compound with a very long name, each further hour after the first "
    lines = [
        {
            "date": "2026-02-03",
            "code": f"X{n:04d}",
            "description": f"No. {n} {words * 4}"[: 300 if n % 2 else 180].strip(),
            "billed": dearest if n == 0 else "10.00",
            "insurancePaid": "0.00",
            "adjustment": "-7.00" if n == 1 else "0.00",
            "patientPaid": "0.00",
            "balance": "-3.00" if n == 1 else "10.00",
        }
        for n in range(charges)
    ]
    made: dict[str, Any] = json.loads(DOCUMENT)
    made |= {"statementId": "S-" + "9" * 53, "totalBilled": dearest, "totalBalance": dearest}
    made["guarantor"] |= {"firstName": "Ada-" * 25, "lastName": "Example-" * 12}
    made["patients"][0] |= {"firstName": "Kim-" * 25, "lastName": "Example-" * 12}
    made["patients"][0]["visits"][0]["charges"] = lines
    return made


@pytest.mark.parametrize("charges", [case("63").inputs["charges"], 7])
def test_case_63_a_long_letter_has_all_of_its_charges_and_counts_its_pages(
    stack: ChannelStack, s3: "S3Client", charges: int
) -> None:
    made = long_statement(charges)
    assert read_statement(made).statement.statement_id == made["statementId"]
    row = queued(bills=(replace(notice().bills[0], statement_id=made["statementId"]),))
    guarantor = replace(account().guarantor, first_name=made["guarantor"]["firstName"])
    owed = bill(statement_id=made["statementId"], document=json.dumps(made).encode(), balance=99_999_999_99)
    Organizations(stack.dynamodb, TABLE).create(organization())
    stack.books.commit(Change(account=account(guarantor=guarantor), bills=(owed,), notices=(row,)))
    assert stack.handle() == []
    pdf, job = stored(s3, PDF), json.loads(stored(s3, JOB))
    text = text_of(pdf).replace("\u200b", "")
    assert [n for n in range(charges) if len(re.findall(rf"\bX{n:04d}\b", text)) != 1] == []
    together = "".join(text.split())
    assert [n for n in range(charges) if f"No.{n}Infusion" not in together] == []
    assert "$99,999,999.99" in text
    assert re.search(r"[-\u2212]\$?7\.00", text)
    assert made["statementId"] in together
    document: Any = pymupdf.open(stream=pdf)  # type: ignore[no-untyped-call] # it has no types
    assert job["pages"] == len(document)
    told = [f"Page {n} of {len(document)}" in sheet.get_text() for n, sheet in enumerate(document, start=1)]
    assert all(told) or len(document) == 1
    words = [(sheet.rect, word) for sheet in document for word in sheet.get_text("words")]
    outside = [word for rect, word in words if word[0] < 0 or word[1] < 0 or word[2] > rect.x1 or word[3] > rect.y1]
    assert outside == []
