"""An account as its routes read, change and show it: as it stands on the organization's calendar day."""

from collections.abc import Callable

from functions.manage.frame import api
from functions.manage.ports import ports
from shared.contracts.accounts import AccountAnswer
from shared.domain.account.pauses import pauses_ended, without_ended_pauses
from shared.domain.calendar.send_window import local_date
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.policy import Organization
from shared.http.api import Answer, json_answer
from shared.http.problems import not_found
from shared.storage.account_books import NoSuchAccountError


def find_account(organization: Organization, account_id: str) -> AccountBook:
    """An account's book, without holds that are over; a 404 problem where there is none."""
    book = ports().books.load(organization.org_id, account_id)
    if book is None:
        raise not_found("account")
    return without_ended_pauses(book, local_date(api.now, organization.zone))


def change_book(
    organization: Organization, account_id: str, decide: Callable[[AccountBook], Change | None]
) -> AccountBook:
    """Decide on an account's book and store the change; a 404 problem where there is none."""
    try:
        return ports().books.change(organization.org_id, account_id, as_it_stands(organization, decide))
    except NoSuchAccountError:
        raise not_found("account") from None


def as_it_stands(
    organization: Organization, decide: Callable[[AccountBook], Change | None]
) -> Callable[[AccountBook], Change | None]:
    """A decision on a book whose holds that are over have ended; their end is a part of its change."""
    now = api.now

    def decided(book: AccountBook) -> Change | None:
        ended = pauses_ended(book, local_date(now, organization.zone), now)
        change = decide(book.after(ended) if ended else book)
        return ended.then(change) if ended and change else change

    return decided


def shown(book: AccountBook) -> Answer:
    """The answer that shows an account."""
    return json_answer(AccountAnswer.of_book(book))
