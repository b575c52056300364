"""The crash harness's own judgement: that it sees what it is there to see."""

import json
from dataclasses import replace
from typing import Any

import pytest

from local.chaos.calls import AwsRequest, Call, InjectedFault, Kind, described
from local.chaos.cell import Cell, CellOutcome, EventMode
from local.chaos.functions import Invocation
from local.chaos.large_posting import PostingCell, PostingOutcome, posting_table, posting_violations
from local.chaos.matrix import judged, table
from local.chaos.plan import kinds_at, points
from local.chaos.providers import Acceptance
from local.chaos.verdict import violations
from shared.domain.records.book import AccountBook
from shared.domain.records.payment import Payment
from shared.domain.vocabulary.words import BillStatus, Channel, NoticeStatus
from tests.worlds.examples import NOW, account, bill, notice

CRASH = InjectedFault("send_email", 1, 4, Kind.KILL_AFTER)
SENT = notice(status=NoticeStatus.SENT, attempt=1)
UNKNOWN = notice(status=NoticeStatus.UNKNOWN, attempt=1)
ONCE = (Acceptance("message-1"),)
TWICE = (*ONCE, Acceptance("message-2"))


def outcome(channel: Channel = Channel.EMAIL, mode: EventMode = EventMode.LOST, **changes: Any) -> CellOutcome:
    """A notice that was sent once, its sender having been killed right after the provider took it."""
    crashed = Invocation("send_email", 1, (Call(4, "ses", "SendEmail"),), CRASH, met=True, killed=True)
    usual = CellOutcome(
        cell=Cell(channel, mode, (CRASH,), "send", "SendEmail", CRASH.kind),
        accepted=ONCE,
        notices=(SENT,),
        unrecorded=False,
        quiet=True,
        way=1,
        dead=0,
        letters=(),
        listed=(),
        set_aside=0,
        invocations=(crashed,),
    )
    return replace(usual, **changes)


def test_a_notice_that_was_sent_once_breaks_no_promise() -> None:
    assert violations(outcome()) == []


@pytest.mark.parametrize(("beside_failing", "listed"), [(True, 0), (False, 1)])
def test_what_fails_is_listed_and_nothing_else(beside_failing: bool, listed: int) -> None:  # noqa: FBT001 - a case
    cell = replace(outcome().cell, beside_failing=beside_failing)
    assert violations(outcome(cell=cell, set_aside=int(beside_failing))) == []
    assert violations(outcome(cell=cell, set_aside=listed)) == ["what failed isn't listed, or something else is"]


@pytest.mark.parametrize("status", [NoticeStatus.SENT, NoticeStatus.WILL_NOT_SEND])
def test_a_notice_that_no_provider_has_and_nobody_is_told_of_is_lost(status: NoticeStatus) -> None:
    assert "lost: never accepted, and nobody is told" in violations(
        outcome(accepted=(), notices=(notice(status=status),))
    )


def test_an_unknown_notice_without_a_lease_stands_where_people_look() -> None:
    assert violations(outcome(accepted=(), notices=(UNKNOWN,))) == []
    assert violations(outcome(accepted=(), notices=(replace(UNKNOWN, lease_until=NOW),))) != []


@pytest.mark.parametrize("status", [NoticeStatus.SCHEDULED, NoticeStatus.QUEUED, NoticeStatus.SENDING])
def test_a_notice_that_still_waits_when_all_is_quiet_is_stuck(status: NoticeStatus) -> None:
    assert "it never came to rest" in violations(outcome(notices=(notice(status=status),)))


@pytest.mark.parametrize("mode", [EventMode.LATE, EventMode.LOST])
def test_a_second_sending_is_allowed_where_the_first_was_not_recorded_and_its_event_late_or_lost(
    mode: EventMode,
) -> None:
    marked = (replace(SENT, possible_duplicate=True),)
    assert violations(outcome(mode=mode, accepted=TWICE, notices=marked, unrecorded=True)) == []
    assert violations(outcome(mode=mode, accepted=TWICE, notices=(SENT,), unrecorded=True)) == [
        "a duplicate that isn't marked"
    ]
    assert "a duplicate outside the window" in violations(outcome(mode=mode, accepted=TWICE, notices=marked))


