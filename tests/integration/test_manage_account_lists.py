"""Accounts found by what staff knows of them, and the list of who owes: what is found, by how many reads."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from secrets import token_bytes
from typing import Any

import pytest

from functions.ingest.ports import ports as ingest_ports
from functions.manage.ports import ports as manage_ports
from shared.domain.account.search_facts import search_facts
from shared.domain.paying.link_secrets import new_payment_link
from shared.domain.records.account import NOT_SUMMARIZED, Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import moved
from shared.domain.records.policy import PaymentSettings
from shared.domain.vocabulary.words import Channel, Hold, NoticeStatus, Processor
from shared.messaging import clients
from shared.storage import items, keys
from shared.storage.account_books import AccountBooks
from shared.storage.search_entries import SearchHashes
from tests.worlds.examples import NOW, account, bill, notice, organization
from tests.worlds.ingest_api import BUCKET, Partner, results
from tests.worlds.ledger import TABLE, Ledger
from tests.worlds.manage_api import ACCOUNT, FOREIGN, ORGANIZATION, OWN, Reply
from tests.worlds.statement_examples import statement
from tests.worlds.wiring import wired

LIST = f"{ORGANIZATION}/accounts"
READS = ("get_item", "query", "batch_get_item")
SANDBOX = PaymentSettings(processor=Processor.SANDBOX)


@pytest.fixture(autouse=True)
def memory(aws: None, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A table in memory, which both functions have, with an organization of two partners each."""
    ledger = Ledger()
    ledger.organizations.create(organization(payments=SANDBOX))
    ledger.organizations.create(organization(org_id="org_2", client_id="SOUTH", partner_id="prt_2"))
    monkeypatch.setattr(clients, "dynamodb", lambda: ledger.table)
    wired(monkeypatch, ingest_ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    wired(monkeypatch, manage_ports, TABLE_NAME=TABLE, ALLOW_SIMULATED_TIME="true")
    return ledger


@pytest.fixture
def books(memory: Ledger) -> AccountBooks:
    """The account books as the functions that have the key write them."""
    return manage_ports().books


def guarantor(number: int, **changes: Any) -> Account:
    """Somebody of whom nobody else has the number, address or date of birth."""
    facts: dict[str, Any] = {
        "guarantor_id": f"G-{number}",
        "last_name": f"Sample{'abcdefghij'[number % 10]}",
        "email": f"person{number}@example.com",
        "mobile_phone": f"+1518{5550100 + number:07}",
        "date_of_birth": date(1940, 1, 1) + timedelta(days=number),
    }
    return replace(account(account_id=f"G-{number}"), guarantor=replace(account().guarantor, **(facts | changes)))


def person(books: AccountBooks, number: int = 1, owes: int = 74_60, **changes: Any) -> None:
    """An account of a guarantor with a bill."""
    one = bill(f"S-{number}", balance=owes, patient_account_ids=(f"P-{number}",), patient_names=("Kidd",))
    books.commit(Change(account=guarantor(number, **changes), bills=(one,)))


def find(term: str, more: str = "", caller: Any = OWN) -> list[str]:
    """The accounts that a search finds, over all its pages."""
    found, cursor = list[str](), ""
    while True:
        answer = caller.call("GET", f"{LIST}?search={term.replace('+', '%2B').replace(' ', '%20')}{more}{cursor}")
        assert answer.status == 200, answer.body
        found += [item["accountId"] for item in answer.body["items"]]
        if answer.body["nextCursor"] is None:
            return found
        cursor = f"&cursor={answer.body['nextCursor']}"


# --- by what an account is found ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "term",
    [
        "Me", "mend", "MÉNDEZ", "mendez ru", "Méndez-Ruiz", "ki", "Kidd",
        "+15185550101", "(518) 555-0101", "518.555.0101", "1 518 555 0101", "518-555-0199",
        "Ada@Example.com", "1980-02-29", "2/29/1980", "02/29/1980", "2015-06-07",
        "S-1", "P-1", "p-1", " P-1 ",
    ],
)  # fmt: skip
def test_an_account_is_found_however_what_is_known_of_it_is_written(books: AccountBooks, term: str) -> None:
    person(
        books,
        last_name="Méndez Ruiz",
        email="ada@example.com",
        home_phone="+15185550199",
        date_of_birth=date(1980, 2, 29),
    )
    person(books, 2, last_name="Sample")
    assert [each for each in find(term) if each != "G-2"] == ["G-1"]


