"""A connected driver: the cluster with its policies, the session, and every statement prepared.

All of it blocks, so it runs in a thread. Nothing is tried again here: a request that fails is its caller's to repeat.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from cassandra import AuthenticationFailed, ConsistencyLevel, ProtocolVersion
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, Session
from cassandra.io.libevreactor import LibevConnection
from cassandra.policies import (
    ConstantSpeculativeExecutionPolicy,
    DCAwareRoundRobinPolicy,
    ExponentialReconnectionPolicy,
    FallthroughRetryPolicy,
    HostDistance,
    HostStateListener,
    LoadBalancingPolicy,
    SpeculativeExecutionPolicy,
)
from cassandra.pool import Host
from cassandra.query import PreparedStatement, Statement, tuple_factory

from ordermesh.adapters.cassandra_options import CassandraOptions, Misfit, TlsOptions
from ordermesh.adapters.cassandra_pace import Pace

CONNECT_TIMEOUT_S = 2.0
"""A node that does not take a connection in this time is left for later."""

RECONNECT_MIN_S, RECONNECT_MAX_S = 0.2, 5.0
"""Pauses between tries to reach a node that is down, for ever: the driver's own default gives up after 64 tries."""

HEARTBEAT_S, HEARTBEAT_TIMEOUT_S = 5.0, 10.0
"""After so long without a sign a connection is asked for one, and given up when none comes. Until then a node that
hangs is asked last; less would take a node that has too much to do for one that is gone."""

PREPARE_TIMEOUT_S = 10.0
"""Of statements, and of what is asked while connecting."""

SPECULATIVE_ATTEMPTS = 2
"""Other nodes asked while one does not answer; after that there is no other replica."""

SOCKET_OPTIONS = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
"""Without it a batch of more than a packet waits for the acknowledgement of its first one, 40 ms."""

_log = structlog.get_logger(__name__)


class ReplicasFirst(LoadBalancingPolicy):  # type: ignore[misc]  # the driver has no types
    """The nodes of the local data centre in turn, those that have the row before the others.

    Those that were overtaken by another a moment ago come last. (The driver's own policy shuffles a list of replicas
    that all its plans share, and passes over a replica whose state it has not learnt yet.)
    """

    def __init__(self, child: DCAwareRoundRobinPolicy, pace: Pace) -> None:
        super().__init__()
        self._child = child
        self._pace = pace
        self._metadata: Any = None

    @property
    def datacenter(self) -> str:
        """The local data centre; "" until a contact point has told it."""
        name: str = self._child.local_dc
        return name

    def populate(self, cluster: Cluster, hosts: Any) -> None:
        """The driver's, as all below."""
        self._metadata = cluster.metadata
        self._child.populate(cluster, hosts)

    def distance(self, host: Host) -> int:
        """The child's: nodes of other data centres are not spoken to."""
        distance: int = self._child.distance(host)
        return distance

    def make_query_plan(self, working_keyspace: str | None = None, query: Statement | None = None) -> Iterator[Host]:
        """Hosts to try, in order."""
        hosts = list(self._child.make_query_plan(working_keyspace, query))
        if query is not None and query.routing_key is not None and query.keyspace is not None:
            replicas = set(self._metadata.get_replicas(query.keyspace, query.routing_key))
            suspected = self._pace.is_suspected
            hosts.sort(key=lambda host: (host not in replicas) + 2 * suspected(host))
        return iter(hosts)

    def on_up(self, host: Host) -> None:
        """As above."""
        self._child.on_up(host)

    def on_down(self, host: Host) -> None:
        """As above."""
        self._child.on_down(host)

    def on_add(self, host: Host) -> None:
        """As above."""
        self._child.on_add(host)

    def on_remove(self, host: Host) -> None:
        """As above."""
        self._child.on_remove(host)


class Speculation(SpeculativeExecutionPolicy):  # type: ignore[misc]  # the driver has no types
    """Asks another node when an answer takes far longer than most."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def new_plan(self, keyspace: str | None, statement: Statement) -> Any:
        """The driver's."""
        policy = ConstantSpeculativeExecutionPolicy(self._pace.speculate_after_s, SPECULATIVE_ATTEMPTS)
        return policy.new_plan(keyspace, statement)


class _Told(HostStateListener):  # type: ignore[misc]  # the driver has no types
    """Says in the log which nodes come and go; what the driver says of it itself is far more."""

    def on_up(self, host: Host) -> None:
        _log.info("Cassandra node is up", node=str(host.endpoint))

    def on_down(self, host: Host) -> None:
        _log.warning("Cassandra node is down", node=str(host.endpoint))

    def on_add(self, host: Host) -> None:
        _log.info("Cassandra node is there", node=str(host.endpoint), datacenter=host.datacenter)

    def on_remove(self, host: Host) -> None:
        _log.info("Cassandra node has left", node=str(host.endpoint))


