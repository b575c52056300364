"""HEAD on the deployed stack: the gateway lets it through to the functions, with and without a key."""

import httpx
import pytest

from local.stack.watch import LocalStack
from tests.worlds.partner_at_work import Partner, statement

pytestmark = pytest.mark.e2e


def test_head_is_answered_as_get_is_wherever_partners_read(partner: Partner) -> None:
    org_id = partner.organization("HEAD")
    sent = partner.call("POST", "/v1/statements", {"statements": [statement("S-HEAD", "HEAD")]}).json()
    organization, ingestion = f"/v1/organizations/{org_id}", f"/v1/ingestions/{sent['ingestionId']}"
    for path in (
        "/v1/organizations?search=head",
        organization,
        f"{organization}/bills/S-HEAD/history?limit=1",
        f"{organization}/notifications",
        "/v1/dunning-configurations/standard-30",
        "/v1/templates",
        "/v1/ingestions",
        ingestion,
        f"{ingestion}/statements?result=Created",
        "/openapi.json",
        "/docs",
    ):
        read, probed = partner.call("GET", path), partner.call("HEAD", path)
        assert (read.status_code, probed.status_code, probed.content) == (200, 200, b""), path
        for name in ("Content-Type", "Cache-Control"):
            assert probed.headers[name] == read.headers[name], path
    assert partner.call("HEAD", f"{organization}/bills/unknown").status_code == 404
    assert partner.call("HEAD", f"{organization}/bills?nope=1").status_code == 400


def test_head_needs_a_key_where_get_does(stack: LocalStack) -> None:
    with httpx.Client(base_url=stack.api_url, timeout=60) as nobody:
        for path in ("/v1/organizations", "/v1/ingestions"):
            refused = nobody.head(path)
            assert (refused.status_code, refused.headers["Cache-Control"]) == (401, "no-store")
        for path in ("/openapi.json", "/docs", "/bill"):
            assert nobody.head(path).status_code == 200
        for step in ("verify", "checkout", "renew"):
            assert nobody.head(f"/pay/unknown/{step}").status_code == 303
        assert nobody.head("/pay/unknown").status_code == 404
