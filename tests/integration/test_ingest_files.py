"""Statement files by upload and by file drop: of any size, broken off and worked on again."""

import json
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest

from functions.ingest import file_intake, files
from functions.ingest.handler import lambda_handler
from functions.ingest.intake import Intake
from functions.ingest.ports import ports
from shared.domain.records.partner import Partner as Owner
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, organization
from tests.worlds.ingest_api import BUCKET, DROP, Partner, context, drop
from tests.worlds.statement_examples import EVENTS, SAMPLE, statement
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

OWN = Partner()
KEY = "drops/prt_1/monday.json"
LITTLE_TIME = 1_000


@pytest.fixture(autouse=True)
def s3(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> "S3Client":
    """The drop bucket, beside the product's table with a partner and its organization."""
    wired(monkeypatch, ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    monkeypatch.setattr(file_intake, "STATEMENTS_TOGETHER", 2)
    organizations = Organizations(dynamodb, TABLE)
    organizations.create_partner(Owner(partner_id="prt_1", name="Example Billing", created_at=NOW))
    organizations.create(organization())
    client = clients.s3()
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def books(dynamodb: "DynamoDBClient", s3: "S3Client") -> AccountBooks:
    return AccountBooks(dynamodb, TABLE)


def put(s3: "S3Client", body: Any, key: str = KEY) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=body if isinstance(body, bytes) else json.dumps(body).encode())


def ndjson(*statements: Any) -> bytes:
    return "\n".join(json.dumps(each) for each in statements).encode()


def batch(count: int) -> list[dict[str, Any]]:
    return [statement(f"S-{n}", guarantor__guarantorId=f"G-{n}") for n in range(count)]


def only_ingestion() -> Any:
    (found,) = OWN.get("/v1/ingestions").body["items"]
    return found


def rows(ingestion_id: str) -> list[tuple[str | None, str]]:
    found = OWN.get(f"/v1/ingestions/{ingestion_id}/statements").body["items"]
    return [(row["statementId"], row["result"]) for row in found]


# --- by file drop -------------------------------------------------------------------------------------------------


def test_the_sample_event_takes_in_the_file_that_it_names(s3: "S3Client", books: AccountBooks) -> None:
    put(s3, SAMPLE, "drops/prt_1/2026-03-02 statements.json")
    lambda_handler(DROP, context())
    ingestion = only_ingestion()
    assert (ingestion["status"], ingestion["source"]) == ("Success", "Drop")
    assert ingestion["fileName"] == "2026-03-02 statements.json"
    assert ingestion["counts"] == {"total": 2, "created": 2, "updated": 0, "ignored": 0, "failed": 0}
    assert books.load("org_1", "G-1") is not None


def test_a_document_of_many_chunks_comes_out_whole_and_in_order(s3: "S3Client") -> None:
    put(s3, {"statements": [*batch(3), 5, *batch(1)], "schema": "ppay-episodic"})
    drop(KEY)
    ingestion = only_ingestion()
    assert rows(ingestion["ingestionId"]) == [
        ("S-0", "Created"),
        ("S-1", "Created"),
        ("S-2", "Created"),
        (None, "Failed"),
        ("S-0", "Ignored"),
    ]


def test_a_schema_that_stands_after_the_statements_counts_for_them(s3: "S3Client", books: AccountBooks) -> None:
    put(s3, {"statements": batch(1), "schema": "lifetime"})
    drop(KEY)
    book = books.load("org_1", "G-0")
    assert book is not None
    assert [bill.bill_type for bill in book.bills] == ["Lifetime"]


def test_ndjson_is_taken_in_line_by_line(s3: "S3Client") -> None:
    put(s3, ndjson(*batch(2)) + b'\n{"statementId": "broken"\n' + ndjson(statement("S-9")))
    drop(KEY)
    ingestion = only_ingestion()
    assert (ingestion["status"], ingestion["counts"]["failed"]) == ("Success", 1)
    assert rows(ingestion["ingestionId"]) == [
        ("S-0", "Created"),
        ("S-1", "Created"),
        (None, "Failed"),
        ("S-9", "Created"),
    ]


def test_payment_updates_come_by_file_too(s3: "S3Client", books: AccountBooks) -> None:
    OWN.send(statement())
    put(s3, (EVENTS / "statement-file-payment-updates.json").read_bytes())
    drop(KEY)
    book = books.load("org_1", "G-1")
    assert book is not None
    assert [bill.balance for bill in book.bills] == [0]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"PK\x03\x04", "neither one JSON document nor NDJSON"),
        (b"", "The file is empty."),
        (json.dumps({"statements": batch(5)}).encode()[:-200], "neither one JSON document nor NDJSON"),
        (json.dumps({"statements": batch(5), "schema": "other"}).encode(), "/schema"),
        (b'{"bills": []}', "/statements"),
    ],
    ids=["zip", "empty", "cut off", "schema", "no statements"],
)
def test_a_file_that_cant_be_taken_as_a_whole_fails_and_leaves_nothing(
    s3: "S3Client", books: AccountBooks, body: bytes, problem: str
) -> None:
    put(s3, body)
    drop(KEY)
    ingestion = only_ingestion()
    assert ingestion["status"] == "Failed"
    assert problem in ingestion["problem"]
    assert ingestion["counts"]["total"] == 0
    assert books.load("org_1", "G-0") is None