@pytest.mark.parametrize("term", ["mz", "endez", "+15185550102", "5550101", "ada@example", "1980-02-28", "S-0", "P-10"])
def test_what_is_another_or_only_a_part_finds_nothing(books: AccountBooks, term: str) -> None:
    person(books, last_name="Mendez", email="ada@example.com")
    assert find(term) == []


def test_a_bill_code_finds_its_account_at_its_own_organization_only(books: AccountBooks) -> None:
    issued = new_payment_link(
        org_id="org_1",
        account_id="G-1",
        now=NOW,
        lives=timedelta(days=30),
        random=token_bytes,
        with_code=True,
    )
    books.commit(Change(account=guarantor(1), bills=(bill(),), links=(issued.link,)))
    assert find(issued.code) == find(issued.code.lower()) == ["G-1"]
    foreign = FOREIGN.get(f"/v1/organizations/org_2/accounts?search={issued.code}")
    assert (foreign.status, foreign.body["items"]) == (200, [])


def test_the_same_person_at_another_organization_is_not_found(books: AccountBooks) -> None:
    person(books)
    for term in ("samplea", "sampleb", "person1@example.com", "S-1", "P-1"):
        assert FOREIGN.get(f"/v1/organizations/org_2/accounts?search={term}").body["items"] == []


def test_an_account_of_several_names_that_begin_alike_is_found_once(books: AccountBooks) -> None:
    names = ("Samson", "Samuels", "Sam")
    books.commit(Change(account=guarantor(1), bills=(bill(patient_names=names), bill("S-2", patient_names=names))))
    for limit in (1, 2, 50):
        assert find("sam", f"&limit={limit}") == ["G-1"]


def test_one_that_is_found_by_number_and_by_statement_is_shown_with_the_other(books: AccountBooks) -> None:
    """Practices number statements and patients apart, often alike."""
    books.commit(Change(account=guarantor(1), bills=(bill("1001", patient_account_ids=("7",)),)))
    books.commit(Change(account=guarantor(2), bills=(bill("2002", patient_account_ids=("1001",)),)))
    assert sorted(find("1001")) == ["G-1", "G-2"]


@pytest.mark.parametrize(
    "query",
    [
        "search=x",
        "search=",
        "search=%20",
        f"search={'x' * 255}",
        "search=a%07b",
        "owing=false",
        "search=ab&sort=newest",
    ],
)
def test_what_cannot_be_asked_is_refused_without_repeating_it(query: str) -> None:
    answer = OWN.get(f"{LIST}?{query}")
    assert answer.status == 400
    assert "x" * 20 not in answer.text


# --- exactly what is so now -----------------------------------------------------------------------------------------

NAMES = ("Adams", "Adamson", "Ader", "Bell", "O'Bell")
PATCHES: tuple[dict[str, Any], ...] = (
    {"contact": {"lastName": "Adamson"}},
    {"contact": {"email": "new@example.com", "mobilePhone": "+15185550142"}},
    {"contact": {"dateOfBirth": None, "homePhone": ""}},
)


def step(chance: random.Random) -> str:
    """Something that practices do: a statement that is new, changed or under another guarantor, or a correction.

    Answers what it came to.
    """
    if chance.random() < 0.25:
        return str(OWN.patch(f"{LIST}/G-{chance.randrange(3)}", chance.choice(PATCHES)).status)
    number = chance.randrange(3)
    one = statement(
        f"S-{chance.randrange(4)}",
        totalBalance=chance.choice(["0.00", "5.00", "74.60"]),
        guarantor__guarantorId=chance.choice([f"G-{number}", f"G-{number}", ""]),
        guarantor__lastName=chance.choice(NAMES),
        guarantor__email=chance.choice(["", f"g{number}@example.com"]),
        guarantor__mobilePhone=chance.choice(["", "518-555-0141", "518-555-0142"]),
        patients__0__accountId=f"P-{chance.randrange(3)}",
        patients__0__lastName=chance.choice(NAMES),
        patients__0__dateOfBirth=chance.choice(["2015-06-07", "2016-07-08"]),
    )
    schema = chance.choice(["ppay-episodic", "ppay-lifetime"])
    (result,) = results(Partner().send(one, schema=schema, version="1.0.0"))
    return f"{schema} {result}"


