"""Who gets what when keys are divided anew: everything that is open once, under its name, where its key lives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.inventory.v1.inventory_commands_pb2 import ReservationTimer
from oms.log.v1 import log_pb2
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.admin.repartition import split_timer
from ordermesh.inventory.model import reservation_key
from ordermesh.runtime.agenda import Agenda, EntryId, entry_id, timer_name, write_id
from ordermesh.runtime.cache import Contradiction
from ordermesh.runtime.memory import is_past_its_end
from ordermesh.runtime.ports import PartitionId
from ordermesh.runtime.repartition import Beginning, Past, divide, repartitioned
from ordermesh.runtime.topology import DEFAULT_GROUPS, KERNEL, Topology, named_partition, new_deployment

NAMES = st.sampled_from([f"key-{number}" for number in range(40)])
COUNTS = st.lists(st.integers(1, 12), min_size=2, max_size=4)
Agendas = Mapping[PartitionId, Sequence[bytes]]


def timer(entry: EntryId, order_id: str, skus: Sequence[str]) -> log_pb2.AgendaEntry:
    """What one Reserve left open."""
    made = log_pb2.AgendaEntry()
    write_id(made.id, entry)
    message = ReservationTimer(order_id=order_id, skus=skus)
    made.timer.due_us = 7
    made.timer.owner = timer_name(reservation_key("t", skus[0], order_id), "age")
    made.timer.envelope.service, made.timer.envelope.tenant, made.timer.envelope.key = "inventory", "t", skus[0]
    made.timer.envelope.type, made.timer.envelope.payload = message.DESCRIPTOR.full_name, message.SerializeToString()
    return made


def effect(entry: EntryId, order_id: str) -> log_pb2.AgendaEntry:
    """What one Authorize left open."""
    made = log_pb2.AgendaEntry()
    write_id(made.id, entry)
    made.effect.service, made.effect.tenant, made.effect.key = "payment", "t", order_id
    return made


def agendas_of(topology: Topology, orders: Sequence[tuple[str, Sequence[str]]]) -> dict[PartitionId, list[bytes]]:
    """An effect for each order, and a timer for its SKUs in each partition; ids are alike in all partitions."""
    found: dict[PartitionId, list[bytes]] = {partition: [] for partition in topology.partitions()}

    def next_id(agenda: Sequence[bytes]) -> EntryId:
        return EntryId(1, 1, len(agenda), 0)

    for number, (name, skus) in enumerate(orders):
        agenda = found[topology.partition_of("payment", "t", name)]
        agenda.append(effect(next_id(agenda), name).SerializeToString())
        parts: dict[PartitionId, list[str]] = {}
        for sku in skus:
            parts.setdefault(topology.partition_of("inventory", "t", sku), []).append(sku)
        for partition, part in parts.items():
            agenda = found[partition]
            agenda.append(timer(next_id(agenda), f"{name}-{number}", part).SerializeToString())
    return found


def divided(agendas: Agendas, topology: Topology) -> dict[PartitionId, list[bytes]]:
    """Divides them."""
    pasts = [Past(each, log_pb2.DecisionFrame(), log_pb2.Checkpoint(agenda=agendas[each])) for each in agendas]
    return divide(pasts, topology, split_timer)


def effects_of(agendas: Agendas) -> dict[str, int]:
    """How often each order's effect is there, under the name by which the provider knows it."""
    names: Counter[str] = Counter()
    for partition, agenda in agendas.items():
        for data in agenda:
            entry = log_pb2.AgendaEntry.FromString(data)
            if entry.HasField("effect"):
                name = entry_id(entry.id)
                opened_by = name.opened_by if name.opened_by >= 0 else partition.number
                names[f"{opened_by}:{name[:-1]}:{entry.effect.key}"] += 1
    return names


def reserved_of(agendas: Agendas, topology: Topology) -> dict[tuple[str, str], int]:
    """How often a timer asks for a SKU of an order, where each has to be in that SKU's partition."""
    found: Counter[tuple[str, str]] = Counter()
    for partition, agenda in agendas.items():
        for data in agenda:
            each = log_pb2.AgendaEntry.FromString(data).timer
            message = ReservationTimer.FromString(each.envelope.payload)
            for sku in message.skus:
                assert topology.partition_of("inventory", "t", sku) == partition
                found[message.order_id, sku] += 1
            if message.skus:
                assert each.due_us == 7
                assert each.envelope.key == message.skus[0]
                assert each.owner == timer_name(reservation_key("t", message.skus[0], message.order_id), "age")
    return found


