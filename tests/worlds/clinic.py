"""A practice with one account, its link, and a browser to look at the patient pages with, in this process."""

import base64
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from functions.payment_link import handler, sandbox
from shared.domain.paying.link_secrets import IssuedLink, new_payment_link
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.policy import Organization
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW, account, bill
from tests.worlds.gateway import addressed, assert_described
from tests.worlds.lambda_context import lambda_context

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_dynamodb import DynamoDBClient

UNREADABLE_TIME = "yesterday"
"""What only test stacks answer with a 400, and so no document speaks of."""
EVENTS = Path(__file__).resolve().parents[2] / "events"
BASE = "https://pay.example.com/prod"
PDF = "application/pdf"
PROCESSOR = "https://sandbox.example.net"
KEY = "a-key-of-the-simulated-processor"
RIGHT = {"month": "6", "day": "7", "year": "2015"}
WRONG = {"month": "6", "day": "8", "year": "2015"}
PRIVATE = ("Ada", "Example", "74.60", "12 Juniper", "2015", "1980", "S-1")
EVERY_ANSWER = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


@dataclass
class Answer:
    """What a browser gets."""

    status: int
    headers: dict[str, str]
    body: str
    content: bytes = b""

    @property
    def location(self) -> str:
        return self.headers["Location"]

    @property
    def cookie(self) -> str:
        return self.headers.get("Set-Cookie", "").split(";")[0]

    @property
    def text(self) -> str:
        """What a person reads."""
        shown = re.sub(r"<style>.*?</style>|<[^>]+>", " ", self.body, flags=re.DOTALL)
        return " ".join(shown.replace("&#39;", "'").replace("&amp;", "&").split())


def gateway_event(
    method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None, query: str = ""
) -> dict[str, Any]:
    """The event of a request, as the REST API hands it over."""
    event: dict[str, Any] = json.loads((EVENTS / "payment_link_open.json").read_text())
    event["headers"] = headers or {}
    event["multiValueHeaders"] = {name: [value] for name, value in (headers or {}).items()}
    lists = parse_qs(query)
    event["queryStringParameters"] = {name: values[0] for name, values in lists.items()} or None
    event["multiValueQueryStringParameters"] = lists or None
    event["requestContext"] |= {"httpMethod": method, "path": f"/prod{path}"}
    return event | addressed(method, path) | {"httpMethod": method, "body": body}


def invoke(event: dict[str, Any], context: "LambdaContext") -> Answer:
    """Call the function as Lambda does."""
    answer = handler.lambda_handler(event, context)
    if event["headers"].get("Dunlin-As-Of") != UNREADABLE_TIME:
        assert_described(event["httpMethod"], event["path"], answer)
    headers = {name: values[-1] for name, values in answer["multiValueHeaders"].items()}
    body, content = answer["body"], b""
    if answer.get("isBase64Encoded"):
        content = base64.b64decode(body)
        body = "" if headers["Content-Type"] == PDF else content.decode()
    return Answer(answer["statusCode"], headers, body, content)


