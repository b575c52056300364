"""Contact data as partners send it: brought into the one form that messages are sent to, or found unusable.

The libraries that know about addresses and numbers are loaded by the first contact, not with the module: most functions
that read a statement never look at one.
"""

import re
from functools import lru_cache

from shared.domain.records.statement import Address
from shared.domain.vocabulary.postal_codes import postal_code

LONGEST_EMAIL = 254
LONGEST_PHONE = 40

MOST_ZONES = 4
"""A number that names more time zones than this belongs to no place (a toll-free one) and says nothing."""

ADDRESS_IN_TEXT = re.compile(r"(?<![^\s<>()\[\]{},;:\"|/])[^\s<>()\[\]{},;:\"|/@]+@[\w.-]++(?!@)")
"""Something that looks like an email address, whatever stands around it: a name, brackets, `mailto:`, another one."""

_NOT_TEXTED = (
    "800 833 844 855 866 877 880 881 882 883 884 885 886 887 888 889 822"  # toll-free, or kept for it
    " 900"  # premium rate
    " 500 521 522 523 524 525 526 527 528 529 532 533 535 538 542 543 544 545 546 547 549 550 552 553 554 555 556 558"
    " 566 569 577 578 588 589"  # 5XX: personal communications, no place and no mobile
    " 456 600 622 633 644 655 677 688 700 710"  # carriers, machines, the government
)
NOT_TEXTED = frozenset(_NOT_TEXTED.split())
"""Area codes that no person's mobile has (NANPA's non-geographic codes)."""


WITH_ITS_ZEROS = {3: 5, 4: 5, 7: 9, 8: 9}
"""How many digits a ZIP or ZIP+4 code has that is left with so many: at most two zeros stand at its beginning."""


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


def first_email_address(value: str) -> str | None:
    """The first address in a text that holds more than one address: several, a name, `mailto:`, a dot at its end.

    None: there is none, or the first one can't be used. Nobody else's is taken in its place: what stands before a blank
    may be the first part of an address that somebody mistyped.
    """
    found = ADDRESS_IN_TEXT.search(value)
    if found is None or value[: found.start()].rstrip()[-1:].isalnum():
        return None
    return email_address(found[0].strip("."))


def is_placeholder_number(number: str) -> bool:
    """Whether a number in E.164 is what a system writes for none, or one that no text can reach.

    One digit over and over, or an area code of the North American plan that no person's mobile has. Whether any other
    area code is assigned isn't asked (`phone_number`).
    """
    national = number.removeprefix("+1") if number.startswith("+1") else ""
    area_code = national[:3]
    never_assigned = area_code[1:2] == "9" or area_code[1:] == "11"
    return len(set(national or number[1:])) == 1 or never_assigned or area_code in NOT_TEXTED


def mended_postal_code(value: str, state: str) -> str | None:
    """The ZIP or ZIP+4 code that lost the zeros at its beginning in a table of numbers; None: it isn't one.

    state: two letters. Only a state whose codes begin like that shows that zeros are what is missing.
    """
    from shared.contracts.us_places import begins_in  # noqa: PLC0415 - loaded when first needed

    digits = value.replace("-", "").replace(" ", "")
    code = postal_code(digits.zfill(WITH_ITS_ZEROS.get(len(digits), 0)))
    return code if code and begins_in(code, state) else None


def time_zones(address: Address | None, mobile_phone: str) -> tuple[str, ...]:
    """The time zones that a mailing address and a number in E.164 suggest, by name, each once.

    Who has a military address is where it says, whatever area code the number has (docs/rules.md#military-zip).
    """
    from shared.contracts.postal_zones import THEATRES, theatre_of, zones_of_prefix  # noqa: PLC0415 - when first needed

    code, state = (address.postal_code, address.state.upper()) if address else ("", "")
    theatre = THEATRES.get(state, ())
    zones = {*theatre, *(zones_of_prefix(code) if code else ())}
    if not theatre and not theatre_of(code):
        zones |= set(_zones_of_phone_number(_exchange(mobile_phone)) if mobile_phone else ())
    return tuple(sorted(zones))


def _exchange(number: str) -> str:
    """The first number of the same exchange: in the North American plan no zone border is finer."""
    return f"{number[:8]}0000" if number.startswith("+1") else number


@lru_cache(maxsize=4096)
def _zones_of_phone_number(number: str) -> tuple[str, ...]:
    from phonenumbers import parse  # noqa: PLC0415 - loaded when first needed
    from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number  # noqa: PLC0415 - the same

    zones = time_zones_for_number(parse(number))
    return () if len(zones) > MOST_ZONES or UNKNOWN_TIMEZONE in zones else zones
