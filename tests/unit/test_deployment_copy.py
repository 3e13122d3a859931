"""A start while the store does not answer: with the copy of the record, unless a repartition may have made it old."""

from __future__ import annotations

from pathlib import Path

import pytest

from oms.log.v1 import log_pb2
from ordermesh.adapters.deployment_file import DeploymentFile
from ordermesh.adapters.memory import MemoryStore
from ordermesh.deployment import known_deployment
from ordermesh.runtime.settings import OutOfReach, Settings
from ordermesh.runtime.topology import new_deployment


async def test_a_copy_without_groups_is_none_to_start_with(tmp_path: Path) -> None:
    store = MemoryStore()
    store.available = False
    deployment, settings = new_deployment("d", 2), Settings(data=tmp_path)
    DeploymentFile(tmp_path).write(deployment)
    assert await known_deployment(settings, store) == deployment
    DeploymentFile(tmp_path).write(log_pb2.Deployment(deployment_id="d", log_replicas=3))
    with pytest.raises(OutOfReach, match="no copy of the deployment"):
        await known_deployment(settings, store)
    store.available = True
    await store.create_deployment(deployment.SerializeToString(deterministic=True))
    assert await known_deployment(settings, store) == deployment
    assert DeploymentFile(tmp_path).read() == deployment