@pytest.mark.parametrize("mode", [EventMode.AT_ONCE, EventMode.SOON, EventMode.WAITING])
def test_a_second_sending_is_not_allowed_where_the_event_came_in_time(mode: EventMode) -> None:
    marked = (replace(SENT, possible_duplicate=True),)
    found = violations(outcome(mode=mode, accepted=TWICE, notices=marked, unrecorded=True))
    assert found == ["a duplicate outside the window"]


def test_a_third_sending_is_never_allowed() -> None:
    marked = (replace(SENT, possible_duplicate=True),)
    three = (*TWICE, Acceptance("message-3"))
    assert violations(outcome(accepted=three, notices=marked, unrecorded=True)) == ["sent again more than once"]


def test_a_mark_needs_a_cause_in_the_function_that_sends() -> None:
    elsewhere = replace(CRASH, function="scheduler")
    crashed = replace(outcome().invocations[0], function="scheduler", fault=elsewhere)
    cell = replace(outcome().cell, faults=(elsewhere,))
    marked = (replace(SENT, possible_duplicate=True),)
    assert violations(outcome(cell=cell, invocations=(crashed,), notices=marked)) == [
        "marked as a possible duplicate without cause"
    ]


def test_a_letter_may_neither_be_made_nor_listed_twice() -> None:
    letter = replace(SENT, channel=Channel.PRINT)
    made: dict[str, Any] = {"notices": (letter,), "letters": ("a.pdf", "a.json"), "listed": (letter.notice_id,)}
    fine = outcome(Channel.PRINT, **made)
    assert violations(fine) == []
    assert violations(replace(fine, letters=("a.pdf", "a.pdf"))) == ["a second letter"]
    assert violations(replace(fine, listed=())) == ["not in exactly one manifest"]
    assert violations(replace(fine, listed=(letter.notice_id, letter.notice_id))) == ["not in exactly one manifest"]


def test_a_fault_that_did_not_come_about_says_nothing_and_fails() -> None:
    missed = replace(outcome().invocations[0], met=False)
    assert violations(outcome(invocations=(missed,))) == ["the fault did not come about"]
    elsewhere = replace(outcome().invocations[0], calls=(Call(4, "dynamodb", "PutItem notice"),))
    assert violations(outcome(invocations=(elsewhere,))) == ["the fault did not come about"]


@pytest.mark.parametrize("status", [NoticeStatus.WILL_NOT_SEND, NoticeStatus.DELIVERY_ERROR, NoticeStatus.ARCHIVED])
def test_a_ledger_that_says_that_what_was_accepted_did_not_go_is_wrong(status: NoticeStatus) -> None:
    assert violations(outcome(notices=(notice(status=status),))) == ["accepted, but the ledger says that it didn't go"]


def test_the_matrix_shows_counts_marks_and_broken_promises() -> None:
    marked = replace(SENT, possible_duplicate=True)
    cells = [
        judged(outcome()),
        judged(outcome(accepted=TWICE, notices=(marked,), unrecorded=True)),
        judged(outcome(mode=EventMode.SOON, accepted=(), notices=(UNKNOWN,))),
        judged(outcome(mode=EventMode.LATE, accepted=TWICE)),
    ]
    head, _, row = table(cells)
    shown = dict(zip(_columns(head), _columns(row), strict=True))
    assert shown["email: lost"] == "1 2*"
    assert shown["email: soon"] == "0?"
    assert shown["email: late"] == "2!"
    assert shown["sms: lost"] == ""


def _columns(line: str) -> list[str]:
    return [text.strip() for text in line.strip("|").split("|")]


