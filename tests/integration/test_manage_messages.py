"""What was really sent, as it was kept, without the secret that opens its link."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from functions.manage.ports import ports as manage_ports
from functions.send_email import handler as send_email
from functions.send_sms import handler as send_sms
from shared.domain.delivery.kept_messages import STRUCK_OUT
from shared.domain.records.notice import StoredLetter, moved
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.channel_stack import BASE_URL, channel_stack
from tests.worlds.examples import NOW, notice, organization
from tests.worlds.manage_api import FOREIGN, OWN, QUEUE, store
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MESSAGE = f"{QUEUE}/ntc_1/message"
BUCKET = "dunlin-print"


@pytest.fixture(autouse=True)
def _manage(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> None:
    assert dynamodb
    wired(monkeypatch, manage_ports, TABLE_NAME=TABLE, ALLOW_SIMULATED_TIME="true", PRINT_BUCKET=BUCKET)


def queued(channel: Channel) -> Any:
    return notice(channel=channel, status=NoticeStatus.QUEUED, lease_until=NOW + timedelta(minutes=15))


def test_what_an_email_said_is_read_word_for_word_but_its_links_secret(
    dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    clients.ses().create_email_identity(EmailIdentity="billing@dunlin.example")
    stack = channel_stack(send_email, "send_email", dynamodb, monkeypatch)
    stack.answers["GetAccount"] = {"SendingEnabled": True, "EnforcementStatus": "HEALTHY", "SendQuota": {}}
    stack.given(queued(Channel.EMAIL))
    assert OWN.get(MESSAGE).status == 404
    stack.handle()
    sent = stack.asked("SendEmail")[0]["Content"]["Simple"]
    parts = sent["Subject"]["Data"], sent["Body"]["Html"]["Data"], sent["Body"]["Text"]["Data"]
    found = re.search(rf"{re.escape(BASE_URL)}/pay/(\w+)", parts[2])
    assert found
    read = OWN.get(MESSAGE).body
    assert (read["channel"], read["pdfUrl"]) == ("email", None)
    assert (read["subject"], read["html"], read["text"]) == tuple(part.replace(found[1], STRUCK_OUT) for part in parts)
    assert found[1] not in str(read)
    assert FOREIGN.get(MESSAGE).status == 404


def test_what_a_text_said_is_read(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> None:
    stack = channel_stack(send_sms, "send_sms", dynamodb, monkeypatch)
    stack.given(queued(Channel.SMS))
    stack.handle()
    said = stack.asked("Publish")[0]["Message"]
    read = OWN.get(MESSAGE).body
    assert (read["channel"], read["subject"], read["html"]) == ("sms", None, None)
    assert read["text"] == re.sub(r"/pay/\w+", f"/pay/{STRUCK_OUT}", said)


@pytest.fixture
def letters(dynamodb: "DynamoDBClient") -> Any:
    s3 = clients.s3()
    s3.create_bucket(Bucket=BUCKET)
    letter = moved(
        notice(channel=Channel.PRINT),
        NoticeStatus.SENT,
        NOW,
        "render_print",
        sent_at=NOW,
        provider_message_id="letters/org_1/ntc_1.json",
        letter=StoredLetter(pages=1, sha256="0" * 64),
    )
    unsent = notice(notice_id="ntc_2", channel=Channel.PRINT)
    Organizations(dynamodb, TABLE).create(organization())
    store(AccountBooks(dynamodb, TABLE), notices=(letter, unsent))
    return s3


def test_a_letter_is_read_from_the_print_bucket(letters: Any) -> None:
    letters.put_object(Bucket=BUCKET, Key="letters/org_1/ntc_1.pdf", Body=b"%PDF-1.7", ContentType="application/pdf")
    read = OWN.get(MESSAGE).body
    assert (read["channel"], read["text"]) == ("print", None)
    assert httpx.URL(read["pdfUrl"]).path.endswith("letters/org_1/ntc_1.pdf")
    assert "X-Amz-Expires=300" in read["pdfUrl"]


def test_a_letter_that_never_went_or_is_gone_has_no_message(letters: Any) -> None:
    assert letters
    assert OWN.get(MESSAGE).status == 404
    assert OWN.get(f"{QUEUE}/ntc_2/message").status == 404
    assert OWN.get(f"{QUEUE}/ntc_9/message").status == 404