@dataclass
class Clinic:
    """An account with its link, and a browser to look at the pages with."""

    client: "DynamoDBClient"
    issued: IssuedLink
    context: "LambdaContext"
    now: datetime = NOW
    cookie: str = ""
    accepts_language: str = ""
    address: str = "192.0.2.10"

    @property
    def books(self) -> AccountBooks:
        return AccountBooks(self.client, TABLE)

    @property
    def book(self) -> AccountBook:
        found = self.books.load("org_1", "G-1")
        assert found is not None
        return found

    @property
    def link(self) -> PaymentLink:
        return next(link for link in self.book.links if link.link_id == self.issued.link.link_id)

    @property
    def path(self) -> str:
        return f"/pay/{self.issued.token}"

    def change(self, **changes: Any) -> None:
        """Store other bills, notices, links, or another account."""
        book = self.book
        account_now = replace(changes.pop("account", book.account), version=book.account.version)
        self.books.commit(Change(account=account_now, **changes))

    def settle(self, **changes: Any) -> None:
        """Store the practice with other settings."""
        store = Organizations(self.client, TABLE)
        found = store.get("org_1")
        assert found is not None
        store.save(replace(found, **changes))

    def request(
        self, method: str, path: str, form: dict[str, str] | None = None, *, body: str | None = None, content: str = ""
    ) -> Answer:
        """Ask for a page; `body` of the type `content` goes out as it is."""
        url = urlsplit(path)
        headers = {"Dunlin-As-Of": self.now.isoformat()}
        if self.cookie:
            headers["Cookie"] = self.cookie
        if self.accepts_language:
            headers["Accept-Language"] = self.accepts_language
        if content:
            headers["Content-Type"] = content
        sent = urlencode(form) if form is not None else body
        event = gateway_event(method, url.path, sent, headers, url.query)
        event["requestContext"]["identity"]["sourceIp"] = self.address
        answer = invoke(event, self.context)
        assert answer.headers["Content-Type"] in {"text/html; charset=utf-8", "text/plain; charset=utf-8", PDF}
        for name, value in EVERY_ANSWER.items():
            assert answer.headers[name] == value
        return answer

    def get(self, path: str = "") -> Answer:
        return self.request("GET", path or self.path)

    def post(self, path: str, form: dict[str, str] | None = None) -> Answer:
        return self.request("POST", path, form or {})

    def answer(self, form: dict[str, str] = RIGHT, query: str = "") -> Answer:
        """Send an answer to the question; what comes of it, before the browser goes on."""
        return self.post(f"{self.path}/verify{query}", form)

    def verify(self, form: dict[str, str] = RIGHT, *, keeps_cookie: bool = True) -> Answer:
        """Answer the question, and go on to where the browser is sent."""
        answer, before = self.answer(form), self.cookie
        if answer.status == 303:
            self.cookie = answer.cookie
            answer = self.get(answer.location[answer.location.index("/pay/") :])
            self.cookie = answer.cookie if keeps_cookie else before
        return answer

    def checkout(self, **form: str) -> Answer:
        return self.post(f"{self.path}/checkout", form)

    def reference(self, **form: str) -> str:
        """Begin a checkout and answer its reference."""
        self.verify()
        answer = self.checkout(**form)
        assert answer.status == 303
        return parse_qs(urlsplit(answer.location).query)["reference"][0]

    def webhook(self, *, org_id: str = "org_1", at: int | None = None, key: str = KEY, **changes: Any) -> Answer:
        told = {
            "type": "checkout.completed",
            "eventId": "evt_1",
            "sessionId": "ses_1",
            "reference": "",
            "amount": 7460,
            "currency": "usd",
            "occurredAt": self.now.isoformat(),
        }
        return self.signed(json.dumps(told | changes), org_id=org_id, at=at, key=key)

    def signed(self, body: str, *, org_id: str = "org_1", at: int | None = None, key: str = KEY) -> Answer:
        """Send the simulated processor's webhook a body with its signature."""
        signed = sandbox.signature(body.encode(), key, at or int(datetime.now(UTC).timestamp()))
        headers = {"Dunlin-As-Of": self.now.isoformat(), sandbox.SIGNATURE_HEADER: signed}
        return invoke(gateway_event("POST", f"/webhooks/sandbox/{org_id}", body, headers), self.context)


def open_clinic(client: "DynamoDBClient", practice: Organization, **changes: Any) -> Clinic:
    """Store a practice, an account with one bill of 74.60, and a link to it."""
    Organizations(client, TABLE).create(practice)
    issued = new_payment_link(
        org_id="org_1",
        account_id="G-1",
        now=NOW,
        lives=timedelta(days=30),
        notice_id="ntc_1",
        with_code=True,
        random=token_bytes,
    )
    stored: dict[str, Any] = {"account": account(), "bills": (bill(),), "links": (issued.link,)} | changes
    AccountBooks(client, TABLE).commit(Change(**stored))
    return Clinic(client, issued, lambda_context())
