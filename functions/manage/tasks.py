"""Tasks: what only a person can settle, listed and resolved."""

from http import HTTPStatus

from functions.manage.account_books import change_book
from functions.manage.frame import actor, api, list_request, route
from functions.manage.ports import ports
from shared.contracts.tasks import ResolutionBody, TaskAnswer, TasksPage
from shared.domain.paying.objections import settle_objection
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.domain.records.task import Task, TaskKind, TaskStatus, resolved
from shared.http.api import Answer, json_answer
from shared.http.problems import ProblemError, not_found
from shared.http.routes import WordQuery

TASK_STATUS = WordQuery("status", "Open or Resolved.", TaskStatus)
TASK_KIND = WordQuery("kind", "One kind of task.", TaskKind)


@route(
    "GET",
    "/v1/organizations/{orgId}/tasks",
    operation="listTasks",
    summary="List what only a person can settle, the oldest first",
    tag="Tasks",
    scope=Scope.READ,
    query=(TASK_STATUS, TASK_KIND),
    answer=TasksPage,
)
def search(organization: Organization) -> Answer:
    """An organization's tasks, the oldest first."""
    asked = list_request()
    after = asked.after[0] if asked.after else ""
    status, kind = TASK_STATUS.word(api.query), TASK_KIND.word(api.query)
    found, last = ports().tasks.page(organization.org_id, status, kind, asked.limit, after)
    cursor = asked.cursor((last,) if last else None)
    return json_answer(TasksPage(items=[TaskAnswer.of(task) for task in found], next_cursor=cursor))


@route(
    "POST",
    "/v1/organizations/{orgId}/tasks/{taskId}/resolve",
    operation="resolveTask",
    summary="Say how a task was settled",
    tag="Tasks",
    scope=Scope.MANAGE,
    body=ResolutionBody,
    answer=TaskAnswer,
    problems=(409,),
)
def resolve(organization: Organization, task_id: str, said: ResolutionBody) -> Answer:
    """Settle a task; a 409 problem for one that is settled.

    Dunning that pauses for it goes on first: whoever dies between the two leaves a task that can be resolved again,
    not a pause that nobody knows how to end.
    """
    task = ports().tasks.get(organization.org_id, task_id)
    if task is None:
        raise not_found("task")
    if task.kind is TaskKind.PATIENT_OBJECTION and task.status is TaskStatus.OPEN:
        _let_dunning_go_on(organization, task)
    done = resolved(task, said.resolution, api.now, actor(), statement_id=said.statement_id or "", note=said.note or "")
    if not ports().tasks.resolve(done):
        raise ProblemError(HTTPStatus.CONFLICT, "The task is resolved already.")
    return json_answer(TaskAnswer.of(done))


def _let_dunning_go_on(organization: Organization, task: Task) -> None:
    """Take an objection off its account, and off those that bills of it went to with what belongs to the person."""
    now, who = api.now, actor()
    waiting, seen = [task.account_id], set[str]()
    while waiting:
        account_id = waiting.pop()
        seen.add(account_id)
        book = change_book(organization, account_id, lambda book: settle_objection(book, task.task_id, now, who))
        waiting += {bill.moved_to for bill in book.bills if bill.moved_to} - seen - set(waiting)
