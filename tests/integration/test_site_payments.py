"""External payment sites: the catalogue, their signed events, and money that staff finds the bill for."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.manage.ports import ports as manage_ports
from shared.domain.records.policy import PaymentSettings
from shared.domain.vocabulary.words import Processor
from shared.messaging import clients
from shared.processors.standard_webhooks import UnsignedMessageError, check_site_signature
from shared.storage.erasure import Erasures
from shared.storage.tasks import Tasks
from tests.worlds.aws import TABLE
from tests.worlds.clinic import Answer, Clinic, gateway_event, invoke
from tests.worlds.examples import bill
from tests.worlds.manage_api import ORGANIZATION, OWN
from tests.worlds.wiring import wired

SECRET, NAME = f"whsec_{base64.b64encode(b'a key of the site, thirty-two b.').decode()}", "dunlin-test/site/org_1"
SITE = PaymentSettings(
    processor=Processor.EXTERNAL,
    external_url_template="https://pay.site.example/?m={id}",
    external_id="A",
    external_webhook_secret_name=NAME,
)
PAID = {"paymentId": "IM-1", "amount": "50.00", "receivedOn": "2026-03-02", "method": "card", "statementId": "S-1"}
TASKS = f"{ORGANIZATION}/tasks"


@pytest.fixture
def site(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    """A practice whose patients pay at an external site."""
    clinic.settle(payments=SITE)
    clients.secrets().create_secret(Name=NAME, SecretString=SECRET)
    wired(monkeypatch, manage_ports, TABLE_NAME=TABLE, ALLOW_SIMULATED_TIME="true")
    return clinic


def signature(secret: str, message_id: str, stamp: str, body: str) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.digest(key, f"{message_id}.{stamp}.{body}".encode(), hashlib.sha256)
    return f"v1,{base64.b64encode(mac).decode()}"


def tell(clinic: Clinic, *, secret: str = SECRET, skew: int = 0, kind: str = "payment.received", **said: Any) -> Answer:
    """The site's event."""
    data = {name: value for name, value in (PAID | said).items() if value is not None}
    body = json.dumps({"type": kind, "timestamp": "2026-03-02T15:00:00Z", "data": data})
    stamp = str(int(datetime.now(UTC).timestamp()) + skew)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp, "Dunlin-As-Of": clinic.now.isoformat()}
    headers["webhook-signature"] = f"v1,bm90 {signature(secret, 'msg_1', stamp, body)}"
    return invoke(gateway_event("POST", "/webhooks/external/org_1", body, headers), clinic.context)


def result(answer: Answer) -> str:
    assert answer.status == 200
    done: str = json.loads(answer.body)["result"]
    return done


def open_tasks() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = OWN.get(f"{TASKS}?status=Open&kind=UnmatchedPayment").body["items"]
    return found


def test_the_specifications_own_example_is_signed() -> None:
    example = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    secrets, then = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], datetime.fromtimestamp(1614265330, UTC)
    check_site_signature(*example, b'{"test": 2432232314}', secrets=secrets, clock=then)
    with pytest.raises(UnsignedMessageError):
        check_site_signature(*example, b'{"test": 2432232315}', secrets=secrets, clock=then)


def test_the_catalogue_lists_the_sites_with_what_each_calls_an_id() -> None:
    sites = OWN.get("/v1/payment-sites").body["items"]
    assert [each["site"] for each in sites] == ["instamed", "custom"]
    assert all(each["name"] and each["idLabel"] and each["help"] and "{id}" in each["urlTemplate"] for each in sites)


def test_a_sites_payment_is_posted_to_the_bill_that_it_names_once(site: Clinic) -> None:
    assert [result(tell(site)) for _ in range(3)] == ["recorded"] * 3
    [payment] = site.book.payments
    assert (payment.amount, payment.method, payment.transaction_id) == (50_00, "card", "IM-1")
    assert [one.balance for one in site.book.bills] == [24_60]
    assert result(tell(site, paymentId="IM-2", amount="-50.00")) == "recorded"
    assert [one.balance for one in site.book.bills] == [74_60]


def test_without_a_bill_it_goes_to_the_account_oldest_first(site: Clinic) -> None:
    assert result(tell(site, statementId=None, accountId="G-1")) == "recorded"
    assert [one.balance for one in site.book.bills] == [24_60]


