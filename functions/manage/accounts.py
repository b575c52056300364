"""Accounts: what is known of a guarantor, and what a person may change."""

from dataclasses import replace

from functions.manage.frame import actor, api, list_request, merged, own_organization, path_id
from functions.manage.settings import dependencies
from shared.contracts.accounts import READ_ONLY, AccountAnswer, AccountBody, ConsentAnswer, ConsentsPage
from shared.contracts.contact import time_zones
from shared.domain.account.account_changes import as_staff_say, change_account
from shared.domain.account.consents import consents
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.partner import Scope
from shared.domain.vocabulary.words import ConsentSource
from shared.http.api import Answer, json_answer
from shared.http.problems import not_found
from shared.storage.account_books import NoSuchAccountError


@api.routes.get("/v1/organizations/<org_id>/accounts/<account_id>")
def read(org_id: str, account_id: str) -> Answer:
    """Read an account."""
    organization = own_organization(org_id, Scope.READ)
    return json_answer(AccountAnswer.of_book(_book(organization.org_id, path_id(account_id, "account"))))


@api.routes.patch("/v1/organizations/<org_id>/accounts/<account_id>")
def change(org_id: str, account_id: str) -> Answer:
    """Change an account by a merge patch."""
    organization, now, who = own_organization(org_id, Scope.MANAGE), api.now, actor()

    def decide(book: AccountBook) -> Change | None:
        document = merged(AccountBody.of(book.account), AccountAnswer.of_book(book), READ_ONLY)
        after = as_staff_say(book.account, AccountBody.model_validate(document).domain(book.account))
        return change_account(book, _in_its_zones(book.account, after), now, who, source=ConsentSource.STAFF)

    try:
        book = dependencies().books.change(organization.org_id, path_id(account_id, "account"), decide)
    except NoSuchAccountError:
        raise not_found("account") from None
    return json_answer(AccountAnswer.of_book(book))


@api.routes.get("/v1/organizations/<org_id>/accounts/<account_id>/consents")
def list_consents(org_id: str, account_id: str) -> Answer:
    """List an account's registry of consent."""
    organization, asked = own_organization(org_id, Scope.READ), list_request()
    registry = consents(_book(organization.org_id, path_id(account_id, "account")))
    entries, cursor = asked.slice([ConsentAnswer.of(consent) for consent in registry])
    return json_answer(ConsentsPage(items=entries, next_cursor=cursor))


def _in_its_zones(before: Account, after: Account) -> Account:
    """The account with the time zones of its new ZIP code and phone number, for a text's quiet hours."""
    was, said = before.guarantor, after.guarantor
    if (was.address, was.mobile_phone) == (said.address, said.mobile_phone):
        return after
    codes = [said.address.postal_code] if said.address else []
    return replace(after, time_zones=time_zones(codes, [said.mobile_phone] if said.mobile_phone else []))


def _book(org_id: str, account_id: str) -> AccountBook:
    book = dependencies().books.load(org_id, account_id)
    if book is None:
        raise not_found("account")
    return book