@pytest.mark.parametrize("key", ["drops/prt_9/file.json", "drops/file.json", "elsewhere/prt_1/file.json"])
def test_a_file_that_is_nobodys_is_left_alone(s3: "S3Client", books: AccountBooks, key: str) -> None:
    put(s3, SAMPLE, key)
    drop(key)
    assert books.load("org_1", "G-1") is None


def test_an_event_that_comes_again_changes_nothing(s3: "S3Client") -> None:
    put(s3, {"statements": batch(3)})
    drop(KEY)
    before = only_ingestion()
    drop(KEY)
    assert only_ingestion() == before


def test_another_file_of_the_same_name_is_another_ingestion(s3: "S3Client") -> None:
    put(s3, {"statements": batch(1)})
    drop(KEY, sequencer="1")
    put(s3, {"statements": batch(2)})
    drop(KEY, sequencer="2")
    counts = [each["counts"] for each in OWN.get("/v1/ingestions").body["items"]]
    assert sorted((each["created"], each["ignored"]) for each in counts) == [(1, 0), (1, 1)]


def test_a_file_whose_time_runs_out_goes_on_where_it_stopped(s3: "S3Client") -> None:
    put(s3, {"statements": batch(5)})
    drop(KEY, time_left=(300_000,) * 5 + (LITTLE_TIME,))
    halfway = only_ingestion()
    assert (halfway["status"], halfway["counts"]["created"]) == ("Processing", 4)
    drop(KEY)
    done = only_ingestion()
    assert (done["status"], done["counts"]["created"], done["counts"]["total"]) == ("Success", 5, 5)
    assert rows(done["ingestionId"]) == [(f"S-{n}", "Created") for n in range(5)]


def test_a_crash_after_the_work_and_before_its_record_tells_the_same_results(
    s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, {"statements": batch(3)})
    take = Intake.take

    def crash(self: Intake, *given: Any) -> Any:
        take(self, *given)
        raise RuntimeError("killed")

    with monkeypatch.context() as killed:
        killed.setattr(Intake, "take", crash)
        drop(KEY)
    drop(KEY)
    done = only_ingestion()
    assert (done["status"], done["counts"]["created"], done["counts"]["ignored"]) == ("Success", 3, 0)


def test_statements_that_come_twice_are_known_across_chunks_and_attempts(s3: "S3Client") -> None:
    put(s3, ndjson(*batch(4), statement("S-0", totalBalance="1.00"), *batch(1)))
    drop(KEY, time_left=(300_000,) * 4 + (LITTLE_TIME,))
    assert only_ingestion()["status"] == "Processing"
    drop(KEY)
    counts = only_ingestion()["counts"]
    assert (counts["created"], counts["failed"], counts["ignored"]) == (4, 1, 1)


