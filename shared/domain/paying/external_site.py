"""Where an external payment site takes its patients, as a partner says it (docs/rules.md#ways-to-pay)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

SITE_URL = re.compile(
    r"""(?P<origin>https://
        (?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?  # a host with its domain
        (?P<port>:[1-9][0-9]{0,4})?)
        (?P<rest>(?:[/?](?:[A-Za-z0-9._~!$&'()*+,;=:@/?{}-]|%[0-9A-Fa-f]{2})*)?)""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
PLACEHOLDER = re.compile(r"\{(?P<name>[^{}]*)\}")
TEMPLATE_PLACEHOLDERS = ("id", "amount", "accountId")
LAST_PORT = 65_535
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""What stands for itself in any part of a URL (RFC 3986, section 2.3)."""


class SiteTemplateError(ValueError):
    """A template that isn't the address of one site. Its text says why."""


@dataclass(frozen=True, slots=True)
class PaymentSite:
    """An external payment site. origin: its scheme, host and port; rest: path and query with their placeholders."""

    origin: str
    rest: str

    @classmethod
    def read(cls, template: str) -> Self:
        """The site of a template such as `https://pay.example.com/?m={id}&a={amount}`.

        Raises SiteTemplateError for any other than an https URL of one host, without user and fragment, with
        placeholders in its path and query alone. So its origin can stand in a header, and what is filled in can't
        change the host.
        """
        found = SITE_URL.fullmatch(template)
        if found is None or int((found["port"] or ":0")[1:]) > LAST_PORT:
            raise SiteTemplateError("must be an https URL of one host, without user name, spaces and fragment")
        rest = found["rest"]
        unknown = [each for each in PLACEHOLDER.findall(rest) if each not in TEMPLATE_PLACEHOLDERS]
        if unknown or set("{}") & set(PLACEHOLDER.sub("", rest)):
            raise SiteTemplateError(
                f"may hold the placeholders {', '.join(f'{{{each}}}' for each in TEMPLATE_PLACEHOLDERS)}"
            )
        return cls(origin=found["origin"].lower(), rest=rest)

    def url(self, values: Mapping[str, str]) -> str:
        """Its address with the placeholders filled in, percent-encoded, so that a value stays within its part."""
        return self.origin + PLACEHOLDER.sub(lambda found: _encoded(values[found["name"]]), self.rest)


def stored_site(template: str) -> PaymentSite | None:
    """The site of a stored template; None: it is none, stored before templates were checked."""
    try:
        return PaymentSite.read(template)
    except SiteTemplateError:
        return None


def _encoded(value: str) -> str:
    return "".join(chr(byte) if byte in UNRESERVED else f"%{byte:02X}" for byte in value.encode())
