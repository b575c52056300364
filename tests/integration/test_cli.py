"""The command `dunlin`, run whole against an AWS in this process."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from cli import main as command
from cli import statements
from functions.authorize.handler import authenticate
from shared.domain.records.book import Change
from shared.domain.vocabulary.words import AccountStatus, Channel, NoticeStatus
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.api_keys import ApiKeys
from shared.storage.audit_trail import AuditTrail
from shared.storage.organizations import Organizations
from shared.storage.partner_defaults import PartnersDefaults
from tests.worlds.aws import TABLE, create_table
from tests.worlds.examples import NOW, account, bill, notice, organization

CHANNELS = ("Email", "Sms", "Print")
KEY = "dun_test_0123456789abcdef_secret"


class CloudFormation:
    """Knows these stacks' outputs, and refuses any other name as the service does."""

    def __init__(self, stacks: dict[str, dict[str, str]]) -> None:
        self.stacks = stacks

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - the service's own spelling
        if StackName not in self.stacks:
            message = f"Stack with id {StackName} does not exist"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")
        outputs = [{"OutputKey": name, "OutputValue": value} for name, value in self.stacks[StackName].items()]
        return {"Stacks": [{"StackName": StackName, "Outputs": outputs}]}


@pytest.fixture(autouse=True)
def stack(aws: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A stack named dunlin-test with the product's table and queues; answers its outputs."""
    for name in ("DUNLIN_API_KEY", "DUNLIN_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DUNLIN_STACK", "dunlin-test")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(statements, "RESEND_PAUSE_SECONDS", 0)
    create_table()
    sqs, outputs = clients.sqs(), {"TableName": TABLE, "ApiUrl": "https://api.test/live"}
    for channel in CHANNELS:
        outputs[f"{channel}QueueUrl"] = sqs.create_queue(QueueName=channel)["QueueUrl"]
        outputs[f"{channel}DeadLetterQueueUrl"] = sqs.create_queue(QueueName=f"{channel}-dead")["QueueUrl"]
    outputs["EventsDeadLetterQueueUrl"] = sqs.create_queue(QueueName="Events-dead")["QueueUrl"]
    outputs["DeliveryEventsFunctionArn"] = "delivery-events"
    monkeypatch.setattr("cli.stack.cloudformation", lambda: CloudFormation({"dunlin-test": outputs}))
    return outputs


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs the command; answers its exit status and what it wrote to its two outputs."""

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()  # what functions counted before isn't the command's
        with pytest.raises(SystemExit) as ended:
            command.main(list(arguments))
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out, written.err

    return call


type Run = Callable[..., tuple[int, str, str]]


def answer(run: Run, *arguments: str) -> Any:
    status, out, _ = run(*arguments, "--json")
    assert status == 0
    return json.loads(out)


def organizations() -> Organizations:
    return Organizations(clients.dynamodb(), TABLE)


# --- partners and keys -------------------------------------------------------------------------------------------


def test_a_new_partners_key_opens_the_api_with_its_scopes_until_it_is_revoked(run: Run) -> None:
    partner = answer(run, "partner", "create", "--name", "Acme Billing")
    assert set(partner) == {"partnerId"}
    made = answer(run, "key", "create", "--partner", partner["partnerId"], "--scopes", "read,statements:write")
    assert set(made) == {"key", "keyId"}
    assert made["key"].startswith(f"dun_test_{made['keyId']}_")
    key = authenticate(f"Bearer {made['key']}", ApiKeys(clients.dynamodb(), TABLE), NOW)
    assert key.partner_id == partner["partnerId"]
    assert key.scopes == {"read", "statements:write"}
    assert run("key", "revoke", made["keyId"])[0] == 0
    with pytest.raises(Exception, match="Unauthorized"):
        authenticate(f"Bearer {made['key']}", ApiKeys(clients.dynamodb(), TABLE), NOW)


def made_key(run: Run) -> tuple[str, Any]:
    partner = answer(run, "partner", "create", "--name", "Acme Billing")["partnerId"]
    return partner, answer(run, "key", "create", "--partner", partner, "--scopes", "read,send", "--live")


def test_two_keys_overlap_while_one_takes_the_others_place(run: Run) -> None:
    partner, old = made_key(run)
    new = answer(run, "key", "rotate", old["keyId"], "--overlap-days", "2")
    assert new["key"].startswith("dun_live_")
    now = datetime.now(UTC)
    for key in (old, new):
        assert authenticate(f"Bearer {key['key']}", ApiKeys(clients.dynamodb(), TABLE), now).scopes == {"read", "send"}
    later = now + timedelta(days=3)
    assert authenticate(f"Bearer {new['key']}", ApiKeys(clients.dynamodb(), TABLE), later).partner_id == partner
    with pytest.raises(Exception, match="Unauthorized"):
        authenticate(f"Bearer {old['key']}", ApiKeys(clients.dynamodb(), TABLE), later)
    assert run("key", "rotate", old["keyId"])[0] == 1
    assert run("key", "rotate", "0123456789abcdef")[0] == 1


def test_keys_are_listed_with_scopes_and_the_last_day_of_use(run: Run) -> None:
    partner, old = made_key(run)
    new = answer(run, "key", "rotate", old["keyId"])
    authenticate(f"Bearer {old['key']}", ApiKeys(clients.dynamodb(), TABLE), datetime.now(UTC))
    listed = answer(run, "key", "list", "--partner", partner)["items"]
    assert [each["keyId"] for each in listed] == [old["keyId"], new["keyId"]]
    assert [each["lastUsedOn"] for each in listed] == [datetime.now(UTC).date().isoformat(), None]
    assert (listed[0]["expiresAt"], listed[0]["scopes"]) == (new["oldKeyExpiresAt"], ["read", "send"])
    status, out, _ = run("key", "list", "--partner", partner)
    assert (status, old["key"] in out, "secret" in out) == (0, False, False)
    assert run("key", "list", "--partner", "prt_none")[0] == 1


def test_a_partners_status_is_set_shown_and_passed_on(run: Run) -> None:
    partner, key = made_key(run)
    organizations().create(organization(partner_id=partner))
    assert run("partner", "status", partner, "Suspended")[0] == 0
    shown = answer(run, "partner", "show", partner)
    assert (shown["accountStatus"], [each["orgId"] for each in shown["organizations"]]) == ("Suspended", ["org_1"])
    assert [each["accountStatus"] for each in answer(run, "partner", "list")["items"]] == ["Suspended"]
    assert authenticate(f"Bearer {key['key']}", ApiKeys(clients.dynamodb(), TABLE), NOW).partner_id == partner
    defaults = PartnersDefaults(clients.dynamodb(), TABLE)
    assert defaults.get(partner).account_status is AccountStatus.SUSPENDED
    assert run("partner", "status", partner, "Odd")[0] != 0
    assert run("partner", "status", "prt_none", "Active")[0] == 1


def test_the_keys_of_an_archived_partner_are_refused_until_it_is_active_again(run: Run) -> None:
    partner, key = made_key(run)
    run("partner", "status", partner, "Archived")
    with pytest.raises(Exception, match="Unauthorized"):
        authenticate(f"Bearer {key['key']}", ApiKeys(clients.dynamodb(), TABLE), NOW)
    run("partner", "status", partner, "Active")
    assert authenticate(f"Bearer {key['key']}", ApiKeys(clients.dynamodb(), TABLE), NOW).partner_id == partner


def test_what_operators_do_stands_in_the_partners_audit_trail(run: Run) -> None:
    partner, key = made_key(run)
    rotated = answer(run, "key", "rotate", key["keyId"])
    run("key", "revoke", key["keyId"], "--reason", "lost")
    run("partner", "status", partner, "Suspended", "--reason", "unpaid")
    trail, year = AuditTrail(clients.dynamodb(), TABLE), timedelta(days=365)
    now = datetime.now(UTC)
    entries, _ = trail.page(partner, now - year, now + year, "", 10, "")
    assert [(entry.action, entry.actor, entry.reason) for entry in entries] == [
        ("PartnerStatusChanged", "operator", "unpaid"),
        ("KeyRevoked", "operator", "lost"),
        ("KeyRotated", "operator", ""),
        ("KeyCreated", "operator", ""),
        ("PartnerCreated", "operator", ""),
    ]
    assert (entries[0].before, entries[0].after) == ({"accountStatus": "Active"}, {"accountStatus": "Suspended"})
    assert key["key"] not in str(entries)
    assert rotated["key"] not in str(entries)


def test_a_live_key_is_asked_for_by_name(run: Run) -> None:
    partner = answer(run, "partner", "create", "--name", "Acme Billing")["partnerId"]
    assert answer(run, "key", "create", "--partner", partner, "--scopes", "read", "--live")["key"].startswith(
        "dun_live_"
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("key", "create", "--partner", "prt_none", "--scopes", "read"), "no partner"),
        (("key", "create", "--partner", "prt_none", "--scopes", "read,fly"), "fly"),
        (("key", "create", "--partner", "prt_none", "--scopes", ""), "scopes"),
        (("key", "revoke", "none"), "no key"),
        (("partner", "create", "--name", " "), "name"),
        (("queue", "--stack", "elsewhere"), "no stack elsewhere"),
        (("queue", "--organization", "org_9"), "no organization"),
        (("forecast",), "--partner or --organization"),
        (("forecast", "--organization", "org_9"), "no organization"),
        (("forecast", "--partner", "prt_9"), "no partner"),
        (("statements", "send", __file__, "--key", KEY), "isn't JSON"),
    ],
)
def test_what_cannot_be_done_is_told_on_the_error_output_and_ends_badly(
    run: Run, arguments: tuple[str, ...], why: str
) -> None:
    status, out, errors = run(*arguments)
    assert status == 1
    assert out == ""
    assert why in errors
    assert "Traceback" not in errors


def test_without_a_stack_the_command_says_what_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUNLIN_STACK")
    status, _, errors = run("queue")
    assert status == 2
    assert "--stack" in errors


def test_an_aws_that_refuses_is_told_without_a_traceback(run: Run, stack: dict[str, str]) -> None:
    clients.sqs().delete_queue(QueueUrl=stack["SmsQueueUrl"])
    status, _, errors = run("queue")
    assert status == 1
    assert "GetQueueAttributes" in errors
    assert "Traceback" not in errors


# --- queues ------------------------------------------------------------------------------------------------------


def test_the_queues_depths_and_dead_letters_are_shown(run: Run, stack: dict[str, str]) -> None:
    sqs = clients.sqs()
    sqs.send_message(QueueUrl=stack["EmailQueueUrl"], MessageBody="{}")
    sqs.send_message(QueueUrl=stack["PrintDeadLetterQueueUrl"], MessageBody="{}")
    shown = answer(run, "queue")["queues"]
    assert shown["email"] == {"waiting": 1, "delayed": 0, "inFlight": 0, "deadLetters": 0}
    assert shown["print"]["deadLetters"] == 1
    assert "dead letters" in run("queue")[1]


def test_an_organizations_notices_are_counted_by_channel_and_status(run: Run) -> None:
    organizations().create(organization())
    rows = (notice(), notice(notice_id="ntc_2"), notice(notice_id="ntc_3", status=NoticeStatus.SENT))
    AccountBooks(clients.dynamodb(), TABLE).commit(Change(account=account(), bills=(bill(),), notices=rows))
    assert answer(run, "queue", "--organization", "org_1")["notices"] == [
        {"channel": "email", "status": "Scheduled", "count": 2},
        {"channel": "email", "status": "Sent", "count": 1},
    ]


def waiting(url: str) -> list[str]:
    messages: list[str] = []
    while found := clients.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        messages += [message["Body"] for message in found]
    return sorted(messages)


def test_a_redrive_is_a_dry_run_unless_it_is_told_yes(run: Run, stack: dict[str, str]) -> None:
    sqs = clients.sqs()
    for number in range(12):
        sqs.send_message(QueueUrl=stack["EmailDeadLetterQueueUrl"], MessageBody=f"{number:02}")
    dry = answer(run, "redrive")
    assert dry["dryRun"] is True
    assert dry["channels"]["email"] == {"deadLetters": 12, "moved": 0}
    done = answer(run, "redrive", "--yes")
    assert done["channels"]["email"] == {"deadLetters": 12, "moved": 12}
    assert waiting(stack["EmailQueueUrl"]) == [f"{number:02}" for number in range(12)]
    assert answer(run, "redrive")["channels"]["email"] == {"deadLetters": 0, "moved": 0}


class Functions:
    """Takes note of what it is told to run; told to, it refuses."""

    def __init__(self) -> None:
        self.invoked: list[tuple[str, str, bytes]] = []
        self.refuses = False

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - the service's own spelling
        if self.refuses:
            raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "later"}}, "Invoke")
        self.invoked.append((FunctionName, InvocationType, Payload))
        return {"StatusCode": 202}


def test_an_event_that_was_given_up_is_given_to_its_function_again(
    run: Run, stack: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    functions = Functions()
    monkeypatch.setattr("cli.stack.functions", lambda: functions)
    url = stack["EventsDeadLetterQueueUrl"]
    clients.sqs().send_message(QueueUrl=url, MessageBody='{"Records": []}')
    assert answer(run, "redrive")["events"] == {"deadLetters": 1, "moved": 0}
    functions.refuses = True
    assert run("redrive", "--yes")[0] == 1
    clients.sqs().send_message(QueueUrl=url, MessageBody='{"Records": [1]}')
    functions.refuses = False
    status, out, _ = run("redrive", "--yes", "--json")
    assert json.loads(out)["events"] == {"deadLetters": 2, "moved": 1}
    assert status == 1
    assert functions.invoked == [("delivery-events", "Event", b'{"Records": [1]}')]
    assert waiting(url) == []


def test_a_dead_letter_that_somebody_else_holds_is_left_and_ends_badly(run: Run, stack: dict[str, str]) -> None:
    sqs = clients.sqs()
    sqs.send_message(QueueUrl=stack["EmailDeadLetterQueueUrl"], MessageBody="{}")
    sqs.receive_message(QueueUrl=stack["EmailDeadLetterQueueUrl"])
    status, out, errors = run("redrive", "--yes", "--json")
    assert status == 1
    assert json.loads(out)["channels"]["email"] == {"deadLetters": 1, "moved": 0}
    assert "1 messages remain" in errors


class Queues:
    """SQS, but for what a test says becomes of a batch that is sent or deleted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **instead: Callable[..., Any]) -> None:
        self.client, self.instead = clients.sqs(), instead
        monkeypatch.setattr("cli.stack.clients.sqs", lambda: self)

    def __getattr__(self, call: str) -> Any:
        return self.instead.get(call) or getattr(self.client, call)


