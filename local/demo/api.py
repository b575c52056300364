"""How the demo speaks to the product: the `dunlin` command and the partner API, as a partner would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from local.stack.errors import LocalStackError
from local.stack.watch import instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shared.domain.vocabulary.json_documents import Json

AS_OF = "Dunlin-As-Of"
_SECONDS = 120.0
_PAGE = 100


class Command:
    """The `dunlin` command beside this Python, in a stack's environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **environment}

    def run(self, *words: str, may_fail: bool = False) -> Json:
        """Run it with --json; returns what it printed. Raises LocalStackError when it fails and mustn't."""
        program = Path(sys.executable).with_name("dunlin")
        done = subprocess.run(
            [str(program), *words, "--json"],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if not done.stdout or (done.returncode and not may_fail):
            said = done.stderr.strip().splitlines()[-1:] or ["nothing"]
            raise LocalStackError(f"`dunlin {' '.join(words[:2])}` ended with {done.returncode} and said: {said[0]}")
        answer: Json = json.loads(done.stdout)
        return answer


class DemoApi:
    """The partner API, with a partner's key."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=_SECONDS,
            trust_env=False,
        )

    def call(
        self, method: str, path: str, now: datetime, body: Json | None = None, query: Mapping[str, str] | None = None
    ) -> Json:
        """Make a request as of an instant; raises LocalStackError for any answer that isn't a success."""
        return _read(self._client.request(method, path, headers={AS_OF: instant(now)}, json=body, params=query))

    def send_file(self, content: bytes, now: datetime) -> Json:
        """Send a statement file as it is: a statement is the same as one before only to the letter."""
        headers = {AS_OF: instant(now), "Content-Type": "application/json"}
        return _read(self._client.post("/v1/statements", headers=headers, content=content))

    def every(self, path: str, now: datetime, **query: str) -> list[Json]:
        """Return all items of a list, page by page."""
        items: list[Json] = []
        cursor = ""
        while True:
            here = {**query, "limit": str(_PAGE)} | ({"cursor": cursor} if cursor else {})
            page = self.call("GET", path, now, query=here)
            items += page["items"]
            cursor = page["nextCursor"] or ""
            if not cursor:
                return items

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _read(answer: httpx.Response) -> Json:
    if not HTTPStatus(answer.status_code).is_success:
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise LocalStackError(f"{asked} answered {answer.status_code}: {answer.text[:300]}")
    value: Json = answer.json()
    return value
