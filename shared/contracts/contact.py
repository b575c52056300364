"""Contact data as partners send it: brought into the one form that messages are sent to, or found unusable.

The libraries that know about addresses and numbers are loaded by the first contact, not with the module: most functions
that read a statement never look at one.
"""

from collections.abc import Iterable
from functools import lru_cache

LONGEST_EMAIL = 254
LONGEST_PHONE = 40

MOST_ZONES = 4
"""A number that names more time zones than this belongs to no place (a toll-free one) and says nothing."""


def email_address(value: str) -> str | None:
    """The address with its domain in ASCII, as the email provider takes it; None: it can't be used.

    Only the form is checked, never the network. Reserved example and test domains pass, so that sample files work
    unchanged; an address whose local part isn't ASCII doesn't, because the email provider refuses it.
    """
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - loaded when first needed

    if len(value) > LONGEST_EMAIL:
        return None
    try:
        found = validate_email(value, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError:
        return None
    return found.ascii_email


def phone_number(value: str) -> str | None:
    """The number in E.164, read as a US one unless it names its country; None: it can't be used.

    In the North American plan the form is enough: area code and exchange must not begin with 0 or 1. Whether the area
    code is assigned isn't asked, because made-up numbers (555-01xx) and new area codes must pass.
    """
    from phonenumbers import NumberParseException, is_valid_number, parse  # noqa: PLC0415 - loaded when first needed

    if len(value) > LONGEST_PHONE:
        return None
    try:
        number = parse(value, "US")
    except NumberParseException:
        return None
    national = str(number.national_number)
    if number.extension:
        return None
    if number.country_code == 1:
        possible = len(national) == 10 and national[0] > "1" and national[3] > "1"  # noqa: PLR2004 - NPA-NXX-XXXX
    else:
        possible = is_valid_number(number)
    return f"+{number.country_code}{'0' * (number.number_of_leading_zeros or 0)}{national}" if possible else None


def time_zones(postal_codes: Iterable[str], phone_numbers: Iterable[str]) -> tuple[str, ...]:
    """The time zones that ZIP codes and E.164 numbers suggest, by name, each once."""
    zones = {zone for code in postal_codes for zone in _zones_of_postal_code(code)}
    zones |= {zone for number in phone_numbers for zone in _zones_of_phone_number(_exchange(number))}
    return tuple(sorted(zones))


def _zones_of_postal_code(code: str) -> tuple[str, ...]:
    from shared.contracts.postal_zones import zones_of_prefix  # noqa: PLC0415 - loaded when first needed

    return zones_of_prefix(code[:3])


def _exchange(number: str) -> str:
    """The first number of the same exchange: in the North American plan no zone border is finer."""
    return f"{number[:8]}0000" if number.startswith("+1") else number


@lru_cache(maxsize=4096)
def _zones_of_phone_number(number: str) -> tuple[str, ...]:
    from phonenumbers import parse  # noqa: PLC0415 - loaded when first needed
    from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number  # noqa: PLC0415 - the same

    zones = time_zones_for_number(parse(number))
    return () if len(zones) > MOST_ZONES or UNKNOWN_TIMEZONE in zones else zones
