"""Where webhooks may go, by what a URL says."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from ordermesh.core.targets import NotAllowed, TargetRules, check_address, ports_of, target_of

RULES = TargetRules()
DEVELOPMENT = TargetRules(allow_http=True, allow_private=True, ports=ports_of("1-65535"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example/hooks",
        "http://shop.example/hooks",
        "ftp://shop.example/",
        "https://",
        "https:///hooks",
        "https://user@shop.example/",
        "https://user:pass@shop.example/",
        "https://@shop.example/",
        "https://shop.example:8443/",
        "https://shop.example:0/",
        "https://shop.example:99999/",
        "https://shop.example:x/",
        "https://shop.example/#part",
        "https://shop.example/a b",
        "https://shop.example/\r\nx: y",
        "https://shop.example\\@evil.example/",
        "https://münchen.example/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://api.localhost/",
        "https://intranet/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.0.0.1.:443/",
        "https://10.1.2.3/",
        "https://172.16.0.1/",
        "https://192.168.0.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://168.63.129.16/",
        "https://192.0.0.192/opc/v2/instance/",
        "https://192.0.0.9/",
        "https://192.88.99.1/",
        "https://198.18.0.1/",
        "https://240.0.0.1/",
        "https://[3fff::1]/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:8.8.8.8]/",
        "https://[::127.0.0.1]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fc00::1]/",
        "https://[fd00:ec2::254]/",
        "https://[ff02::1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:1::1]/",
        "https://[2001:db8::1]/",
        "https://-a.example/",
        "https://a..example/",
        "https://" + "a" * 64 + ".example/",
        "https://shop.example/" + "a" * 2_100,
    ],
)
def test_a_url_that_is_none_or_leads_inside_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        target_of(url, RULES)


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://shop.example/hooks?a=b", "shop.example", "/hooks?a=b"),
        ("https://Shop.Example:443", "shop.example", "/"),
        ("HTTPS://xn--mnchen-3ya.example/x", "xn--mnchen-3ya.example", "/x"),
        ("https://8.8.8.8/", "8.8.8.8", "/"),
        ("https://[2606:4700::1111]/", "[2606:4700::1111]", "/"),
    ],
)
def test_a_url_into_the_internet_is_taken(url: str, authority: str, path: str) -> None:
    target = target_of(url, RULES)
    assert (target.scheme, target.authority, target.path) == ("https", authority, path)


def test_development_may_use_http_and_this_machine() -> None:
    target = target_of("http://127.0.0.1:8081/hooks", DEVELOPMENT)
    assert (target.authority, target.port) == ("127.0.0.1:8081", 8081)
    assert target_of("http://localhost:80/", DEVELOPMENT).authority == "localhost"
    with pytest.raises(NotAllowed):
        target_of("http://2130706433/", DEVELOPMENT)


@pytest.mark.parametrize("text", ["", "x", "0", "443,", "65536", "9-8", "-1", "1-x", "１"])
def test_ports_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="port"):
        ports_of(text)


def test_ports_are_numbers_and_ranges() -> None:
    assert ports_of("443, 8000-8002") == (range(443, 444), range(8000, 8003))


def test_an_address_is_looked_at_by_itself_too() -> None:
    """A name that was harmless when the endpoint was made may lead inside later."""
    check_address(ip_address("8.8.4.4"), RULES)
    with pytest.raises(NotAllowed, match="inside"):
        check_address(ip_address("192.168.1.1"), RULES)
