"""Where webhooks may go: the public internet, and with a stack's leave this machine."""

from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.webhook_urls import may_be_called, port_of, read_url

PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "64:ff9b::808:808", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_called(address: str) -> None:
    assert may_be_called(address, loopback=False)


@given(st.ip_addresses(v=4))
def test_an_address_of_version_4_is_judged_alike_however_it_is_put_into_one_of_version_6(address: IPv4Address) -> None:
    alone = may_be_called(str(address), loopback=False)
    inside = [f"::ffff:{address}", f"64:ff9b::{address}", str(ip_address((0x2002 << 112) | (int(address) << 80)))]
    assert [may_be_called(each, loopback=False) for each in inside] == [alone] * 3
    assert alone is (address.is_global and not address.is_multicast)


@given(st.text(max_size=40))
def test_what_is_no_address_may_not_be_called(value: str) -> None:
    try:
        ip_address(value.partition("%")[0])
    except ValueError:
        assert not may_be_called(value, loopback=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_may_be_called_only_where_that_is_allowed(address: str) -> None:
    assert may_be_called(address, loopback=True)
    assert not may_be_called(address, loopback=False)


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "fd00::1", "0.0.0.0"])  # noqa: S104 - none is bound
def test_leave_for_this_machine_is_no_leave_for_its_network(address: str) -> None:
    assert not may_be_called(address, loopback=True)


@given(st.text(max_size=60))
def test_any_text_is_read_as_a_url_to_the_public_or_refused_in_words(value: str) -> None:
    for text in (value, f"https://{value}", f"https://example.com{value}"):
        fault = ""
        try:
            parts = read_url(text)
            assert (parts.scheme, bool(parts.hostname)) == ("https", True)
            assert 1 <= port_of(parts) <= 65535
        except ValueError as error:
            fault = str(error)
        assert not fault or fault.startswith("must ")


def test_a_url_may_have_a_port_a_path_and_a_query() -> None:
    assert port_of(read_url("https://hooks.example.com:8443/a/b?c=d")) == 8443
    assert port_of(read_url("https://hooks.example.com")) == 443
    assert port_of(read_url("http://127.0.0.1", loopback=True)) == 80
