"""Which addresses count as one when bill codes are tried."""

import pytest

from shared.domain.paying.code_tries import WINDOW, network_of, window_end
from tests.worlds.examples import NOW


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8::1", "2001:db8:0:0:ffff::", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("unknown", "unknown", True),
        ("", "unknown", False),
    ],
)
def test_an_address_counts_with_its_home_network(one: str, other: str, *, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


def test_a_window_ends_within_five_minutes_and_then_begins_anew() -> None:
    end = window_end(NOW)
    assert NOW < end <= NOW + WINDOW
    assert window_end(end) == end + WINDOW
