"""The deployment of a data directory: made at the first start, found again at every other, also without its store.

The store's record is the one that counts. A copy lies in the data directory, because logs and store belong together,
and because a process that starts while the store is down has to know the partitions: it serves then, as those do that
were running.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog

from oms.log.v1 import log_pb2
from ordermesh.adapters.deployment_file import DeploymentFile
from ordermesh.adapters.stores import OpenableStore, prepare_store
from ordermesh.core.decider import Table
from ordermesh.runtime.ports import Store, StoreUnavailable
from ordermesh.runtime.settings import CannotStart, OutOfReach, Settings
from ordermesh.runtime.topology import (
    DEFAULT_GROUPS,
    SEPARATE_GROUPS,
    SINGLE_GROUPS,
    numbers_of,
    with_single_groups,
)

_log = structlog.get_logger(__name__)


async def prepare_deployment(
    settings: Settings,
    store: OpenableStore,
    tables: list[Table],
    build: str,
    make: Callable[[], log_pb2.Deployment],
) -> log_pb2.Deployment:
    """What is recorded, or else what `make` gives, recorded now; with groups that newer builds have added. Raises
    CannotStart, StoreUnavailable, ValueError."""
    copy = DeploymentFile(settings.data)
    try:
        await prepare_store(settings, tables, build)
        await store.open()
        stored = await store.load_deployment()
        if stored is None:
            stored = await store.create_deployment(make().SerializeToString(deterministic=True))
        stored = await _completed(store, stored)
    except StoreUnavailable as error:
        known = copy.read()
        if known is None or not known.groups:  # a repartition may have made them others
            raise
        _log.warning("the store does not answer; starting without it", reason=str(error))
        return known
    deployment = log_pb2.Deployment.FromString(stored)
    _keep(settings, copy, deployment)
    return deployment


async def _completed(store: Store, stored: bytes) -> bytes:
    """The record, with the single groups that it lacked; the one that counts. Raises StoreUnavailable."""
    deployment = log_pb2.Deployment.FromString(stored)
    whole = with_single_groups(deployment)
    if whole == deployment:
        return stored
    return await store.replace_deployment(stored, whole.SerializeToString(deterministic=True))


async def known_deployment(settings: Settings, store: Store) -> log_pb2.Deployment:
    """What is recorded, or its copy while the store does not answer. Raises OutOfReach where there is neither,
    CannotStart."""
    copy = DeploymentFile(settings.data)
    try:
        stored = await store.load_deployment()
    except StoreUnavailable as error:
        known = copy.read()
        if known is None or not known.groups:  # a repartition may have made them others
            raise OutOfReach(f"{error}; and {settings.data} has no copy of the deployment to start with") from error
        return known
    if stored is None:
        raise OutOfReach(
            f"{_place(settings)} has no deployment yet; `ordermesh up` makes it, or `ordermesh deployment create`"
        )
    deployment = log_pb2.Deployment.FromString(stored)
    _keep(settings, copy, deployment)
    return deployment


def check_partitions(settings: Settings, deployment: log_pb2.Deployment) -> None:
    """Raises CannotStart where other partitions are asked for than there are."""
    numbers = {len(numbers_of(group)) for group in deployment.groups if group.name not in SINGLE_GROUPS}
    if settings.partitions is not None and numbers != {settings.partitions}:
        has = ", ".join(f"{group.name} {len(numbers_of(group))}" for group in deployment.groups)
        raise CannotStart(
            f"{_place(settings)} was made with other partitions ({has}) than --partitions {settings.partitions};"
            " their number is fixed at the first start. Leave --partitions out, use another --data, or change it"
            " with `ordermesh repartition`"
        )


def groups_wanted(settings: Settings) -> Mapping[str, Sequence[str]]:
    """Which services share logs in a new deployment."""
    return {**(SEPARATE_GROUPS if settings.groups == "per-service" else DEFAULT_GROUPS), **SINGLE_GROUPS}


def check_groups(settings: Settings, deployment: log_pb2.Deployment) -> None:
    """Raises CannotStart where services are asked to share logs otherwise than they do."""
    has = {group.name: tuple(group.services) for group in with_single_groups(deployment).groups}
    if settings.groups is not None and has != {name: tuple(each) for name, each in groups_wanted(settings).items()}:
        raise CannotStart(
            f"{_place(settings)} was made with other groups ({', '.join(has)}) than --groups {settings.groups}; they"
            " are fixed at the first start. Leave --groups out, or make another deployment"
        )


def replicas_wanted(settings: Settings) -> int:
    """Of each log: as recorded, by the copy in the data directory; else as told, else one. Raises CannotStart."""
    known = DeploymentFile(settings.data).read()
    if known is None:
        return settings.replicas or 1
    check_replicas(settings, known)
    return replicas_of(known)


def replicas_of(deployment: log_pb2.Deployment) -> int:
    """Of each log; a deployment that was recorded without a number has one."""
    return deployment.log_replicas or 1


def check_replicas(settings: Settings, deployment: log_pb2.Deployment) -> None:
    """Raises CannotStart where other replicas are asked for than logs have."""
    if settings.replicas not in (None, replicas_of(deployment)):
        raise CannotStart(
            f"{settings.data} was made with {replicas_of(deployment)} replica(s) of each log, not with --replicas"
            f" {settings.replicas}; their number is fixed at the first start. Leave --replicas out, or use another"
            " --data"
        )


def _keep(settings: Settings, copy: DeploymentFile, deployment: log_pb2.Deployment) -> None:
    """Writes the copy. Raises CannotStart where the directory belongs to another deployment."""
    known = copy.read()
    if known is not None and known.deployment_id != deployment.deployment_id:
        raise CannotStart(
            f"{settings.data} belongs to another deployment ({known.deployment_id}) than {_place(settings)}"
            f" ({deployment.deployment_id}): logs and store belong together. Use another --data, or its own store"
        )
    copy.write(deployment)


def _place(settings: Settings) -> str:
    """Where the store is, for a person."""
    if settings.store == "sqlite":
        return f"the store in {settings.data}"
    return f"the keyspace {settings.cassandra_keyspace} at {settings.cassandra_contact_points}"
