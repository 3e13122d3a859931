"""What the clients do: they receive stock, place orders (some again, or otherwise), cancel, return, refund and read;
and somebody sends poison."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

from google.protobuf import empty_pb2
from google.protobuf.message import Message

from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_commands_pb2
from oms.log.v1 import log_pb2
from oms.order.v1 import order_commands_pb2, order_pb2
from oms.shipping.v1 import shipping_commands_pb2
from ordermesh.core.decider import Key
from ordermesh.runtime.ports import PartitionId
from ordermesh.testing.simulation import goods, probe
from ordermesh.testing.simulation.bookkeepers import Bookkeepers
from ordermesh.testing.simulation.care import Care
from ordermesh.testing.simulation.client import REFUSED_TO_TRY, Client, order_key
from ordermesh.testing.simulation.clock import BEGINNING_US
from ordermesh.testing.simulation.details import Details
from ordermesh.testing.simulation.history import History
from ordermesh.testing.simulation.keepers import Keepers
from ordermesh.testing.simulation.subscribers import Subscribers
from ordermesh.testing.simulation.world import World

ID_SKEWS_MS = (0, 0, 0, 0, 300, -300, 8_000, -8_000, -30_000, -3_600_000)
"""How far ids are ahead of the true time: clients' clocks are off, and some ids are made long before they are used."""


