"""The account's credit as a statement leaves it: the practice's figure, and what of it pays open bills."""

from dataclasses import replace

from shared.domain.intake.arrival import IntakeContext
from shared.domain.paying.credit import credit_tasks, replace_credit, use_credit
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.ingestion import Remark
from shared.domain.records.statement import Statement
from shared.domain.vocabulary.actors import Actor

STILL_USED = Remark("/guarantor/accountCredit", "counts credit that has paid bills already; it stays used")


def credit_after(
    book: AccountBook | None, change: Change, statement: Statement, context: IntakeContext
) -> tuple[Change, tuple[Remark, ...]]:
    """The change with what becomes of the credit (docs/rules.md#credit-used), and what couldn't be followed of it."""
    before = book or AccountBook(account=change.account)
    whole, warnings, posting_id = change, tuple[Remark, ...](), ""
    figure = statement.account_credit
    if figure is not None:
        here = before.after(whole)
        posting = replace_credit(here, context.organization, figure, context.now)
        if posting is not None:
            account = replace(here.account, credit=here.account.credit + posting.amount)
            whole, posting_id = whole.then(Change(account=account, payments=(posting,))), posting.payment_id
        elif figure != here.account.credit:
            warnings = (STILL_USED,)
    used = use_credit(before.after(whole), context.organization, context.now, Actor.PARTNER)
    if used is not None:
        whole = whole.then(used)
    tasks = credit_tasks(before, before.after(whole), posting_id, context.now)
    return (replace(whole, tasks=(*whole.tasks, *tasks)) if tasks else whole), warnings
