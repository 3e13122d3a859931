"""ExplainOrder: reads what the other services have of an order, and how its partitions are, and has it explained.

The order is read as fresh as asked for. All else is what is stored and what owners last said: an explanation has to be
had when something is broken, so what cannot be read is an obstacle and not a failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from oms.common.v1 import consistency_pb2
from oms.inventory.v1.inventory_pb2 import Reservation
from oms.log.v1 import log_pb2
from oms.order.v1 import order_explanation_pb2 as told
from oms.order.v1 import order_service_pb2
from oms.order.v1.order_state_pb2 import StoredOrder
from oms.payment.v1.payment_pb2 import Payment
from oms.shipping.v1.shipping_pb2 import Shipment
from ordermesh.core.decider import Key
from ordermesh.order import explaining, model
from ordermesh.order.awaiting import Elsewhere
from ordermesh.order.model import OrderPolicy
from ordermesh.runtime.backend import Backend
from ordermesh.runtime.kernel_service import DEAD_LETTERS
from ordermesh.runtime.ports import PartitionId
from ordermesh.runtime.problems import Problem
from ordermesh.runtime.reads import Found, Readable

SHIPMENTS_MAX = 100
"""Shipments of an order that are looked at."""
DEAD_LETTERS_MAX = 200
"""Dead letters of a partition that are looked through for the order: there are none, or a few that somebody mends."""
LAG_MS_MIN = 2_000
"""From this age of its oldest undecided command on, in milliseconds, an owner counts as behind."""
TEXT_CHARACTERS_MAX = 1_000
"""Of an obstacle: an error may be told at length."""


class Inquiry:
    """The explanations of one edge process."""

    def __init__(self, backend: Backend, policy: OrderPolicy) -> None:
        self._backend = backend
        self._policy = policy

    async def explain(self, found: Found, key: Key) -> order_service_pb2.ExplainOrderResponse:
        """Why the order that was found is where it is."""
        state: StoredOrder = found.state
        obstacles: list[told.Obstacle] = []
        elsewhere = await self._elsewhere(state, key, obstacles)
        explanation = explaining.explain(state, elsewhere, self._policy, self._backend.clock.now_us())
        explanation.partition = str(self._backend.gate.partition_of(model.SERVICE, key.tenant, key.key))
        if explanation.waiting_for != told.WAITING_FOR_NOTHING:
            partitions = list(dict.fromkeys(self._partitions(state, key)))
            obstacles += self._troubles(partitions)
            obstacles += await self._dead_letters(partitions, key)
        if found.freshness.degraded:
            obstacles.append(_store_obstacle(found.freshness))
        explanation.obstacles.extend({each.text: each for each in obstacles}.values())
        return order_service_pb2.ExplainOrderResponse(explanation=explanation, freshness=found.freshness)

    async def _elsewhere(self, state: StoredOrder, key: Key, obstacles: list[told.Obstacle]) -> Elsewhere:
        """What the services that are waited for have stored; what cannot be read is an obstacle."""
        services = explaining.entry_of(state).services
        try:
            return Elsewhere(
                payment=await self._payment(key) if "payment" in services else None,
                shipments=await self._shipments(key) if "shipping" in services else (),
                reservations=await self._reservations(state, key) if "inventory" in services else {},
            )
        except Problem as problem:
            obstacles.append(told.Obstacle(kind=told.OBSTACLE_KIND_STORE, text=problem.message))
            return Elsewhere()

    async def _payment(self, key: Key) -> Payment | None:
        payment_key = Key("payment", key.tenant, key.key)
        state = (await self._backend.load(self._readable("payment", "payment"), [payment_key])).get(payment_key)
        return None if state is None else state.payment

    async def _shipments(self, key: Key) -> Sequence[Shipment]:
        aggregate = self._readable("shipping", "shipment").aggregate
        page = await self._backend.query(aggregate.table, (key.tenant, key.key), b"", SHIPMENTS_MAX)
        states: Iterator[Any] = (aggregate.state.FromString(_bytes(row["state"])) for row in page.rows)
        return sorted((state.shipment for state in states), key=lambda each: (len(each.shipment_id), each.shipment_id))

    async def _reservations(self, state: StoredOrder, key: Key) -> Mapping[str, Reservation]:
        keys = [Key("reservation", key.tenant, sku, key.key) for sku in explaining.skus_waited_for(state)]
        states = await self._backend.load(self._readable("inventory", "reservation"), keys)
        return {each.key: found.reservation for each, found in states.items()}

    def _readable(self, service: str, kind: str) -> Readable:
        return Readable(service, self._backend.registry.kinds[kind], lambda _state: 0)

    def _partitions(self, state: StoredOrder, key: Key) -> Iterator[PartitionId]:
        """The order's own partition, and those whose answer it waits for."""
        of = self._backend.gate.partition_of
        yield of(model.SERVICE, key.tenant, key.key)
        for service in explaining.entry_of(state).services:
            keys = explaining.skus_waited_for(state) if service == "inventory" else [key.key]
            yield from (of(service, key.tenant, each) for each in keys)

    def _troubles(self, partitions: Iterable[PartitionId]) -> Iterator[told.Obstacle]:
        """What is the matter with partitions, by their owners' own word or for want of it."""
        statuses = {PartitionId(each.group, each.partition): each for each in self._backend.gate.statuses()}
        for partition in partitions:
            trouble = _trouble(partition, statuses.get(partition))
            if trouble is not None:
                yield trouble

    async def _dead_letters(self, partitions: Iterable[PartitionId], key: Key) -> Sequence[told.Obstacle]:
        """The commands about the order that an operator has to look at."""
        found: list[told.Obstacle] = []
        try:
            for partition in partitions:
                page = await self._backend.query(DEAD_LETTERS, ("", str(partition)), b"", DEAD_LETTERS_MAX)
                letters = (log_pb2.DeadLetterState.FromString(_bytes(row["state"])) for row in page.rows)
                found += (_dead_letter(partition, each) for each in letters if _is_about(each, key))
        except Problem as problem:
            found.append(told.Obstacle(kind=told.OBSTACLE_KIND_STORE, text=problem.message))
        return found


