"""What must hold at the end of a run: everything ended, money and stock balance, store and memory are the truth."""

from __future__ import annotations

from oms.log.v1 import log_pb2
from oms.order.v1 import order_pb2
from ordermesh.core.decider import Key
from ordermesh.core.money import nanos_of
from ordermesh.inventory.backorders import free_of
from ordermesh.inventory.model import HOLDING, held_by
from ordermesh.order.model import due_of, is_waiting
from ordermesh.runtime.cache import Cache
from ordermesh.testing.simulation.goods import TENANT
from ordermesh.testing.simulation.provider import CAPTURE, REFUND, VOID
from ordermesh.testing.simulation.truth import TrueAggregate
from ordermesh.testing.simulation.world import World

ENDED = {order_pb2.ORDER_STATE_COMPLETED, order_pb2.ORDER_STATE_CANCELLED, order_pb2.ORDER_STATE_REJECTED}
"""States of an order that has ended."""


class StockCheck:
    """I3, after every decision: what is promised is there, and the sums agree."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open: dict[str, int] = {}
        self._held: dict[Key, int] = {}

    def __call__(self, decision: log_pb2.Decision) -> None:
        """Looks at what the decision changed."""
        stocks: dict[Key, None] = {}
        for event in decision.events:
            key = Key(event.kind, event.tenant, event.key, event.sub_key)
            if event.kind == "reservation":
                stocks[self._reservation(key)] = None
            elif event.kind == "stock":
                stocks[key] = None
        for key in stocks:
            self._stock(key)

    def _reservation(self, key: Key) -> Key:
        """Notes what a reservation holds now; the stock it is of."""
        reservation = self._world.truth.aggregates[key].state.reservation
        sku, held = key.key, self._held.get(key, 0)
        now = held_by(reservation)
        self._open[sku] = self._open.get(sku, 0) + now - held
        self._held[key] = now
        return Key("stock", key.tenant, sku)

    def _stock(self, key: Key) -> None:
        true = self._world.truth.aggregates.get(key)
        require = self._world.findings.require
        if true is None:
            require(not self._open.get(key.key), "I3", "{} is promised and was never received", key)
            return
        stock = true.state.stock
        require(stock.available >= 0, "I3", "{} has {} available", key, stock.available)
        require(stock.available == stock.on_hand - stock.reserved, "I3", "{}: available is wrong: {}", key, stock)
        require(stock.received == stock.on_hand + stock.committed, "I3", "{}: received is wrong: {}", key, stock)
        queued = sum(each.quantity for each in true.state.queue)
        require(stock.backordered == queued, "I3", "{}: backordered is wrong: {}, {}", key, stock, queued)
        short = 0 <= stock.shortage <= stock.reserved
        require(short, "I3", "{}: {} short of {} reserved", key, stock.shortage, stock.reserved)
        low = stock.HasField("low_stock_threshold") and free_of(true.state) <= stock.low_stock_threshold
        require(stock.is_low == low, "I3", "{}: is_low is wrong: {}", key, stock)
        promised = self._open.get(key.key, 0)
        require(stock.reserved == promised, "I3", "{} reserves {}, orders hold {}", key, stock.reserved, promised)


def unfinished(world: World) -> str:
    """What is still going on; empty when nothing is."""
    for partition, true in world.truth.partitions.items():
        if true.command_sequences and true.decided <= (true.command_sequences[-1], 0):
            return f"{partition} has undecided commands from {true.decided} on"
        for entry, message in true.books.agenda.items():
            if message.WhichOneof("entry") != "timer":
                return f"{partition} has an open {message.WhichOneof('entry')} {entry}"
        for target, messages in true.sent.items():
            taken = world.truth.partitions[target].taken
            if messages and messages[-1][1] not in taken:
                return f"{target} has not taken the last message of {partition}"
    for key, order in world.truth.of_kind("order").items():
        if order.state.order.order_state not in ENDED or is_waiting(order.state):
            return f"{key} is {order_pb2.OrderState.Name(order.state.order.order_state)} in step {order.state.step}"
    return ""


class EndCheck:
    """The checks at the end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._truth = world.truth
        self._require = world.findings.require

    def balances(self) -> None:
        """I4, I5 and the exactly-once of messages."""
        for key, order in self._truth.of_kind("order").items():
            self._money(key, order)
        strays = self._world.provider.strays
        self._require(not strays, "I4", "the provider still holds what nobody needs: {}", strays)
        for key, reservation in self._truth.of_kind("reservation").items():
            is_open = reservation.state.reservation.state in HOLDING
            self._require(not is_open, "I5", "{} outlives its order", key)
        for true in self._truth.partitions.values():
            for target, messages in true.sent.items():
                taken = self._truth.partitions[target].taken
                for _, name in messages:
                    self._require(name in taken, "I6", "{} never took the message {}", target, name)

    def _money(self, key: Key, true: TrueAggregate) -> None:
        order, provider = true.state.order, self._world.provider
        held = provider.held(key.key)
        taken, given = provider.total(key.key, CAPTURE), provider.total(key.key, REFUND)
        voided = any((entry.order_id, entry.operation) == (key.key, VOID) for entry in provider.ledger)
        self._require(given <= taken <= held, "I4", "{}: {} given of {} taken of {} held", key, given, taken, held)
        if order.order_state == order_pb2.ORDER_STATE_COMPLETED:
            due = nanos_of(due_of(order))
            self._require(taken == due == held, "I4", "{} completed, {} taken of {}, {} held", key, taken, due, held)
            said = nanos_of(order.refunded)
            self._require(given == said, "I4", "{}: {} given, it says {}", key, given, said)
        else:
            self._require(taken == given, "I4", "{} ended without goods, {} taken, {} given", key, taken, given)
            self._require(not held or voided or bool(taken), "I4", "{} ended, and the provider holds {}", key, held)

    def memory(self) -> None:
        """I6: what the owners remember is the truth."""
        for entry in self._world.owners:
            if entry is None:
                continue
            for partition, owner in entry[1].owners.items():
                if owner.head.frame.id == getattr(self._truth.partitions[partition].newest, "id", b""):
                    self._owner(owner.cache)

    def _owner(self, cache: Cache) -> None:
        remembered = {**cache._clean, **cache.dirty}
        for key, aggregate in remembered.items():
            true = self._truth.aggregates.get(key)
            moment = None if true is None else true.at(aggregate.version)
            same = moment is not None and moment.state == aggregate.serialise() and true is not None
            self._require(same, "I6", "an owner remembers {} at version {} as it never was", key, aggregate.version)
            newest = true is not None and aggregate.version == true.version
            self._require(newest, "I6", "an owner remembers {} at version {} only", key, aggregate.version)

    def store(self) -> None:
        """I6: after a clean end the store has everything, to the byte."""
        store = self._world.servers.store
        for key, true in self._truth.aggregates.items():
            found = store.tables[true.kind.table.name].aggregate(key)
            same = found is not None and (found[1].version, found[1].state) == (true.version, true.moments[-1].state)
            self._require(same, "I6", "the store has {} at {}, the truth is version {}", key,
                          found and found[1].version, true.version)  # fmt: skip
            for row in true.kind.query_rows(key, true.state, 0):
                table = store.tables[row.table]
                kept = table.rows.get(table.key_of(row))
                self._require(kept is not None and kept.values == row.values, "I6", "{} is not in {}", key, row.table)
            self._ledger(key, true)
        for partition, true_partition in self._truth.partitions.items():
            newest = store.checkpoints.get(partition)
            said = log_pb2.Checkpoint() if newest is None else log_pb2.Checkpoint.FromString(newest[1])
            self._require(
                said.frame == len(true_partition.frames), "I6", "{} ended at frame {} with a checkpoint at {}",
                partition, len(true_partition.frames), said.frame,
            )  # fmt: skip

    def _ledger(self, key: Key, true: TrueAggregate) -> None:
        """Every row that an event left is there, as it was then."""
        for row in true.left:
            table = self._world.servers.store.tables[row.table]
            kept = table.rows.get(table.key_of(row))
            self._require(kept is not None and kept.values == row.values, "I6", "{} has a hole in {}", key, row.table)


def order_keys(world: World) -> list[Key]:
    """The orders that there are."""
    return [key for key in world.truth.of_kind("order") if key.tenant == TENANT]
