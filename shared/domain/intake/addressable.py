"""Ids that stand in addresses of the API (docs/rules.md#ids-in-addresses)."""

from shared.domain.intake.arrival import Arrival
from shared.domain.records.book import AccountBook
from shared.domain.records.ingestion import Remark

DOTS = frozenset({".", ".."})
"""What programs leave out of an address, however it is encoded."""

NOT_ADDRESSABLE = 'must not hold a slash, nor be "." or ".."'


def unaddressable_ids(book: AccountBook | None, arrival: Arrival) -> tuple[Remark, ...]:
    """What is wrong with the ids of a new bill, and of its account where that is new too.

    Gateways take an encoded slash for a plain one, so the bill of such an id could be neither read nor paid by the API.
    Bills and accounts that are stored already go on: what they owe must not stand still.
    """
    statement = arrival.statement
    ids = {"/statementId": statement.statement_id}
    if book is None:
        of_guarantor = bool(statement.guarantor.guarantor_id)
        ids["/guarantor/guarantorId" if of_guarantor else "/patients/0/accountId"] = statement.account_id
    return tuple(Remark(pointer, NOT_ADDRESSABLE) for pointer, value in ids.items() if "/" in value or value in DOTS)
