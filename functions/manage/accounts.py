"""Accounts: what is known of a guarantor, and what a person may change."""

from dataclasses import replace
from datetime import datetime

from functions.manage.account_books import change_book, find_account, shown
from functions.manage.account_lists import LIST_FILTERS, list_of_accounts
from functions.manage.frame import actor, api, list_request, merged, route
from functions.manage.ports import ports
from shared.contracts.account_lists import AccountsPage
from shared.contracts.accounts import AccountAnswer, AccountBody, ConsentAnswer, ConsentsPage
from shared.contracts.contact import time_zones
from shared.domain.account.account_changes import as_staff_say, change_account
from shared.domain.account.consents import consents
from shared.domain.account.contacts import number_hash, said_stop
from shared.domain.account.number_stops import heed_stop
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.json_documents import Json
from shared.domain.vocabulary.words import ConsentSource
from shared.http.api import Answer, json_answer


@route(
    "GET",
    "/v1/organizations/{orgId}/accounts",
    operation="listAccounts",
    summary="List the accounts that owe, or find accounts by a name, number, address, date or id",
    tag="Accounts",
    scope=Scope.READ,
    query=LIST_FILTERS,
    answer=AccountsPage,
)
def search(organization: Organization) -> Answer:
    """Accounts in short."""
    return json_answer(list_of_accounts(organization))


@route(
    "GET",
    "/v1/organizations/{orgId}/accounts/{accountId}",
    operation="readAccount",
    summary="Read an account: contact, language, opt-outs, holds, balance, credit",
    tag="Accounts",
    scope=Scope.READ,
    answer=AccountAnswer,
)
def read(organization: Organization, account_id: str) -> Answer:
    """Read an account."""
    return shown(find_account(organization, account_id))


@route(
    "PATCH",
    "/v1/organizations/{orgId}/accounts/{accountId}",
    operation="changeAccount",
    summary="Change an account by a merge patch; a hold or opt-out cancels pending notifications at once",
    tag="Accounts",
    scope=Scope.MANAGE,
    body=AccountBody,
    answer=AccountAnswer,
    problems=(409,),
)
def change(organization: Organization, account_id: str, patch: Json) -> Answer:
    """Change an account by a merge patch."""
    now, who = api.now, actor()

    def on_book(book: AccountBook) -> Change | None:
        document = merged(AccountBody.of(book.account), AccountAnswer.of_book(book), patch)
        after = as_staff_say(book.account, AccountBody.model_validate(document).domain(book.account))
        change = change_account(book, _in_its_zones(book.account, after), now, who, source=ConsentSource.STAFF)
        return change and _heeding_stops(book, change, now)

    return shown(change_book(organization, account_id, on_book))


@route(
    "GET",
    "/v1/organizations/{orgId}/accounts/{accountId}/consents",
    operation="listConsents",
    summary="List each consent to a channel, given or withdrawn: when, by whom, source and wording",
    tag="Accounts",
    scope=Scope.READ,
    answer=ConsentsPage,
)
def list_consents(organization: Organization, account_id: str) -> Answer:
    """List an account's registry of consent."""
    asked = list_request()
    registry = consents(find_account(organization, account_id))
    entries, cursor = asked.slice([ConsentAnswer.of(consent) for consent in registry])
    return json_answer(ConsentsPage(items=entries, next_cursor=cursor))


def _heeding_stops(book: AccountBook, change: Change, now: datetime) -> Change:
    """The change with a STOP that its number said to another account: only a START opens texts to it again."""
    number = change.account.guarantor.mobile_phone
    if not number or said_stop(number, change.account):
        return change
    heeded = heed_stop(book.after(change), ports().numbers.stop(number_hash(number)), now)
    if heeded is None:
        return change
    ports().numbers.attach(number_hash(number), change.account.org_id, change.account.account_id)
    return change.then(heeded)


def _in_its_zones(before: Account, after: Account) -> Account:
    """The account with the time zones of its new ZIP code and phone number, for a text's quiet hours."""
    was, said = before.guarantor, after.guarantor
    if (was.address, was.mobile_phone) == (said.address, said.mobile_phone):
        return after
    return replace(after, time_zones=time_zones(said.address, said.mobile_phone))
