"""Which store the settings ask for. The driver of one that is not asked for is not loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ordermesh.adapters.cassandra_options import CassandraOptions, Misfit, TlsOptions
from ordermesh.adapters.sqlite import SqliteStore
from ordermesh.core.decider import Table
from ordermesh.runtime.ports import Store
from ordermesh.runtime.settings import Settings
from ordermesh.runtime.settings_cassandra import addresses, replicas
from ordermesh.runtime.settings_secrets import secret

if TYPE_CHECKING:
    from ordermesh.adapters.cassandra_schema import Applied

STORE_FILE = "store.sqlite"
"""The SQLite store, in the data directory."""


class OpenableStore(Store, Protocol):
    """A store before it is used."""

    async def open(self) -> None:
        """Opens it. Raises ValueError where it is not this program's; StoreUnavailable where it cannot be had and is
        not waited for."""


def make_store(settings: Settings, tables: Sequence[Table], build: str) -> OpenableStore:
    """The store, not opened yet. Raises ValueError for what cannot be."""
    if settings.store == "sqlite":
        return SqliteStore(settings.data / STORE_FILE, tables)
    from ordermesh.adapters.cassandra import CassandraStore  # noqa: PLC0415 # half a second of every start

    return CassandraStore(cassandra_options(settings), tables, build)


async def prepare_store(settings: Settings, tables: Sequence[Table], build: str) -> None:
    """Makes what the store needs before it is opened. Raises ValueError, StoreUnavailable."""
    if settings.store == "cassandra":
        await asyncio.to_thread(apply_schema, settings, tables, build)


def apply_schema(settings: Settings, tables: Sequence[Table], build: str) -> Applied:
    """Makes the Cassandra keyspace and its tables where they are missing; blocks. Raises ValueError,
    StoreUnavailable."""
    from ordermesh.adapters import cassandra  # noqa: PLC0415 # as above

    return cassandra.apply_schema(cassandra_options(settings), tables, build)


def cassandra_options(settings: Settings) -> CassandraOptions:
    """What the settings say of Cassandra. Raises ValueError."""
    tls = TlsOptions(
        ca=settings.cassandra_tls_ca,
        certificate=settings.cassandra_tls_certificate,
        key=settings.cassandra_tls_key,
        verify_host=settings.cassandra_tls_verify_host,
    )
    return CassandraOptions(
        contact_points=addresses(settings.cassandra_contact_points),
        keyspace=settings.cassandra_keyspace,
        datacenter=settings.cassandra_datacenter,
        replication=replicas(settings.cassandra_replication),
        user=settings.cassandra_user,
        password=_password(settings),
        tls=tls if settings.cassandra_tls else None,
        consistency=settings.cassandra_consistency,
        weak_consistency=settings.cassandra_weak_consistency,
        timeout_s=settings.cassandra_timeout_s,
        in_flight_max=settings.cassandra_in_flight,
    )


def _password(settings: Settings) -> str:
    try:
        return secret("cassandra_password", settings.cassandra_password, settings.cassandra_password_file)
    except ValueError as error:
        raise Misfit(str(error)) from error
