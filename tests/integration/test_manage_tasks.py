"""Tasks: listed by status and kind, oldest first, and settled once."""

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from shared.domain.records.book import Change
from shared.domain.records.task import Task, TaskKind, TaskStatus, task_id_at
from shared.storage.account_books import AccountBooks, ConcurrentChangeError
from shared.storage.tasks import Tasks
from tests.conftest import TABLE
from tests.worlds.examples import NOW, account
from tests.worlds.manage_api import ORGANIZATION, OWN, Caller, pointers

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TASKS = f"{ORGANIZATION}/tasks"


def a_task(number: int, kind: TaskKind = TaskKind.REPLY_TO_READ, org_id: str = "org_1") -> Task:
    at = NOW + timedelta(minutes=number)
    return Task(
        task_id=task_id_at(at, str(number)),
        org_id=org_id,
        kind=kind,
        created_at=at,
        account_id="G-1",
        facts={"text": "please read me", "textId": f"in-{number}"},
    )


@pytest.fixture
def tasks(manage_table: "DynamoDBClient") -> Tasks:
    return Tasks(manage_table, TABLE)


def listed(query: str = "") -> list[str]:
    return [each["taskId"] for each in OWN.get(f"{TASKS}{query}").body["items"]]


def test_tasks_are_listed_from_the_oldest_by_status_and_kind(tasks: Tasks) -> None:
    reply, credit, resolved_one = a_task(2), a_task(1, TaskKind.CREDIT_LEFT), a_task(3)
    for task in (reply, credit, resolved_one, a_task(4, org_id="org_2")):
        assert tasks.create(task)
    assert OWN.post(f"{TASKS}/{resolved_one.task_id}/resolve", {"resolution": "done"}).status == HTTPStatus.OK
    assert listed() == [credit.task_id, reply.task_id, resolved_one.task_id]
    assert listed("?status=Open") == [credit.task_id, reply.task_id]
    assert listed("?status=Resolved") == [resolved_one.task_id]
    assert listed("?kind=CreditLeft") == [credit.task_id]
    assert listed("?status=Open&kind=ReplyToRead") == [reply.task_id]


@pytest.mark.parametrize("query", ["status=Done", "kind=Nothing", "limit=0", "cursor=x"])
def test_a_parameter_that_isnt_one_is_refused(tasks: Tasks, query: str) -> None:
    assert OWN.get(f"{TASKS}?{query}").status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("status", ["", "status=Open&"])
def test_a_list_goes_on_page_by_page(tasks: Tasks, status: str) -> None:
    made = [a_task(number) for number in range(5)]
    for task in made:
        tasks.create(task)
    seen, cursor = [], ""
    for _ in range(3):
        body = OWN.get(f"{TASKS}?{status}limit=2{cursor}").body
        seen += [each["taskId"] for each in body["items"]]
        cursor = f"&cursor={body['nextCursor']}"
    assert seen == [task.task_id for task in made]
    assert body["nextCursor"] is None


def test_a_task_is_settled_once_and_lets_go_of_what_a_person_wrote(tasks: Tasks) -> None:
    task = a_task(1)
    tasks.create(task)
    said = {"resolution": "opted out", "statementId": "S-1", "note": "called back"}
    done = OWN.post(f"{TASKS}/{task.task_id}/resolve", said)
    assert done.status == HTTPStatus.OK
    assert done.body == OWN.get(TASKS).body["items"][0]
    assert (done.body["status"], done.body["resolvedBy"], done.body["statementId"]) == ("Resolved", "key:k1", "S-1")
    assert (done.body["resolution"], done.body["note"]) == ("opted out", "called back")
    assert done.body["facts"] == {"textId": "in-1"}
    again = OWN.post(f"{TASKS}/{task.task_id}/resolve", {"resolution": "something else"})
    assert again.status == HTTPStatus.CONFLICT
    assert tasks.get("org_1", task.task_id) is not None


def test_settling_needs_a_word_a_scope_and_a_task(tasks: Tasks) -> None:
    task = a_task(1)
    tasks.create(task)
    wrong = OWN.post(f"{TASKS}/{task.task_id}/resolve", {})
    assert (wrong.status, pointers(wrong.body)) == (HTTPStatus.UNPROCESSABLE_ENTITY, ["/resolution"])
    reader = Caller(scopes="read")
    assert reader.post(f"{TASKS}/{task.task_id}/resolve", {"resolution": "x"}).status == HTTPStatus.FORBIDDEN
    assert OWN.post(f"{TASKS}/tsk_none/resolve", {"resolution": "x"}).status == HTTPStatus.NOT_FOUND


def test_a_task_is_written_with_the_change_that_calls_for_it_or_not_at_all(
    tasks: Tasks, manage_books: AccountBooks
) -> None:
    manage_books.commit(Change(account=account(), tasks=(a_task(1),)))
    assert tasks.page("org_1", TaskStatus.OPEN, None, 10, "") == ([a_task(1)], "")
    with pytest.raises(ConcurrentChangeError):
        manage_books.commit(Change(account=account(), tasks=(a_task(2),)))
    assert tasks.get("org_1", a_task(2).task_id) is None