# --- by upload ----------------------------------------------------------------------------------------------------


def test_an_upload_is_announced_put_to_its_address_and_taken_in_at_the_time_of_the_request(
    s3: "S3Client", books: AccountBooks
) -> None:
    reply = OWN.post("/v1/ingestions", {"fileName": "march.json"})
    assert reply.status == HTTPStatus.CREATED
    address = urlsplit(reply.body["uploadUrl"])
    key = f"drops/prt_1/uploads/{reply.body['ingestionId']}"
    assert address.path.endswith(f"/{key}")
    assert parse_qs(address.query)["X-Amz-Expires"] == ["3600"]
    assert reply.body["expiresAt"] == "2026-03-02T16:00:00.000Z"
    assert only_ingestion()["status"] == "Processing"
    put(s3, {"statements": batch(2)}, key)
    drop(key)
    done = only_ingestion()
    assert done["ingestionId"] == reply.body["ingestionId"]
    assert (done["status"], done["fileName"], done["source"]) == ("Success", "march.json", "Upload")
    book = books.load("org_1", "G-0")
    assert book is not None
    assert book.account.planning_at == NOW


def test_a_file_put_to_the_same_address_again_isnt_taken_in_again(s3: "S3Client") -> None:
    key = f"drops/prt_1/uploads/{OWN.post('/v1/ingestions', {}).body['ingestionId']}"
    put(s3, {"statements": batch(1)}, key)
    drop(key, sequencer="1")
    put(s3, {"statements": batch(2)}, key)
    drop(key, sequencer="2")
    assert only_ingestion()["counts"]["total"] == 1


def test_an_upload_needs_no_body_and_a_key_of_its_partner_with_the_scope() -> None:
    assert OWN.call("POST", "/v1/ingestions").status == HTTPStatus.CREATED
    assert Partner(scopes="read").post("/v1/ingestions", {}).status == HTTPStatus.FORBIDDEN
    assert OWN.post("/v1/ingestions", {"fileName": "x" * 256}).status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert OWN.post("/v1/ingestions", {"fileName": 5}).body["errors"][0]["pointer"] == "/fileName"
    assert OWN.post("/v1/ingestions", "{").status == HTTPStatus.BAD_REQUEST


def test_an_upload_that_never_comes_has_failed_after_its_time() -> None:
    ingestion_id = OWN.post("/v1/ingestions", {}).body["ingestionId"]
    later = Partner(at=NOW + timedelta(hours=2))
    found = later.get(f"/v1/ingestions/{ingestion_id}").body
    assert (found["status"], found["problem"]) == ("Failed", "No file was uploaded in time.")


def test_an_announced_upload_of_another_partner_isnt_touched_by_a_drop(
    s3: "S3Client", dynamodb: "DynamoDBClient"
) -> None:
    Organizations(dynamodb, TABLE).create_partner(Owner(partner_id="prt_2", name="Other", created_at=NOW))
    ingestion_id = OWN.post("/v1/ingestions", {}).body["ingestionId"]
    key = f"drops/prt_2/uploads/{ingestion_id}"
    put(s3, {"statements": batch(1)}, key)
    drop(quote_plus(key, safe="/"))
    assert only_ingestion()["status"] == "Processing"
    (theirs,) = Partner(partner_id="prt_2").get("/v1/ingestions").body["items"]
    assert theirs["counts"] == {"total": 1, "created": 0, "updated": 0, "ignored": 0, "failed": 1}


def test_ids_of_ingestions_sort_by_their_time() -> None:
    moments = [datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(seconds=n) for n in range(3)]
    ids = [files.new_ingestion_id(moment, str(moment)) for moment in moments]
    assert ids == sorted(ids)
    assert files.new_ingestion_id(moments[0], "a") != files.new_ingestion_id(moments[0], "b")
