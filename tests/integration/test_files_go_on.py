"""A statement file is taken up again until it is done or has failed with a reason (docs/rules.md#file-goes-on)."""

import json
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.ingest import file_intake
from functions.ingest.files import DroppedFile, new_ingestion_id
from functions.ingest.handler import lambda_handler
from functions.ingest.intake import Intake
from functions.ingest.ports import ports
from shared.domain.records.file_reading import FileReading
from shared.domain.records.ingestion import Ingestion
from shared.domain.records.partner import Partner as Owner
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.ingestions import Ingestions
from shared.storage.items import pack
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE, listen
from tests.worlds.cases import case
from tests.worlds.examples import NOW, organization
from tests.worlds.file_clockwork import FileClockwork, KilledError, killed_at
from tests.worlds.ingest_api import BUCKET, DROP, Partner, context, drop
from tests.worlds.statement_examples import EVENTS, statement
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

OWN = Partner()
KEY = "drops/prt_1/monday.json"
ENOUGH, LITTLE_TIME = 300_000, 1_000
ONE_STEP = (ENOUGH, *(LITTLE_TIME,) * 50)
"""The time of an invocation that is up as soon as one step is done."""


@pytest.fixture(autouse=True)
def s3(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> "S3Client":
    """The drop bucket beside a partner and its organization; files are read by small steps."""
    wired(monkeypatch, ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET)
    monkeypatch.setattr(file_intake, "STATEMENTS_TOGETHER", 2)
    monkeypatch.setattr(file_intake, "SURVEYED_TOGETHER", 4)
    monkeypatch.setattr(file_intake, "READ_BYTES", 100)
    organizations = Organizations(dynamodb, TABLE)
    organizations.create_partner(Owner(partner_id="prt_1", name="Example Billing", created_at=NOW))
    organizations.create(organization())
    client = clients.s3()
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def clockwork(dynamodb: "DynamoDBClient") -> FileClockwork:
    return FileClockwork(dynamodb)


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What operators are warned of."""
    counted = list[str]()
    monkeypatch.setattr(file_intake, "count", counted.append)
    return counted


def put(s3: "S3Client", body: bytes, key: str = KEY) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def batch(count: int, name: str = "") -> list[dict[str, Any]]:
    changes: dict[str, Any] = {"guarantor__firstName": "Zoë"}
    return [statement(f"S{name}-{n}", guarantor__guarantorId=f"G{name}-{n}", **changes) for n in range(count)]


def ndjson(*statements: Any, end: str = "\n") -> bytes:
    return end.join(json.dumps(each, ensure_ascii=False) for each in statements).encode()


def paid(statement_id: str) -> dict[str, Any]:
    """Ten dollars, received once."""
    received = {"transactionId": f"T-{statement_id}", "transactionDate": "2026-03-01", "transactionAmt": "10.00"}
    told = {"partnerTransactionsOnly": True, "partnerTransactions": [received]}
    return {"statementId": statement_id, "clientId": statement()["clientId"], "patients": [{"accountId": "P-1"}]} | told


def ingestion() -> Any:
    (found,) = OWN.get("/v1/ingestions").body["items"]
    return found


def results(ingestion_id: str) -> list[tuple[str | None, str]]:
    found = OWN.get(f"/v1/ingestions/{ingestion_id}/statements").body["items"]
    return [(row["statementId"], row["result"]) for row in found]


# --- over many invocations ------------------------------------------------------------------------------------------


def many() -> list[Any]:
    """Statements good and bad, of which one comes again as it was and one changed."""
    return [*batch(5), 5, batch(1)[0], statement("S-1", totalBalance="1.00"), *batch(3, "x"), paid("S-0")]


def document(**header: Any) -> bytes:
    return json.dumps({**header, "statements": many(), "more": [{"statements": []}]}, ensure_ascii=False).encode()


FORMS = {
    "document": document(schema="episodic"),
    "indented document": json.dumps({"statements": many(), "schema": "episodic"}, indent=2).encode(),
    "document with a mark": "\ufeff".encode() + document(),
    "lines": ndjson(*many()),
    "lines with a mark, CRLF and blanks": "\ufeff".encode() + ndjson(*many(), end="\r\n\r\n") + b"\r\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_any_form_finishes_by_steps_and_comes_to_the_same(
    s3: "S3Client", clockwork: FileClockwork, form: str
) -> None:
    put(s3, FORMS[form])
    drop(KEY, time_left=ONE_STEP)
    assert ingestion()["status"] == "Processing"
    assert clockwork.until_done(*ONE_STEP) >= 5
    done = ingestion()
    assert done["status"] == "Success"
    assert results(done["ingestionId"]) == [
        *((f"S-{n}", "Created") for n in range(5)),
        (None, "Failed"),
        ("S-0", "Ignored"),
        ("S-1", "Failed"),
        *((f"Sx-{n}", "Created") for n in range(3)),
        ("S-0", "Updated"),
    ]


def test_each_invocation_reads_on_from_the_byte_that_the_one_before_came_to(
    s3: "S3Client", clockwork: FileClockwork
) -> None:
    """However often a file is broken off, each of its bytes is asked for twice: a file of any size finishes."""
    begins = list[int]()
    listen(
        clients.s3(),
        "before-parameter-build.s3.GetObject",
        lambda params, **_: begins.append(int(params.get("Range", "bytes=0-")[6:-1])),
    )
    put(s3, ndjson(*batch(12)))
    drop(KEY, time_left=ONE_STEP)
    clockwork.until_done(*ONE_STEP)
    assert ingestion()["counts"]["created"] == 12
    second = begins.index(0, 1)
    assert begins[:second] == sorted(set(begins[:second]))
    assert begins[second:] == sorted(set(begins[second:]))
    assert min(second, len(begins) - second) >= 3


def test_what_was_done_so_far_is_shown_while_a_file_is_worked_on(s3: "S3Client", clockwork: FileClockwork) -> None:
    body = ndjson(*batch(6))
    put(s3, body)
    drop(KEY, time_left=ONE_STEP)
    shown = list[tuple[int, int, int]]()
    while ingestion()["status"] == "Processing":
        clockwork.round(*ONE_STEP)
        found = OWN.get(f"/v1/ingestions/{ingestion()['ingestionId']}").body
        shown.append((found["counts"]["created"], found["bytesTaken"], found["bytesTotal"]))
    assert shown == sorted(shown)
    assert len({created for created, _, _ in shown}) >= 3
    assert shown[-1] == (6, len(body), len(body))


def test_a_file_that_is_worked_on_isnt_taken_up_by_another(s3: "S3Client", clockwork: FileClockwork) -> None:
    put(s3, ndjson(*batch(3)))
    seen = list[int]()
    take = Intake.take

    def sweeping(self: Intake, *given: Any) -> Any:
        seen.append(clockwork.sweep(datetime.now(UTC)))
        return take(self, *given)

    with pytest.MonkeyPatch.context() as meanwhile:
        meanwhile.setattr(Intake, "take", sweeping)
        drop(KEY)
    assert seen == [0, 0]
    assert clockwork.sweep() == 0


def test_an_invocation_whose_file_another_has_taken_over_stops(s3: "S3Client", dynamodb: "DynamoDBClient") -> None:
    put(s3, ndjson(*batch(5)))
    take, ingestions = Intake.take, Ingestions(dynamodb, TABLE)
    taken = list[int]()

    def overtaken(self: Intake, *given: Any) -> Any:
        """The second takes the file over while the first is at its first chunk."""
        taken.append(1)
        if len(taken) == 1:
            lambda_handler({"partnerId": self.partner_id, "ingestionId": self.ingestion_id}, context())
        return take(self, *given)

    with pytest.MonkeyPatch.context() as meanwhile:
        meanwhile.setattr(Intake, "take", overtaken)
        drop(KEY)
    assert len(taken) == 1 + 3  # the first did nothing after the chunk at which it lost the file
    done = ingestion()
    assert (done["status"], done["counts"]["created"], done["counts"]["total"]) == ("Success", 5, 5)
    stored = ingestions.get("prt_1", done["ingestionId"])
    assert stored is not None
    assert stored.due_at is None


# --- killed anywhere ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("service", ["dynamodb", "s3"])
def test_killed_at_any_call_nothing_is_taken_twice_or_lost(
    s3: "S3Client", dynamodb: "DynamoDBClient", clockwork: FileClockwork, service: str, *, answered: bool
) -> None:
    client = dynamodb if service == "dynamodb" else s3
    books = AccountBooks(dynamodb, TABLE)
    nth, died = 0, True
    while died:
        nth += 1
        name = f"{service}{answered}{nth}"
        key = f"drops/prt_1/{name}.json"
        put(s3, ndjson(*batch(2, name), paid(f"S{name}-0")), key)
        has_died = killed_at(client, service, nth, answered=answered)
        with suppress(KilledError):
            drop(key, sequencer=name)
        died = has_died()
        if not clockwork.until_done() and died:
            drop(key, sequencer=name)  # nothing was stored yet: the bucket's event comes again
        ingestion_id = new_ingestion_id(
            datetime.fromisoformat(DROP["Records"][0]["eventTime"]), f"{key}\n{content(name)}"
        )
        *created, (_, payment) = results(ingestion_id)
        assert created == [(f"S{name}-0", "Created"), (f"S{name}-1", "Created")]
        assert payment in {
            "Updated",
            "Ignored",
        }  # Ignored: that it was posted just before the end is known, but not by whom
        found = OWN.get(f"/v1/ingestions/{ingestion_id}").body
        assert (found["status"], found["counts"]["total"]) == ("Success", 3)
        book = books.load("org_1", f"G{name}-0")
        assert book is not None
        assert [bill.balance for bill in book.bills] == [74_60 - 10_00]
        assert len(book.payments) == 1
    assert nth > (10 if service == "dynamodb" else 2)


def content(sequencer: str) -> str:
    """By what the event of a file names its content."""
    record = deepcopy(DROP["Records"][0])
    record["s3"]["object"]["sequencer"] = sequencer
    return DroppedFile.model_validate(record).content


# --- failed with a reason -------------------------------------------------------------------------------------------


def test_a_file_that_fails_again_and_again_is_tried_later_each_time_and_fails_with_a_warning(
    s3: "S3Client", clockwork: FileClockwork, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, ndjson(*batch(3)))

    def broken(*_: Any) -> Any:
        raise RuntimeError("Ada Example")

    monkeypatch.setattr(Intake, "take", broken)
    drop(KEY)
    assert clockwork.sweep(datetime.now(UTC)) == 0
    assert (
        clockwork.until_done() == file_intake.MOST_ATTEMPTS + 1
    )  # what came further by its first reading isn't counted
    failed = ingestion()
    assert failed["status"] == "Failed"
    assert failed["problem"] == "It was tried 8 times. It failed by RuntimeError at byte 0."
    assert warned == ["FileFailed"]


def test_a_file_that_fails_for_a_while_goes_on_where_it_was(
    s3: "S3Client", clockwork: FileClockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, ndjson(*batch(6)))
    take, calls = Intake.take, iter(range(100))

    def at_times(self: Intake, *given: Any) -> Any:
        if next(calls) % 3:
            raise RuntimeError
        return take(self, *given)

    monkeypatch.setattr(Intake, "take", at_times)
    drop(KEY)
    clockwork.until_done()
    assert (ingestion()["status"], ingestion()["counts"]["created"]) == ("Success", 6)


def test_an_invocation_that_dies_each_time_comes_to_an_end_too(
    s3: "S3Client", clockwork: FileClockwork, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, ndjson(*batch(3)))

    def dies(*_: Any) -> Any:
        raise KilledError

    monkeypatch.setattr(Intake, "take", dies)
    with pytest.raises(KilledError):
        drop(KEY)
    for _ in range(file_intake.MOST_ATTEMPTS):
        with pytest.raises(KilledError):
            clockwork.round()
    assert clockwork.until_done() == 1
    assert (ingestion()["status"], warned) == ("Failed", ["FileFailed"])


def test_a_file_that_is_gone_before_it_is_read_has_failed_without_a_warning(
    clockwork: FileClockwork, warned: list[str]
) -> None:
    drop(KEY)
    assert (ingestion()["status"], ingestion()["problem"]) == ("Failed", file_intake.IS_GONE)
    assert (clockwork.sweep(), warned) == (0, [])


def test_a_file_that_is_gone_while_it_is_read_has_failed_with_what_was_taken(
    s3: "S3Client", clockwork: FileClockwork
) -> None:
    put(s3, ndjson(*batch(6)))
    drop(KEY, time_left=(ENOUGH,) * 4 + (LITTLE_TIME,) * 20)
    s3.delete_object(Bucket=BUCKET, Key=KEY)
    clockwork.until_done()
    assert (ingestion()["problem"], ingestion()["counts"]["created"]) == (file_intake.IS_GONE, 2)


def test_a_file_that_another_replaces_while_it_is_read_leaves_the_rest_to_that_one(
    s3: "S3Client", clockwork: FileClockwork
) -> None:
    put(s3, ndjson(*batch(6)))
    drop(KEY, sequencer="1", time_left=(ENOUGH,) * 4 + (LITTLE_TIME,) * 20)
    put(s3, ndjson(*batch(6), *batch(2, "y")))
    clockwork.until_done()
    assert ingestion()["problem"] == file_intake.IS_REPLACED
    drop(KEY, sequencer="2")
    counts = sorted((each["status"], each["counts"]["created"]) for each in OWN.get("/v1/ingestions").body["items"])
    assert counts == [("Failed", 2), ("Success", 6)]


def test_an_upload_that_is_put_again_while_it_is_read_is_taken_from_its_beginning(
    s3: "S3Client", clockwork: FileClockwork
) -> None:
    key = f"drops/prt_1/uploads/{OWN.post('/v1/ingestions', {}).body['ingestionId']}"
    put(s3, ndjson(*batch(6)), key)
    drop(key, sequencer="1", time_left=(ENOUGH,) * 4 + (LITTLE_TIME,) * 20)
    assert ingestion()["counts"]["created"] == 2
    put(s3, ndjson(*batch(2), statement("S-9")), key)
    clockwork.until_done()
    assert (ingestion()["status"], ingestion()["counts"]["total"]) == ("Success", 3)
    assert [name for name, _ in results(ingestion()["ingestionId"])] == ["S-0", "S-1", "S-9"]


def test_an_ingestion_of_an_earlier_version_is_taken_in_when_its_file_comes_again(
    s3: "S3Client", dynamodb: "DynamoDBClient"
) -> None:
    put(s3, ndjson(*batch(3)))
    drop(KEY, time_left=(ENOUGH,) * 3 + (LITTLE_TIME,) * 20)
    ingestions = Ingestions(dynamodb, TABLE)
    stored = ingestions.get("prt_1", ingestion()["ingestionId"])
    assert stored is not None
    old = replace(stored, reading=FileReading(), due_at=None, revision=0)
    item: Any = {"pk": {"S": "I#prt_1"}, "sk": {"S": stored.ingestion_id}, "body": pack(Ingestion, old)}
    dynamodb.put_item(TableName=TABLE, Item=item)
    drop(KEY)
    assert (ingestion()["status"], ingestion()["counts"]["created"]) == ("Success", 3)


def test_a_file_that_ingest_couldnt_be_asked_for_is_due_again(s3: "S3Client", clockwork: FileClockwork) -> None:
    put(s3, ndjson(*batch(3)))
    drop(KEY, time_left=ONE_STEP)
    refusals = [TimeoutError("no answer")]

    def refuse(**_: Any) -> None:
        if refusals:
            raise refusals.pop()

    listen(clients.lambda_functions(), "before-parameter-build.lambda.Invoke", refuse)
    assert clockwork.sweep() == 0
    assert clockwork.sweep(datetime.now(UTC) + 3 * timedelta(hours=1)) == 1


# --- cases 60 and 61 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        case("60").inputs["keys"][0].rpartition("/")[2],
        *("x.json.part", "x.json.partial", "x.JSON.TMP", "x.json~", ".x.json.Gk2d9s", "~$x.json", "x.swp"),
    ],
)
def test_case_60_a_file_under_a_temporary_name_isnt_processing_for_ever(
    s3: "S3Client", clockwork: FileClockwork, warned: list[str], name: str
) -> None:
    put(s3, ndjson(*batch(2)), f"drops/prt_1/{name}")
    drop(f"drops/prt_1/{name}", sequencer="1")
    assert (ingestion()["status"], clockwork.sweep(), warned) == ("Failed", 0, [])
    put(s3, ndjson(*batch(2)), "drops/prt_1/x.json")
    drop("drops/prt_1/x.json", sequencer="2")
    found = {each["fileName"]: each["counts"]["created"] for each in OWN.get("/v1/ingestions").body["items"]}
    assert found == {name: 0, "x.json": 2}


@pytest.mark.parametrize("name", ["statements.json", "2026-03-02.ndjson", "part.json", "tmp", "x.json.txt", "STMT0001"])
def test_a_file_under_any_other_name_is_taken(s3: "S3Client", name: str) -> None:
    put(s3, ndjson(*batch(2)), f"drops/prt_1/{name}")
    drop(f"drops/prt_1/{name}")
    assert ingestion()["counts"]["created"] == 2


@pytest.mark.parametrize(
    "key", [case("61").inputs["keys"][0].replace("PARTNER", "prt_1"), "drops/prt_1/", "drops/prt_1/a/b/"]
)
def test_case_61_a_folder_is_no_ingestion(s3: "S3Client", key: str) -> None:
    put(s3, b"", key)
    drop(key)
    assert OWN.get("/v1/ingestions").body["items"] == []


def test_case_61_an_empty_file_has_failed_and_warns(s3: "S3Client", warned: list[str]) -> None:
    put(s3, b"")
    drop(KEY)
    assert (ingestion()["status"], ingestion()["problem"]) == ("Failed", file_intake.IS_EMPTY)
    assert warned == ["FileFailed"]


def test_a_dropped_file_is_dated_by_when_it_was_put_there(s3: "S3Client") -> None:
    put(s3, ndjson(*batch(1)))
    drop(KEY)
    created = datetime.fromisoformat(ingestion()["createdAt"])
    assert abs(created - datetime.fromisoformat(DROP["Records"][0]["eventTime"])) < timedelta(seconds=1)


def test_the_sample_of_what_the_scheduler_asks_is_what_it_asks(s3: "S3Client", clockwork: FileClockwork) -> None:
    put(s3, ndjson(*batch(2)))
    drop(KEY, time_left=ONE_STEP)
    clockwork.sweep()
    sample = json.loads((EVENTS / "ingest_take_up.json").read_text())
    assert [set(event) for event in clockwork.handed] == [set(sample)]
    lambda_handler(sample, context())
