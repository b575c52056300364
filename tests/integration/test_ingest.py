"""Statements from the gateway's event to the table: what is stored, what is answered, and with how many calls."""

import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from functions.ingest import frame, handler, intake
from functions.ingest.ports import ports
from shared.contracts.statements import read_document
from shared.domain.records.book import AccountBook, Change
from shared.domain.vocabulary.words import AccountStatus, BillStatus, BillType
from shared.messaging import clients
from shared.storage import ingestions, keys
from shared.storage.account_books import AccountBooks, ConcurrentChangeError
from shared.storage.due_index import DueAccount, DueEvents, DueIndex
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE, listen
from tests.worlds.examples import NOW, account, notice, organization
from tests.worlds.ingest_api import BUCKET, REQUEST, Partner, pointers, results
from tests.worlds.ingest_api import context as invocation
from tests.worlds.ledger import Ledger
from tests.worlds.statement_examples import EVENTS, SAMPLE, payment_update, statement
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OWN = Partner()
PATIENT = "patients__0__accountId"
PRACTICES = (organization(), organization(org_id="org_2", client_id="SOUTH", partner_id="prt_2"))


@pytest.fixture(autouse=True)
def table(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> "DynamoDBClient":
    """The product's table, which the function's settings name, with an organization each of two partners."""
    wired(monkeypatch, ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    for practice in PRACTICES:
        Organizations(dynamodb, TABLE).create(practice)
    return dynamodb


@pytest.fixture
def books(table: "DynamoDBClient") -> AccountBooks:
    return AccountBooks(table, TABLE)


@pytest.fixture
def memory(table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """The same organizations on a table in memory, which the function has from now on: moto takes long for hundreds."""
    ledger = Ledger()
    for practice in PRACTICES:
        ledger.organizations.create(practice)
    monkeypatch.setattr(clients, "dynamodb", lambda: ledger.table)
    ports.cache_clear()
    return ledger


@pytest.fixture
def calls(memory: Ledger) -> list[str]:
    """The names of the calls that the function makes to the table in memory from now on."""
    made = list[str]()
    memory.table.at = made.append
    return made


def stored(books: AccountBooks, account_id: str = "G-1", org_id: str = "org_1") -> AccountBook:
    book = books.load(org_id, account_id)
    assert book is not None
    return book


# --- what is stored and answered ----------------------------------------------------------------------------------


def test_the_sample_event_makes_bills_and_puts_their_accounts_into_the_due_index(
    table: "DynamoDBClient", books: AccountBooks
) -> None:
    answer = handler.lambda_handler(REQUEST, invocation())
    body = json.loads(answer["body"])
    assert answer["statusCode"] == HTTPStatus.OK
    assert body["status"] == "Success"
    assert body["counts"] == {"total": 2, "created": 2, "updated": 0, "ignored": 0, "failed": 0}
    assert body["statements"] == [
        {"statementId": name, "result": "Created", "warnings": [], "errors": []} for name in ("S-1", "S-2")
    ]
    bill = stored(books).bill("S-1")
    assert bill is not None
    assert (bill.balance, bill.status, bill.ingestion_id) == (74_60, BillStatus.DUE, body["ingestionId"])
    assert json.loads(bill.document) == SAMPLE["statements"][0]
    assert read_document(bill.document).statement_id == "S-1"
    due = DueIndex(table, TABLE)
    found = {each for shard in due.shards() for each in due.sweep(shard, NOW).due}
    planned = {each for each in found if not isinstance(each, DueEvents)}  # the partner is told of an opt-out
    assert planned == {DueAccount("org_1", "G-1"), DueAccount("org_1", "patient:P-2")}


def test_a_file_sent_again_is_ignored_and_a_changed_one_updates(books: AccountBooks) -> None:
    OWN.post("/v1/statements", SAMPLE)
    assert results(OWN.post("/v1/statements", SAMPLE)) == ["Ignored", "Ignored"]
    assert results(OWN.send(statement("S-1", totalBalance="10.00"))) == ["Updated"]
    bill = stored(books).bill("S-1")
    assert bill is not None
    assert bill.balance == 10_00


def test_the_schema_decides_the_bill_type_and_without_one_the_organization_does(
    table: "DynamoDBClient", books: AccountBooks
) -> None:
    OWN.post("/v1/statements", (EVENTS / "statement-file-lifetime.json").read_text())
    OWN.send(statement("S-2", **{PATIENT: "P-2"}), schema="ppay-episodic")
    organizations = Organizations(table, TABLE)
    plain = organizations.get("org_1")
    assert plain is not None
    organizations.save(replace(plain, bill_type=BillType.LIFETIME))
    OWN.send(statement("S-3", **{PATIENT: "P-3"}))
    types = {bill.statement_id: bill.bill_type for bill in stored(books).bills}
    assert types == {"L-1": BillType.LIFETIME, "S-2": BillType.EPISODIC, "S-3": BillType.LIFETIME}


def test_a_payment_update_lowers_the_balance_once(books: AccountBooks) -> None:
    OWN.send(statement())
    file = (EVENTS / "statement-file-payment-updates.json").read_text()
    assert results(OWN.post("/v1/statements", file)) == ["Updated"]
    assert results(OWN.post("/v1/statements", file)) == ["Ignored"]
    bill = stored(books).bill("S-1")
    assert bill is not None
    assert (bill.status, bill.balance) == (BillStatus.PAID, 0)
    assert len(stored(books).payments) == 2


def test_a_file_of_transactions_without_ids_is_posted_once_and_an_equal_one_in_other_bytes_too(
    books: AccountBooks,
) -> None:
    OWN.send(statement())
    update = payment_update({"transactionDate": "2026-03-02", "transactionAmt": "20.00"})
    file = json.dumps({"schema": "payment-updates", "statements": [update]})
    for body, result, left in ((file, "Updated", 54_60), (file, "Ignored", 54_60), (file + " ", "Updated", 34_60)):
        reply = OWN.post("/v1/statements", body)
        (row,) = reply.body["statements"]
        assert (row["result"], [warning["pointer"] for warning in row["warnings"]]) == (
            result,
            ["/partnerTransactions/0/transactionId"],
        )
        bill = stored(books).bill("S-1")
        assert bill is not None
        assert bill.balance == left


def test_a_payment_update_for_an_unknown_bill_fails_and_one_in_a_statement_file_is_known_by_its_flag(
    books: AccountBooks,
) -> None:
    update = {
        "statementId": "S-1",
        "clientId": "NORTH",
        "partnerTransactionsOnly": True,
        "partnerTransactions": [{"transactionDate": "2026-03-02", "transactionAmt": 4.6}],
    }
    reply = OWN.send(update, schema="payment-updates")
    assert (results(reply), pointers(reply.body["statements"][0])) == (["Failed"], ["/statementId"])
    assert results(OWN.send(statement(), update)) == ["Created", "Updated"]
    bill = stored(books).bill("S-1")
    assert bill is not None
    assert bill.balance == 70_00


def test_several_statements_of_a_family_are_written_to_their_one_account(memory: Ledger, calls: list[str]) -> None:
    family = [statement(f"S-{n}", **{PATIENT: f"P-{n}"}) for n in range(120)]
    reply = OWN.send(*family)
    assert reply.body["counts"]["created"] == 120
    assert len(stored(memory.elsewhere().books).bills) == 120
    assert Counter(calls)["transact_write_items"] == 6  # at most 100 items each, of which a bill is two


# --- bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", HTTPStatus.BAD_REQUEST),
        ("not json", HTTPStatus.BAD_REQUEST),
        ('{"statements": [{}', HTTPStatus.BAD_REQUEST),
        ("{}", HTTPStatus.UNPROCESSABLE_ENTITY),
        ("[]", HTTPStatus.UNPROCESSABLE_ENTITY),
        ('{"schema": "unknown", "statements": []}', HTTPStatus.UNPROCESSABLE_ENTITY),
        (json.dumps({"statements": [{}] * 501}), HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        (json.dumps({"statements": [], "padding": "x" * 10_000_000}), HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ],
    ids=["empty", "text", "cut off", "no statements", "a list", "schema", "501", "10 MB"],
)
def test_a_body_that_cant_be_taken_as_a_whole_is_refused_and_leaves_nothing(body: str, status: HTTPStatus) -> None:
    reply = OWN.post("/v1/statements", body)
    assert (reply.status, reply.body["status"]) == (status, status)
    if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        assert "POST /v1/ingestions" in reply.body["detail"]
    if status is HTTPStatus.UNPROCESSABLE_ENTITY:
        assert reply.body["errors"]
    assert OWN.get("/v1/ingestions").body["items"] == []


def test_an_empty_file_is_a_file_of_nothing() -> None:
    reply = OWN.send()
    assert (reply.status, reply.body["counts"]["total"], reply.body["statements"]) == (HTTPStatus.OK, 0, [])


def test_each_bad_statement_gets_its_error_and_the_good_ones_beside_it_are_stored(books: AccountBooks) -> None:
    bad: dict[str, dict[str, Any]] = {
        "/totalBalance": {"totalBalance": "74.605"},
        "/totalBilled": {"totalBilled": "NaN"},
        "/statementDate": {"statementDate": "2026-02-30"},
        "/guarantor/lastName": {"guarantor__lastName": ...},
        "/guarantor": {"guarantor": "Ada"},
        "/clientId": {"clientId": "NOWHERE"},
        "/patients": {"patients": []},
        "/statementMessage": {"statementMessage": "\u0000"},
    }
    spoiled = [statement(f"bad-{n}", **changes) for n, changes in enumerate(bad.values())]
    good = statement("good", guarantor__firstName="👩🏽‍⚕️ مريم", totalBalance="74.60")
    reply = OWN.send(*spoiled, good, 5, None)
    assert results(reply) == ["Failed"] * len(bad) + ["Created", "Failed", "Failed"]
    assert [pointers(row) for row in reply.body["statements"][: len(bad)]] == [[pointer] for pointer in bad]
    assert reply.body["counts"] == {"total": 11, "created": 1, "updated": 0, "ignored": 0, "failed": 10}
    assert [row["statementId"] for row in reply.body["statements"][-2:]] == [None, None]
    assert stored(books).account.guarantor.first_name == "👩🏽‍⚕️ مريم"


def test_contact_data_that_cant_be_used_is_a_warning_and_the_bill_is_made(books: AccountBooks) -> None:
    reply = OWN.send(statement(guarantor__email="no address", guarantor__mobilePhone="12"))
    (row,) = reply.body["statements"]
    assert row["result"] == "Created"
    assert [warning["pointer"] for warning in row["warnings"]] == ["/guarantor/email", "/guarantor/mobilePhone"]
    assert stored(books).account.guarantor.email == ""


def test_json_that_only_a_lenient_reader_takes_fails_its_own_statement_only() -> None:
    good, text = json.dumps(statement("good")), json.dumps(statement("bad"))
    for spoiled, pointer in (
        (text.replace('"74.60"', "NaN", 1), "/totalBalance"),
        (text.replace('"74.60"', "1e400", 1), "/totalBalance"),
        (text.replace('"74.60"', "9" * 5000, 1), "/totalBalance"),
        (text.replace("Ada", "A\x07da", 1), "/guarantor/firstName"),
        (text.replace("Ada", "\\ud800", 1), "/guarantor/firstName"),
        (text.replace('"clientId"', '"clientId": "NORTH", "clientId"', 1), "/clientId"),
        (text.replace('"payers"', '"deep": ' + "[" * 50_000 + "]" * 50_000 + ', "payers"', 1), ""),
    ):
        reply = OWN.post("/v1/statements", f'{{"statements": [{spoiled}, {good}]}}')
        assert pointers(reply.body["statements"][0]) == [pointer]
        assert reply.body["statements"][1]["result"] in {"Created", "Ignored"}


def test_of_several_with_one_id_the_first_counts_and_identical_ones_are_ignored(books: AccountBooks) -> None:
    first, other = statement("S-1"), statement("S-1", totalBalance="1.00")
    reply = OWN.send(first, other, first, statement("S-2"))
    assert results(reply) == ["Created", "Failed", "Ignored", "Created"]
    assert pointers(reply.body["statements"][1]) == ["/statementId"]
    bill = stored(books).bill("S-1")
    assert bill is not None
    assert bill.balance == 74_60


def test_one_id_at_two_organizations_is_two_statements(table: "DynamoDBClient", books: AccountBooks) -> None:
    Organizations(table, TABLE).create(organization(org_id="org_3", client_id="EAST"))
    assert results(OWN.send(statement("S-1"), statement("S-1", clientId="EAST"))) == ["Created", "Created"]
    assert stored(books, org_id="org_3").bill("S-1") is not None


@pytest.mark.parametrize("client_id", ["SOUTH", "north", "NORTH-"])
def test_a_client_of_another_partner_or_in_another_case_is_unknown(client_id: str, books: AccountBooks) -> None:
    reply = OWN.send(statement(clientId=client_id))
    assert pointers(reply.body["statements"][0]) == ["/clientId"]
    assert books.load("org_2", "G-1") is None


def test_an_archived_organization_takes_no_statements(table: "DynamoDBClient", books: AccountBooks) -> None:
    Organizations(table, TABLE).create(
        organization(org_id="org_3", client_id="OLD", account_status=AccountStatus.ARCHIVED)
    )
    reply = OWN.send(statement(clientId="OLD"))
    assert pointers(reply.body["statements"][0]) == ["/clientId"]
    assert books.load("org_3", "G-1") is None


@pytest.mark.parametrize("scopes", ["read", "manage send payments:write", ""])
def test_statements_need_their_scope(scopes: str, books: AccountBooks) -> None:
    reply = Partner(scopes=scopes).send(statement())
    assert reply.status == HTTPStatus.FORBIDDEN
    assert books.load("org_1", "G-1") is None


def test_nothing_of_a_person_reaches_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(frame.logger.registered_handler, "stream", written)
    canary = statement(
        guarantor__firstName="Canary",
        guarantor__email="canary@example.com",
        guarantor__address__line1="7 Canary St",
        totalBalance="432.10",
    )
    OWN.send(canary, statement("S-2", guarantor__lastName="Canary\u0000", totalBilled="432.101"))
    log = written.getvalue()
    assert "statements ingested" in log
    assert not [word for word in ("anary", "432.1", "1980", "74.60", "example.com") if word in log]


# --- the same request again ---------------------------------------------------------------------------------------


def test_an_idempotency_key_replays_the_first_answer_and_refuses_another_body() -> None:
    first = OWN.post("/v1/statements", SAMPLE, Idempotency_Key="k")
    assert OWN.post("/v1/statements", SAMPLE, Idempotency_Key="k") == first
    other = OWN.post("/v1/statements", {"statements": []}, Idempotency_Key="k")
    assert other.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert len(OWN.get("/v1/ingestions").body["items"]) == 1


# --- other writers ------------------------------------------------------------------------------------------------


def test_a_lost_race_is_decided_again_on_what_the_other_writer_left(books: AccountBooks) -> None:
    OWN.send(statement("S-1"), statement("S-2", guarantor__guarantorId="G-2"))
    raced = list[str]()

    def pay_meanwhile(**_: Any) -> None:
        if not raced:
            raced.append("once")
            book = stored(books)
            books.commit(Change(account=replace(book.account, credit=1_23)))

    listen(ports().books.client, "before-call.dynamodb.TransactWriteItems", pay_meanwhile)
    reply = OWN.send(
        statement("S-1", totalBalance="5.00"), statement("S-2", guarantor__guarantorId="G-2", totalBalance="6.00")
    )
    assert results(reply) == ["Updated", "Updated"]
    after = stored(books)
    bill = after.bill("S-1")
    assert bill is not None
    assert (after.account.credit, bill.balance) == (0, 5_00 - 1_23)


def test_an_account_made_by_somebody_else_meanwhile_is_added_to(books: AccountBooks) -> None:
    raced = list[str]()

    def create_meanwhile(**_: Any) -> None:
        if not raced:
            raced.append("once")
            books.commit(Change(account=account(credit=1_23)))

    listen(ports().books.client, "before-call.dynamodb.TransactWriteItems", create_meanwhile)
    assert results(OWN.send(statement("S-1"))) == ["Created"]
    bill = stored(books).bill("S-1")
    assert bill is not None
    assert bill.balance == 74_60 - 1_23  # the other writer's credit


def test_an_account_that_never_rests_fails_its_own_statements_only(
    books: AccountBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = AccountBooks.commit_together

    def busy(self: AccountBooks, changes: list[Change], books: Any = ()) -> Any:
        if any(change.account.account_id == "G-1" for change in changes):
            raise ConcurrentChangeError
        return honest(self, changes, books)

    monkeypatch.setattr(AccountBooks, "commit_together", busy)
    reply = OWN.send(statement("S-1"), statement("S-2", guarantor__guarantorId="G-2"))
    assert results(reply) == ["Failed", "Created"]
    assert books.load("org_1", "G-1") is None


# --- another guarantor --------------------------------------------------------------------------------------------


def test_a_statement_for_another_guarantor_moves_its_bill_whole(books: AccountBooks) -> None:
    OWN.send(statement("S-1"), statement("S-2"))
    book = stored(books)
    books.commit(Change(account=book.account, notices=(notice(),)))
    later = replace(OWN, at=NOW + timedelta(days=10))
    assert results(later.send(statement("S-1", guarantor__guarantorId="G-2"))) == ["Updated"]
    old, new = stored(books).bill("S-1"), stored(books, "G-2").bill("S-1")
    assert old is not None
    assert new is not None
    assert (old.status, old.moved_to) == (BillStatus.CANCELLED, "G-2")
    assert (new.status, new.effective_created_date) == (BillStatus.DUE, NOW.date())
    assert [each.status for each in stored(books).notices] == ["Cancelled"]
    assert books.account_of("org_1", keys.bill_lookup("S-1")) == "G-2"
    assert stored(books).account.planning_at == later.at
    assert results(later.send(statement("S-1"))) == ["Updated"]
    assert books.account_of("org_1", keys.bill_lookup("S-1")) == "G-1"


def test_two_families_that_swap_statements_in_one_file_both_come_out_right(books: AccountBooks) -> None:
    OWN.send(statement("S-1"), statement("S-2", guarantor__guarantorId="G-2"))
    reply = OWN.send(statement("S-1", guarantor__guarantorId="G-2"), statement("S-2", guarantor__guarantorId="G-1"))
    assert results(reply) == ["Updated", "Updated"]
    assert books.accounts_of("org_1", [keys.bill_lookup("S-1"), keys.bill_lookup("S-2")]) == {
        keys.bill_lookup("S-1"): "G-2",
        keys.bill_lookup("S-2"): "G-1",
    }


# --- how many calls -----------------------------------------------------------------------------------------------


def test_a_batch_of_new_statements_costs_few_calls(
    calls: list[str], record_property: Callable[[str, object], None]
) -> None:
    batch = [statement(f"S-{n:04}", guarantor__guarantorId=f"G-{n}") for n in range(500)]
    reply = OWN.send(*batch)
    assert reply.body["counts"]["created"] == 500
    record_property("new statement in a batch of 500: calls", len(calls) / 500)
    assert len(calls) / 500 <= 0.2  # docs/rules.md#cheap-intake
    assert Counter(calls)["transact_write_items"] == 500 / intake.ACCOUNTS_TOGETHER * 3


def test_a_new_statement_of_ten_lines_is_two_items_of_one_write_unit_each(table: "DynamoDBClient") -> None:
    visit = SAMPLE["statements"][0]["patients"][0]["visits"][0]
    lines = [visit["charges"][0] | {"code": f"9921{n}", "balance": f"{n}.{n}0"} for n in range(10)]
    OWN.send(statement(patients__0__visits__0__charges=lines))
    whole = [item for item in table.scan(TableName=TABLE)["Items"] if item["pk"]["S"].startswith("A#")]
    found = [item for item in whole if not item["sk"]["S"].startswith(keys.SEARCH_ENTRY_SORT)]

    def size(item: Any) -> int:
        return sum(len(name) + len(next(iter(value.values()))) for name, value in item.items())

    assert len(found) == 2
    assert max(size(item) for item in found) <= 1024
    # name, email address, two numbers and two dates of birth of the guarantor and the patient, and the patient account
    assert len(whole) - len(found) == 7


def test_a_batch_of_updates_reads_and_writes_each_account_once(calls: list[str]) -> None:
    batch = [statement(f"S-{n:04}", guarantor__guarantorId=f"G-{n}") for n in range(60)]
    OWN.send(*batch)
    calls.clear()
    OWN.send(*[each | {"totalBalance": "1.00"} for each in batch])
    assert len(calls) / 60 <= 1.2


def test_an_organization_is_looked_up_once_a_file(calls: list[str]) -> None:
    OWN.send(*[statement(f"S-{n}") for n in range(20)], *[statement(f"X-{n}", clientId="SOUTH") for n in range(20)])
    assert Counter(calls)["get_item"] == 5  # guard and organization of each, and the key of search entries


# --- lists --------------------------------------------------------------------------------------------------------


def test_ingestions_are_listed_newest_first_by_pages() -> None:
    sent = [replace(OWN, at=NOW + timedelta(hours=n)).send(statement(f"S-{n}")).body["ingestionId"] for n in range(5)]
    listed, cursor = list[str](), ""
    while True:
        page = OWN.get(f"/v1/ingestions?limit=2{cursor}").body
        listed += [each["ingestionId"] for each in page["items"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert listed == sent[::-1]
    one = OWN.get(f"/v1/ingestions/{sent[0]}").body
    assert (one["status"], one["counts"]["created"], one["createdAt"]) == ("Success", 1, "2026-03-02T15:00:00.000Z")


def test_rows_are_listed_in_the_order_of_the_file_by_result_and_page() -> None:
    batch = [statement(f"S-{n}", totalBalance="x" if n % 3 == 0 else "5.00") for n in range(10)]
    base = f"/v1/ingestions/{OWN.send(*batch).body['ingestionId']}/statements"
    everything = OWN.get(base).body
    assert [row["statementId"] for row in everything["items"]] == [f"S-{n}" for n in range(10)]
    assert everything["nextCursor"] is None
    first = OWN.get(f"{base}?result=Failed&limit=3").body
    assert [row["statementId"] for row in first["items"]] == ["S-0", "S-3", "S-6"]
    assert first["items"][0]["errors"][0]["pointer"] == "/totalBalance"
    second = OWN.get(f"{base}?result=Failed&limit=3&cursor={first['nextCursor']}").body
    assert ([row["statementId"] for row in second["items"]], second["nextCursor"]) == (["S-9"], None)
    assert OWN.get(f"{base}?result=Ignored").body == {"items": [], "nextCursor": None}


def test_rows_too_many_for_one_item_are_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingestions, "MOST_PAGE_BYTES", 60)
    base = f"/v1/ingestions/{OWN.send(*[statement(f'S-{n}') for n in range(9)]).body['ingestionId']}/statements"
    listed, cursor = list[str](), ""
    for _ in range(5):
        page = OWN.get(f"{base}?limit=2{cursor}").body
        listed += [row["statementId"] for row in page["items"]]
        cursor = f"&cursor={page['nextCursor']}"
    assert (listed, page["nextCursor"]) == ([f"S-{n}" for n in range(9)], None)


def test_a_bad_limit_cursor_or_result_is_a_400() -> None:
    ingestion_id = OWN.send(*[statement(f"S-{n}") for n in range(3)]).body["ingestionId"]
    base = f"/v1/ingestions/{ingestion_id}/statements"
    cursor = OWN.get(f"{base}?limit=1").body["nextCursor"]
    for query in (
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=-1",
        "limit=",
        "limit=1e1",
        "limit=٣",
        "result=created",
        "cursor=",
        "cursor=x",
        f"cursor={cursor}x",
        f"cursor={cursor[:-1]}",
        f"cursor={cursor[:-2]}AA",
        f"cursor={'A' if cursor[0] != 'A' else 'B'}{cursor[1:]}",
        f"result=Created&cursor={cursor}",
    ):
        assert OWN.get(f"{base}?{query}").status == HTTPStatus.BAD_REQUEST, query
    assert OWN.get(f"/v1/ingestions?cursor={cursor}").status == HTTPStatus.BAD_REQUEST
    assert OWN.get(f"{base}?limit=100&cursor={cursor}").status == HTTPStatus.OK


def test_head_answers_as_get_does_without_the_body() -> None:
    base = f"/v1/ingestions/{OWN.send(statement()).body['ingestionId']}"
    for path in ("/v1/ingestions", base, f"{base}/statements"):
        read, probed = OWN.get(path), OWN.call("HEAD", path)
        assert (read.status, probed.status, probed.body) == (HTTPStatus.OK, HTTPStatus.OK, None)
        assert probed.headers == read.headers
    assert OWN.call("HEAD", "/v1/ingestions/unknown").status == HTTPStatus.NOT_FOUND


def test_an_id_that_nothing_can_have_is_a_404() -> None:
    for value in ("x" * 3_000, "%00", "%F0%9F%98%80", "..%2F..", "%25", "%7Bid%7D", "%FF"):
        for path in (f"/v1/ingestions/{value}", f"/v1/ingestions/{value}/statements"):
            assert OWN.get(path).status == HTTPStatus.NOT_FOUND


def test_a_stored_answer_is_not_for_a_key_of_the_same_partner_without_the_scope() -> None:
    body = {"statements": [statement()]}
    assert OWN.post("/v1/statements", body, Idempotency_Key="k").status == HTTPStatus.OK
    reader = Partner(scopes="read")
    assert reader.post("/v1/statements", body, Idempotency_Key="k").status == HTTPStatus.FORBIDDEN


def test_another_partner_sees_nothing_of_it() -> None:
    ingestion_id = OWN.send(statement()).body["ingestionId"]
    foreign = Partner(partner_id="prt_2")
    assert foreign.get("/v1/ingestions").body["items"] == []
    for path in (f"/v1/ingestions/{ingestion_id}", f"/v1/ingestions/{ingestion_id}/statements"):
        assert foreign.get(path).status == HTTPStatus.NOT_FOUND
        assert Partner(scopes="statements:write").get(path).status == HTTPStatus.FORBIDDEN
    assert OWN.get("/v1/ingestions/unknown").status == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("body", [b"\xff", b'{"statements": []}'[:-1] + b"\xe9}", "é".encode("latin-1")])
def test_bytes_that_arent_utf_8_are_refused_however_the_gateway_hands_them_over(body: bytes) -> None:
    assert OWN.post_bytes("/v1/statements", body).status == HTTPStatus.BAD_REQUEST
    replaced = OWN.post("/v1/statements", body.decode("utf-8", "replace"))
    assert (replaced.status, replaced.body["detail"]) == (HTTPStatus.BAD_REQUEST, "The body isn't UTF-8.")


def test_a_statements_history_names_the_person_who_sent_it(books: AccountBooks) -> None:
    OWN.call("POST", "/v1/statements", json.dumps({"statements": [statement()]}), Dunlin_Actor="Rita Desk")
    (bill,) = stored(books).bills
    assert {(event.actor, event.by) for event in bill.history} == {("partner", "Rita Desk")}
