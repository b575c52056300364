"""Amounts: exact cents inside, decimal strings outside."""

from decimal import Decimal

import pytest

from shared.domain.vocabulary.money import MOST_CENTS, cents, dollars


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("74.60", 74_60),
        ("74.6", 74_60),
        ("0", 0),
        ("-3.05", -3_05),
        ("1e2", 100_00),
        ("99999999.99", MOST_CENTS),
        ("-99999999.99", -MOST_CENTS),
    ],
)
def test_an_amount_is_read_exactly_up_to_the_largest_that_fits(amount: str, expected: int) -> None:
    assert cents(Decimal(amount)) == expected


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        ("NaN", "must be a finite amount"),
        ("Infinity", "must be a finite amount"),
        ("0.001", "must have at most two decimals"),
        ("100000000.00", "must fit decimal(10,2)"),
        ("-100000000.00", "must fit decimal(10,2)"),
    ],
)
def test_what_is_no_amount_says_why(amount: str, why: str) -> None:
    """In the words that a partner reads in the answer."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole text is compared below
        cents(Decimal(amount))
    assert str(refused.value) == why


@pytest.mark.parametrize(
    ("amount", "text"), [(74_60, "74.60"), (0, "0.00"), (5, "0.05"), (-3_05, "-3.05"), (-5, "-0.05")]
)
def test_cents_are_written_as_a_decimal_string(amount: int, text: str) -> None:
    assert dollars(amount) == text
