"""Tasks: what only a person can settle, listed and resolved."""

from dataclasses import replace
from http import HTTPStatus

from functions.manage.account_books import change_book
from functions.manage.frame import actor, api, change_bill, list_request, route
from functions.manage.ports import ports
from shared.contracts.tasks import ResolutionBody, TaskAnswer, TasksPage
from shared.domain.paying.external_payments import SitePayment, payment_of_task, received_at_site, site_payment_id
from shared.domain.paying.objections import settle_objection
from shared.domain.paying.payments import post_payment
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.domain.records.task import Task, TaskKind, TaskStatus, resolved
from shared.http.api import Answer, json_answer
from shared.http.problems import ProblemError, not_found
from shared.http.routes import WordQuery
from shared.storage import keys

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
    summary="Say how a task was settled; money without a bill is posted to the one that is named",
    tag="Tasks",
    scope=Scope.MANAGE,
    body=ResolutionBody,
    answer=TaskAnswer,
    problems=(409,),
)
def resolve(organization: Organization, task_id: str, said: ResolutionBody) -> Answer:
    """Settle a task; a 409 problem for one that is settled. Money that had no bill is posted to the named one.

    Dunning that pauses for it goes on first: whoever dies between the two leaves a task that can be resolved again,
    not a pause that nobody knows how to end.
    """
    task = ports().tasks.get(organization.org_id, task_id)
    if task is None:
        raise not_found("task")
    if task.kind is TaskKind.PATIENT_OBJECTION and task.status is TaskStatus.OPEN:
        _let_dunning_go_on(organization, task)
    done = resolved(task, said.resolution, api.now, actor(), statement_id=said.statement_id or "", note=said.note or "")
    told = payment_of_task(task)
    if told is not None and said.statement_id:
        done = _post(organization, done, told)
    elif not ports().tasks.resolve(done):
        raise _settled()
    return json_answer(TaskAnswer.of(done))


def _post(organization: Organization, done: Task, told: SitePayment) -> Task:
    """Post a task's money to the bill that was found for it, in the transaction that settles the task.

    It is a task about the bill's account then: what was noted on it goes when the account's person is erased.
    """
    posted = keys.payment(site_payment_id(organization.org_id, told.payment_id))
    if ports().books.account_of(organization.org_id, posted) is not None:
        raise ProblemError(HTTPStatus.CONFLICT, "Its money was posted meanwhile: resolve the task without a bill.")
    now, who = api.now, actor()

    def decide(book: AccountBook, bill: Bill) -> tuple[Change, Task]:
        task = ports().tasks.get(organization.org_id, done.task_id)
        if task is None or task.status is not TaskStatus.OPEN:
            raise _settled()
        received = received_at_site(organization.org_id, told, bill.statement_id)
        change = post_payment(book, organization, received, now, who)
        whole = change or Change(account=book.account)
        settled = replace(done, account_id=book.account.account_id)
        return replace(whole, tasks=(*whole.tasks, settled)), settled

    return change_bill(organization, done.statement_id, decide).result


def _settled() -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, "The task is resolved already.")


def _let_dunning_go_on(organization: Organization, task: Task) -> None:
    """Take an objection off its account, and off those that bills of it went to with what belongs to the person."""
    now, who = api.now, actor()
    waiting, seen = [task.account_id], set[str]()
    while waiting:
        account_id = waiting.pop()
        seen.add(account_id)
        book = change_book(organization, account_id, lambda book: settle_objection(book, task.task_id, now, who))
        waiting += {bill.moved_to for bill in book.bills if bill.moved_to} - seen - set(waiting)
