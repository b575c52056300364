"""Templates of external payment sites: one host over https, and what is filled in stays where it is put."""

import pytest

from shared.domain.paying.external_site import PaymentSite, SiteTemplateError, stored_site

VALUES = {"id": "A B", "amount": "20.00", "accountId": "../x?y=1&z#;@é"}


@pytest.mark.parametrize(
    ("template", "origin", "url"),
    [
        ("https://pay.example.com", "https://pay.example.com", "https://pay.example.com"),
        ("https://PAY.example.com:8443/x", "https://pay.example.com:8443", "https://pay.example.com:8443/x"),
        ("https://a-b.example/{id}", "https://a-b.example", "https://a-b.example/A%20B"),
        ("https://a.example?m={id}&a={amount}", "https://a.example", "https://a.example?m=A%20B&a=20.00"),
        ("https://a.example/;p=%7e/{id}", "https://a.example", "https://a.example/;p=%7e/A%20B"),
    ],
)
def test_a_template_is_a_host_with_a_path_and_query_to_fill_in(template: str, origin: str, url: str) -> None:
    """The origin is written in one way."""
    site = PaymentSite.read(template)
    assert (site.origin, site.url(VALUES)) == (origin, url)
    assert stored_site(template) == site


def test_what_is_filled_in_can_change_neither_path_nor_query() -> None:
    """Whatever an account is called."""
    url = PaymentSite.read("https://a.example/{accountId}?to={accountId}").url(VALUES)
    value = "..%2Fx%3Fy%3D1%26z%23%3B%40%C3%A9"
    assert url == f"https://a.example/{value}?to={value}"


@pytest.mark.parametrize(
    "template",
    [
        "",
        "http://a.example/",
        "//a.example/",
        "javascript:alert(1)",
        "https://",
        "https:///x",
        "https://[bad",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://localhost/",
        "https://a.example; script-src *",
        "https://a.example;b/",
        "https://a b.example/",
        "https://a.example /",
        "https://a.example/ x",
        "https://a.example/\n",
        "https://a.example\\@b.example/",
        "https://a@b.example/",
        "https://a:b@b.example/",
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://a.example:x/",
        "https://a.example,b.example/",
        "https://{id}.example/",
        "https://a.example:{id}/",
        "https://a.example{id}",
        "https://a.example/#{id}",
        "https://a.example/{other}",
        "https://a.example/{id",
        "https://a.example/id}",
        "https://a.example/{{id}}",
        "https://a.example/%zz",
        "https://-a.example/",
        "https://a..example/",
        "https://ä.example/",
        "https://a.example/\u2028",
        "https://a.example/'\"",
    ],
)
def test_what_leads_nowhere_or_may_lead_elsewhere_is_no_template(template: str) -> None:
    """Nor is one that was stored before this was checked."""
    with pytest.raises(SiteTemplateError):
        PaymentSite.read(template)
    assert stored_site(template) is None
