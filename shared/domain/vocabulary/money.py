"""Money is integer cents inside and decimal strings outside; it is never a float."""

from decimal import Decimal

type Cents = int
"""An amount in US cents. Negative on a balance: a credit in the guarantor's favour."""

MOST_CENTS = 99_999_999_99
"""The largest amount of a decimal(10,2) field."""


def cents(amount: Decimal) -> Cents:
    """Turn an exact decimal amount of dollars into cents.

    Raises ValueError when the amount isn't finite, has more than two decimals, or doesn't fit decimal(10,2).
    """
    if not amount.is_finite():
        raise ValueError("must be a finite amount")
    scaled = amount.scaleb(2)
    if scaled != scaled.to_integral_value():
        raise ValueError("must have at most two decimals")
    if abs(scaled) > MOST_CENTS:
        raise ValueError("must fit decimal(10,2)")
    return int(scaled)


def dollars(amount: Cents) -> str:
    """Write cents as the decimal string of the API, such as "74.60" or "-3.05"."""
    sign, whole = ("-", -amount) if amount < 0 else ("", amount)
    return f"{sign}{whole // 100}.{whole % 100:02d}"
