"""Which partition a key lives in, and which services share logs: fixed when a deployment is created, until
`ordermesh repartition` divides the keys anew. Then all partitions have new numbers, and none is ever used again:
whatever names a partition, in a log, in the store or at the provider, names one for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zlib import crc32

from oms.log.v1 import log_pb2
from ordermesh.runtime.ports import PartitionId

KERNEL = "kernel"
"""The service name of commands that every partition understands."""

DEFAULT_GROUPS: Mapping[str, Sequence[str]] = {"orders": ("order", "payment", "shipping"), "stock": ("inventory",)}
"""Services whose keys partition alike share a group: their messages are decided in the same frame."""

SEPARATE_GROUPS: Mapping[str, Sequence[str]] = {
    "order": ("order",),
    "payment": ("payment",),
    "shipping": ("shipping",),
    "inventory": ("inventory",),
}
"""The other supported shape: one group per service, so that teams can run and release each alone."""

SINGLE_GROUPS: Mapping[str, Sequence[str]] = {"notification": ("notification",)}
"""Groups of either shape that have one partition, whatever the others have: what is asked of them comes from people. A
deployment that was made before there was one gets it at its next start."""


def new_deployment(
    deployment_id: str, partitions: int, groups: Mapping[str, Sequence[str]] = DEFAULT_GROUPS, *, replicas: int = 1
) -> log_pb2.Deployment:
    """A deployment with the same number of partitions in every group but single ones, and so many replicas of each
    log."""
    deployment = log_pb2.Deployment(deployment_id=deployment_id, log_replicas=replicas)
    for name, services in groups.items():
        _add_group(deployment, name, services, 1 if name in SINGLE_GROUPS else partitions)
    return deployment


def with_single_groups(deployment: log_pb2.Deployment) -> log_pb2.Deployment:
    """The deployment with the single groups that it lacks."""
    whole = log_pb2.Deployment()
    whole.CopyFrom(deployment)
    known = {group.name for group in deployment.groups}
    for name, services in SINGLE_GROUPS.items():
        if known and name not in known:
            _add_group(whole, name, services, 1)
    return whole


def _add_group(deployment: log_pb2.Deployment, name: str, services: Sequence[str], partitions: int) -> None:
    deployment.groups.add(name=name, services=services, partitions=partitions)


def named_partition(text: str) -> PartitionId:
    """The partition of that name, as `str()` gives it. Raises KeyError for what is no name."""
    group, _, number = text.rpartition("/")
    if not number.isdecimal() or str(PartitionId(group, int(number))) != text:
        raise KeyError(text)
    return PartitionId(group, int(number))


def numbers_of(group: log_pb2.Deployment.Group) -> range:
    """The numbers of a group's partitions."""
    return range(group.first, group.first + group.count) if group.count else range(group.partitions)


class Topology:
    """A deployment, indexed for routing."""

    def __init__(self, deployment: log_pb2.Deployment) -> None:
        self.deployment = deployment
        self.deployment_id = deployment.deployment_id
        self._groups = {group.name: group for group in deployment.groups}
        self._by_service = {
            service: [PartitionId(group.name, number) for number in numbers_of(group)]
            for group in deployment.groups
            for service in group.services
        }
        self.is_repartitioned = any(group.first for group in deployment.groups)

    def partition_of(self, service: str, tenant: str, key: str) -> PartitionId:
        """Where that service's key lives. Raises KeyError for an unknown service."""
        if service == KERNEL:
            return self.home_of(named_partition(key))
        partitions = self._by_service[service]
        if len(partitions) == 1:
            return partitions[0]
        return partitions[crc32(f"{tenant}\x1f{key}".encode()) % len(partitions)]

    def slot(self, service: str, tenant: str, key: str) -> int:
        """A number that keys of one partition share; see `Context.slot`."""
        return self.partition_of(service, tenant, key).number

    def partitions(self, groups: Sequence[str] = ()) -> list[PartitionId]:
        """All partitions of these groups, or of all groups."""
        return [
            PartitionId(group.name, number)
            for group in self.deployment.groups
            if not groups or group.name in groups
            for number in numbers_of(group)
        ]

    def former(self, groups: Sequence[str] = ()) -> list[PartitionId]:
        """The partitions that there were before a repartition, of these groups or of all; their logs may be there."""
        return [
            PartitionId(group.name, number)
            for group in self.deployment.groups
            if not groups or group.name in groups
            for number in range(numbers_of(group).start)
        ]

    def home_of(self, partition: PartitionId) -> PartitionId:
        """The partition that looks after what bears this one's name: itself, or one of those that came after it.

        Raises KeyError for a group or partition that never was."""
        numbers = numbers_of(self._groups[partition.group])
        if partition.number in numbers:
            return partition
        if partition.number not in range(numbers.start):
            raise KeyError(partition)
        return PartitionId(partition.group, numbers[partition.number % len(numbers)])

    def services_of(self, group: str) -> Sequence[str]:
        """The services of a group."""
        return self._groups[group].services
