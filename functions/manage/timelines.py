"""An account's timeline, and the notes that staff keep on it."""

from http import HTTPStatus

from functions.manage.account_books import change_book, find_account
from functions.manage.frame import actor, api, list_request, route
from shared.contracts.timelines import NoteAnswer, NoteBody, TimelineEntryAnswer, TimelinePage
from shared.domain.account.timeline import TimelineEntry, add_note, timeline
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.http.api import Answer, json_answer


@route(
    "GET",
    "/v1/organizations/{orgId}/accounts/{accountId}/timeline",
    operation="readTimeline",
    summary="List everything about an account, newest first: statements, notifications, links, payments, holds, notes",
    tag="Accounts",
    scope=Scope.READ,
    answer=TimelinePage,
)
def read(organization: Organization, account_id: str) -> Answer:
    """All that happened to an account, newest first; what happens while its pages are read comes before them."""
    asked = list_request()
    entries = timeline(find_account(organization, account_id))
    rest = [entry for entry in entries if asked.after is None or _position(entry) < asked.after]
    page = rest[: asked.limit]
    answer = TimelinePage(
        items=[TimelineEntryAnswer.of(entry) for entry in page],
        next_cursor=asked.cursor(_position(page[-1]) if len(rest) > len(page) else None),
    )
    return json_answer(answer)


@route(
    "POST",
    "/v1/organizations/{orgId}/accounts/{accountId}/notes",
    operation="addNote",
    summary="Keep a note on an account's timeline; patients never see it",
    tag="Accounts",
    scope=Scope.MANAGE,
    body=NoteBody,
    answer=NoteAnswer,
    status=201,
    problems=(409,),
)
def note(organization: Organization, account_id: str, wanted: NoteBody) -> Answer:
    """Keep a note of staff's."""
    note_id, now, who = api.new_id("nte_"), api.now, actor()

    def decide(book: AccountBook) -> Change | None:
        return add_note(book, note_id, wanted.text, now, who)

    book = change_book(organization, account_id, decide)
    (kept,) = (event for event in book.history if event.facts.get("noteId") == note_id)
    return json_answer(NoteAnswer.of(kept), HTTPStatus.CREATED)


def _position(entry: TimelineEntry) -> tuple[str, ...]:
    return entry.at.isoformat(timespec="microseconds"), entry.key
