"""What of partners' input hangs on the deployed stack: the bytes that the gateway hands over, the artifact's fonts."""

import json
from typing import Any

import pymupdf
import pytest

from local.stack.watch import LocalStack
from tests.worlds.cases import case
from tests.worlds.partner_at_work import Partner, statement

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("headers", [{}, {"Content_Type": "application/json"}, {"Content_Type": "text/plain"}])
def test_case_35_bytes_that_arent_utf_8_are_refused(partner: Partner, headers: dict[str, str]) -> None:
    partner.organization(f"E2E-BYTES-{len(str(headers))}")
    given = case("35").inputs
    spoiled = statement("S-BYTES", f"E2E-BYTES-{len(str(headers))}")
    spoiled["guarantor"] |= {"firstName": given["firstName"], "lastName": given["lastName"]}
    text = json.dumps({"statements": [spoiled]}, ensure_ascii=False)
    refused = partner.call("POST", "/v1/statements", text.encode(given["encoding"]), **headers)
    assert (refused.status_code, refused.json()["detail"]) == (400, "The body isn't UTF-8.")
    taken = partner.call("POST", "/v1/statements", text.encode(), **headers)
    assert taken.json()["counts"]["created"] == 1, taken.text


def test_case_32_a_letter_to_a_chinese_name_says_it(stack: LocalStack, partner: Partner) -> None:
    org_id = partner.organization("E2E-NAMES")
    first, last = case("32").inputs["names"][0]
    given = statement("S-NAMES", "E2E-NAMES")
    given["guarantor"] |= {"firstName": first, "lastName": last}
    partner.call("POST", "/v1/statements", {"statements": [given]})
    partner.days_go_by(1)
    [job] = [job.job for job in stack.print_jobs() if job.job["orgId"] == org_id]
    document: Any = pymupdf.open(stream=stack.printed(job["pdf"]))  # type: ignore[no-untyped-call] # it has no types
    assert f"{first} {last}" in " ".join(" ".join(page.get_text() for page in document).split())
