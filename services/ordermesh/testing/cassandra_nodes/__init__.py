"""A real Cassandra for development and tests: one node or three on the loopback, of the jars that Maven has.

`scripts/cassandra` is its command line, `Cluster` what tests use. Everything that is written is in one folder.
"""

from ordermesh.testing.cassandra_nodes.cluster import Cluster
from ordermesh.testing.cassandra_nodes.errors import ClusterError, ToolMissing
from ordermesh.testing.cassandra_nodes.options import ClusterOptions

__all__ = ["Cluster", "ClusterError", "ClusterOptions", "ToolMissing"]