def _trouble(partition: PartitionId, status: log_pb2.PartitionStatus | None) -> told.Obstacle | None:
    """What is the matter with a partition; None where nothing is."""
    if status is None:
        text = f"Nobody was heard of lately who owns partition {partition}; what is for it waits in its log."
        return _obstacle(told.OBSTACLE_KIND_NO_OWNER, partition, text)
    if status.stopped_reason:
        text = f"Partition {partition} is stopped: {status.stopped_reason}"
        return _obstacle(told.OBSTACLE_KIND_STOPPED, partition, text)
    if status.lag_ms >= LAG_MS_MIN:
        behind = f"{status.lag_ms / 1000:.0f} s and {status.lag:,} commands behind"
        text = f"The owner of partition {partition} ({status.instance}) is {behind}."
        return _obstacle(told.OBSTACLE_KIND_BEHIND, partition, text)
    return None


def _obstacle(kind: told.ObstacleKind, partition: PartitionId, text: str) -> told.Obstacle:
    short = text[:TEXT_CHARACTERS_MAX]
    return told.Obstacle(kind=kind, group=partition.group, partition=partition.number, text=short)


def _is_about(letter: log_pb2.DeadLetterState, key: Key) -> bool:
    """Whether nobody has resolved it yet, and it is the order's: by its key, or by what it says where that is a SKU."""
    envelope = letter.dead_letter.envelope
    is_open = not letter.replayed and not letter.discarded
    names_order = envelope.key == key.key or key.key.encode() in envelope.payload
    return is_open and envelope.tenant == key.tenant and names_order


def _dead_letter(partition: PartitionId, letter: log_pb2.DeadLetterState) -> told.Obstacle:
    """Its error is for operators alone, who have it by its name."""
    envelope = letter.dead_letter.envelope
    kind = envelope.type.rpartition(".")[2]
    text = f"{kind} for {envelope.key} could not be decided: dead letter {partition}/{letter.dead_letter_id}."
    return _obstacle(told.OBSTACLE_KIND_DEAD_LETTER, partition, text)


def _store_obstacle(freshness: consistency_pb2.Freshness) -> told.Obstacle:
    text = f"The order was not read as asked for: {freshness.reason}."
    return told.Obstacle(kind=told.OBSTACLE_KIND_STORE, text=text)


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes), "a state is a blob"
    return value
