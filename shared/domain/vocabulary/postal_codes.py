"""US ZIP codes, however they are typed."""

ZIP, ZIP_PLUS_4 = 5, 9
"""How many digits there are in each form."""


def postal_code(typed: str) -> str | None:
    """A ZIP or ZIP+4 code as it is written on an envelope; None: it isn't one."""
    digits = typed.replace("-", "").replace(" ", "")
    if not (digits.isascii() and digits.isdecimal() and len(digits) in {ZIP, ZIP_PLUS_4}):
        return None
    return "-".join(part for part in (digits[:ZIP], digits[ZIP:]) if part)


def zip_code(typed: str) -> str | None:
    """The five digits of a ZIP or ZIP+4 code; None: it isn't one."""
    code = postal_code(typed)
    return code[:ZIP] if code else None