class Workload:
    """The clients of one run."""

    def __init__(self, world: World, history: History) -> None:
        self._world = world
        self._random = world.chance.random
        self._chance = world.chance
        self._client = Client(world, history)
        self._clerks = random.Random(f"clerks {world.seed}")
        self._care = Care(world, self._client)
        self._keepers = Keepers(world, self._client)
        self._details = Details(world, self._client)
        self._subscribers = Subscribers(world, self._client)
        self._bookkeepers = Bookkeepers(world, self._client)
        self._lively = random.Random(f"lively orders {world.seed}")
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self) -> None:
        """Sends everybody off."""
        profile = self._world.profile
        for number in range(profile.skus):
            self._spawn(self._receive(goods.sku_name(number)))
            if self._keepers.wants():
                self._spawn(self._keepers.keep(goods.sku_name(number)))
        for number in range(self._subscribers.count()):
            self._spawn(self._subscribers.subscribe(number))
        for number in range(profile.orders):
            self._spawn(self._shop(number))
        for _ in range(self._random.randint(0, profile.orders // 2)):
            self._spawn(self._probe())
        for _ in range(self._random.choice((0, 0, 1, 3))):
            self._spawn(self._poison())

    def is_done(self) -> bool:
        """Whether everybody has got all answers. Raises what a client raised."""
        for task in self._tasks:
            if task.done():
                task.result()
        return all(task.done() for task in self._tasks)

    def _spawn(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._tasks.append(self._world.spawn(coroutine))

    async def _pause(self, longest_s: float) -> None:
        await self._world.patience.pause(self._random.random() * longest_s)

    async def _receive(self, sku: str) -> None:
        """Stock comes in in lots, and is counted anew now and then."""
        profile = self._world.profile
        wanted = int(profile.orders * 6 * profile.stock_share / profile.skus) + 1
        key = Key("stock", goods.TENANT, sku)
        for number in range(self._random.choice((1, 1, 2, 4))):
            quantity = max(1, wanted // (number + 1))
            receive = inventory_commands_pb2.ReceiveStock(quantity=quantity, request_id=f"{sku}-lot-{number}")
            await self._client.send("inventory", key, receive)
            await self._pause(profile.duration_s / 2)
            if self._chance.coin():
                await self._client.read("inventory", key)
        if self._random.random() < 0.3:
            adjust = inventory_commands_pb2.AdjustStock(
                change=self._random.choice((-3, -1, 2)), reason="counted", request_id=f"{sku}-count"
            )
            await self._client.send("inventory", key, adjust)

    async def _shop(self, number: int) -> None:
        """One customer and one order."""
        profile = self._world.profile
        await self._pause(profile.duration_s)
        now_ms = (BEGINNING_US + int(self._world.loop.time() * 1e6)) // 1000
        time_ms = now_ms + self._random.choice(ID_SKEWS_MS)
        order_id = goods.new_order_id(time_ms, self._random)
        customer = f"customer-{self._random.randrange(profile.customers)}"
        order = goods.make_order(order_id, customer, profile.skus, self._random)
        order.labels["number"] = str(number)
        key = order_key(order)
        is_looked_after = self._care.wants()
        if is_looked_after:
            self._care.prepare(order)
        is_lively = self._lively.random() < profile.lively_share
        if is_lively:
            goods.enliven(order, now_ms * 1_000, self._lively)
        if self._random.random() < 0.1:
            await self._client.read("order", key)
        rivals = self._rivals(order)
        if self._clerks.random() < profile.clerks_share:
            rivals.append(self._world.spawn(self._clerk(key, order)))
        if is_looked_after:
            rivals.append(self._world.spawn(self._care.look_after(key, order)))
        if is_lively:
            rivals.append(self._world.spawn(self._change(key, order)))
            rivals.append(self._world.spawn(self._bring(order)))
        if self._bookkeepers.wants():
            rivals.append(self._world.spawn(self._bookkeepers.compare(key)))
        await self._place(order)
        await self._afterwards(key, order)
        for rival in rivals:
            await rival

    def _rivals(self, order: order_pb2.Order) -> list[asyncio.Task[Any]]:
        """Others who use the same id: again, with other content, or as somebody else."""
        found = []
        profile = self._world.profile
        for chance, customer, same in ((0.2, "", True), (0.1, "", False), (0.08, "somebody-else", False)):
            if self._random.random() < chance:
                rival = order
                if not same:
                    who = customer or order.customer_id
                    rival = goods.make_order(order.order_id, who, profile.skus, self._random)
                    if goods.CONTENT in order.labels:
                        _, rival.labels[goods.CONTENT] = goods.content_of(rival)
                found.append(self._world.spawn(self._place_later(rival)))
        return found

    async def _clerk(self, key: Key, order: order_pb2.Order) -> None:
        """Somebody else who looks at the order and changes it, while its customer does: calls that overlap."""
        for number in range(self._clerks.randint(2, 8)):
            await self._world.patience.pause(self._clerks.random() * 2.0)
            luck = self._clerks.random()
            if luck < 0.7:
                await self._client.read("order", key, consistency_pb2.READ_CONSISTENCY_LINEARIZABLE)
            elif luck < 0.8:
                stock = Key("stock", goods.TENANT, order.lines[0].sku)
                await self._client.read("inventory", stock, consistency_pb2.READ_CONSISTENCY_LINEARIZABLE)
            elif luck < 0.9:
                cancel = order_commands_pb2.Cancel(reason="fraud", request_id=f"clerk-cancels-{number}")
                await self._client.send("order", key, cancel, attempts_max=3)
            else:
                refund = order_commands_pb2.Refund(request_id=f"clerk-refunds-{number}")
                refund.amount.CopyFrom(goods.money(1_000_000_000))
                await self._client.send("order", key, refund, attempts_max=3)

    async def _change(self, key: Key, order: order_pb2.Order) -> None:
        """The customer wants fewer pieces, or other ones, now and again."""
        for number in range(self._lively.choice((0, 1, 1, 2, 4))):
            await self._world.patience.pause(self._lively.random() * self._lively.choice((0.05, 1.0, 10.0)))
            change: Any
            if self._lively.random() < 0.5:
                change = order_commands_pb2.Amend(request_id=f"amend-{number}")
                change.lines.extend(goods.amended_lines(order, self._world.profile.skus, self._lively))
            else:
                change = order_commands_pb2.Cancel(reason="fewer", request_id=f"fewer-{number}")
                line = self._lively.choice(list(order.lines))
                change.lines.add(line_id=line.line_id, quantity=self._lively.randint(1, line.quantity))
            await self._details.add(key, change)
            await self._client.send("order", key, change, attempts_max=5)

    async def _bring(self, order: order_pb2.Order) -> None:
        """Goods for an order come in late, now and then; seldom, for histories of receipts are slow to check."""
        if self._lively.random() < 0.25:
            line = self._lively.choice(list(order.lines))
            await self._world.patience.pause(self._lively.random() * self._lively.choice((0.5, 5.0, 20.0)))
            receive = inventory_commands_pb2.ReceiveStock(
                quantity=self._lively.randint(1, 9), request_id=f"for-{order.order_id[-12:]}"
            )
            await self._client.send("inventory", Key("stock", goods.TENANT, line.sku), receive)

    async def _place_later(self, order: order_pb2.Order) -> None:
        await self._pause(self._chance.spread(0.001, 10.0))
        await self._place(order)

    async def _place(self, order: order_pb2.Order) -> None:
        command = order_commands_pb2.PlaceOrder(order=order)
        await self._client.send("order", order_key(order), command)

    async def _afterwards(self, key: Key, order: order_pb2.Order) -> None:
        """What a customer may do with an order."""
        if self._random.random() < 0.3:
            await self._world.patience.pause(self._chance.spread(0.001, 15.0))
            cancel = order_commands_pb2.Cancel(reason="changed my mind", request_id=f"cancel-{key.key[-6:]}")
            await self._client.send("order", key, cancel)
        if self._random.random() < 0.5:
            await self._pause(3.0)
            await self._client.read("order", key)
        if self._random.random() < 0.2:
            await self._deliver(key)
        for number in range(self._random.choice((0, 0, 0, 1, 2))):
            await self._world.patience.pause(self._chance.spread(0.1, 20.0))
            await self._give_back(key, order, number)

    async def _deliver(self, key: Key) -> None:
        await self._pause(5.0)
        deliver = shipping_commands_pb2.Deliver(number=1, request_id="delivered")
        shipment = Key("shipment", key.tenant, key.key, "1")
        await self._client.send("shipping", shipment, deliver, attempts_max=3)
        if self._world.profile.lively_share:
            deliver.number = 2
            await self._client.send("shipping", shipment._replace(sub_key="2"), deliver, attempts_max=3)

    async def _give_back(self, key: Key, order: order_pb2.Order, number: int) -> None:
        """Goods come back, or only the money goes."""
        line = self._random.choice(list(order.lines))
        quantity = self._random.randint(1, line.quantity)
        part: Any
        if self._chance.coin():
            part = order_commands_pb2.Return(restock=self._chance.coin(), request_id=f"return-{number}")
            part.lines.add(line_id=line.line_id, quantity=quantity)
        else:
            part = order_commands_pb2.Refund(request_id=f"refund-{number}")
            if self._chance.coin():
                part.lines.add(line_id=line.line_id, quantity=quantity)
            else:
                part.amount.CopyFrom(goods.money(self._random.randint(1, 30) * 1_000_000_000))
        await self._details.add(key, part)
        await self._client.send("order", key, part)

    async def _probe(self) -> None:
        """A chain of hops over the partitions."""
        await self._pause(self._world.profile.duration_s)
        hops = self._random.choice((0, 1, 2, 3, 5, 9))
        key = Key(probe.PROBE, goods.TENANT, f"start-{self._random.randrange(3)}")
        await self._client.send(probe.PROBE, key, probe.Hop(value=hops))

    async def _poison(self) -> None:
        """A command that cannot be decided; an operator looks at what became of it."""
        await self._pause(self._world.profile.duration_s)
        key = Key(probe.PROBE, goods.TENANT, f"start-{self._random.randrange(3)}")
        kind = self._random.choice((probe.RAISE, probe.RAISE_LATER, probe.ENDLESS, 0, 1))
        if kind == 0:
            await self._client.send("order", Key("order", goods.TENANT, "poison"), empty_pb2.Empty(), attempts_max=5)
        elif kind == 1:
            await self._garbage()
        else:
            await self._client.send(probe.PROBE, key, probe.Hop(value=kind), attempts_max=5)
        await self._pause(5.0)
        await self._resolve()

    async def _garbage(self) -> None:
        """A frame that is none."""
        partitions = self._world.topology.partitions()
        partition = partitions[self._random.randrange(len(partitions))]
        frame_id = f"garbage-{self._random.getrandbits(32)}"
        self._chance.faults["frame_garbage"] += 1
        try:
            await self._world.call(
                lambda edge: edge.log.append(partition, "commands", b"\xff\xff\xff", frame_id=frame_id, dedupe=True)
            )
        except REFUSED_TO_TRY:
            self._world.findings.note("garbage", "not taken")

    async def _resolve(self) -> None:
        """Replays or discards the dead letters there are."""
        for key, partition in list(self._world.truth.dead_letters.items()):
            command = log_pb2.ResolveDeadLetter(dead_letter_id=key.sub_key, replay=self._chance.coin())
            await self._command(partition, command)

    async def _command(self, partition: PartitionId, command: Message) -> None:
        try:
            await self._world.call(lambda edge: edge.gate.settle([edge.gate.post_to(partition, command)], 1.0))
        except REFUSED_TO_TRY:
            self._world.findings.note("resolve", partition, "not taken")
