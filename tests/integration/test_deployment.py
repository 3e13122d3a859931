"""The deployment of a data directory: found in the store, or in the copy while the store is down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from oms.log.v1 import log_pb2
from ordermesh.adapters.deployment_file import NAME, DeploymentFile
from ordermesh.adapters.stores import make_store, prepare_store
from ordermesh.deployment import (
    check_groups,
    check_partitions,
    groups_wanted,
    known_deployment,
    prepare_deployment,
    replicas_of,
    replicas_wanted,
)
from ordermesh.runtime.ports import StoreUnavailable
from ordermesh.runtime.settings import CannotStart, OutOfReach, Settings
from ordermesh.runtime.topology import DEFAULT_GROUPS, SEPARATE_GROUPS, new_deployment, numbers_of

NOBODY = "127.0.0.1:1"
"""Where no Cassandra listens."""


def settings_of(data: Path, store: str = "sqlite") -> Settings:
    """Of a deployment in that directory."""
    return Settings.model_validate({"data": data, "store": store, "cassandra_contact_points": NOBODY})


async def prepare(settings: Settings, name: str = "first") -> log_pb2.Deployment:
    """As `up` does, with a new deployment of that name if there is none."""
    store = make_store(settings, [], "test")
    try:
        return await prepare_deployment(settings, store, [], "test", lambda: new_deployment(name, 2))
    finally:
        await store.close()


async def known(settings: Settings) -> log_pb2.Deployment:
    """As a role finds it."""
    store = make_store(settings, [], "test")
    await store.open()
    try:
        return await known_deployment(settings, store)
    finally:
        await store.close()


async def test_the_first_start_makes_it_and_every_other_finds_it(tmp_path: Path) -> None:
    made = await prepare(settings_of(tmp_path))
    assert made.deployment_id == "first"
    assert await prepare(settings_of(tmp_path), "second") == made
    assert await known(settings_of(tmp_path)) == made


async def test_a_deployment_that_was_made_before_there_were_webhooks_gets_their_group_once(tmp_path: Path) -> None:
    store = make_store(settings_of(tmp_path), [], "test")
    await prepare_store(settings_of(tmp_path), [], "test")
    await store.open()
    old = new_deployment("old", 3)
    await store.create_deployment(old.SerializeToString(deterministic=True))
    await store.close()

    made = await prepare(settings_of(tmp_path))

    assert [group.name for group in made.groups] == ["orders", "stock", "notification"]
    assert list(made.groups)[:2] == list(old.groups), "what there was stays as it was"
    assert [len(numbers_of(group)) for group in made.groups] == [3, 3, 1]
    assert await prepare(settings_of(tmp_path)) == made
    check_partitions(settings_of(tmp_path).model_copy(update={"partitions": 3}), made)
    with pytest.raises(CannotStart):
        check_partitions(settings_of(tmp_path).model_copy(update={"partitions": 1}), made)


async def test_while_the_store_is_down_the_copy_is_taken(tmp_path: Path) -> None:
    made = await prepare(settings_of(tmp_path))
    assert await prepare(settings_of(tmp_path, "cassandra")) == made
    assert await known(settings_of(tmp_path, "cassandra")) == made


@pytest.mark.parametrize("content", [None, b"\xff\xff no message", b""])
async def test_without_store_and_copy_nothing_starts_and_the_address_is_told(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / NAME).write_bytes(content)
    with pytest.raises(StoreUnavailable, match=NOBODY):
        await prepare(settings_of(tmp_path, "cassandra"))
    with pytest.raises(OutOfReach, match=rf"{NOBODY}.* no copy of the deployment"):
        await known(settings_of(tmp_path, "cassandra"))


async def test_a_store_without_deployment_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutOfReach, match=r"no deployment yet; `ordermesh up` .*or `ordermesh deployment create`"):
        await known(settings_of(tmp_path))


async def test_a_directory_of_another_deployment_is_refused(tmp_path: Path) -> None:
    """Its logs are of one store, and this is another."""
    DeploymentFile(tmp_path).write(new_deployment("other", 2))
    with pytest.raises(CannotStart, match=r"another deployment \(other\).*logs and store belong together"):
        await prepare(settings_of(tmp_path))


async def test_a_role_on_another_machine_keeps_a_copy_of_its_own(tmp_path: Path) -> None:
    made = await prepare(settings_of(tmp_path))
    (tmp_path / NAME).unlink()
    assert await known(settings_of(tmp_path)) == made
    assert DeploymentFile(tmp_path).read() == made


def with_replicas(data: Path, replicas: int | None) -> Settings:
    """Settings that ask for so many replicas of each log."""
    return Settings.model_validate({"data": data, "replicas": replicas})


def test_replicas_are_as_told_at_the_first_start_and_as_recorded_at_every_other(tmp_path: Path) -> None:
    assert [replicas_wanted(with_replicas(tmp_path, told)) for told in (None, 1, 3)] == [1, 1, 3]
    DeploymentFile(tmp_path).write(new_deployment("three", 2, replicas=3))
    assert [replicas_wanted(with_replicas(tmp_path, told)) for told in (None, 3)] == [3, 3]
    with pytest.raises(CannotStart, match=r"made with 3 replica\(s\) of each log, not with --replicas 1"):
        replicas_wanted(with_replicas(tmp_path, 1))


def test_a_deployment_of_an_earlier_build_has_one_replica(tmp_path: Path) -> None:
    DeploymentFile(tmp_path).write(log_pb2.Deployment(deployment_id="old"))
    assert replicas_of(log_pb2.Deployment(deployment_id="old")) == replicas_wanted(with_replicas(tmp_path, None)) == 1
    with pytest.raises(CannotStart, match="made with 1 replica"):
        replicas_wanted(with_replicas(tmp_path, 3))


def test_two_replicas_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected 1 or 3"):
        with_replicas(tmp_path, 2)


def test_other_partitions_than_recorded_are_refused_and_the_way_is_told(tmp_path: Path) -> None:
    made = new_deployment("made", 2)
    check_partitions(Settings(data=tmp_path, partitions=2), made)
    check_partitions(Settings(data=tmp_path), made)
    with pytest.raises(CannotStart, match=r"orders 2, stock 2.* --partitions 4.*`ordermesh repartition`"):
        check_partitions(Settings(data=tmp_path, partitions=4), made)


@pytest.mark.parametrize(("asked", "other"), [("default", SEPARATE_GROUPS), ("per-service", DEFAULT_GROUPS)])
def test_other_groups_than_recorded_are_refused(tmp_path: Path, asked: str, other: Mapping[str, Sequence[str]]) -> None:
    settings = Settings.model_validate({"data": tmp_path, "groups": asked})
    check_groups(Settings(data=tmp_path), new_deployment("made", 2, other))
    check_groups(settings, new_deployment("made", 2, groups_wanted(settings)))
    with pytest.raises(CannotStart, match=f"made with other groups .*--groups {asked}"):
        check_groups(settings, new_deployment("made", 2, other))
