"""Which nodes have a row: rows and keys of the same replicas go together, to one of these."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from ordermesh.adapters.cassandra_cluster import Live

AGE_MAX_S = 10.0
"""How long it is believed that one set of nodes has everything: the ring changes seldom, and a row that goes by an old
ring is still written, by one hop more."""

EVERYWHERE: Hashable = "everywhere"
"""The replica set where there is but one, or where the ring is not known."""


class Ring:
    """The replica sets of a keyspace: of the local data centre, where its quorum is what counts, else of all."""

    def __init__(self, keyspace: str, *, is_local: bool) -> None:
        self._keyspace = keyspace
        self._is_local = is_local
        self._datacenter = ""
        self._token_map: Any = None
        self._looked_at = float("-inf")
        self._is_single = True

    def look(self, live: Live, now: float) -> None:
        """Notes the ring as it is; to be called before `replicas`, which is called for every row."""
        token_map = live.cluster.metadata.token_map
        if token_map is self._token_map and now - self._looked_at < AGE_MAX_S:
            return
        self._token_map, self._looked_at = token_map, now
        self._datacenter = live.datacenter if self._is_local else ""
        self._is_single = token_map is None or len({self._nodes(token) for token in token_map.ring}) <= 1

    def replicas(self, routing_key: bytes) -> Hashable:
        """Stands for the nodes that have the rows of a partition key."""
        if self._is_single:
            return EVERYWHERE
        return self._nodes(self._token_map.token_class.from_key(routing_key)) or EVERYWHERE

    def _nodes(self, token: Any) -> frozenset[Any]:
        nodes = self._token_map.get_replicas(self._keyspace, token)
        return frozenset(node for node in nodes if not self._datacenter or node.datacenter == self._datacenter)