def request(method: str = "POST", path: str = "/", body: Any = b"", **headers: str) -> AwsRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return AwsRequest(method, path, named, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("asked", "service", "name"),
    [
        (
            request(body={"IndexName": "due"}, x_amz_target="DynamoDB_20120810.Query"),
            "dynamodb",
            "Query due",
        ),
        (
            request(
                body={"Item": {"pk": {"S": "A#org_1#G-1"}, "sk": {"S": "N#ntc_1"}}},
                x_amz_target="DynamoDB_20120810.PutItem",
            ),
            "dynamodb",
            "PutItem notice",
        ),
        (request(x_amz_target="AmazonSQS.SendMessageBatch"), "sqs", "SendMessageBatch"),
        (request(path="/v2/email/outbound-emails"), "ses", "SendEmail"),
        (
            request(body=b"Action=Publish&PhoneNumber=x", content_type="application/x-www-form-urlencoded"),
            "sns",
            "Publish",
        ),
        (request("PUT", "/bucket/letters/org_1/ntc_1.pdf"), "s3", "PutObject pdf"),
    ],
)
def test_a_call_is_named_by_its_service_and_by_what_it_is_about(asked: AwsRequest, service: str, name: str) -> None:
    assert described(asked, 3) == Call(3, service, name)


def test_a_new_call_of_a_function_is_met_without_a_word_in_the_harness() -> None:
    calls = (Call(1, "dynamodb", "Query book"), Call(2, "novelty", "DoSomething"), Call(3, "ses", "SendEmail"))
    sender = Invocation("send_email", 1, calls, None, met=False, killed=False)
    found = points(outcome(invocations=(sender,)))
    assert [(point.stage, point.call.name) for point in found] == [
        ("claim", "Query book"),
        ("claim", "DoSomething"),
        ("send", "SendEmail"),
    ]
    assert Kind.KILL_BEFORE in kinds_at(calls[1])
    assert Kind.KILL_AFTER in kinds_at(calls[1])


# --- a payment over many bills ------------------------------------------------------------------------------------

PAID = bill(status=BillStatus.PAID, balance=0, paid=74_60)
STOPPED = notice(status=NoticeStatus.WILL_NOT_SEND)


def paid(payment_id: str = "pay_1", amount: int = 2 * 74_60) -> Payment:
    return Payment(payment_id=payment_id, amount=amount, method="card", received_on=NOW.date(), posted_at=NOW)


def posting(**changes: Any) -> PostingOutcome:
    """A payment over two bills that was posted whole, though its webhook had died."""
    fault = InjectedFault("payment_link", 1, 5, Kind.KILL_AFTER)
    call = Call(5, "dynamodb", "TransactWriteItems account")
    died = Invocation("payment_link", 1, (call,), fault, met=True, killed=True)
    book = AccountBook(account=account(), bills=(PAID, PAID), notices=(STOPPED,), payments=(paid(),))
    usual = PostingOutcome(
        PostingCell(again=True, faults=(fault,), call=call.name), (died,), book, answered=True, left=False, quiet=True
    )
    more = {name: changes.pop(name) for name in ("bills", "notices", "payments", "account") if name in changes}
    return replace(usual, book=replace(book, **more), **changes)


def test_a_payment_that_was_posted_whole_or_not_at_all_breaks_no_promise() -> None:
    assert posting_violations(posting()) == []
    unposted = posting(bills=(bill(), bill()), notices=(notice(),), payments=(), answered=False)
    assert posting_violations(unposted) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (posting(bills=(PAID, bill())), "only a part of the bills is paid"),
        (posting(payments=()), "answered, and not posted"),
        (posting(payments=(paid(), paid("pay_2"))), "posted more than once"),
        (posting(account=account(credit=5_00)), "the bills don't say what the payment does"),
        (posting(notices=(STOPPED, notice())), "only a part of the notices is stopped"),
        (posting(left=True), "a part of it still waits"),
        (posting(quiet=False), "it never came to rest"),
        (posting(invocations=()), "the fault did not come about"),
    ],
)
def test_whatever_goes_wrong_with_a_payment_over_many_bills_is_said(broken: PostingOutcome, said: str) -> None:
    assert said in posting_violations(broken)
    assert (
        "1!" in posting_table([broken])[-1]
        or "0!" in posting_table([broken])[-1]
        or "2!" in posting_table([broken])[-1]
    )
