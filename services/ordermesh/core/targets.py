"""Where webhooks may be sent: a guard against requests that an outsider has the engine make inside its own network.

A URL is looked at when an endpoint is made, and each time that something is sent; the address that its name leads to is
looked at each time too, and the connection is made to that very address. PURE: names are resolved elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

URL_CHARACTERS_MAX = 2_048
"""What common servers take as a request's target."""

_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?")
_UNICAST = IPv6Network("2000::/3")
"""Beyond it there are only addresses inside networks, and IPv4 addresses in disguise: mapped, compatible, NAT64."""
NETWORKS_REFUSED = tuple(
    ip_network(text)
    for text in (
        "168.63.129.16/32",  # a cloud's own services, at an address that looks like any other
        "192.0.0.0/24",  # of protocols; a cloud's metadata are there too, and what counts as global differs by version
        "192.88.99.0/24",  # the relays of 6to4
        "2001::/32",  # Teredo: carries an IPv4 address
        "2002::/16",  # 6to4: as above
        "3fff::/20",  # for documentation
    )
)
"""Besides those that `ipaddress` knows as not global."""


class NotAllowed(Exception):
    """Nothing may be sent there; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRules:
    """What a deployment allows. `ports` are ranges, both ends included."""

    allow_http: bool = False
    allow_private: bool = False
    ports: tuple[range, ...] = (range(443, 444),)


class Target(NamedTuple):
    """Where a request goes: `host` is a name in ASCII or an address without brackets, `path` has the query too."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The header `host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"


def ports_of(text: str) -> tuple[range, ...]:
    """Ports as `443,8000-8999`. Raises ValueError."""
    found = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not text.isascii() or not first.isdecimal() or (dash and not last.isdecimal()):
            raise ValueError(f"{part.strip()!r} is no port and no range of ports; expected as in 443,8000-8999")
        ports = range(int(first), int(last or first) + 1)
        if not ports or not 1 <= ports.start <= ports.stop - 1 <= 65_535:
            raise ValueError(f"{part.strip()!r}: ports are from 1 to 65535")
        found.append(ports)
    return tuple(found)


def target_of(url: str, rules: TargetRules) -> Target:
    """The target that a URL names, where it is allowed as far as it says. Raises NotAllowed."""
    if len(url) > URL_CHARACTERS_MAX:
        raise NotAllowed(f"has {len(url)} characters; at most {URL_CHARACTERS_MAX} are taken")
    if not url.isascii() or not url.isprintable() or any(character in url for character in ' \\"<>^`{|}'):
        raise NotAllowed("has characters that a URL has not; encode them, and a host's name as IDNA (xn--...)")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotAllowed(f"is no URL: {error}") from None
    if parts.scheme not in ("https", "http") or (parts.scheme == "http" and not rules.allow_http):
        raise NotAllowed("has to begin with https://" + (" or http://" if rules.allow_http else ""))
    if "@" in parts.netloc:
        raise NotAllowed("names a user or a password; requests are signed instead")
    if parts.fragment:
        raise NotAllowed("has a fragment (#...), which is never sent")
    port = (443 if parts.scheme == "https" else 80) if port is None else port
    if not any(port in ports for ports in rules.ports):
        raise NotAllowed(f"has port {port}, to which nothing is sent here; the setting webhook_ports says which may be")
    host = _host(parts.hostname or "", rules)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path)


def _host(host: str, rules: TargetRules) -> str:
    """The host, checked as far as its spelling goes. Raises NotAllowed."""
    try:
        check_address(ip_address(host), rules)
    except ValueError:
        if "%" in host or not _HOST.fullmatch(host) or len(host) > 253:
            raise NotAllowed(f"has no host that can be: {host[:64]!r}") from None
        last = host.rstrip(".").rpartition(".")[2]
        if last.isdecimal() or last.startswith("0x"):  # 127.1, 0x7f000001, 2130706433: an address in disguise
            raise NotAllowed(f"{host!r} is an IPv4 address in a form that is not taken") from None
        if not rules.allow_private and (last == "localhost" or "." not in host.rstrip(".")):
            raise NotAllowed(f"{host!r} is a name inside a network") from None
    return host


def check_address(address: IPv4Address | IPv6Address, rules: TargetRules) -> None:
    """Raises NotAllowed for an address that is not in the internet for everybody."""
    if rules.allow_private:
        return
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        raise NotAllowed(f"leads to {address}, which is inside a network, or an IPv4 address in disguise")
    if not address.is_global or address.is_multicast or address.is_reserved:
        raise NotAllowed(f"leads to {address}, which is inside a network")
    if any(address.version == network.version and address in network for network in NETWORKS_REFUSED):
        raise NotAllowed(f"leads to {address}, which is not reached directly")
