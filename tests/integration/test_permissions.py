"""No function calls what its role in template.yaml doesn't allow (conftest.py sees to that), and no role allows more.

The cases here are calls that the other tests of this folder have no reason to make.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from secrets import token_bytes
from types import ModuleType
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.ingest.ports import ports as ingest_ports
from functions.manage.ports import ports as manage_ports
from functions.payment_link.ports import ports as payment_link_ports
from functions.render_print import handler as render_print
from functions.send_email import handler as send_email
from functions.send_sms import handler as send_sms
from shared.domain.account.contacts import number_hash
from shared.domain.paying.link_secrets import new_payment_link
from shared.domain.records.book import Change
from shared.domain.records.notice import Notice, moved
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.vocabulary.words import BillType, Channel, NoticeStatus
from shared.messaging import clients
from shared.messaging.public_address import public_base_url
from shared.storage.account_books import AccountBooks
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations
from shared.storage.print_batches import PrintBatches
from tests.worlds import permissions
from tests.worlds.aws import TABLE
from tests.worlds.channel_stack import EVENTS, ChannelStack, channel_stack
from tests.worlds.clinic import Clinic
from tests.worlds.examples import NOW, account, notice, organization
from tests.worlds.ingest_api import BUCKET, Partner, results
from tests.worlds.manage_api import BILL, ORGANIZATION, OWN, store, stored
from tests.worlds.statement_examples import statement
from tests.worlds.template import functions
from tests.worlds.text_provider import PHONE, a_text, sent, text_table, texted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ADDRESS_PARAMETER = "/dunlin-test/public-base-url"


@dataclass(frozen=True)
class Way:
    """A channel's function, the call by which it sends, and how its provider says that it takes nothing at all."""

    channel: Channel
    handler: ModuleType
    sends_by: str
    stopped: str

    @property
    def name(self) -> str:
        return self.handler.__name__.split(".")[1]


WAYS = [
    Way(Channel.EMAIL, send_email, "SendEmail", "SendingPausedException"),
    Way(Channel.SMS, send_sms, "Publish", "AuthorizationError"),
    Way(Channel.PRINT, render_print, "PutObject", "AccessDenied"),
]


@pytest.fixture(params=WAYS, ids=[way.name for way in WAYS])
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


