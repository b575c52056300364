"""When a delivery is tried again, when it is given up, and which secrets sign it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.domain.delivery.webhook_rules import (
    JITTER,
    MOST_SECRETS,
    RETRIED_FOR,
    RETRY_PAUSES,
    SECRETS_OVERLAP,
    abandoned,
    attempted,
    delivery_of,
    put_off,
    rest,
    sent_again,
    with_new_secret,
)
from shared.domain.records.partner_event import EventType, partner_event
from shared.domain.records.webhook import SealedSecret, WebhookAttempt, WebhookDelivery, WebhookStatus
from tests.worlds.examples import NOW, webhook_endpoint

EVENT = partner_event(EventType.BILL_PAID, NOW, orgId="org_1", statementId="S-1")


def new(statement: str = "S-1") -> WebhookDelivery:
    event = partner_event(EventType.BILL_PAID, NOW, orgId="org_1", statementId=statement)
    return delivery_of(event, webhook_endpoint(), NOW)


def failing(delivery: WebhookDelivery, at: datetime, status: int = 500) -> WebhookDelivery:
    return attempted(delivery, WebhookAttempt(at=at, status=status))


def until_given_up(delivery: WebhookDelivery) -> list[datetime]:
    """When it is attempted, if every attempt fails as soon as it is due."""
    moments = []
    while delivery.due_at:
        moments.append(delivery.due_at)
        delivery = failing(delivery, delivery.due_at)
    assert delivery.status is WebhookStatus.FAILED
    return moments


def test_retries_last_for_about_three_days_and_never_longer() -> None:
    assert sum(RETRY_PAUSES, timedelta()) <= RETRIED_FOR
    for n in range(200):
        moments = until_given_up(new(f"S-{n}"))
        assert len(moments) == len(RETRY_PAUSES) + 1
        assert timedelta(hours=60) <= moments[-1] - moments[0] <= RETRIED_FOR


def test_events_that_failed_together_are_not_tried_again_together() -> None:
    """Each pause is shorter by up to a tenth, by the delivery's own place."""
    due = {failing(new(f"S-{n}"), NOW).due_at for n in range(100)}
    assert len(due) > 90
    pause = RETRY_PAUSES[0]
    assert all(at and NOW + pause * (1 - JITTER) <= at <= NOW + pause for at in due)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_status_of_success_delivers(status: int) -> None:
    after = failing(new(), NOW, status)
    assert (after.status, after.due_at, len(after.attempts)) == (WebhookStatus.DELIVERED, None, 1)


@pytest.mark.parametrize("status", [0, 100, 199, 300, 301, 304, 399, 400, 404, 409, 429, 500, 599])
def test_any_other_is_tried_again(status: int) -> None:
    assert failing(new(), NOW, status).status is WebhookStatus.PENDING


def test_410_is_not_tried_again() -> None:
    assert failing(new(), NOW, 410).status is WebhookStatus.FAILED


def test_a_failure_that_is_known_after_a_success_takes_nothing_back() -> None:
    delivered = failing(new(), NOW, 200)
    after = failing(delivered, NOW, 500)
    assert (after.status, after.due_at, len(after.attempts)) == (WebhookStatus.DELIVERED, None, 2)


@pytest.mark.parametrize("status", [200, 410])
def test_what_is_settled_meanwhile_by_another_worker_stays_settled_and_is_never_due_again(status: int) -> None:
    """A queue brings a message twice; whoever is late decides on what the other left."""
    settled = failing(new(), NOW, status)
    late = [failing(settled, NOW, answer) for answer in (0, 410, 500)]
    late += [put_off(settled, NOW + timedelta(minutes=5)), abandoned(settled)]
    assert {(after.status, after.due_at) for after in late} == {(settled.status, None)}


def test_a_success_counts_however_late_it_is_known() -> None:
    assert failing(abandoned(new()), NOW, 200).status is WebhookStatus.DELIVERED


def test_what_is_put_off_uses_up_no_attempt_and_is_given_up_after_three_days_all_the_same() -> None:
    later = put_off(new(), NOW + timedelta(minutes=5))
    assert later.attempts == ()
    assert later.due_at
    assert NOW + timedelta(minutes=5) <= later.due_at <= NOW + timedelta(minutes=6)
    assert put_off(new(), NOW + RETRIED_FOR + timedelta(hours=1)).status is WebhookStatus.FAILED


def test_what_is_sent_again_has_all_its_retries_before_it() -> None:
    given_up = new()
    for at in until_given_up(given_up):
        given_up = failing(given_up, at)
    again = sent_again(given_up, NOW + timedelta(days=10))
    assert len(until_given_up(again)) == len(RETRY_PAUSES) + 1
    assert again.event == given_up.event


def test_one_event_is_one_delivery_to_each_endpoint() -> None:
    one, other = webhook_endpoint(), webhook_endpoint(endpoint_id="whe_2")
    later = NOW + timedelta(hours=1)
    assert delivery_of(EVENT, one, NOW).delivery_id == delivery_of(EVENT, one, later).delivery_id
    assert delivery_of(EVENT, one, NOW).delivery_id != delivery_of(EVENT, other, NOW).delivery_id


def test_a_receiver_is_left_alone_twice_as_long_each_time_but_not_for_long() -> None:
    minutes = [rest(n) / timedelta(minutes=1) for n in range(1, 7)]
    assert minutes == [1, 2, 4, 8, 15, 15]
    assert rest(10_000) == timedelta(minutes=15)


def test_secrets_overlap_for_a_day_however_often_one_is_replaced() -> None:
    endpoint = with_new_secret(replace(webhook_endpoint(), secrets=(SealedSecret(sealed="a"),)), "b", NOW)
    again = with_new_secret(endpoint, "c", NOW + timedelta(hours=1))

    def signing(at: datetime) -> list[str]:
        return [secret.sealed for secret in again.secrets_at(at)]

    assert signing(NOW + timedelta(hours=2)) == ["a", "b", "c"]
    assert signing(NOW + SECRETS_OVERLAP) == ["b", "c"]
    assert signing(NOW + SECRETS_OVERLAP + timedelta(hours=1)) == ["c"]
    many = again
    for n in range(50):
        many = with_new_secret(many, f"s{n}", NOW + timedelta(hours=2))
    assert len(many.secrets) == MOST_SECRETS
    assert many.secrets[-1].sealed == "s49"
