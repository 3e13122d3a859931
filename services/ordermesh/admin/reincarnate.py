"""What an operator does about a partition whose log lost its tail: look at what is left, list what may be lost or half
done, and begin it anew. It reads every row of the store once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from oms.inventory.v1.inventory_commands_pb2 import Recount, ServeBackorders
from oms.log.v1 import log_pb2
from oms.payment.v1.payment_commands_pb2 import ProviderRequest
from ordermesh.admin.ledger import ProviderTruth, sums_of
from ordermesh.admin.lost_movements import movements_past, void_of
from ordermesh.admin.orders_audit import TENANT
from ordermesh.admin.redo import name_of
from ordermesh.admin.stock_audit import ReservedSums
from ordermesh.admin.stored import KEYS_PER_LOAD, Deployed, key_of, load, pages, partition_of
from ordermesh.admin.waking import wakes
from ordermesh.core.decider import AggregateType, Key, Row
from ordermesh.core.limits import BACKORDERS_SERVED_MAX
from ordermesh.inventory.model import RESERVATION, STOCK, stock_key
from ordermesh.inventory.model import SERVICE as INVENTORY
from ordermesh.order.model import ORDER, order_key
from ordermesh.order.model import SERVICE as ORDER_SERVICE
from ordermesh.runtime.cache import Aggregate
from ordermesh.runtime.ports import Log
from ordermesh.runtime.reincarnation import Reincarnation, Remains


class Item(NamedTuple):
    """Something for a person to look at: what, its key, and why."""

    kind: str
    key: str
    why: str


@dataclass(slots=True)
class Report:
    """What was found and, unless it is only a look, done.

    `first_lost` and `last_lost` are numbers of decision frames; what was decided after the last one that left a trace
    is lost without one. `woken` counts what was told to ask again.
    """

    partition: str
    is_needed: bool = False
    is_done: bool = False
    epoch: int = 0
    first_lost: int = 0
    last_lost: int = 0
    woken: int = 0
    items: list[Item] = field(default_factory=list)


class Salvage:
    """The rows of one partition, and what they ask for. `truth` is the provider's, None where it cannot be read as a
    whole; `dispatches` says whether shipments leave by themselves."""

    def __init__(self, deployed: Deployed, log: Log, truth: ProviderTruth | None, *, dispatches: bool) -> None:
        self._deployed = deployed
        self._log = log
        self._truth = truth
        self._dispatches = dispatches
        self._first: list[log_pb2.Envelope] = []
        self._sums: dict[Key, ReservedSums] = defaultdict(ReservedSums)
        self._stocks: dict[Key, Any] = {}
        self._versions: dict[Key, int] = {}
        self._lost: dict[str, list[Key]] = defaultdict(list)
        self._asked: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)

    async def run(self, work: Reincarnation, *, only_look: bool) -> Report:
        """Looks, and unless it should only look, begins the partition anew if that is needed."""
        report = Report(str(work.partition))
        remains = await work.look()
        self._read_agenda(remains.memory.agenda.entries.values())
        redone = {key: (each.kind, row_of(each)) for key, each in remains.memory.cache.dirty.items()}
        async for kind, key, row in self._rows(work):
            self._note(remains, kind, key, redone.pop(key, (kind, row))[1], report)
        for key, (kind, row) in redone.items():
            self._note(remains, kind, key, row, report)
        voids = [void async for void in self._lost_movements(remains, report)]
        report.is_needed = bool(report.items) or not (remains.has_checkpoint and remains.is_chain)
        if not report.is_needed:
            return report
        await self._note_clocks(remains)
        self._recount()
        report.first_lost, report.last_lost, report.woken = remains.last.number + 1, remains.newest[1], len(self._first)
        report.items += [item async for item in self._gaps(work, remains)]
        report.items += [item async for item in self._money(work)]
        if not only_look:
            await work.write(voids)
            report.epoch = (await work.begin(remains, self._first)).epoch
            report.is_done = True
        return report

    async def _rows(self, work: Reincarnation) -> AsyncIterator[tuple[AggregateType, Key, Mapping[str, Any]]]:
        for kind in self._deployed.registry.kinds.values():
            async for page in pages(self._deployed, kind):
                for row in page:
                    key = key_of(kind, row)
                    if partition_of(self._deployed, key) == work.partition:
                        yield kind, key, row

    async def _lost_movements(self, remains: Remains, report: Report) -> AsyncIterator[Row]:
        """What makes movements void that lead nowhere."""
        if self._deployed.registry.kinds[STOCK].event_rows is None:
            return
        for key, version in self._versions.items():
            past = await movements_past(self._deployed.store, key, version)
            if past:
                why = f"{len(past)} of its movements, after version {version}, were stored, and the log has lost them"
                report.items.append(Item(STOCK, name_of(key).removeprefix(f"{STOCK} "), why))
            for movement in past:
                void = void_of(movement)
                remains.note(0, 0, void.write_time)
                yield void

    def _read_agenda(self, entries: Iterable[bytes]) -> None:
        """What the provider is being asked to do; who only looks does not do it."""
        for data in entries:
            effect = log_pb2.AgendaEntry.FromString(data).effect
            if effect.type == ProviderRequest.DESCRIPTOR.full_name:
                request = ProviderRequest.FromString(effect.payload)
                if request.look_only:
                    continue
                self._asked[effect.tenant, effect.key].append((request.operation, request.operation_id))

    def _note(self, remains: Remains, kind: AggregateType, key: Key, row: Mapping[str, Any], report: Report) -> None:
        """Takes in one row: whether the log has lost what it says, and what it has to be told."""
        is_lost = remains.note_row(row["epoch"], row["frame"])
        state: Any = kind.state.FromString(row["state"])
        if is_lost:
            self._lost[kind.kind].append(key)
            why = f"its version {row['version']} was decided in frame {row['frame']}, which the log has lost"
            report.items.append(Item(kind.kind, name_of(key).removeprefix(f"{kind.kind} "), why))
        if kind.kind == RESERVATION:
            self._sums[stock_key(key.tenant, key.key)].add(state.reservation)
        elif kind.kind == STOCK:
            self._stocks[key] = state
            self._versions[key] = row["version"]
        asked = self._asked.get((key.tenant, key.key), ())
        for service, message in wakes(key, state, is_lost=is_lost, asked=asked, dispatches=self._dispatches):
            self._tell(service, key, message)

    def _tell(self, service: str, key: Key, message: Any) -> None:
        self._first.append(
            log_pb2.Envelope(
                service=service, tenant=key.tenant, key=key.key, type=message.DESCRIPTOR.full_name,
                payload=message.SerializeToString(),
            )
        )  # fmt: skip

    def _recount(self) -> None:
        """A stock that was stored without its reservations, or they without it, is counted before all else."""
        told, self._first = self._first, []
        for key, state in self._stocks.items():
            sums = self._sums[key]
            if (state.stock.reserved, state.stock.committed) != (sums.reserved, sums.committed):
                self._tell(INVENTORY, key, Recount(reserved=sums.reserved, committed=sums.committed))
            waiting = [each.order_id for each in state.queue]
            for start in range(0, len(waiting), BACKORDERS_SERVED_MAX):
                part = waiting[start : start + BACKORDERS_SERVED_MAX]
                self._tell(INVENTORY, key, ServeBackorders(order_ids=part))
        self._first += told

    async def _note_clocks(self, remains: Remains) -> None:
        """The new epoch's rows have to win over those that are there."""
        for name, keys in self._lost.items():
            table = self._deployed.registry.kinds[name].table
            for start in range(0, len(keys), KEYS_PER_LOAD):
                for found in (await self._deployed.store.load(table, keys[start : start + KEYS_PER_LOAD])).values():
                    remains.note(0, 0, found.write_time)

    async def _gaps(self, work: Reincarnation, remains: Remains) -> AsyncIterator[Item]:
        """Messages of other partitions that were here, are not any more, and that their sender no longer has."""
        for sender in self._deployed.topology.partitions():
            if sender == work.partition:
                continue
            mark = remains.memory.marks.get((sender.group, sender.number), (0, 0, 0, 0))
            page = await self._log.fetch(sender, ("decisions",), 0, 1)
            begins = log_pb2.DecisionFrame.FromString(page[0].data).number if page else 1
            if begins > mark[1] + 1:
                why = f"its messages of frames {mark[1] + 1} to {begins - 1} may be lost: its log has been trimmed"
                yield Item("partition", str(sender), why)

    async def _money(self, work: Reincarnation) -> AsyncIterator[Item]:
        """What the provider did for orders that are not there any more."""
        topology = self._deployed.topology
        if self._truth is None or ORDER_SERVICE not in topology.services_of(work.partition.group):
            return
        sums = await sums_of(
            self._truth, lambda name: topology.partition_of(ORDER_SERVICE, TENANT, name) == work.partition
        )
        keys = [order_key(TENANT, name) for name in sums]
        found = await load(self._deployed, self._deployed.registry.kinds[ORDER], keys)
        for key in keys:
            if key not in found:
                yield Item("money", key.key, f"the provider has {sums[key.key].as_text()}, and the order is not there")


def row_of(aggregate: Aggregate) -> Mapping[str, Any]:
    """What was redone, as the row that it will be."""
    return {
        "version": aggregate.version,
        "epoch": aggregate.epoch,
        "frame": aggregate.frame,
        "state": aggregate.serialise(),
    }