def test_money_without_a_bill_is_a_task_with_what_it_may_be_for_and_resolving_it_posts(site: Clinic) -> None:
    assert [result(tell(site, statementId="s-1 ")) for _ in range(2)] == ["unmatched"] * 2
    assert site.book.payments == ()
    [task] = open_tasks()
    assert (task["facts"]["amount"], task["facts"]["candidates"]) == ("50.00", "S-1")
    answer = OWN.post(f"{TASKS}/{task['taskId']}/resolve", {"resolution": "found", "statementId": "S-1"})
    assert (answer.status, answer.body["status"], answer.body["statementId"]) == (200, "Resolved", "S-1")
    about = Erasures(clients.dynamodb(), TABLE).tasks("org_1")  # what was noted on it is erased with its account
    assert [one.task_id for one in about["G-1"]] == [answer.body["taskId"]]
    assert [one.balance for one in site.book.bills] == [24_60]
    assert OWN.post(f"{TASKS}/{task['taskId']}/resolve", {"resolution": "x", "statementId": "S-1"}).status == 409
    assert result(tell(site, statementId="s-1 ")) == "recorded"
    assert (len(site.book.payments), open_tasks()) == (1, [])


def test_an_accounts_open_bills_are_candidates_where_the_bill_is_unknown(site: Clinic) -> None:
    site.change(bills=(bill("S-2", balance=10_00),))
    assert result(tell(site, statementId="S-99", accountId="G-1")) == "unmatched"
    assert open_tasks()[0]["facts"]["candidates"] == "S-1, S-2"


def test_what_names_nothing_is_a_task_too(site: Clinic) -> None:
    assert result(tell(site, statementId=None)) == "unmatched"
    assert result(tell(site, paymentId="IM-2", statementId=None, accountId="G-9")) == "unmatched"
    assert len(open_tasks()) == 2


def test_a_task_is_not_lost_to_a_bill_that_isnt_there(site: Clinic) -> None:
    tell(site, statementId="S-99")
    [task] = open_tasks()
    answer = OWN.post(f"{TASKS}/{task['taskId']}/resolve", {"resolution": "found", "statementId": "S-98"})
    assert (answer.status, len(open_tasks())) == (404, 1)


def test_money_that_came_with_its_bill_meanwhile_isnt_posted_by_the_task_again(site: Clinic) -> None:
    tell(site, statementId="S-99")
    [task] = open_tasks()
    assert result(tell(site)) == "recorded"
    path = f"{TASKS}/{task['taskId']}/resolve"
    assert OWN.post(path, {"resolution": "found", "statementId": "S-1"}).status == 409
    assert OWN.post(path, {"resolution": "posted meanwhile"}).status == 200
    assert len(site.book.payments) == 1


def test_of_two_who_resolve_one_task_one_posts(site: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one's resolution comes between the reading of the task and the write."""
    site.change(bills=(bill("S-2", balance=60_00),))
    tell(site, statementId="S-99")
    [task] = open_tasks()
    path, get, asked = f"{TASKS}/{task['taskId']}/resolve", Tasks.get, list[str]()

    def slow(tasks: Tasks, org_id: str, task_id: str) -> Any:
        found = get(tasks, org_id, task_id)
        asked.append(task_id)
        if len(asked) == 2:
            assert OWN.post(path, {"resolution": "the other", "statementId": "S-2"}).status == 200
        return found

    monkeypatch.setattr(Tasks, "get", slow)
    assert OWN.post(path, {"resolution": "mine", "statementId": "S-1"}).status == 409
    assert [(one.statement_id, one.balance) for one in site.book.bills] == [("S-1", 74_60), ("S-2", 10_00)]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"secret": f"whsec_{base64.b64encode(b'another').decode()}"}, 401),
        ({"skew": -301}, 401),
        ({"skew": 305}, 401),
        ({"skew": -290}, 200),
        ({"kind": "payment.mentioned"}, 200),
        ({"amount": "0.00"}, 422),
        ({"amount": None}, 422),
        ({"paymentId": ""}, 422),
    ],
)
def test_only_what_the_site_signed_lately_counts(site: Clinic, wrong: dict[str, Any], status: int) -> None:
    answer = tell(site, **wrong)
    assert answer.status == status
    assert len(site.book.payments) == (1 if wrong == {"skew": -290} else 0)


def test_a_practice_without_a_secret_for_its_site_has_no_such_webhook(site: Clinic) -> None:
    site.settle(payments=PaymentSettings())
    assert tell(site).status == 404
    site.settle(payments=PaymentSettings(external_webhook_secret_name="dunlin-test/none"))
    assert tell(site).status == 503
