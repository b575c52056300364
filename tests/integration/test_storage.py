"""The table: account books, the ledger, the due index and single records."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.domain.account.reconciliation import lease_ended
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import moved
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import NoticeStatus
from shared.storage import keys
from shared.storage.account_books import AccountBooks, ConcurrentChangeError, NoSuchAccountError
from shared.storage.due_index import DUE_PAGE, Due, DueAccount, DueIndex, DueNotice
from shared.storage.idempotency import IdempotencyRecords, InFlightError, KeyReusedError, StoredAnswer, TakenKey
from shared.storage.links import Links
from shared.storage.notices import Notices
from shared.storage.organizations import ClientIdTakenError, OrganizationChangedError, Organizations
from shared.storage.races import BusyError
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, account, bill, book, notice, organization

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LATER = NOW + timedelta(minutes=15)
LINK = PaymentLink(
    link_id="lnk_1",
    org_id="org_1",
    account_id="G-1",
    token_hash="hash-of-token",
    code_hash="hash-of-code",
    created_at=NOW,
    expires_at=NOW + timedelta(days=30),
)
PAYMENT = Payment(payment_id="pay_1", amount=10_00, method="card", received_on=NOW.date(), posted_at=NOW)
CHECKOUT = Checkout(reference="dln_1", org_id="org_1", account_id="G-1", link_id="lnk_1", amount=10_00, created_at=NOW)
EVENT = HistoryEvent(at=NOW, event="ContactChanged", actor="key:k1")


@pytest.fixture
def books(dynamodb: "DynamoDBClient") -> AccountBooks:
    return AccountBooks(dynamodb, TABLE)


@pytest.fixture
def notices(dynamodb: "DynamoDBClient") -> Notices:
    return Notices(dynamodb, TABLE)


def stored(books: AccountBooks, **belongings: Any) -> None:
    books.commit(Change(account=account(planning_at=NOW), bills=(bill(),), notices=(notice(),), **belongings))


def test_a_book_is_read_back_as_it_was_written(books: AccountBooks) -> None:
    stored(books, links=(LINK,))
    read = books.load("org_1", "G-1")
    assert read == book(
        account=account(planning_at=NOW, version=1), bills=(bill(),), notices=(notice(),), links=(LINK,)
    )


def test_an_account_that_was_never_written_is_none(books: AccountBooks) -> None:
    assert books.load("org_1", "nobody") is None


def test_an_account_id_may_hold_the_key_separator(books: AccountBooks) -> None:
    books.commit(Change(account=account(account_id="A#1#2"), bills=(bill(),)))
    assert books.account_of("org_1", keys.bill_lookup("S-1")) == "A#1#2"


def test_of_two_changes_decided_on_one_version_the_second_is_refused(books: AccountBooks) -> None:
    stored(books)
    read = books.load("org_1", "G-1")
    assert read is not None
    books.commit(Change(account=read.account, bills=(bill(balance=1),)))
    with pytest.raises(ConcurrentChangeError):
        books.commit(Change(account=read.account, bills=(bill(balance=2),)))
    after = books.load("org_1", "G-1")
    assert after is not None
    assert after.bills[0].balance == 1


def test_an_account_cannot_be_created_twice(books: AccountBooks) -> None:
    stored(books)
    with pytest.raises(ConcurrentChangeError):
        stored(books)


def test_a_change_that_loses_a_race_is_decided_again_on_what_won(books: AccountBooks) -> None:
    stored(books)
    seen = []

    def decide(read: object) -> Change:
        current = books.load("org_1", "G-1")
        assert current is not None
        seen.append(current.bills[0].balance)
        if len(seen) == 1:
            books.commit(Change(account=current.account, bills=(bill(balance=1),)))
        assert hasattr(read, "account")
        return Change(account=read.account, bills=(bill(balance=seen[-1] + 5),))

    books.change("org_1", "G-1", decide)
    assert seen == [74_60, 1]
    after = books.load("org_1", "G-1")
    assert after is not None
    assert after.bills[0].balance == 6


def test_a_change_that_never_wins_is_given_up_and_writes_nothing(books: AccountBooks) -> None:
    stored(books)
    with pytest.raises(BusyError):
        books.change("org_1", "G-1", lambda _: Change(account=account(version=99), bills=(bill(balance=1),)))
    after = books.load("org_1", "G-1")
    assert after is not None
    assert after.bills[0].balance == 74_60


def test_the_book_that_a_change_answers_is_the_one_read_afterwards(books: AccountBooks) -> None:
    """Whatever the change wrote: so nobody who changed something reads it again."""
    stored(books, links=(LINK,), history=(EVENT,))
    at = NOW + timedelta(minutes=1)
    answered = books.change(
        "org_1",
        "G-1",
        lambda book: Change(
            account=replace(book.account, credit=5_00),
            bills=(bill(balance=1), bill("S-2")),
            notices=tuple(moved(row, NoticeStatus.CANCELLED, at, "key:k1", "by hand") for row in book.notices),
            payments=(PAYMENT,),
            links=(replace(LINK, sent_to="m***"), replace(LINK, link_id="lnk_2", token_hash="other", code_hash="")),
            checkouts=(CHECKOUT,),
            history=(replace(EVENT, at=at), replace(EVENT, at=at, event="Other")),
        ),
    )
    read = books.load("org_1", "G-1")
    assert read == answered
    assert [row.moves_read for row in answered.notices] == [row.moves_read for row in read.notices] == [1]


def test_a_change_can_be_decided_on_the_book_that_the_one_before_answered(books: AccountBooks) -> None:
    stored(books)
    cancelled = books.change(
        "org_1",
        "G-1",
        lambda book: Change(
            account=book.account, notices=(moved(book.notices[0], NoticeStatus.CANCELLED, NOW, "key:k1"),)
        ),
    )
    archived = moved(cancelled.notices[0], NoticeStatus.ARCHIVED, LATER, "key:k1")
    books.commit(Change(account=cancelled.account, notices=(archived,)))
    read = books.load("org_1", "G-1")
    assert read is not None
    assert read.notices == (archived,)


def test_a_decision_that_changes_nothing_answers_the_book_as_it_is(books: AccountBooks) -> None:
    stored(books)
    assert books.change("org_1", "G-1", lambda _: None) == books.load("org_1", "G-1")


def test_what_else_a_decision_answers_is_that_of_the_attempt_that_won(books: AccountBooks) -> None:
    stored(books)
    balances = list[int]()

    def decide(read: AccountBook) -> tuple[Change, int]:
        balances.append(read.bills[0].balance)
        if len(balances) == 1:
            books.commit(Change(account=read.account, bills=(bill(balance=1),)))
        return Change(account=read.account, bills=(bill(balance=9),)), balances[-1]

    book_now, result = books.decide("org_1", "G-1", decide)
    assert (book_now.bills[0].balance, result, balances) == (9, 1, [74_60, 1])


def test_an_account_that_is_not_there_cannot_be_changed(books: AccountBooks) -> None:
    with pytest.raises(NoSuchAccountError):
        books.change("org_1", "nobody", lambda book: Change(account=book.account))


def test_bills_are_found_by_statement_a_page_of_neighbours_at_a_time(books: AccountBooks) -> None:
    books.commit(Change(account=account(), bills=tuple(bill(f"S-{n:03}") for n in range(90))))
    sought = [keys.bill_lookup(f"S-{n:03}") for n in range(0, 120, 7)]
    assert set(books.accounts_of("org_1", sought)) == {key for key in sought if key < keys.bill_lookup("S-090")}
    assert books.accounts_of("org_2", sought) == {}


def test_a_row_moves_only_from_the_status_and_attempt_that_it_was_read_at(
    books: AccountBooks, notices: Notices
) -> None:
    stored(books)
    queued = moved(notice(), NoticeStatus.QUEUED, NOW, "scheduler", lease_until=LATER)
    assert notices.move(notice(), queued)
    assert not notices.move(notice(), queued)
    assert not notices.move(replace(queued, attempt=1), moved(queued, NoticeStatus.SENT, NOW, "test"))
    assert notices.load("org_1", "G-1", "ntc_1") == queued


def test_of_two_schedulers_that_give_an_ended_lease_back_one_succeeds(books: AccountBooks, notices: Notices) -> None:
    stored(books)
    queued = moved(notice(), NoticeStatus.QUEUED, NOW, "scheduler", lease_until=NOW)
    assert notices.move(notice(), queued)
    again = lease_ended(queued, NOW, LATER)
    assert [notices.move(queued, again) for _ in range(2)] == [True, False]


def test_a_change_never_overwrites_a_row_that_moved_since_it_was_read(books: AccountBooks, notices: Notices) -> None:
    stored(books)
    read = books.load("org_1", "G-1")
    assert read is not None
    (row,) = read.notices
    queued = moved(notice(), NoticeStatus.QUEUED, NOW, "scheduler", lease_until=LATER)
    assert notices.move(notice(), queued)
    with pytest.raises(ConcurrentChangeError):
        books.commit(Change(account=read.account, notices=(moved(row, NoticeStatus.CANCELLED, NOW, "staff"),)))
    assert notices.load("org_1", "G-1", "ntc_1") == queued


def test_a_notice_is_born_once(books: AccountBooks) -> None:
    stored(books)
    read = books.load("org_1", "G-1")
    assert read is not None
    with pytest.raises(ConcurrentChangeError):
        books.commit(Change(account=read.account, notices=(notice(),)))


def test_a_claim_fails_when_the_account_changed_since_it_was_judged(books: AccountBooks, notices: Notices) -> None:
    stored(books)
    judged = books.load("org_1", "G-1")
    assert judged is not None
    books.commit(Change(account=judged.account, bills=(bill(balance=0),)))
    sending = moved(notice(), NoticeStatus.SENDING, NOW, "email", attempt=1, lease_until=LATER)
    assert not notices.claim(notice(), sending, judged.account, (LINK,))
    assert notices.load("org_1", "G-1", "ntc_1") == notice()


def test_a_claim_makes_changes_fail_that_were_decided_before_it(books: AccountBooks, notices: Notices) -> None:
    stored(books)
    read = books.load("org_1", "G-1")
    assert read is not None
    sending = moved(notice(), NoticeStatus.SENDING, NOW, "email", attempt=1, lease_until=LATER)
    assert notices.claim(notice(), sending, read.account, (LINK,))
    cancelled = moved(notice(), NoticeStatus.CANCELLED, NOW, "test")
    with pytest.raises(ConcurrentChangeError):
        books.commit(Change(account=read.account, notices=(cancelled,)))
    assert notices.load("org_1", "G-1", "ntc_1") == sending


def test_a_notice_can_be_claimed_once(books: AccountBooks, notices: Notices) -> None:
    stored(books)
    read = books.load("org_1", "G-1")
    assert read is not None
    sending = moved(notice(), NoticeStatus.SENDING, NOW, "email", attempt=1, lease_until=LATER)
    assert [notices.claim(notice(), sending, read.account, ()) for _ in range(2)] == [True, False]


def test_a_claimed_notices_link_is_found_by_its_token_and_by_its_bill_code(
    books: AccountBooks, notices: Notices, dynamodb: "DynamoDBClient"
) -> None:
    stored(books)
    read = books.load("org_1", "G-1")
    assert read is not None
    notices.claim(notice(), moved(notice(), NoticeStatus.SENDING, NOW, "email", attempt=1), read.account, (LINK,))
    links = Links(dynamodb, TABLE)
    owners = [links.by_secret_hash(secret) for secret in ("hash-of-token", "hash-of-code", "other")]
    assert [owner.link_id if owner else None for owner in owners] == ["lnk_1", "lnk_1", None]


def everything_due(dynamodb: "DynamoDBClient", now: datetime) -> set[Due]:
    index = DueIndex(dynamodb, TABLE)
    return {item for shard in index.shards() for item in index.sweep(shard, now).due}


def test_what_is_due_is_in_the_index_until_it_is_done(
    books: AccountBooks, notices: Notices, dynamodb: "DynamoDBClient"
) -> None:
    stored(books)
    assert everything_due(dynamodb, NOW) == {DueAccount("org_1", "G-1"), DueNotice("org_1", "G-1", "ntc_1")}
    queued = moved(notice(), NoticeStatus.QUEUED, NOW, "scheduler", lease_until=LATER)
    notices.move(notice(), queued)
    read = books.load("org_1", "G-1")
    assert read is not None
    books.commit(Change(account=replace(read.account, planning_at=None)))
    assert everything_due(dynamodb, NOW) == set()
    assert everything_due(dynamodb, LATER) == {DueNotice("org_1", "G-1", "ntc_1")}
    notices.move(queued, moved(queued, NoticeStatus.SENT, NOW, "email"))
    assert everything_due(dynamodb, LATER) == set()


def test_a_sweep_says_when_the_next_thing_is_due(books: AccountBooks, dynamodb: "DynamoDBClient") -> None:
    books.commit(Change(account=account(planning_at=LATER)))
    index = DueIndex(dynamodb, TABLE)
    nexts = {index.sweep(shard, NOW).next_due_at for shard in index.shards()}
    assert nexts == {None, LATER}


def test_a_sweep_reads_one_page_and_claims_no_end_while_more_is_due(
    books: AccountBooks, dynamodb: "DynamoDBClient"
) -> None:
    same_shard = [f"G-{n}" for n in range(2000) if keys.due_shard(keys.collection("org_1", f"G-{n}")) == "D#0"]
    for account_id in same_shard[: DUE_PAGE + 1]:
        books.commit(Change(account=account(account_id=account_id, planning_at=NOW)))
    found = DueIndex(dynamodb, TABLE).sweep("D#0", NOW)
    assert (len(found.due), found.next_due_at) == (DUE_PAGE, None)


def test_a_client_id_belongs_to_one_organization_of_all_partners(dynamodb: "DynamoDBClient") -> None:
    organizations = Organizations(dynamodb, TABLE)
    organizations.create(organization())
    with pytest.raises(ClientIdTakenError):
        organizations.create(organization(org_id="org_2", partner_id="prt_2"))
    assert organizations.by_client_id("prt_1", "NORTH") == organization(version=1)
    assert organizations.by_client_id("prt_1", "north") is None
    assert organizations.by_client_id("prt_2", "NORTH") is None
    assert organizations.of_partner("prt_2", "org_1") is None


def test_an_organization_changed_meanwhile_is_not_overwritten(dynamodb: "DynamoDBClient") -> None:
    organizations = Organizations(dynamodb, TABLE)
    first = organizations.create(organization())
    organizations.save(replace(first, name="Renamed"))
    with pytest.raises(OrganizationChangedError):
        organizations.save(replace(first, name="Lost"))
    assert [found.name for found in organizations.list("prt_1")] == ["Renamed"]


ANSWER = StoredAnswer(status=200, content_type="application/json", body='{"ok": true}')


def test_a_repeat_with_the_same_key_gets_the_first_answer(dynamodb: "DynamoDBClient") -> None:
    records = IdempotencyRecords(dynamodb, TABLE)
    taken = records.begin("prt_1", "k", b"body", NOW)
    assert isinstance(taken, TakenKey)
    records.finish("prt_1", "k", b"body", ANSWER, NOW)
    assert records.begin("prt_1", "k", b"body", NOW) == ANSWER
    others = records.begin("prt_2", "k", b"body", NOW)
    assert isinstance(others, TakenKey)
    assert others.seed != taken.seed


def test_a_key_in_use_is_refused_to_a_repeat_and_to_another_body(dynamodb: "DynamoDBClient") -> None:
    records = IdempotencyRecords(dynamodb, TABLE)
    records.begin("prt_1", "k", b"body", NOW)
    with pytest.raises(InFlightError):
        records.begin("prt_1", "k", b"body", NOW)
    with pytest.raises(KeyReusedError):
        records.begin("prt_1", "k", b"other", NOW)


def test_a_key_whose_request_died_can_be_taken_again_by_the_same_request(dynamodb: "DynamoDBClient") -> None:
    records = IdempotencyRecords(dynamodb, TABLE)
    first = records.begin("prt_1", "k", b"body", NOW)
    assert records.begin("prt_1", "k", b"body", NOW + timedelta(minutes=3)) == first
    with pytest.raises(InFlightError):
        records.begin("prt_1", "k", b"body", NOW + timedelta(minutes=4))
    with pytest.raises(KeyReusedError):
        records.begin("prt_1", "k", b"other", NOW + timedelta(minutes=9))


def test_a_key_whose_request_failed_can_be_taken_again_at_once_and_knows_what_that_did(
    dynamodb: "DynamoDBClient",
) -> None:
    records = IdempotencyRecords(dynamodb, TABLE)
    first = records.begin("prt_1", "k", b"body", NOW)
    assert isinstance(first, TakenKey)
    records.give_up("prt_1", "k", b"body", first, NOW)
    with pytest.raises(KeyReusedError):
        records.begin("prt_1", "k", b"other", NOW)
    assert records.begin("prt_1", "k", b"body", NOW) == first


def test_a_key_that_was_given_back_is_new_to_any_request(dynamodb: "DynamoDBClient") -> None:
    records = IdempotencyRecords(dynamodb, TABLE)
    first = records.begin("prt_1", "k", b"body", NOW)
    records.release("prt_1", "k")
    second = records.begin("prt_1", "k", b"other", NOW)
    assert isinstance(second, TakenKey)
    assert second != first


def test_neither_gives_an_answer_away_that_was_kept_meanwhile(dynamodb: "DynamoDBClient") -> None:
    """By a try that took the key when this one's lease had ended."""
    records = IdempotencyRecords(dynamodb, TABLE)
    taken = records.begin("prt_1", "k", b"body", NOW)
    assert isinstance(taken, TakenKey)
    records.finish("prt_1", "k", b"body", ANSWER, NOW)
    records.release("prt_1", "k")
    records.give_up("prt_1", "k", b"body", taken, NOW)
    assert records.begin("prt_1", "k", b"body", NOW) == ANSWER


def test_giving_up_a_key_that_is_gone_makes_none(dynamodb: "DynamoDBClient") -> None:
    IdempotencyRecords(dynamodb, TABLE).give_up("prt_1", "k", b"body", TakenKey("seed"), NOW)
    assert dynamodb.scan(TableName=TABLE)["Count"] == 0


def test_nothing_personal_can_be_read_from_an_item_without_unpacking_it(
    books: AccountBooks, dynamodb: "DynamoDBClient"
) -> None:
    stored(books, links=(LINK,))
    text = str(dynamodb.scan(TableName=TABLE)["Items"])
    assert "Ada" not in text
    assert "ada@example.com" not in text
    assert "5185550111" not in text
