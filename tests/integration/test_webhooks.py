"""Webhooks: partners are told of what happened, at least once, signed, and by nobody's receiver held up."""

import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from standardwebhooks.webhooks import WebhookVerificationError

from functions.send_webhooks import handler
from shared.domain.delivery.webhook_rules import DELIVERIES_KEPT_FOR, RETRIED_FOR, RETRY_PAUSES
from shared.domain.records.notice import moved
from shared.domain.records.task import Task, TaskKind
from shared.domain.vocabulary.words import NoticeStatus
from shared.storage.account_books import AccountBooks
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations
from shared.storage.set_asides import SetAsides
from shared.storage.tasks import Tasks
from shared.storage.webhooks import Webhooks
from tests.worlds.aws import TABLE, listen
from tests.worlds.examples import NOW, notice, organization
from tests.worlds.lambda_context import lambda_context
from tests.worlds.manage_api import ACCOUNT, BILL, FOREIGN, OWN, snapshot, store
from tests.worlds.template import PROJECT
from tests.worlds.webhook_receivers import ENDPOINTS, Receiver, WebhookStack, nobody, receiver, webhook_stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PERSONAL = ("Ada", "Example", "ada@example.com", "5185550111", "74.60", "1980", "Juniper")
SPEC = re.compile(r"whsec_[A-Za-z0-9+/]{32,}={0,2}")


