"""People who keep the stock: they say from when on it is low, count it anew and correct it, by what they saw of it.

Their chance is their own, so that the seeds without them keep their worlds.
"""

from __future__ import annotations

import random
from typing import Any

from google.protobuf.message import Message

from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_commands_pb2 as commands
from oms.inventory.v1.inventory_pb2 import Stock, StockReason
from ordermesh.core.decider import Key
from ordermesh.testing.simulation import goods
from ordermesh.testing.simulation.client import Client
from ordermesh.testing.simulation.world import World

ACTS_MAX = 3
"""What is done to one SKU: histories with many writes are slow to check."""


class Keepers:
    """Those people, in one run."""

    def __init__(self, world: World, client: Client) -> None:
        self._world = world
        self._client = client
        self._random = random.Random(f"keepers {world.seed}")

    def wants(self) -> bool:
        """Whether the next SKU is looked after."""
        share = self._world.profile.keepers_share
        return share > 0 and self._random.random() < share

    async def keep(self, sku: str) -> None:
        """One SKU, some times."""
        key = Key("stock", goods.TENANT, sku)
        for number in range(self._random.randint(1, ACTS_MAX)):
            await self._world.patience.pause(
                self._random.random() * self._random.choice((1.0, self._world.profile.duration_s))
            )
            state = await self._client.read("inventory", key, consistency_pb2.READ_CONSISTENCY_LINEARIZABLE)
            stock = Stock() if state is None else state.stock
            act = self._act(stock, f"{sku}-keeper-{number}")
            await self._client.send("inventory", key, act, attempts_max=4)

    def _act(self, stock: Stock, request_id: str) -> Message:
        """What is done, given what was seen; half of it only if the stock is still so."""
        luck = self._random.random()
        act: Any
        if luck < 0.35:
            act = commands.SetLowStockThreshold(threshold=self._random.choice((None, 0, 2, 5, 20)))
        elif luck < 0.75:
            about = self._random.choice((stock.on_hand, stock.reserved, stock.available))
            act = commands.CountStock(
                counted=max(0, about + self._random.choice((-6, -2, -1, 0, 1, 4))), reason="counted",
                allow_shortage=self._random.random() < 0.7, reason_code=self._reason(),
            )  # fmt: skip
        else:
            change = self._random.choice((-4, -1, 2, 5))
            act = commands.AdjustStock(change=change, reason="corrected", reason_code=self._reason())
        act.request_id = request_id
        if stock.version and self._random.random() < 0.5:
            act.etag = str(stock.version)
        return act  # type: ignore[no-any-return]  # one of three messages

    def _reason(self) -> Any:
        return self._random.choice(StockReason.values())