@pytest.fixture
def stack(way: Way, dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> ChannelStack:
    boto3.client("s3").create_bucket(Bucket="dunlin-print")
    boto3.client("sesv2").create_email_identity(EmailIdentity="billing@dunlin.example")
    return channel_stack(way.handler, way.name, dynamodb, monkeypatch)


@pytest.fixture
def api_address(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack without a domain of its own: its functions look up where the API is."""
    boto3.client("ssm").put_parameter(Name=ADDRESS_PARAMETER, Value="https://api.example.com/live", Type="String")
    monkeypatch.setenv("PUBLIC_BASE_URL", "")
    monkeypatch.setenv("PUBLIC_BASE_URL_PARAMETER", ADDRESS_PARAMETER)
    public_base_url.cache_clear()


def queued(way: Way, **changes: Any) -> Notice:
    waits = {"status": NoticeStatus.QUEUED, "lease_until": NOW + timedelta(minutes=15)}
    return notice(**(waits | {"channel": way.channel} | changes))


def failing(operation: str, then: Callable[[], None]) -> Callable[[str], None]:
    return lambda called: then() if called == operation else None


def a_link(**changes: Any) -> PaymentLink:
    """A link that went, known by its token and its bill code."""
    link = PaymentLink(
        link_id="lnk_1",
        org_id="org_1",
        account_id="G-1",
        statement_id="S-1",
        token_hash="token",
        code_hash="code",
        created_at=NOW,
        expires_at=NOW + timedelta(days=30),
    )
    return replace(link, **changes)


# --- the channels --------------------------------------------------------------------------------------------------


def test_a_paused_channel_asks_its_gate_before_it_takes_another_notice(way: Way, stack: ChannelStack) -> None:
    def refuse() -> None:
        raise ClientError({"Error": {"Code": way.stopped, "Message": ""}}, way.sends_by)

    stack.given(queued(way))
    stack.given(queued(way, account_id="G-2"), who=account(account_id="G-2"))
    stack.fail = failing(way.sends_by, refuse)
    assert stack.handle() == []
    stack.fail = lambda _: None
    assert stack.handle(stack.message(accountId="G-2")) == []
    assert stack.row(account_id="G-2").status is NoticeStatus.SCHEDULED


def test_what_a_provider_answers_is_told_to_a_row_that_moved_meanwhile(way: Way, stack: ChannelStack) -> None:
    def give_up() -> None:
        taken = stack.row()
        late = NOW + timedelta(minutes=20)
        stack.books.commit(
            Change(
                account=stack.book().account,
                notices=(moved(taken, NoticeStatus.UNKNOWN, late, "scheduler", "no answer was recorded"),),
            )
        )
        stack.fail = lambda _: None

    stack.given(queued(way))
    stack.fail = failing(way.sends_by, give_up)
    assert stack.handle() == []
    assert stack.row().status is NoticeStatus.SENT


@pytest.mark.parametrize("way", WAYS[-1:], ids=["render_print"], indirect=True)
def test_a_letter_that_will_not_go_leaves_its_batch(stack: ChannelStack, way: Way) -> None:
    stack.given(queued(way))
    assert stack.handle() == []
    row = stack.row()
    refused = replace(row, status=NoticeStatus.WILL_NOT_SEND, letter=None)
    stack.books.commit(Change(account=stack.book().account, notices=(refused,)))
    [closing] = json.loads((EVENTS / "render_print_close.json").read_text())["Records"]
    assert stack.handle(closing) == []
    assert PrintBatches(stack.dynamodb, TABLE).letters("org_1") == []


def test_without_a_domain_of_its_own_a_channel_reads_the_apis_address(
    way: Way, stack: ChannelStack, api_address: None
) -> None:
    stack.given(queued(way))
    way.handler.ports.cache_clear()
    assert stack.handle() == []
    assert stack.row().status is NoticeStatus.SENT


# --- the pages and the partner API ----------------------------------------------------------------------------------


def test_without_a_domain_of_their_own_the_pages_read_the_apis_address(clinic: Clinic, api_address: None) -> None:
    payment_link_ports.cache_clear()
    assert clinic.get().status == 200


def test_revoking_a_link_that_went_writes_what_its_secrets_point_to(manage_books: AccountBooks) -> None:
    store(manage_books, links=(a_link(staff_name="Robin Okafor"),))
    assert OWN.post(f"{BILL}/payment-links/lnk_1/revoke").body["status"] == "Revoked"
    assert stored(manage_books).links[0].status == "Revoked"


@pytest.fixture
def lifetime(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> AccountBooks:
    """A practice with one active bill a patient account."""
    monkeypatch.setenv("TABLE_NAME", TABLE)
    monkeypatch.setenv("DROP_BUCKET", BUCKET)
    monkeypatch.setenv("ALLOW_SIMULATED_TIME", "true")
    ingest_ports.cache_clear()
    manage_ports.cache_clear()
    Organizations(dynamodb, TABLE).create(organization(bill_type=BillType.LIFETIME))
    return AccountBooks(dynamodb, TABLE)


def test_links_and_checkouts_go_on_with_the_statement_that_replaces_theirs(lifetime: AccountBooks) -> None:
    assert results(Partner().send(statement("S-1"))) == ["Created"]
    book = stored(lifetime)
    under_way = Checkout(
        reference="ref-1",
        org_id="org_1",
        account_id="G-1",
        link_id="lnk_1",
        statement_id="S-1",
        amount=1,
        created_at=NOW,
    )
    lifetime.commit(Change(account=book.account, links=(a_link(),), checkouts=(under_way,)))
    assert results(Partner().send(statement("S-2", totalBalance="10.00"))) == ["Updated"]
    after = stored(lifetime)
    assert [link.statement_id for link in after.links] == ["S-2"]
    assert [checkout.statement_id for checkout in after.checkouts] == ["S-2"]


def test_a_file_that_is_refused_gives_its_idempotency_key_back(lifetime: AccountBooks) -> None:
    refused = Partner().post("/v1/statements", {"statements": "none"}, Idempotency_Key="k")
    assert refused.status == 422
    assert Partner().post("/v1/statements", {"statements": [statement("S-1")]}, Idempotency_Key="k").status == 200


# --- the providers' events ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("manage_table")
def test_accounts_are_searched_by_a_bill_code_and_by_name() -> None:
    issued = new_payment_link(
        org_id="org_1",
        account_id="G-1",
        now=NOW,
        lives=timedelta(days=30),
        random=token_bytes,
        with_code=True,
    )
    store(manage_ports().books, links=(issued.link,))
    for term in (issued.code, account().guarantor.last_name):
        found = OWN.get(f"{ORGANIZATION}/accounts?search={term}").body["items"]
        assert [each["accountId"] for each in found] == ["G-1"]


def test_help_is_answered_through_the_text_provider_itself(
    dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = clients.sns
    text_table(dynamodb, monkeypatch).given(sent(a_text()))
    monkeypatch.setattr(clients, "sns", provider)
    texted("HELP", "in-1")
    [heard] = Numbers(dynamodb, TABLE).known(number_hash(PHONE)).handled
    assert heard.answered
    assert heard.answer_id


# --- no more than that ------------------------------------------------------------------------------------------------

BY_LAMBDA = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
}
"""What Lambda does under a function's role: write its log, and poll its queue."""

BY_OTHERS = {
    ("delivery_events", "sqs:SendMessage"),  # Lambda, when it gives an event up
    ("ingest", "s3:ListBucket"),  # S3, which tells only who may list that an object is gone
    ("ingest", "s3:PutObject"),  # whoever uploads to an address that the function signed
    ("ingest", "sqs:SendMessage"),  # Lambda, when it gives a file up
}


AFTER_A_CRASH = {"WriteOutLargeChanges"}
"""What whoever reads an account needs where a writer died; tests/packaging/test_template.py holds that all have it."""


@pytest.mark.after_all
def test_no_role_allows_an_action_or_a_key_that_no_test_needs(called: set[tuple[str, permissions.Call]]) -> None:
    idle = [
        f"{function}: {statement.sid} {what}"
        for function in functions()
        for statement in permissions.statements(function)
        if statement.allows and statement.sid not in AFTER_A_CRASH
        for what in _idle(function, statement, {call for name, call in called if name == function})
    ]
    assert idle == []


def _idle(function: str, statement: permissions.Statement, called: set[permissions.Call]) -> list[str]:
    used = {call for call in called if statement.permits(call)}
    actions = {
        action for action in statement.actions if action not in BY_LAMBDA and (function, action) not in BY_OTHERS
    }
    keys = {pattern for pattern in statement.keys if not any(f"{call.key}*" == pattern for call in used)}
    return sorted(actions - {call.action for call in used}) + sorted(keys)