@pytest.fixture
def stack(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> WebhookStack:
    """A partner with an organization and an account with a bill, which nothing is due of."""
    Organizations(dynamodb, TABLE).create(organization())
    store(AccountBooks(dynamodb, TABLE))
    return webhook_stack(dynamodb, monkeypatch)


def pay(amount: str = "74.60", transaction: str = "T-1") -> None:
    said = {"amount": amount, "method": "cash", "receivedOn": "2026-03-02", "transactionId": transaction}
    assert OWN.post(f"{BILL}/payments", said).status in {200, 201}


def type_of(calls: Any) -> Counter[str]:
    return Counter(call.message["type"] for call in calls)


# --- what is told --------------------------------------------------------------------------------------------------


def test_a_payment_is_told_signed_as_the_spec_says_with_ids_and_nothing_of_the_patient(stack: WebhookStack) -> None:
    with receiver() as taken:
        endpoint = stack.subscribe(taken.url)
        pay()
        stack.deliver()
    assert SPEC.fullmatch(endpoint["secret"])
    assert type_of(taken.calls) == {"payment.posted": 1, "bill.paid": 1}
    for call in taken.calls:
        told = call.verified(endpoint["secret"])
        assert told["timestamp"] == "2026-03-02T15:00:00.000Z"
        assert set(told["data"]) <= {"orgId", "accountId", "statementId", "paymentId"}
        assert told["data"]["accountId"] == "G-1"
        assert [word for word in PERSONAL if word in call.body.decode()] == []
        with pytest.raises(WebhookVerificationError):
            replace(call, body=call.body.replace(b"G-1", b"G-2")).verified(endpoint["secret"])
    assert {row["status"] for row in stack.log(endpoint)} == {"Delivered"}


def test_a_failed_notice_an_opt_out_and_a_task_are_told_wherever_they_are_written(stack: WebhookStack) -> None:
    waits = notice(status=NoticeStatus.SCHEDULED, status_history=())
    books = AccountBooks(stack.dynamodb, TABLE)
    book = books.load("org_1", "G-1")
    assert book
    queued = moved(moved(waits, NoticeStatus.SCHEDULED, NOW, "scheduler"), NoticeStatus.QUEUED, NOW, "scheduler")
    store(books, book.account, notices=(queued,), bills=())
    with receiver() as taken:
        stack.subscribe(taken.url)
        rows = Notices(stack.dynamodb, TABLE)
        before = rows.load("org_1", "G-1", queued.notice_id)
        assert before
        assert rows.move(before, moved(before, NoticeStatus.QUEUEING_ERROR, NOW, "scheduler"))
        assert OWN.patch(ACCOUNT, {"optOuts": {"email": True, "sms": True}}).status == 200
        task = Task(task_id="tsk_1", org_id="org_1", kind=TaskKind.UNMATCHED_PAYMENT, created_at=NOW)
        assert Tasks(stack.dynamodb, TABLE).create(task)
        assert not Tasks(stack.dynamodb, TABLE).create(task)
        stack.deliver()
    told = {call.message["type"]: call.message["data"] for call in taken.calls}
    assert told == {
        "notification.failed": {"orgId": "org_1", "accountId": "G-1", "notificationId": queued.notice_id},
        "account.opted_out": {"orgId": "org_1", "accountId": "G-1"},
        "task.opened": {"orgId": "org_1", "taskId": "tsk_1"},
    }


def test_a_change_that_lost_its_race_is_told_to_nobody(stack: WebhookStack) -> None:
    before = notice(status=NoticeStatus.QUEUED)
    after = moved(before, NoticeStatus.DELIVERY_ERROR, NOW, "sender")
    assert not Notices(stack.dynamodb, TABLE).move(before, after)
    with receiver() as taken:
        stack.subscribe(taken.url)
        stack.deliver()
    assert taken.calls == []


def test_an_endpoint_gets_the_events_that_it_asked_for_and_those_of_its_partner_only(stack: WebhookStack) -> None:
    with receiver() as some, receiver() as others:
        stack.subscribe(some.url, "bill.paid")
        told = FOREIGN.post(ENDPOINTS, {"url": others.url, "events": ["bill.paid"]})
        assert told.status == 201
        pay()
        stack.deliver()
    assert type_of(some.calls) == {"bill.paid": 1}
    assert others.calls == []


def test_where_nobody_listens_events_are_let_go_and_nothing_stays_due(stack: WebhookStack) -> None:
    pay("10.00")
    stack.sweep()
    assert [item for item in snapshot(stack.dynamodb) if item["pk"]["S"].startswith(("OB#", "WH#"))] == []


# --- retries -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 429, 500, 503])
def test_what_isnt_a_success_is_tried_again_and_no_redirect_is_followed(stack: WebhookStack, status: int) -> None:
    with receiver() as elsewhere, receiver(status=status, headers={"Location": elsewhere.url}) as failing:
        endpoint = stack.subscribe(failing.url, "payment.posted")
        pay("10.00")
        stack.deliver()
        [row] = stack.log(endpoint)
        assert (row["status"], [each["statusCode"] for each in row["attempts"]]) == ("Pending", [status])
        assert elsewhere.calls == []
        failing.status = 200
        stack.deliver(NOW + timedelta(minutes=1))
    first, second = failing.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    second.verified(endpoint["secret"])
    assert [row["status"] for row in stack.log(endpoint)] == ["Delivered"]


def test_retries_go_on_for_three_days_with_jitter_and_then_the_delivery_has_failed(stack: WebhookStack) -> None:
    with receiver(status=500) as failing:
        endpoint = stack.subscribe(failing.url, "payment.posted")
        pay("10.00")
        now, tries = NOW, 0
        while now:
            stack.deliver(now)
            tries += 1
            [row] = stack.log(endpoint)
            due = row["nextAttemptAt"]
            assert tries < 20
            before, now = now, due and now.fromisoformat(due) + timedelta(milliseconds=1)
            if now:
                longest = RETRY_PAUSES[tries - 1]
                assert longest * 0.9 <= now - before <= longest + timedelta(seconds=1)
    assert row["status"] == "Failed"
    assert tries == len(RETRY_PAUSES) + 1
    assert RETRIED_FOR * 0.85 <= before - NOW <= RETRIED_FOR
    assert len(failing.calls) == tries


def test_410_disables_the_endpoint_and_nothing_more_goes_there(stack: WebhookStack) -> None:
    with receiver(status=410) as gone:
        endpoint = stack.subscribe(gone.url, "payment.posted")
        pay("10.00")
        stack.deliver()
        pay("10.00", "T-2")
        stack.deliver(NOW + timedelta(days=1))
    found = OWN.get(f"{ENDPOINTS}/{endpoint['endpointId']}").body
    assert (found["status"], found["disabledBy"]) == ("Disabled", "Gone")
    assert len(gone.calls) == 1
    [row] = stack.log(endpoint)
    assert (row["status"], row["nextAttemptAt"]) == ("Failed", None)


def test_a_receiver_that_answers_too_slowly_or_not_at_all_is_tried_again_later(stack: WebhookStack) -> None:
    with receiver(held=Event()) as slow:
        endpoint = stack.subscribe(slow.url, "payment.posted")
        down = stack.subscribe(nobody(), "payment.posted")
        stack.receivers(answer_seconds=0.2)
        pay("10.00")
        stack.deliver()
    assert [row["attempts"][0]["problem"] for row in stack.log(endpoint)] == ["Timeout"]
    assert [row["attempts"][0]["problem"] for row in stack.log(down)] == ["ConnectionFailed"]
    assert {row["status"] for row in (*stack.log(endpoint), *stack.log(down))} == {"Pending"}


def test_a_receiver_that_sends_its_headers_one_sign_at_a_time_gets_no_more_time_for_all(stack: WebhookStack) -> None:
    def drip(self: Receiver, request: Any) -> None:
        request.rfile.read(int(request.headers["Content-Length"]))
        for sign in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200:
            request.wfile.write(bytes([sign]))
            request.wfile.flush()
            if Event().wait(0.05):
                return

    stack.monkeypatch.setattr(Receiver, "answer", drip)
    with receiver() as dripping:
        endpoint = stack.subscribe(dripping.url, "payment.posted")
        stack.receivers(answer_seconds=0.3)
        pay("10.00")
        stack.deliver()
    assert [row["attempts"][0]["problem"] for row in stack.log(endpoint)] == ["Timeout"]


# --- nobody is held up ---------------------------------------------------------------------------------------------


def test_how_a_receiver_does_is_noted_a_turn_later_where_its_endpoint_is_being_changed(stack: WebhookStack) -> None:
    """The change is a transaction; an event that was delivered meanwhile isn't sent twice for that."""
    endpoint_id = stack.subscribe("https://example.com/hook")["endpointId"]
    webhooks = Webhooks(stack.dynamodb, TABLE)
    state = webhooks.state("prt_1", endpoint_id)
    assert state

    def changed_just_now(**_: object) -> None:
        raise ClientError({"Error": {"Code": "TransactionConflictException"}}, "UpdateItem")

    listen(stack.dynamodb, "before-call.dynamodb.UpdateItem", changed_just_now)
    webhooks.rests(state, NOW + timedelta(minutes=1))
    webhooks.answered(state.endpoint)
    assert webhooks.state("prt_1", endpoint_id) == state


def test_a_receiver_that_gives_no_answer_is_left_alone_and_costs_the_others_nothing(stack: WebhookStack) -> None:
    """After a turn without any answer its other events are put off unasked, and use up no attempt."""
    with receiver(held=Event()) as slow, receiver() as quick:
        held, served = stack.subscribe(slow.url, "payment.posted"), stack.subscribe(quick.url, "payment.posted")
        stack.receivers(answer_seconds=0.2)
        for n in range(25):
            pay("1.00", f"T-{n}")
        stack.sweep()
        messages = stack.queued()
        of_slow = [each for each in messages if each["endpointId"] == held["endpointId"]]
        assert {len({each["endpointId"]}) for each in messages} == {1}
        assert max(len(each["deliveryIds"]) for each in messages) <= 10
        assert stack.take(*of_slow) == []
        assert len(slow.calls) == len(of_slow[0]["deliveryIds"])
        assert stack.take(*(each for each in messages if each not in of_slow)) == []
        slow.held.set() if slow.held else None
        log = OWN.get(f"{ENDPOINTS}/{held['endpointId']}/deliveries?limit=100").body["items"]
        assert {len(row["attempts"]) for row in log if row["attempts"]} == {1}
        assert {row["status"] for row in log} == {"Pending"}
        slow.held = None
        for minutes in (2, 4):
            stack.deliver(NOW + timedelta(minutes=minutes))
    assert {row["status"] for row in stack.log(served)} == {"Delivered"}
    log = OWN.get(f"{ENDPOINTS}/{held['endpointId']}/deliveries?limit=100").body["items"]
    assert (len(log), {row["status"] for row in log}) == (25, {"Delivered"})


def test_a_queue_that_cant_be_reached_holds_up_nothing_and_the_lease_brings_back_what_was_due(
    stack: WebhookStack,
) -> None:
    with receiver() as taken:
        stack.subscribe(taken.url, "payment.posted")
        pay("10.00")
        there, stack.queue = stack.queue, "https://sqs.us-east-1.amazonaws.com/123456789012/none"
        stack.sweep()
        stack.queue = there
        stack.deliver(NOW + timedelta(minutes=16))
    assert len(taken.calls) == 1


def test_a_message_that_comes_twice_delivers_once_more_only_what_is_still_pending(stack: WebhookStack) -> None:
    with receiver() as taken:
        stack.subscribe(taken.url, "payment.posted")
        pay("10.00")
        stack.sweep()
        [message] = stack.queued()
        stack.take(message, message)
    assert len(taken.calls) == 1


def test_the_sample_event_asks_for_a_delivery(stack: WebhookStack) -> None:
    """As events/send_webhooks.json has it, to an endpoint that a test has made."""
    with receiver() as taken:
        endpoint = stack.subscribe(taken.url, "payment.posted")
        pay("10.00")
        stack.sweep()
        [row] = stack.log(endpoint)
        sample = json.loads((PROJECT / "events/send_webhooks.json").read_text())
        asked = json.loads(sample["Records"][0]["body"])
        ids = {"endpointId": endpoint["endpointId"], "deliveryIds": [row["deliveryId"]]}
        sample["Records"][0]["body"] = json.dumps(asked | ids)
        assert handler.lambda_handler(sample, lambda_context()) == {"batchItemFailures": []}
    assert len(taken.calls) == 1


def test_a_message_that_cant_be_read_fails_alone(stack: WebhookStack) -> None:
    assert stack.take({"partnerId": "prt_1"}) == ["0"]


# --- where it may go -----------------------------------------------------------------------------------------------

REFUSED = (
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1"),
    *("255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::"),
)


@pytest.mark.parametrize("address", REFUSED)
def test_a_name_that_means_an_address_of_ours_is_refused_after_it_was_looked_up(
    stack: WebhookStack, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if it means a public one beside it."""

    def connect(*_: object, **__: object) -> None:
        pytest.fail("it was called")

    for meant in ([address], ["203.0.113.7", address], ["8.8.8.8", address]):
        endpoint = stack.subscribe("https://rebound.example.com/hook", "payment.posted")
        ports = stack.receivers(loopback=False, look_up=lambda _host, _port, meant=meant: meant)
        monkeypatch.setattr("socket.create_connection", connect)
        answer = ports.receivers.post("https://rebound.example.com/hook", {}, b"{}")
        assert (answer.status, answer.problem) == (0, "AddressRefused")
        assert OWN.call("DELETE", f"{ENDPOINTS}/{endpoint['endpointId']}").status == 204


def test_a_name_is_looked_up_once_and_called_at_the_address_that_was_checked(
    stack: WebhookStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that means a public address at the check, and this machine at the call, leads to the public one."""
    meant = iter([["8.8.8.8"], ["127.0.0.1"]])
    called = list[tuple[str, int]]()

    def connect(address: tuple[str, int], *_: object) -> None:
        called.append(address)
        raise ConnectionRefusedError

    ports = stack.receivers(loopback=False, look_up=lambda *_: next(meant))
    monkeypatch.setattr("socket.create_connection", connect)
    answer = ports.receivers.post("https://rebound.example.com/hook", {}, b"{}")
    assert called == [("8.8.8.8", 443)]
    assert (answer.problem, next(meant)) == ("ConnectionFailed", ["127.0.0.1"])


def test_where_the_connection_really_leads_is_checked_once_more_before_anything_is_sent(
    stack: WebhookStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket as sockets  # noqa: PLC0415 - the one that the next lines replace a function of

    with receiver() as here:
        port = int(here.url.split(":")[2].split("/")[0])
        really = sockets.create_connection
        ports = stack.receivers(loopback=False, look_up=lambda *_: ["8.8.8.8"])
        monkeypatch.setattr("socket.create_connection", lambda _address, timeout: really(("127.0.0.1", port), timeout))
        answer = ports.receivers.post("https://rebound.example.com/hook", {}, b"{}")
    assert (answer.problem, here.calls) == ("AddressRefused", [])


def test_a_receiver_without_the_names_certificate_is_sent_nothing(stack: WebhookStack) -> None:
    with receiver() as plain:
        url = plain.url.replace("http:", "https:")
        answer = stack.receivers().receivers.post(url, {}, b"{}")
    assert (answer.problem, plain.calls) == ("ConnectionFailed", [])


def test_a_name_that_nobody_has_is_an_unknown_host(stack: WebhookStack) -> None:
    def nothing(*_: object) -> list[str]:
        raise OSError

    answer = stack.receivers(look_up=nothing).receivers.post("https://gone.example.com/", {}, b"{}")
    assert answer.problem == "UnknownHost"


# --- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", range(1, 14))
def test_whichever_write_fails_every_event_is_told_in_the_end_under_one_id(stack: WebhookStack, broken: int) -> None:
    """From the event in the outbox on: announcing, leasing and recording."""
    count = [0]

    def fail(**_: object) -> None:
        count[0] += 1
        if count[0] == broken:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "PutItem")

    with receiver() as one, receiver() as two:
        endpoints = [stack.subscribe(each.url, "payment.posted", "bill.paid") for each in (one, two)]
        pay()
        for name in ("PutItem", "DeleteItem", "UpdateItem", "TransactWriteItems"):
            listen(stack.dynamodb, f"before-call.dynamodb.{name}", fail)
        for n in range(8):
            with suppress(ClientError):  # the run that couldn't hold a shard dies, and the next does its work
                stack.sweep(NOW + timedelta(minutes=16 * n))
            for message in stack.queued():
                stack.take(message)
    for each, endpoint in zip((one, two), endpoints, strict=True):
        assert set(type_of(each.calls)) == {"payment.posted", "bill.paid"}
        assert len({call.headers["webhook-id"] for call in each.calls}) == 2
        assert {row["status"] for row in stack.log(endpoint)} == {"Delivered"}
        assert len(stack.log(endpoint)) == 2
    assert SetAsides(stack.dynamodb, TABLE).all() == []


def test_an_event_and_what_it_tells_of_are_written_together_or_not_at_all(stack: WebhookStack) -> None:
    def refused(**_: object) -> None:
        raise ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "TransactWriteItems")

    before = [item for item in snapshot(stack.dynamodb) if item["pk"]["S"].startswith(("A#", "OB#"))]
    listen(stack.dynamodb, "before-call.dynamodb.TransactWriteItems", refused)
    said = {"amount": "10.00", "method": "cash", "receivedOn": "2026-03-02"}
    assert OWN.post(f"{BILL}/payments", said).status == 500
    assert [item for item in snapshot(stack.dynamodb) if item["pk"]["S"].startswith(("A#", "OB#"))] == before


# --- the routes ----------------------------------------------------------------------------------------------------


def test_the_secret_is_shown_once_and_lies_nowhere_in_the_table(stack: WebhookStack) -> None:
    with receiver() as taken:
        endpoint = stack.subscribe(taken.url)
    path = f"{ENDPOINTS}/{endpoint['endpointId']}"
    assert "secret" not in OWN.get(path).body
    assert "whsec_" not in OWN.get(ENDPOINTS).text
    assert endpoint["secret"].removeprefix("whsec_") not in repr(snapshot(stack.dynamodb))


def test_two_secrets_sign_side_by_side_for_a_day_after_a_rotation(stack: WebhookStack) -> None:
    with receiver() as taken:
        endpoint = stack.subscribe(taken.url, "payment.posted")
        path = f"{ENDPOINTS}/{endpoint['endpointId']}"
        rotated = OWN.post(f"{path}/rotate-secret")
        assert rotated.status == 200
        old, new = endpoint["secret"], rotated.body["secret"]
        assert old != new
        assert rotated.body["previousSecretUntil"] == "2026-03-03T15:00:00.000Z"
        pay("10.00")
        stack.deliver(NOW + timedelta(hours=23))
        replace_at = replace(OWN, at=NOW + timedelta(hours=25))
        said = {"amount": "1.00", "method": "cash", "receivedOn": "2026-03-02", "transactionId": "T-2"}
        assert replace_at.post(f"{BILL}/payments", said).status in {200, 201}
        stack.deliver(NOW + timedelta(hours=25))
    during, after = taken.calls
    assert during.verified(old) == during.verified(new)
    assert after.verified(new)
    with pytest.raises(WebhookVerificationError):
        after.verified(old)


def test_a_delivery_can_be_sent_again_under_the_same_id(stack: WebhookStack) -> None:
    with receiver(status=410) as gone:
        endpoint = stack.subscribe(gone.url, "payment.posted")
        path = f"{ENDPOINTS}/{endpoint['endpointId']}"
        pay("10.00")
        stack.deliver()
        [row] = stack.log(endpoint)
        again = f"{path}/deliveries/{row['deliveryId']}/replay"
        assert OWN.post(again).status == 409
        assert OWN.patch(path, {"status": "Enabled"}).body["disabledBy"] is None
        gone.status = 200
        assert OWN.post(again).status == 202
        stack.deliver()
    first, second = gone.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == row["eventId"]
    [row] = stack.log(endpoint)
    assert (row["status"], [each["statusCode"] for each in row["attempts"]]) == ("Delivered", [410, 200])
    assert OWN.post(f"{path}/deliveries/dlv_none/replay").status == 404


def test_the_log_is_kept_for_thirty_days(stack: WebhookStack) -> None:
    with receiver() as taken:
        stack.subscribe(taken.url, "payment.posted")
        pay("10.00")
        stack.deliver()
    [expires] = [item["expires_at"]["N"] for item in snapshot(stack.dynamodb) if item["sk"]["S"].startswith("dlv_")]
    assert int(expires) == int((NOW + DELIVERIES_KEPT_FOR).timestamp())
    assert timedelta(days=30) == DELIVERIES_KEPT_FOR


def test_to_a_disabled_or_deleted_endpoint_nothing_goes_any_more(stack: WebhookStack) -> None:
    with receiver(status=500) as taken:
        disabled, deleted = stack.subscribe(taken.url, "payment.posted"), stack.subscribe(taken.url, "payment.posted")
        pay("10.00")
        stack.deliver()
        calls = len(taken.calls)
        assert OWN.patch(f"{ENDPOINTS}/{disabled['endpointId']}", {"status": "Disabled"}).status == 200
        assert OWN.call("DELETE", f"{ENDPOINTS}/{deleted['endpointId']}").status == 204
        pay("10.00", "T-2")
        for minutes in (1, 10, 60):
            stack.deliver(NOW + timedelta(minutes=minutes))
    assert len(taken.calls) == calls
    assert [row["status"] for row in stack.log(disabled)] == ["Failed"]
    assert OWN.get(f"{ENDPOINTS}/{deleted['endpointId']}").status == 404
    assert OWN.call("DELETE", f"{ENDPOINTS}/{deleted['endpointId']}").status == 404


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "ftp://example.com/",
        "https://",
        "https://user:secret@example.com/",
        "https://@example.com/",
        "https://example.com/#part",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://[::1/",
        "https://localhost/",
        "https://api.localhost./",
        "https://metadata.google.internal/",
        "https://printer.local/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://exa mple.com/",
        "https://example.com/\r\nx: y",
        "https://exämple.com/",
        "https://example.com\\@127.0.0.1/",
        f"https://example.com/{'x' * 1000}",
        "",
        7,
    ],
)
def test_a_url_that_isnt_https_to_the_public_internet_is_refused(
    stack: WebhookStack, url: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.manage.ports import ports  # noqa: PLC0415 - the ones that the fixture has just wired

    strict = replace(ports(), settings=replace(ports().settings, webhooks_to_loopback=False))
    monkeypatch.setattr("functions.manage.webhooks.ports", lambda: strict)
    answer = OWN.post(ENDPOINTS, {"url": url, "events": ["bill.paid"]})
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/url")
    assert OWN.get(ENDPOINTS).body["items"] == []


@pytest.mark.parametrize("events", [[], ["bill.unpaid"], ["bill.paid", "bill.paid"], "bill.paid", None])
def test_events_are_a_list_of_known_ones_each_once(stack: WebhookStack, events: Any) -> None:
    answer = OWN.post(ENDPOINTS, {"url": "https://example.com/hook", "events": events})
    assert answer.status == 422
    assert answer.body["errors"][0]["pointer"].startswith("/events")


def test_endpoints_are_listed_by_pages_changed_in_part_and_not_too_many(stack: WebhookStack) -> None:
    made = [stack.subscribe("https://example.com/hook", "bill.paid")["endpointId"] for _ in range(20)]
    assert OWN.post(ENDPOINTS, {"url": "https://example.com/hook", "events": ["bill.paid"]}).status == 409
    first = OWN.get(f"{ENDPOINTS}?limit=15").body
    second = OWN.get(f"{ENDPOINTS}?limit=15&cursor={first['nextCursor']}").body
    assert {each["endpointId"] for each in (*first["items"], *second["items"])} == set(made)
    assert second["nextCursor"] is None
    changed = OWN.patch(f"{ENDPOINTS}/{made[0]}", {"events": ["task.opened"]})
    assert (changed.status, changed.body["events"], changed.body["url"]) == (
        200,
        ["task.opened"],
        "https://example.com/hook",
    )
    assert OWN.patch(f"{ENDPOINTS}/{made[0]}", {"endpointId": "other"}).status == 422


def test_a_foreign_partner_reads_and_changes_nothing(stack: WebhookStack) -> None:
    with receiver() as taken:
        endpoint = stack.subscribe(taken.url, "payment.posted")
        pay("10.00")
        stack.deliver()
    path = f"{ENDPOINTS}/{endpoint['endpointId']}"
    [row] = stack.log(endpoint)
    before = snapshot(stack.dynamodb)
    answers = [
        FOREIGN.get(path),
        FOREIGN.patch(path, {"status": "Disabled"}),
        FOREIGN.call("DELETE", path),
        FOREIGN.post(f"{path}/rotate-secret"),
        FOREIGN.get(f"{path}/deliveries"),
        FOREIGN.post(f"{path}/deliveries/{row['deliveryId']}/replay"),
    ]
    assert {answer.status for answer in answers} == {404}
    assert FOREIGN.get(ENDPOINTS).body["items"] == []
    assert snapshot(stack.dynamodb) == before


def test_a_repeat_under_one_key_makes_one_endpoint(stack: WebhookStack) -> None:
    said = {"url": "https://example.com/hook", "events": ["bill.paid"]}
    first, second = (OWN.post(ENDPOINTS, said, Idempotency_Key="k") for _ in range(2))
    assert first.text == second.text
    assert len(OWN.get(ENDPOINTS).body["items"]) == 1


def test_nothing_of_the_url_or_the_secret_stands_in_the_queue(stack: WebhookStack) -> None:
    with receiver("/hook?token=confidential") as taken:
        endpoint = stack.subscribe(taken.url, "payment.posted")
        pay("10.00")
        stack.sweep()
        messages = stack.queued()
        stack.take(*messages)
    assert "confidential" not in json.dumps(messages)
    assert set(messages[0]) == {"partnerId", "endpointId", "deliveryIds", "asOf"}
    assert taken.calls[0].path == "/hook?token=confidential"
    assert taken.calls[0].verified(endpoint["secret"])
