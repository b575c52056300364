"""The GSM 7-bit default alphabet (3GPP TS 23.038): what one text message can hold without switching to UCS-2."""

import unicodedata

ONE_SEGMENT = 160
"""Septets in a text message that isn't split."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€")
"""Sent with an escape before them, so each takes two septets."""

_LOOKALIKES = str.maketrans(
    {
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{BULLET}": "-",
        "\N{NO-BREAK SPACE}": " ",
    }
)


def septets(message: str) -> int | None:
    """How many septets a message takes; None: it has characters outside the alphabet."""
    if not BASIC.issuperset(message) and not (BASIC | EXTENDED).issuperset(message):
        return None
    return len(message) + sum(character in EXTENDED for character in message)


def transliterated(message: str) -> str:
    """A message within the alphabet: accents that it lacks are left off, and what it can't show at all is left out."""
    return "".join(
        character if character in BASIC or character in EXTENDED else _nearest(character)
        for character in message.translate(_LOOKALIKES)
    )


def _nearest(character: str) -> str:
    return "".join(part for part in unicodedata.normalize("NFKD", character) if part in BASIC)
