"""The daily batches of letters, as staff sees them."""

from datetime import date

from functions.manage.frame import api, list_request, route
from functions.manage.ports import ports
from shared.contracts.print_batches import PrintBatchAnswer, PrintBatchesPage
from shared.domain.delivery.print_batch import OpenBatch, last_closable_day, open_batches, print_batch_id
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.http.api import Answer, json_answer


@route(
    "GET",
    "/v1/organizations/{orgId}/print-batches",
    operation="listPrintBatches",
    summary="List the daily batches of letters, newest first; a closed one has a manifest",
    tag="Notifications",
    scope=Scope.READ,
    answer=PrintBatchesPage,
)
def search(organization: Organization) -> Answer:
    """An organization's batches, newest first: the open ones come before the closed ones."""
    asked = list_request()
    before = date.fromisoformat(asked.after[0]) if asked.after else date.max
    waiting = _open(organization)
    closed = ports().print_batches.closed(organization.org_id, asked.limit + 1, before)
    # One that was closed between the two reads is shown once.
    last = closed[0].day if closed else date.min
    still_open = [batch for batch in waiting if last < batch.day < before]
    batches = [PrintBatchAnswer.of_open(print_batch_id(organization.org_id, batch.day), batch) for batch in still_open]
    batches += [PrintBatchAnswer.of(batch) for batch in closed]
    shown = batches[: asked.limit]
    position = (shown[-1].date.isoformat(),) if len(batches) > asked.limit else None
    return json_answer(PrintBatchesPage(items=shown, next_cursor=asked.cursor(position)))


def _open(organization: Organization) -> list[OpenBatch]:
    stored = ports().print_batches
    state = stored.state(organization.org_id)
    if state is None:
        return []
    letters = stored.letters(organization.org_id)
    return open_batches(letters, state.closed_through, last_closable_day(api.now, organization.zone))
