"""The pages of the simulated processor: plain HTML and one style sheet, no script."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL = "Simulated processor — no real money moves"

# Contrast is at least 4.5:1 for text and 3:1 for borders and the focus ring, in both colour schemes.
PROCESSOR_STYLE = """
:root { color-scheme: light dark; --ink: #17212b; --soft: #44525f; --paper: #ffffff; --ground: #eef2f5;
  --line: #75828e; --go: #14603c; --go-ink: #ffffff; --banner: #ffe08a; --banner-ink: #3a2c00; --ring: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --ink: #eef3f7; --soft: #b9c5cf; --paper: #1d2731; --ground: #11181f;
  --line: #8b99a6; --go: #7fd6a8; --go-ink: #0c2418; --banner: #594600; --banner-ink: #ffedb8; --ring: #a8c7fa; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1.0625rem/1.5 system-ui, sans-serif; }
.banner { margin: 0; padding: .75rem 1rem; background: var(--banner); color: var(--banner-ink); font-weight: 600;
  text-align: center; }
main { max-width: 30rem; margin: 1.5rem auto; padding: 0 1rem; }
.card { background: var(--paper); border-radius: .75rem; padding: 1.5rem; box-shadow: 0 1px 3px rgb(0 0 0 / 25%); }
h1 { font-size: 1.375rem; line-height: 1.3; margin: 0 0 1rem; overflow-wrap: anywhere; }
dl { margin: 0 0 1.5rem; }
dt { color: var(--soft); }
dd { margin: 0 0 .75rem; overflow-wrap: anywhere; }
.amount { font-size: 2rem; font-weight: 700; line-height: 1.2; }
button, .link { display: block; width: 100%; min-height: 3rem; margin: .75rem 0 0; padding: .75rem 1rem;
  border: 2px solid var(--line); border-radius: .5rem; background: transparent; color: var(--ink); font: inherit;
  font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; }
button.go { background: var(--go); border-color: var(--go); color: var(--go-ink); }
button:focus-visible, .link:focus-visible { outline: 3px solid var(--ring); outline-offset: 3px; }
.note { color: var(--soft); font-size: .9375rem; margin: 1.25rem 0 0; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(PROCESSOR_STYLE.encode()).digest()).decode()

# A form's redirect counts as its action in some browsers, so the way back to the practice has to be allowed.
_LOOPBACK_SOURCES = "http://127.0.0.1:* http://localhost:* https://127.0.0.1:* https://localhost:*"
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self' {_LOOPBACK_SOURCES}; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def checkout(fields: Mapping[str, str], practice: str, amount: str) -> str:
    """Return the page that asks to approve or decline; `fields` travel along in the form."""
    return _page(
        f"Pay {amount} to {practice}",
        f"""<h1>Pay {escape(practice)}</h1>
<dl><dt>Amount</dt><dd class="amount">{escape(amount)}</dd>
<dt>Reference</dt><dd>{escape(fields["reference"])}</dd></dl>
<form method="post" action="/checkout">
{_hidden(fields)}
<button class="go" name="outcome" value="approve">Approve the payment</button>
<button name="outcome" value="decline">Decline the payment</button>
</form>
<p class="note">This page stands in for a card processor while Dunlin runs on one computer. It asks for no card, and
nothing is charged.</p>""",
    )


def stripe_checkout(session_id: str, amount: str, cancel: str) -> str:
    """Return the hosted page of the simulated Stripe: pay by card, by bank, or with a card that is declined."""
    return _page(
        f"Pay {amount}",
        f"""<h1>Simulated Stripe Checkout</h1>
<dl><dt>Amount</dt><dd class="amount">{escape(amount)}</dd></dl>
<form method="post" action="/pay/{escape(session_id)}">
<button class="go" name="way" value="card">Pay by card</button>
<button name="way" value="bank">Pay by bank, which takes days</button>
<button name="way" value="decline">Pay with a card that is declined</button>
</form>
{f'<a class="link" href="{escape(cancel)}">Back without paying</a>' if cancel else ""}
<p class="note">This page stands in for Stripe while Dunlin runs on one computer. It asks for no card, and nothing is
charged.</p>""",
    )


def unconfirmed(fields: Mapping[str, str], practice: str, outcome: str, reason: str) -> str:
    """Return the page for a practice that couldn't be told of the outcome: try again, or go back."""
    return _page(
        "The practice was not told",
        f"""<h1>The practice was not told yet</h1>
<p role="alert">{escape(practice)} could not be told about the payment: {escape(reason)}. It was not recorded.</p>
<form method="post" action="/checkout">
{_hidden(fields)}
<button class="go" name="outcome" value="{escape(outcome)}">Try again</button>
</form>
<a class="link" href="{escape(fields["return"])}">Back to {escape(practice)}</a>
<p class="note">Trying again repeats the same event, so it can't be counted twice.</p>""",
    )


def refused(detail: str) -> str:
    """Return the page for a request that this processor doesn't take."""
    return _page(
        "This payment can't be started",
        f"""<h1>This payment can't be started</h1>
<p role="alert">{escape(detail)}</p>
<p class="note">Go back to the practice's page and start the payment from there.</p>""",
    )


def welcome() -> str:
    """Return the page at the root, for whoever looks around."""
    return _page(
        "Simulated processor",
        """<h1>Simulated processor</h1>
<p>Payments started from a payment page of the local stack come here to be approved or declined.</p>""",
    )


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Simulated processor</title>
<style>{PROCESSOR_STYLE}</style>
</head>
<body>
<header><p class="banner">{LABEL}</p></header>
<main><div class="card">
{body}
</div></main>
</body>
</html>
"""


def _hidden(fields: Mapping[str, str]) -> str:
    return "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