def accounts_in(memory: Ledger) -> list[AccountBook]:
    ids = {
        keys.account_id_of(item["pk"]["S"])
        for item in memory.table.items.values()
        if item["pk"]["S"].startswith("A#org_1#")
    }
    return [memory.book(account_id) for account_id in sorted(ids)]


def said_of(book: AccountBook) -> tuple[set[str], set[str]]:
    """Last names, and the rest, as the account and the documents of its bills have them."""
    here = [json.loads(each.document) for each in book.bills if not each.moved_to]
    patients = [patient for document in here for patient in document["patients"]]
    owes = book.account.guarantor
    born = {str(owes.date_of_birth)} if owes.date_of_birth else set[str]()
    names = {owes.last_name, *(patient["lastName"] for patient in patients)}
    rest = {owes.email, owes.mobile_phone, owes.home_phone, *born, *(patient["accountId"] for patient in patients)}
    return {name.replace("'", "").lower() for name in names}, {
        *rest,
        *(patient["dateOfBirth"] for patient in patients),
    } - {""}


@pytest.mark.parametrize("seed", range(12))
def test_after_whatever_happened_exactly_those_are_found_of_whom_it_is_so(memory: Ledger, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - any sequence will do
    asked, came_to = set[str](), set[str]()
    for _ in range(40):
        came_to.add(step(chance))
        now = accounts_in(memory)
        hashes = SearchHashes(manage_ports().search_key(), "org_1")
        for book in now:
            assert book.search_entries == hashes.entries(search_facts(book))
        asked |= {fact for book in now for fact in said_of(book)[1]}
    assert {"200", "ppay-episodic Updated", "ppay-lifetime Updated"} <= came_to
    assert any(each.moved_to for book in accounts_in(memory) for each in book.bills)
    everything = {book.account.account_id: said_of(book) for book in accounts_in(memory)}
    for fact in asked:
        having = {name for name, (_, rest) in everything.items() if fact in rest}
        assert set(find(fact)) == having, fact
    for beginning in ("ad", "adams", "adamso", "be", "ob", "zz"):
        having = {name for name, (names, _) in everything.items() if any(each.startswith(beginning) for each in names)}
        assert sorted(find(beginning)) == sorted(having), beginning


def test_a_change_too_large_for_one_transaction_brings_and_takes_its_entries(
    memory: Ledger, books: AccountBooks
) -> None:
    many = tuple(
        bill(f"S-{n}", patient_account_ids=(f"P-{n}",), patient_names=(f"Name{'abcdefghijklmnop'[n % 16]}",))
        for n in range(150)
    )
    books.commit(Change(account=guarantor(1), bills=many))
    assert find("P-149") == find("namep") == ["G-1"]
    book = memory.book()
    gone = tuple(replace(each, moved_to="G-2") for each in book.bills)
    books.commit(Change(account=book.account, bills=gone), book)
    assert find("P-149") == find("namep") == []
    assert find("person1@example.com") == ["G-1"]


def test_accounts_from_before_are_found_from_their_next_statement_on(memory: Ledger) -> None:
    """They get their entries with it, as many accounts a transaction as new ones, and no large changes."""
    guarantors = [{"guarantor__guarantorId": f"G-{n}", "patients__0__accountId": f"P-{n}"} for n in range(20)]
    Partner().send(*[statement(f"S-{n}", **each) for n, each in enumerate(guarantors)])
    for place in [place for place in memory.table.items if place[1].startswith(keys.SEARCH_ENTRY_SORT)]:
        del memory.table.items[place]
    for book in accounts_in(memory):
        before = items.account_item(replace(book.account, summary=NOT_SUMMARIZED))
        memory.table.items[before["pk"]["S"], keys.ROOT] = before
    assert find("exam") == OWN.get(LIST).body["items"] == []
    made = list[str]()
    memory.table.at = made.append
    Partner().send(*[statement(f"S-{n}", totalBalance="5.00", **each) for n, each in enumerate(guarantors)])
    assert made.count("transact_write_items") == 2
    assert len(find("exam")) == len(OWN.get(LIST).body["items"]) == 20
    assert find("P-7") == ["G-7"]


# --- how many reads -------------------------------------------------------------------------------------------------


def read_by(memory: Ledger, ask: Callable[[], Reply]) -> tuple[int, Reply]:
    """How many reads a request takes, in a process that has its keys."""
    made = list[str]()
    memory.table.at = made.append
    answer = ask()
    memory.table.at = lambda _: None
    return sum(1 for call in made if call.startswith(READS)), answer


@pytest.mark.parametrize("accounts", [100, 3_000])
def test_a_search_is_five_reads_at_most_whatever_the_number_of_accounts(
    memory: Ledger, books: AccountBooks, accounts: int
) -> None:
    code = new_payment_link(
        org_id="org_1",
        account_id="G-5",
        now=NOW,
        lives=timedelta(days=30),
        random=token_bytes,
        with_code=True,
    )
    for number in range(accounts):
        waiting = notice(notice_id=f"ntc_{number}", account_id=f"G-{number}")
        one = bill(f"S{number:09}", patient_account_ids=(f"P{number:09}",), patient_names=("Kidd",))
        links = (code.link,) if number == 5 else ()
        books.commit(Change(account=guarantor(number), bills=(one,), notices=(waiting,), links=links))
    OWN.get(f"{LIST}?search=kidd&limit=1")  # the keys are read
    terms = [
        "kidd", "sampleb", "nobody", "person7@example.com", "518-555-0107", "1940-01-08", "P000000007", "S000000007",
        "Z000000007", "SMITHJONES", "smith-jones", "S000000099", code.code, "2015-06-07",
    ]  # fmt: skip
    for term in terms:
        for limit in (50, 100):
            reads, answer = read_by(memory, partial(OWN.get, f"{LIST}?search={term}&limit={limit}"))
            assert answer.status == 200
            assert reads <= 5, term
    reads, answer = read_by(memory, lambda: OWN.get(LIST))
    assert (reads <= 5, len(answer.body["items"])) == (True, 50)


def test_a_new_account_costs_so_many_write_units(memory: Ledger) -> None:
    """Two for each item of a transaction, and one for each index that it is in (docs/rules.md#account-search)."""
    before = set(memory.table.items)
    Partner().send(statement())
    indexes = ("due_shard", "org_pk", "statement_pk")
    units = {
        key: 2 + sum(index in item for index in indexes)
        for key, item in memory.table.items.items()
        if key not in before and key[0].startswith(("A#", "S#"))
    }
    entries = [cost for (_, sort), cost in units.items() if sort.startswith(keys.SEARCH_ENTRY_SORT)]
    assert (sum(entries), sum(units.values())) == (21, 31)


# --- nothing readable -----------------------------------------------------------------------------------------------


def test_no_key_and_no_log_can_be_read(memory: Ledger, books: AccountBooks, capsys: pytest.CaptureFixture[str]) -> None:
    canaries = ("quetzalcoatl", "canary", "5550177", "1961", "12-31", "99887766")
    person(
        books,
        last_name="Quetzalcoatl",
        email="canary@example.com",
        mobile_phone="+15185550177",
        date_of_birth=date(1961, 12, 31),
        owes=99_887_766,
    )
    for term in ("quetzal", "canary@example.com", "518-555-0177", "12/31/1961"):
        assert find(term) == ["G-1"]
    written = capsys.readouterr()
    for item in memory.table.items.values():
        readable = " ".join(value["S"] for value in item.values() if "S" in value).lower()
        assert not [canary for canary in canaries if canary in readable]
    assert not [canary for canary in canaries if canary in (written.out + written.err).lower()]


def test_names_that_differ_have_nothing_in_common_but_their_beginning() -> None:
    hashes = SearchHashes(b"k" * 32, "org_1")
    assert hashes.name("sampson").startswith(hashes.name("samp"))
    assert not hashes.name("sampson").startswith(hashes.name("samuel"))
    assert hashes.name("sampson")[17:] != hashes.name("dampson")[17:]
    assert hashes.name("sampson") != SearchHashes(b"k" * 32, "org_2").name("sampson")


# --- who owes -------------------------------------------------------------------------------------------------------


def test_who_owes_is_listed_by_the_oldest_unpaid_bill_page_by_page(books: AccountBooks) -> None:
    for number, days in enumerate([5, 40, 0, 20]):
        since = NOW.date() - timedelta(days=days)
        books.commit(Change(account=guarantor(number), bills=(bill(f"S-{number}", effective_created_date=since),)))
    person(books, 9, owes=0)
    listed, cursor = list[str](), ""
    while True:
        page = OWN.get(f"{LIST}?limit=3{cursor}").body
        listed += [item["accountId"] for item in page["items"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert listed == ["G-1", "G-3", "G-0", "G-2"]
    newest = OWN.get(f"{LIST}?sort=newest&owing=true").body
    assert [item["accountId"] for item in newest["items"]] == listed[::-1]
    assert newest["total"] == 4


def test_a_row_says_how_the_account_stands(books: AccountBooks) -> None:
    old = bill("S-2", balance=10_00, effective_created_date=NOW.date() - timedelta(days=31))
    sent = moved(notice(), NoticeStatus.SENT, NOW, "send_email", sent_at=NOW)
    coming = notice(notice_id="ntc_2", channel=Channel.SMS, scheduled_for=NOW + timedelta(days=1))
    books.commit(
        Change(
            account=guarantor(1, first_name="Ada"),
            bills=(bill(), old, bill("S-3", balance=-5_00)),
            notices=(sent, coming),
        )
    )
    OWN.post(f"{ACCOUNT}/holds", {"hold": "Dispute", "reason": "asked"})
    (row,) = OWN.get(LIST).body["items"]
    assert row["guarantorName"] == "Ada Sampleb"
    assert (row["balance"], row["pastDue"], row["credit"], row["openBills"]) == ("84.60", "10.00", "5.00", 2)
    assert (row["holds"], row["payNow"], row["owingSince"]) == (["Dispute"], True, "2026-01-30")
    assert row["lastNotice"]["notificationId"] == "ntc_1"
    assert row["nextNotice"] is None  # the hold stopped it


def test_a_notice_that_went_meanwhile_is_the_last_and_not_the_next(memory: Ledger, books: AccountBooks) -> None:
    books.commit(Change(account=guarantor(1), bills=(bill(),), notices=(notice(),)))
    (row,) = OWN.get(LIST).body["items"]
    assert (row["nextNotice"]["notificationId"], row["lastNotice"]) == ("ntc_1", None)
    waiting = memory.row()
    assert memory.rows.move(waiting, moved(waiting, NoticeStatus.QUEUED, NOW, "scheduler"))
    sending = memory.row()
    assert memory.rows.move(sending, replace(moved(sending, NoticeStatus.SENDING, NOW, "send_email"), attempt=1))
    went = memory.row()
    assert memory.rows.move(went, moved(went, NoticeStatus.SENT, NOW, "send_email", sent_at=NOW))
    (row,) = OWN.get(LIST).body["items"]
    assert (row["nextNotice"], row["lastNotice"]["notificationId"]) == (None, "ntc_1")


def test_who_has_paid_is_no_longer_listed_and_nobody_is_asked_to_pay_nothing(books: AccountBooks) -> None:
    person(books)
    paid = {"amount": "74.60", "method": "cash", "receivedOn": "2026-03-02"}
    assert OWN.post(f"{ORGANIZATION}/bills/S-1/payments", paid).status == 201
    assert OWN.get(LIST).body["items"] == []
    (row,) = OWN.get(f"{LIST}?search=sampleb").body["items"]
    assert (row["balance"], row["payNow"], row["owingSince"]) == ("0.00", False, None)
    assert find("sampleb", "&owing=true") == []
    assert find("sampleb", "&owing=false") == ["G-1"]


def test_pay_now_needs_a_way_to_pay_online(memory: Ledger, books: AccountBooks) -> None:
    person(books)
    assert OWN.get(LIST).body["items"][0]["payNow"] is True
    OWN.patch(ORGANIZATION, {"payments": {"processor": "none"}})
    assert OWN.get(LIST).body["items"][0]["payNow"] is False


def test_the_list_is_narrowed_to_a_hold_as_it_stands_on_the_day(books: AccountBooks) -> None:
    for number in range(3):
        person(books, number)
    ended = replace(OWN, at=NOW + timedelta(days=8))
    OWN.post(f"{LIST}/G-1/holds", {"hold": Hold.DISPUTE, "reason": "asked", "until": "2026-03-09"})
    assert [item["accountId"] for item in OWN.get(f"{LIST}?hold=Dispute").body["items"]] == ["G-1"]
    assert ended.get(f"{LIST}?hold=Dispute").body["items"] == []


@pytest.mark.parametrize("query", ["", "?search=sample"])
def test_a_cursor_of_another_list_is_refused(books: AccountBooks, query: str) -> None:
    for number in range(0, 30, 10):
        person(books, number)
    cursor = OWN.get(f"{LIST}{query}{'&' if query else '?'}limit=1").body["nextCursor"]
    assert cursor
    assert OWN.get(f"{LIST}?search=ki&cursor={cursor}").status == 400
