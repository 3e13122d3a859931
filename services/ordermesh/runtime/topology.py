"""Which partition a key lives in, and which services share logs: fixed when a deployment is created."""

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


def new_deployment(
    deployment_id: str, partitions: int, groups: Mapping[str, Sequence[str]] = DEFAULT_GROUPS
) -> log_pb2.Deployment:
    """A deployment with the same number of partitions in every group."""
    deployment = log_pb2.Deployment(deployment_id=deployment_id)
    for name, services in groups.items():
        deployment.groups.add(name=name, services=services, partitions=partitions)
    return deployment


class Topology:
    """A deployment, indexed for routing."""

    def __init__(self, deployment: log_pb2.Deployment) -> None:
        self.deployment = deployment
        self.deployment_id = deployment.deployment_id
        self._groups = {group.name: group for group in deployment.groups}
        self._by_service = {
            service: [PartitionId(group.name, number) for number in range(group.partitions)]
            for group in deployment.groups
            for service in group.services
        }

    def partition_of(self, service: str, tenant: str, key: str) -> PartitionId:
        """Where that service's key lives. Raises KeyError for an unknown service."""
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
            for number in range(group.partitions)
        ]

    def services_of(self, group: str) -> Sequence[str]:
        """The services of a group."""
        return self._groups[group].services
