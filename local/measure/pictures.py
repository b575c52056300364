"""Take the README's pictures of what really comes out: `make local`, then `python -m local.measure.pictures`.

One made-up family's three statements go in; the email, the text, the letter and the payment page that come out are
drawn by Chromium (a text as a telephone shows it), the letter by PyMuPDF.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from html import escape
from pathlib import Path

import httpx
import pymupdf

from local.demo.api import AS_OF, Command
from local.demo.patient import Browser, identify, link_in
from local.stack.errors import LocalStackError
from local.stack.watch import LocalStack
from local.stack.workspace import PROJECT

PICTURES = PROJECT / "docs" / "pictures"
BEGAN = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --force-device-scale-factor=2"
)
PHONE = """<!doctype html><meta charset="utf-8">
<body style="margin:0;background:#fff;font:17px/1.4 system-ui,sans-serif">
<div style="padding:28px 20px;width:350px"><p style="margin:0 0 10px;color:#5b6670;font-size:13px;text-align:center">
Text message</p><p style="margin:0;background:#e9ecef;color:#1c2733;border-radius:18px;padding:12px 16px;
overflow-wrap:anywhere">{}</p></div>"""
"""A telephone's screen around the message, which is as it was sent."""


def main() -> int:
    """Make the pictures."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise LocalStackError("chromium isn't installed")
    stack = LocalStack.load()
    day = _bill_a_family(stack)
    PICTURES.mkdir(parents=True, exist_ok=True)
    [mail] = [mail for mail in stack.sent_mail() if "rowan@example.com" in mail.to]
    [text] = [text for text in stack.sent_texts() if text.to == "+15185550142"]
    letter = stack.printed(str(stack.print_jobs()[-1].job["pdf"]))
    with tempfile.TemporaryDirectory() as folder:
        draw = _Draw(chromium, Path(folder))
        draw.html("email", mail.html, 640, 860)
        draw.html("text", PHONE.format(escape(text.message)), 390, 260)
        draw.html("payment-page", _payment_page(mail.text, day), 430, 1640)
    with pymupdf.open(stream=letter) as document:  # type: ignore[no-untyped-call] # untyped library
        document[0].get_pixmap(dpi=110).save(PICTURES / "letter.png")
    print(f"taken: {', '.join(sorted(path.name for path in PICTURES.glob('*.png')))}")
    return 0


class _Draw:
    """Chromium, with a profile that is thrown away."""

    def __init__(self, chromium: str, folder: Path) -> None:
        self._chromium, self._folder = chromium, folder

    def html(self, name: str, html: str, width: int, height: int) -> None:
        """Draw a page to docs/pictures."""
        page = self._folder / f"{name}.html"
        page.write_text(html, encoding="utf-8")
        target = PICTURES / f"{name}.png"
        command = [self._chromium, *QUIET.split(), f"--user-data-dir={self._folder / 'profile'}"]
        command += [f"--window-size={width},{height}", f"--screenshot={target}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True)


def _bill_a_family(stack: LocalStack) -> datetime:
    """Send a family's statements, and let the scheduler run until they are told of; answers when that is."""
    command = Command(stack.environment)
    partner = command.run("partner", "create", "--name", "Example Billing")["partnerId"]
    scopes = "statements:write,read,manage"
    key = command.run("key", "create", "--partner", partner, "--scopes", scopes)["key"]
    practice = {
        "name": "Northside Family Practice",
        "shortName": "Northside",
        "clientId": f"PICTURES-{partner}",
        "timeZone": "America/New_York",
        "phone": "+15185550100",
        "address": {"line1": "1 Elm Street", "city": "Albany", "state": "NY", "postalCode": "12207"},
        "statementMessage": "Thank you for choosing Northside.",
        "payments": {"processor": "sandbox"},
    }
    with httpx.Client(base_url=stack.api_url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        headers = {AS_OF: BEGAN.isoformat()}
        client.post("/v1/organizations", json=practice, headers=headers).raise_for_status()
        statements = [_statement(number, practice["clientId"]) for number in range(1, 4)]
        client.post("/v1/statements", json={"statements": statements}, headers=headers).raise_for_status()
    now = BEGAN
    while not stack.sent_mail() or not stack.print_jobs() or not stack.sent_texts():
        report = stack.advance(now)
        stack.settle()
        if report.next_due_at is None or report.next_due_at > BEGAN + timedelta(days=3):
            raise LocalStackError("nothing came out")
        now = max(now, report.next_due_at)
    return now


def _statement(number: int, client_id: object) -> dict[str, object]:
    names = ("Sage", "Robin", "Wren")
    balance = ("74.60", "120.50", "18.25")[number - 1]
    charge = {
        "date": f"2026-02-0{number}",
        "code": "99213",
        "description": ("Office visit", "Annual check-up", "Immunization")[number - 1],
        "billed": "160.00",
        "insurancePaid": ("85.40", "39.50", "141.75")[number - 1],
        "adjustment": "0.00",
        "patientPaid": "0.00",
        "balance": balance,
    }
    visit = {"date": f"2026-02-0{number}", "provider": {"name": "Dr. Grace Sample"}, "charges": [charge]}
    return {
        "statementId": f"1004{number}",
        "clientId": client_id,
        "totalBilled": "160.00",
        "totalBalance": balance,
        "guarantor": {
            "guarantorId": "G-10",
            "firstName": "Rowan",
            "lastName": "Example",
            "email": "rowan@example.com",
            "mobilePhone": "5185550142",
            "address": {"line1": "12 Juniper Way", "city": "Albany", "state": "NY", "postalCode": "12207"},
        },
        "patients": [
            {
                "accountId": f"P-{number}",
                "firstName": names[number - 1],
                "lastName": "Example",
                "dateOfBirth": f"201{number}-06-07",
                "visits": [visit],
            }
        ],
    }


def _payment_page(mail: str, now: datetime) -> str:
    """The page that a patient sees after the date of birth, as the browser gets it."""
    with Browser(now) as browser:
        return identify(browser, link_in(mail), date(2011, 6, 7)).html


if __name__ == "__main__":
    sys.exit(main())
