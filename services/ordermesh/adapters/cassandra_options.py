"""How to reach a Cassandra cluster, and what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Consistency = Literal["LOCAL_QUORUM", "QUORUM", "EACH_QUORUM"]
WeakConsistency = Literal["ONE", "LOCAL_ONE"]

REPLICAS = 3
"""Replicas of a row in a data centre, unless told: with one node down, the other two still are a quorum."""


class Misfit(ValueError):
    """The cluster or its keyspace is not what the program needs; the text says what, and what to do."""


class TooFewNodes(Misfit):
    """A data centre has fewer nodes than replicas are wanted: more may still be joining."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """Transport security: whom to trust, and how to show who we are."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    verify_host: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CassandraOptions:
    """`contact_points` are (host, port). `replication` gives the replicas by data centre; "" stands for the local one,
    and an empty mapping leaves it to the program. `datacenter` "" is that of the contact point that answers first."""

    contact_points: Sequence[tuple[str, int]] = (("127.0.0.1", 9042),)
    keyspace: str = "ordermesh"
    datacenter: str = ""
    replication: Mapping[str, int] = field(default_factory=dict)
    user: str = ""
    password: str = field(default="", repr=False)
    tls: TlsOptions | None = None
    consistency: Consistency = "LOCAL_QUORUM"
    weak_consistency: WeakConsistency = "ONE"
    timeout_s: float = 2.5
    in_flight_max: int = 64

    @property
    def read_consistency(self) -> str:
        """Of reads that must see what was written: in every region a quorum of its own is enough after EACH_QUORUM."""
        return "LOCAL_QUORUM" if self.consistency == "EACH_QUORUM" else self.consistency

    @property
    def serial_consistency(self) -> str:
        """Of the one conditional write."""
        return "LOCAL_SERIAL" if self.consistency == "LOCAL_QUORUM" else "SERIAL"

    def __str__(self) -> str:
        """Where it is, for a person."""
        return ", ".join(f"{host}:{port}" for host, port in self.contact_points)
