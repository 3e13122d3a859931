"""Whatever way an address inside a network is written, no webhook goes there."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordermesh.core.targets import NotAllowed, TargetRules, check_address, target_of

RULES = TargetRules()
INSIDE = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]


def addresses_in(network: IPv4Network) -> st.SearchStrategy[IPv4Address]:
    """Addresses of a network."""
    first, last = int(network.network_address), int(network.broadcast_address)
    return st.integers(first, last).map(IPv4Address)


inside = st.sampled_from(INSIDE).flatmap(addresses_in)


def spellings(address: IPv4Address) -> st.SearchStrategy[str]:
    """Ways to write an IPv4 address that some part of a computer takes for it."""
    number = int(address)
    a, b, c, d = address.packed
    return st.sampled_from(
        [
            str(address),
            str(number),
            hex(number),
            f"0{number:o}",
            f"{a}.{number & 0xFFFFFF}",
            f"{a}.{b}.{number & 0xFFFF}",
            ".".join(hex(part) for part in (a, b, c, d)),
            ".".join(f"0{part:o}" for part in (a, b, c, d)),
            ".".join(f"{part:03d}" for part in (a, b, c, d)),
            f"{address}.",
            f"[::ffff:{address}]",
            f"[::{address}]",
            f"[64:ff9b::{address}]",
            f"[64:ff9b:1::{address}]",
            f"[{IPv6Address(0x2002 << 112 | number << 80)}]",
            f"[::ffff:{a:02x}{b:02x}:{c:02x}{d:02x}]",
            f"[0:0:0:0:0:ffff:{address}]",
        ]
    )


@given(host=inside.flatmap(spellings), port=st.sampled_from(["", ":443"]), is_upper=st.booleans())
def test_no_spelling_of_an_address_inside_is_taken(host: str, port: str, *, is_upper: bool) -> None:
    url = f"https://{host.upper() if is_upper else host}{port}/hooks"
    with pytest.raises(NotAllowed):
        target_of(url, RULES)


@given(inside, st.sampled_from([0, 0xFFFF << 32, 0x64FF9B << 96, 0x2002 << 112]))
def test_no_address_inside_is_reached_in_the_guise_of_another(address: IPv4Address, prefix: int) -> None:
    """What a resolver gives is looked at as what it stands for."""
    shift = 80 if prefix == 0x2002 << 112 else 0
    disguised = IPv6Address(prefix | int(address) << shift)
    for each in (address, disguised):
        with pytest.raises(NotAllowed):
            check_address(ip_address(str(each)), RULES)


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_an_ipv6_address_is_taken_only_where_it_is_for_everybody(address: IPv6Address) -> None:
    try:
        check_address(address, RULES)
    except NotAllowed:
        return
    assert address.is_global
    assert not any((address.is_multicast, address.is_private, address.is_loopback, address.is_link_local))
    assert address.ipv4_mapped is None
    assert address.sixtofour is None
    assert address.teredo is None


@given(st.text(max_size=60))
def test_any_text_is_a_target_or_refused_in_words(text: str) -> None:
    try:
        target = target_of(text, RULES)
    except NotAllowed:
        return
    assert target.port == 443
    assert target.path.startswith("/")


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_is_taken_can_be_put_into_a_request(host: str, path: str) -> None:
    """Nothing in a URL breaks a header or the line of a request."""
    try:
        target = target_of(f"https://{host}.example/{path}", RULES)
    except NotAllowed:
        return
    for text in (target.authority, target.path):
        assert text.isascii()
        assert text.isprintable()
        assert " " not in text