def test_a_dead_letter_that_its_queue_refuses_stays_and_holds_up_no_other(
    run: Run, stack: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs = clients.sqs()
    for channel, body in (("Email", "refused"), ("Email", "fine"), ("Print", "letter")):
        sqs.send_message(QueueUrl=stack[f"{channel}DeadLetterQueueUrl"], MessageBody=body)

    def send(**batch: Any) -> Any:
        kept = [entry for entry in batch["Entries"] if entry["MessageBody"] != "refused"]
        sent: Any = sqs.send_message_batch(QueueUrl=batch["QueueUrl"], Entries=kept) if kept else {}
        return sent | {"Failed": [{"Id": entry["Id"]} for entry in batch["Entries"] if entry not in kept]}

    Queues(monkeypatch, send_message_batch=send)
    status, out, errors = run("redrive", "--yes", "--json")
    channels = json.loads(out)["channels"]
    assert (channels["email"]["moved"], channels["print"]["moved"]) == (1, 1)
    assert status == 1
    assert "1 messages remain" in errors
    assert (waiting(stack["EmailQueueUrl"]), waiting(stack["PrintQueueUrl"])) == (["fine"], ["letter"])


def test_a_dead_letter_that_fails_again_at_once_is_not_moved_round_and_round(
    run: Run, stack: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, sqs = stack["EmailDeadLetterQueueUrl"], clients.sqs()
    sqs.send_message(QueueUrl=dead, MessageBody="poison")
    Queues(monkeypatch, send_message_batch=lambda **batch: sqs.send_message_batch(**batch | {"QueueUrl": dead}))
    assert answer(run, "redrive", "--yes")["channels"]["email"] == {"deadLetters": 1, "moved": 1}
    assert waiting(dead) == ["poison"]


def test_a_redrive_that_is_cut_off_loses_no_dead_letter(
    run: Run, stack: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be in both queues then: a notice is judged again, and a second copy finds nothing to do."""
    dead, sqs = stack["EmailDeadLetterQueueUrl"], clients.sqs()
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"VisibilityTimeout": "0"})
    sqs.send_message(QueueUrl=dead, MessageBody="{}")

    def cut_off(**_: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="https://nowhere.example")

    queues = Queues(monkeypatch, delete_message_batch=cut_off)
    status, _, errors = run("redrive", "--yes")
    assert status == 1
    assert "Traceback" not in errors
    queues.instead.clear()
    assert answer(run, "redrive", "--yes")["channels"]["email"] == {"deadLetters": 1, "moved": 1}
    assert waiting(stack["EmailQueueUrl"]) == ["{}", "{}"]


# --- forecast ----------------------------------------------------------------------------------------------------


def test_the_forecast_counts_the_coming_notices_by_day_channel_and_type(run: Run) -> None:
    organizations().create(organization())
    books = AccountBooks(clients.dynamodb(), TABLE)
    books.commit(Change(account=account(), bills=(bill(),)))
    books.commit(Change(account=account(account_id="G-2", holds=frozenset()), bills=(bill("S-2"),)))
    as_of = (NOW - timedelta(minutes=1)).isoformat()
    coming = answer(run, "forecast", "--organization", "org_1", "--days", "10", "--as-of", as_of)["items"]
    assert coming == [
        {"date": "2026-03-02", "channel": str(channel), "notificationType": "Initial", "notices": 2}
        for channel in sorted(Channel)
    ]


# --- statements --------------------------------------------------------------------------------------------------


class Api:
    """An API that remembers what it was sent and answers what it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response] = []
        transport, client = httpx.MockTransport(self.answer), httpx.Client

        def client_of_this_api(**options: Any) -> httpx.Client:
            return client(transport=transport, **options)

        monkeypatch.setattr(httpx, "Client", client_of_this_api)

    @property
    def sent(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.answers:
            return self.answers.pop(0)
        rows = [
            {
                "statementId": each["statementId"],
                "result": "Failed" if each["totalBalance"] == "bad" else "Created",
                "warnings": [],
                "errors": [{"pointer": "/totalBalance", "detail": "wrong"}] if each["totalBalance"] == "bad" else [],
            }
            for each in json.loads(request.content)["statements"]
        ]
        return httpx.Response(200, json={"statements": rows})


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    return Api(monkeypatch)


def statement(number: int, balance: Any = "5.00") -> dict[str, Any]:
    return {"statementId": f"S-{number}", "clientId": "NORTH", "totalBalance": balance}


def write(folder: Path, *documents: Any, name: str = "statements.json") -> str:
    text = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in documents)
    (folder / name).write_text(text)
    return str(folder / name)


def test_a_file_is_sent_in_requests_of_at_most_500_with_the_key_and_its_schema(
    run: Run, api: Api, tmp_path: Path
) -> None:
    document = {"schema": "ppay-episodic", "version": "1.0.0", "statements": [statement(n) for n in range(1_100)]}
    report = answer(run, "statements", "send", write(tmp_path, document), "--key", KEY)
    assert report["counts"] == {"total": 1100, "created": 1100, "updated": 0, "ignored": 0, "failed": 0}
    assert [len(body["statements"]) for body in api.sent] == [500, 500, 100]
    assert {body["schema"] for body in api.sent} == {"ppay-episodic"}
    assert {str(request.url) for request in api.requests} == {"https://api.test/live/v1/statements"}
    assert {request.headers["Authorization"] for request in api.requests} == {f"Bearer {KEY}"}
    assert len({request.headers["Idempotency-Key"] for request in api.requests}) == 3


def test_lines_are_sent_too_each_with_its_own_text(run: Run, api: Api, tmp_path: Path) -> None:
    path = write(tmp_path, statement(1), '{"statementId": "S-2", "clientId": "NORTH", "totalBalance": 12.10}')
    assert (
        answer(run, "statements", "send", path, "--key", KEY, "--url", "http://elsewhere/live/")["counts"]["total"] == 2
    )
    assert b'"totalBalance": 12.10}' in api.requests[0].content
    assert api.requests[0].url.host == "elsewhere"


def test_a_failed_statement_is_told_and_ends_badly(run: Run, api: Api, tmp_path: Path) -> None:
    path = write(tmp_path, {"statements": [statement(1), statement(2, "bad")]})
    status, out, _ = run("statements", "send", path, "--key", KEY)
    assert status == 1
    assert "S-2" in out
    assert "/totalBalance" in out


def test_a_line_that_is_no_json_fails_alone(run: Run, api: Api, tmp_path: Path) -> None:
    path = write(tmp_path, statement(1), "{oops", statement(3))
    status, out, _ = run("statements", "send", path, "--key", KEY, "--json")
    assert status == 1
    assert json.loads(out)["counts"] == {"total": 3, "created": 2, "updated": 0, "ignored": 0, "failed": 1}
    assert [each["statementId"] for each in api.sent[0]["statements"]] == ["S-1", "S-3"]


def test_the_first_of_several_with_one_id_counts_though_they_are_in_different_requests(
    run: Run, api: Api, tmp_path: Path
) -> None:
    listed = [statement(n) for n in range(500)]
    path = write(tmp_path, {"statements": [*listed, statement(3), statement(4, "9.00"), statement(500)]})
    status, out, _ = run("statements", "send", path, "--key", KEY, "--json")
    assert status == 1
    assert json.loads(out)["counts"] == {"total": 503, "created": 501, "updated": 0, "ignored": 1, "failed": 1}
    assert [each["statementId"] for each in api.sent[1]["statements"]] == ["S-500"]


def test_a_passing_error_is_tried_again_under_the_same_idempotency_key(run: Run, api: Api, tmp_path: Path) -> None:
    api.answers = [httpx.Response(503), httpx.Response(502)]
    path = write(tmp_path, {"statements": [statement(1)]})
    assert run("statements", "send", path, "--key", KEY)[0] == 0
    assert len(api.requests) == 3
    assert len({request.headers["Idempotency-Key"] for request in api.requests}) == 1


def test_a_refused_key_is_told_in_the_apis_words(run: Run, api: Api, tmp_path: Path) -> None:
    api.answers = [httpx.Response(401, json={"detail": "Send a valid key."})]
    status, _, errors = run("statements", "send", write(tmp_path, {"statements": [statement(1)]}), "--key", KEY)
    assert status == 1
    assert "401: Send a valid key." in errors


@pytest.mark.parametrize("document", [{}, [], {"statements": 5}, {"schema": "other", "statements": []}])
def test_a_file_that_is_no_statement_file_is_not_sent(run: Run, api: Api, tmp_path: Path, document: Any) -> None:
    status, _, errors = run("statements", "send", write(tmp_path, document), "--key", KEY)
    assert status == 1
    assert "statement file" in errors
    assert api.requests == []


def test_the_key_may_come_from_the_environment(
    run: Run, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUNLIN_API_KEY", KEY)
    assert run("statements", "send", write(tmp_path, {"statements": [statement(1)]}))[0] == 0
