"""How many open bills one account may have before its new ones are refused (docs/rules.md#open-bill-limit)."""

from datetime import timedelta

from shared.domain.intake.arrival import Arrival, IntakeContext, Received
from shared.domain.intake.identity import GUARANTOR_ID
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.ingestion import Remark
from shared.domain.records.task import Task, TaskKind, task_id_at
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import IngestionResult

MOST_OPEN_BILLS = 500
"""No person has so many: an account that does is many people under an id that means nobody, and no list knows it."""

TASK_AGAIN_AFTER = timedelta(days=30)
"""How long one task stands for all the statements that are refused for an account."""

BILLS_REFUSED = "BillsRefused"

TOO_MANY_BILLS = Remark(
    GUARANTOR_ID, f"has {MOST_OPEN_BILLS} open bills already, so it may stand for nobody; no further ones are taken"
)


def has_too_many(book: AccountBook) -> bool:
    """Whether an account takes no further bills."""
    return sum(bill.payable for bill in book.bills) >= MOST_OPEN_BILLS


def refused_for_too_many(book: AccountBook, arrival: Arrival, context: IntakeContext) -> Received:
    """The statement fails, for it would add to them; and staff get a task, once for all that are refused."""
    refused = Received(result=IngestionResult.FAILED, warnings=arrival.warnings, errors=(TOO_MANY_BILLS,))
    told = [event.at for event in book.history if event.event == BILLS_REFUSED]
    if told and context.now < max(told) + TASK_AGAIN_AFTER:
        return refused
    account, statement_id = book.account, arrival.statement.statement_id
    event = HistoryEvent(at=context.now, event=BILLS_REFUSED, actor=context.actor, facts={"statementId": statement_id})
    task = Task(
        task_id=task_id_at(context.now, account.org_id, account.account_id, BILLS_REFUSED),
        org_id=account.org_id,
        kind=TaskKind.TOO_MANY_BILLS,
        created_at=context.now,
        account_id=account.account_id,
        statement_id=statement_id,
        facts={"openBills": str(sum(bill.payable for bill in book.bills))},
    )
    return Received(
        result=refused.result,
        change=Change(account=account, history=(event,), tasks=(task,)),
        warnings=refused.warnings,
        errors=refused.errors,
    )
