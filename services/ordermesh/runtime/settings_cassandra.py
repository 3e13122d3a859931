"""What the settings of the Cassandra store say in one text: addresses, and replicas by data centre."""

from __future__ import annotations

CASSANDRA_PORT = 9042
"""Where nodes listen for clients unless told."""


def addresses(text: str) -> tuple[tuple[str, int], ...]:
    """Hosts and ports of `HOST[:PORT],HOST[:PORT]...`; an IPv6 address with a port in brackets. Raises ValueError."""
    return tuple(_address(part.strip()) for part in text.split(","))


def _address(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or (":" in host and not host.endswith("]")):
        host, port = text, str(CASSANDRA_PORT)
    host = host.strip("[]")
    if not host or not port.isdigit() or not 0 < int(port) <= 65535:
        raise ValueError("expected HOST[:PORT],HOST[:PORT]..., as in 10.0.0.1,10.0.0.2:9042")
    return host, int(port)


def replicas(text: str) -> dict[str, int]:
    """Replicas by data centre of `3` (under "", the local one) or `dc1:3,dc2:3`; none of "". Raises ValueError."""
    counts: dict[str, int] = {}
    for part in text.split(",") if text else ():
        name, _, count = part.strip().rpartition(":")
        if not count.isdigit() or int(count) < 1 or name in counts or "'" in name:
            raise ValueError("expected a number of replicas, or one for each data centre, as in dc1:3,dc2:3")
        counts[name] = int(count)
    if "" in counts and len(counts) > 1:
        raise ValueError("expected a data centre's name before each number of replicas, as in dc1:3,dc2:3")
    return counts
