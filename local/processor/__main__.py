"""A simulated Stripe on this computer, and what happens there that nobody clicks: `python -m local.processor`.

Without `--at` it runs one until Ctrl-C. With it, it does one thing at the one that runs there. No money moves.
"""

from __future__ import annotations

import argparse
import http.client
import sys
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from local.processor.server import RefusedError, require_loopback
from local.processor.stripe_server import StripeServer

SIMULATION_SECONDS = 30.0


def simulate(address: str, what: str, asked: dict[str, str]) -> int:
    """Have something happen at the simulated Stripe that runs at an address; the exit status."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SIMULATION_SECONDS)
    try:
        connection.request("POST", f"/simulate/{what}", urlencode(asked))
        answer = connection.getresponse()
        print(answer.read().decode())
    finally:
        connection.close()
    return 0 if answer.status == HTTPStatus.OK else 1


def serve(port: int, webhook: str) -> int:
    """Run a simulated Stripe until it is interrupted."""
    server = StripeServer(("127.0.0.1", port), webhook=webhook)
    print(f"simulated Stripe, no money moves: {server.url}")
    print(f"API key: {server.key}\nsigning secret: {server.webhooks.secret}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


def main() -> int:
    """Read the command and do it."""
    parser = argparse.ArgumentParser(prog="python -m local.processor", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="where to run; 0 chooses")
    parser.add_argument("--webhook", default="", help="the endpoint that is told of events, on this computer")
    parser.add_argument("--at", default="", help="the address of one that runs")
    parser.add_argument("--copies", default="1", help="weather: how often each event comes")
    parser.add_argument("--reordered", action="store_true", help="weather: the last event comes first")
    parser.add_argument("--seconds", default="0", help="weather: how late events come")
    parser.add_argument("what", nargs="?", default="", help="bank-pays, refund, dispute, weather, endpoint ...")
    parser.add_argument("id", nargs="?", default="", help="the session, payment, refund or dispute; the endpoint's URL")
    parser.add_argument("amount", nargs="?", default="", help="refund: cents; default: all that is left")
    given = parser.parse_args()
    try:
        if not given.at:
            return serve(given.port, given.webhook)
        require_loopback("simulated Stripe's", given.at)
    except RefusedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    asked = {"id": given.id, "amount": given.amount, "copies": given.copies, "seconds": given.seconds}
    asked |= {"reordered": "yes"} if given.reordered else {}
    return simulate(given.at, given.what, {name: value for name, value in asked.items() if value})


if __name__ == "__main__":
    sys.exit(main())