@given(
    counts=COUNTS,
    orders=st.lists(st.tuples(NAMES, st.lists(NAMES, min_size=1, max_size=6, unique=True)), max_size=12),
)
def test_what_is_open_is_there_once_and_under_its_name_however_often_it_is_divided(
    counts: Sequence[int], orders: Sequence[tuple[str, Sequence[str]]]
) -> None:
    topology = Topology(new_deployment("d", counts[0]))
    agendas: dict[PartitionId, list[bytes]] = agendas_of(topology, orders)
    effects, reserved = effects_of(agendas), reserved_of(agendas, topology)
    for count in counts[1:]:
        topology = Topology(repartitioned(topology.deployment, dict.fromkeys(DEFAULT_GROUPS, count)))
        agendas = divided(agendas, topology)
        assert set(agendas) <= set(topology.partitions())
        assert effects_of(agendas) == effects
        assert reserved_of(agendas, topology) == reserved
        for entries in agendas.values():
            agenda = Agenda()
            agenda.restore(entries)
            assert len(agenda) == len(entries), "two entries have one id"


@pytest.mark.parametrize("earlier_us", [0, 1 << 61])
def test_a_new_log_begins_past_all_that_its_group_has_decided(earlier_us: int) -> None:
    """Also where clocks have gone back since, and past the checkpoint of one that was begun and given up."""
    far = 1 << 60
    pasts = [
        Past(
            PartitionId("orders", number),
            log_pb2.DecisionFrame(epoch=far + number, number=900 - number, clock_us=far + number),
            log_pb2.Checkpoint(
                epoch=far + number, frame=900 - number, clock_us=far + number,
                epoch_ends=[log_pb2.EpochEnd(epoch=far - 1, frame=3, reincarnated_us=number)],
            ),
        )
        for number in range(3)
    ]  # fmt: skip
    beginning = Beginning(pasts, "operator", "test")
    earlier = log_pb2.Checkpoint(epoch=earlier_us, clock_us=earlier_us) if earlier_us else None
    frame = beginning.frame(SystemClock(), earlier)
    assert frame.epoch == frame.clock_us == max(far + 2, earlier_us) + 1
    assert frame.number == 901
    checkpoint = beginning.checkpoint(frame, 1, [])
    assert (checkpoint.frame_id, checkpoint.sequence, checkpoint.clock_us) == (frame.id, 1, frame.clock_us)
    assert list(checkpoint.epoch_ends) == [log_pb2.EpochEnd(epoch=far + 2, frame=900, reincarnated_us=2)]
    ends = {end.epoch: end.frame for end in (*checkpoint.epoch_ends, frame.taken.previous)}
    for past in pasts:
        assert not is_past_its_end(past.last.epoch, past.last.number, ends, frame.epoch + 1)


def test_a_parked_command_is_not_moved() -> None:
    entry = log_pb2.AgendaEntry()
    entry.parked.envelope.service = "order"
    topology = Topology(repartitioned(new_deployment("d", 2), {"orders": 3}))
    with pytest.raises(Contradiction, match="parked"):
        divided({PartitionId("orders", 0): [entry.SerializeToString()]}, topology)


def test_numbers_are_never_used_again() -> None:
    once = Topology(repartitioned(new_deployment("d", 4), {"orders": 8}))
    assert [each.number for each in once.partitions(["orders"])] == list(range(4, 12))
    assert [each.number for each in once.partitions(["stock"])] == list(range(4, 8)), "nor are those of other groups"
    assert once.former(["orders"]) == [PartitionId("orders", number) for number in range(4)]
    twice = Topology(repartitioned(once.deployment, {"orders": 2, "stock": 1}))
    assert [each.number for each in twice.partitions(["orders"])] == [12, 13]
    assert [each.number for each in twice.partitions(["stock"])] == [8]
    assert {group.partitions for group in twice.deployment.groups} == {0}, "an older build must find none"


def test_what_bears_a_former_partitions_name_has_one_home() -> None:
    topology = Topology(repartitioned(new_deployment("d", 4), {"orders": 3}))
    homes = [topology.partition_of(KERNEL, "", f"orders/{number:03d}") for number in range(7)]
    assert [home.number for home in homes] == [4, 5, 6, 4, 4, 5, 6]
    assert topology.home_of(PartitionId("stock", 7)) == PartitionId("stock", 7)
    for unknown in ("orders/007", "stock/008", "orders/4", "orders", "nobody/000", "orders/-01"):
        with pytest.raises(KeyError):
            topology.partition_of(KERNEL, "", unknown)


def test_an_id_keeps_who_opened_it() -> None:
    for name in (EntryId(1, 2, 3, 4), EntryId(1, 2, 3, 4, 0), EntryId(1, 2, 3, 4, 5)):
        message = log_pb2.AgendaId()
        write_id(message, name)
        assert entry_id(log_pb2.AgendaId.FromString(message.SerializeToString())) == name
    assert named_partition("orders/012") == PartitionId("orders", 12)