@dataclass(frozen=True, slots=True)
class Live:
    """A cluster that was reached."""

    cluster: Cluster
    session: Session
    prepared: Mapping[str, PreparedStatement]

    @property
    def datacenter(self) -> str:
        """The local data centre."""
        name: str = self.cluster.profile_manager.default.load_balancing_policy.datacenter
        return name

    def is_any_node_up(self) -> bool:
        """Whether there is a node to ask."""
        pools = self.session.get_pool_state().values()
        return any(state["open_count"] for state in pools)


def connect(
    options: CassandraOptions, statements: Mapping[str, str], check: Callable[[Session], None], pace: Pace
) -> Live:
    """Connects, has the keyspace looked at, and prepares the statements. Raises Misfit, and whatever the driver says;
    then everything is closed again."""
    quiet_driver()
    cluster = make_cluster(options, pace)
    try:
        session = _session(cluster, options)
        check(session)
        prepared = {name: _prepare(session, text) for name, text in statements.items()}
    except BaseException:
        cluster.shutdown()
        raise
    cluster.register_listener(_Told())
    return Live(cluster, session, prepared)


def make_cluster(options: CassandraOptions, pace: Pace) -> Cluster:
    """The driver, not connected yet. Raises what it raises where no contact point's name can be resolved."""
    profile = ExecutionProfile(
        load_balancing_policy=ReplicasFirst(DCAwareRoundRobinPolicy(options.datacenter), pace),
        retry_policy=FallthroughRetryPolicy(),
        consistency_level=ConsistencyLevel.name_to_value[options.read_consistency],
        serial_consistency_level=ConsistencyLevel.name_to_value[options.serial_consistency],
        request_timeout=PREPARE_TIMEOUT_S,
        row_factory=tuple_factory,
        speculative_execution_policy=Speculation(pace),
    )
    return Cluster(
        contact_points=list(options.contact_points),
        port=options.contact_points[0][1],
        protocol_version=ProtocolVersion.V5,
        connection_class=LibevConnection,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        auth_provider=PlainTextAuthProvider(options.user, options.password) if options.user else None,
        ssl_context=None if options.tls is None else _tls(options.tls),
        reconnection_policy=ExponentialReconnectionPolicy(RECONNECT_MIN_S, RECONNECT_MAX_S, max_attempts=None),
        sockopts=SOCKET_OPTIONS,
        connect_timeout=CONNECT_TIMEOUT_S,
        control_connection_timeout=CONNECT_TIMEOUT_S,
        idle_heartbeat_interval=HEARTBEAT_S,
        idle_heartbeat_timeout=HEARTBEAT_TIMEOUT_S,
        monitor_reporting_enabled=False,
        application_name="ordermesh",
    )


def _tls(tls: TlsOptions) -> ssl.SSLContext:
    """Raises Misfit where a file is not what it should be."""
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        context.check_hostname = tls.verify_host
        if tls.certificate is not None:
            context.load_cert_chain(tls.certificate, tls.key)
    except OSError as error:
        raise Misfit(f"the TLS files for Cassandra cannot be used: {error}") from error
    return context


def _session(cluster: Cluster, options: CassandraOptions) -> Session:
    try:
        return cluster.connect()
    except NoHostAvailable as error:
        _check_credentials(error, options)
        _check_datacenter(cluster, options)
        raise


def _check_credentials(error: NoHostAvailable, options: CassandraOptions) -> None:
    """A node that cannot look a password up, for want of replicas, says so in another way than one that knows it."""
    problems = error.errors.values() if isinstance(error.errors, dict) else ()
    for problem in problems:
        text = str(problem)
        if isinstance(problem, AuthenticationFailed) and ("incorrect" in text or "requires authentication" in text):
            who = f"the user {options.user}" if options.user else "a caller without a user"
            raise Misfit(
                f"Cassandra at {options} refuses {who}: give --cassandra-user and --cassandra-password-file"
            ) from error


def _check_datacenter(cluster: Cluster, options: CassandraOptions) -> None:
    there = sorted({host.datacenter for host in cluster.metadata.all_hosts() if host.datacenter})
    if there and options.datacenter and options.datacenter not in there:
        raise Misfit(
            f"Cassandra at {options} has no data centre {options.datacenter}, but {', '.join(there)}:"
            " give one of these as --cassandra-datacenter"
        )


def _prepare(session: Session, text: str) -> PreparedStatement:
    statement = session.prepare(text)
    statement.is_idempotent = " IF NOT EXISTS" not in text
    return statement


def local_nodes(session: Session) -> list[Host]:
    """The nodes of the local data centre, also those that are down."""
    policy = session.cluster.profile_manager.default.load_balancing_policy
    hosts = session.cluster.metadata.all_hosts()
    return [host for host in hosts if policy.distance(host) == HostDistance.LOCAL]


def quiet_driver() -> None:
    """The driver logs every try to reach a node, with a stack: it is heard only where everything is to be heard."""
    if not logging.getLogger().isEnabledFor(logging.DEBUG):
        logging.getLogger("cassandra").setLevel(logging.CRITICAL)
