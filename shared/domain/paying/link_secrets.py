"""The secrets of payment links: what stands in an address or on a letter, of which only hashes are stored.

A token is long enough that nobody guesses one (131 bits) and short enough for a text message. A bill code is for people
to read from paper and type: 50 bits, and behind it the patient's date of birth.
"""

import hashlib
import string
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.records.payment_link import PaymentLink
from shared.domain.vocabulary.randomness import RandomBytes, random_signs

TOKEN_ALPHABET = string.ascii_letters + string.digits
"""No punctuation: a link that ends in "-" or "_" is cut short by the programs that make links of text."""
TOKEN_LENGTH = 22

CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U."""
CODE_LENGTH = 10
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, "\N{EN DASH}": None, "\N{EM DASH}": None})


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedLink:
    """A new link to store, and its secrets to send: they can't be had again. `code` is "" unless asked for."""

    link: PaymentLink
    token: str
    code: str = ""


def new_secret(random: RandomBytes) -> str:
    """A secret that fits a URL and a text message: 22 letters and digits, 131 random bits."""
    return random_signs(random, TOKEN_ALPHABET, TOKEN_LENGTH)


def new_bill_code(random: RandomBytes) -> str:
    """A bill code as it is printed: XXXXX-XXXXX in Crockford's base 32, 50 random bits."""
    code = random_signs(random, CODE_ALPHABET, CODE_LENGTH)
    return f"{code[:5]}-{code[5:]}"


def normalized_code(typed: str) -> str | None:
    """A bill code as it was meant, whatever the case, spaces, dashes and misread letters; None: it can't be one."""
    code = "".join(typed.split()).upper().translate(_MISREAD)
    return code if len(code) == CODE_LENGTH and all(sign in CODE_ALPHABET for sign in code) else None


def secret_hash(secret: str) -> str:
    """What is stored of a secret or bill code: its SHA-256 in hex. Codes hash alike however they were typed.

    Tokens and codes differ in length, so neither can stand for the other. They are random, so they need no salt.
    """
    code = normalized_code(secret) if len(secret) != TOKEN_LENGTH else None
    return hashlib.sha256((code or secret).encode()).hexdigest()


def well_formed(secret: str) -> bool:
    """Whether it can be a token or a bill code at all; if not, nothing needs to be looked up."""
    token = len(secret) == TOKEN_LENGTH and all(sign in TOKEN_ALPHABET for sign in secret)
    return token or normalized_code(secret) is not None


def new_payment_link(  # noqa: PLR0913 - keywords only, one for each field that the sender decides
    *,
    org_id: str,
    account_id: str,
    now: datetime,
    lives: timedelta,
    random: RandomBytes,
    statement_id: str = "",
    notice_id: str = "",
    sent_to: str = "",
    with_code: bool = False,
) -> IssuedLink:
    """Make a link that expires after `lives`; `statement_id` confines it to one bill, `with_code` is for paper."""
    token, code = new_secret(random), new_bill_code(random) if with_code else ""
    link = PaymentLink(
        link_id=f"lnk_{random(10).hex()}",
        org_id=org_id,
        account_id=account_id,
        statement_id=statement_id,
        notice_id=notice_id,
        token_hash=secret_hash(token),
        code_hash=secret_hash(code) if code else "",
        created_at=now,
        expires_at=now + lives,
        sent_to=sent_to,
    )
    return IssuedLink(link=link, token=token, code=code)
