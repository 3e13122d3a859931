"""A node's cassandra.yaml and its JVM's arguments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ordermesh.testing.cassandra_nodes.jars import HERE
from ordermesh.testing.cassandra_nodes.options import ClusterOptions

JVM_OPTIONS = HERE / "jvm.options"
HEAP_FIRST_MEBIBYTES = 96
"""What the heap starts with; it grows to what the options say."""
YOUNG_MEBIBYTES = 80
"""Of a steady heap for what is new: small, so that looking through it is a short pause."""
RING = 1 << 64
"""Tokens of Murmur3Partitioner: from -RING/2 to RING/2 - 1."""


def token(number: int, size: int) -> int:
    """The one token of node `number` (from 1): the nodes share the ring equally."""
    return (2 * number - 1) * RING // (2 * size) - RING // 2


def node_yaml(options: ClusterOptions, number: int) -> str:
    """The node's cassandra.yaml, as JSON, which is YAML too. What is not named is Cassandra's default.

    What decides whether a program works (timeouts, largest mutation and batch, failure detection, hints) is left at
    the default, so that what works here works on a cluster that somebody else has set up.
    """
    address = options.addresses[number - 1]
    seeds = [{"class_name": "org.apache.cassandra.locator.SimpleSeedProvider"}]
    seeds[0]["parameters"] = [{"seeds": ",".join(options.addresses)}]  # type: ignore[assignment]  # a nested value
    members: dict[str, Any] = {
        "cluster_name": "ordermesh-development",
        "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
        "storage_compatibility_mode": "NONE",
        "num_tokens": 1,
        "initial_token": str(token(number, options.size)),
        "auto_bootstrap": False,
        "seed_provider": seeds,
        "listen_address": address,
        "rpc_address": address,
        "broadcast_rpc_address": options.told_addresses[number - 1],
        "native_transport_port": options.port,
        "storage_port": options.storage_port,
        "endpoint_snitch": "SimpleSnitch",
        **_durability(),
        **_sizes(),
        **_batches(),
        **_access(options.authentication),
    }
    return json.dumps(members, indent=2) + "\n"


def _durability() -> dict[str, Any]:
    """A write is acknowledged when it is synced: a checkpoint of the engine trusts what was acknowledged."""
    return {
        "commitlog_sync": "batch",
        "disk_failure_policy": "die",
        "commit_failure_policy": "die",
    }


def _batches() -> dict[str, Any]:
    """The store writes batches of rows that one node has, on purpose: no warning for each. What is refused stays."""
    return {
        "batch_size_warn_threshold": "50KiB",
        "unlogged_batch_across_partitions_warn_threshold": 100,
    }


def _sizes() -> dict[str, Any]:
    """Small, for a machine that does other things too."""
    return {
        "memtable_heap_space": "64MiB",
        "memtable_offheap_space": "64MiB",
        "memtable_flush_writers": 1,
        "commitlog_total_space": "256MiB",
        "concurrent_reads": 8,
        "concurrent_counter_writes": 2,
        "concurrent_materialized_view_writes": 2,
        "concurrent_compactors": 1,
        "native_transport_max_threads": 32,
        "key_cache_size": "8MiB",
        "row_cache_size": "0MiB",
        "counter_cache_size": "0MiB",
        "file_cache_size": "32MiB",
        "networking_cache_size": "16MiB",
    }


def _access(authentication: bool) -> dict[str, Any]:
    if not authentication:
        return {}
    return {"authenticator": "PasswordAuthenticator", "authorizer": "CassandraAuthorizer"}


def jvm_arguments(options: ClusterOptions, number: int, folder: Path, jars: Path) -> list[str]:
    """What comes after `java`. The first names the node's folder: it is how the process is found again."""
    return [
        marker(folder),
        f"@{JVM_OPTIONS}",
        *_heap(options),
        *([] if options.optimise else ["-XX:TieredStopAtLevel=1"]),
        f"-XX:ErrorFile={folder / 'logs' / 'java-%p.log'}",
        f"-javaagent:{next(jars.glob('jamm-*.jar'))}",
        f"-Dcassandra.config={(folder / 'cassandra.yaml').as_uri()}",
        f"-Dcassandra.logdir={folder / 'logs'}",
        f"-Dlogback.configurationFile={HERE / 'logback.xml'}",
        f"-Djava.io.tmpdir={folder / 'tmp'}",
        f"-Dcassandra.system_auth.default_rf={options.size}",
        f"-Dcassandra.system_distributed.default_rf={options.size}",
        f"-Dcassandra.system_traces.default_rf={options.size}",
        *_jmx(options, number),
        *_program(jars, "org.apache.cassandra.service.CassandraDaemon"),
    ]


def _heap(options: ClusterOptions) -> list[str]:
    """Cassandra locks what it has into memory when it starts: what is not taken yet stays free."""
    if options.steady:
        return [f"-Xms{options.heap_mebibytes}m", f"-Xmx{options.heap_mebibytes}m", f"-Xmn{YOUNG_MEBIBYTES}m"]
    return [f"-Xms{min(HEAP_FIRST_MEBIBYTES, options.heap_mebibytes)}m", f"-Xmx{options.heap_mebibytes}m"]


def tool_arguments(folder: Path, jars: Path, name: str) -> list[str]:
    """What comes after `java` for one of Cassandra's tools. It keeps its history in the folder, not in one's home."""
    return [
        f"@{JVM_OPTIONS}",
        "-Xmx128m",
        "-XX:TieredStopAtLevel=1",
        f"-Dlogback.configurationFile={HERE / 'logback-tools.xml'}",
        f"-Duser.home={folder}",
        *_program(jars, name),
    ]


def _program(jars: Path, name: str) -> list[str]:
    return ["-cp", str(jars / "*"), name]


def marker(folder: Path) -> str:
    """The argument that only the JVM of the node in that folder has."""
    return f"-Dcassandra.storagedir={folder}"


def _jmx(options: ClusterOptions, number: int) -> list[str]:
    """On the loopback only, without a password: whoever may start programs here may use it."""
    if not options.jmx_port:
        return []
    return [f"-Dcassandra.jmx.local.port={options.jmx_port + number - 1}", "-Djava.rmi.server.hostname=127.0.0.1"]
