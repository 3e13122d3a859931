"""What few customers say: another address, another charge, what a refund is for, and for which version a change is.

Their chance is their own, so that the seeds without it keep their worlds.
"""

from __future__ import annotations

import random
from typing import Any

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_commands_pb2, order_pb2
from ordermesh.core.decider import Key
from ordermesh.testing.simulation import goods
from ordermesh.testing.simulation.client import Client
from ordermesh.testing.simulation.world import World

CHARGES = (0, 1_990_000_000, 4_500_000_000)
"""Shipping charges that an order may be amended to, in nanos."""


class Details:
    """Adds them to what customers ask for, in one run."""

    def __init__(self, world: World, client: Client) -> None:
        self._share = world.profile.details_share
        self._client = client
        self._random = random.Random(f"details {world.seed}")

    async def add(self, key: Key, change: Any) -> None:
        """Adds some to a change of an order, or none."""
        if not self._share or self._random.random() >= self._share:
            return
        if isinstance(change, order_commands_pb2.Amend):
            self._amend(change)
        elif isinstance(change, order_commands_pb2.Refund) and not change.lines:
            change.reason = order_pb2.REFUND_REASON_GOODWILL
        if self._random.random() < 0.5:
            state = await self._client.read("order", key, consistency_pb2.READ_CONSISTENCY_LINEARIZABLE)
            if state is not None:
                change.etag = str(state.order.version)

    def _amend(self, change: order_commands_pb2.Amend) -> None:
        if self._random.random() < 0.6:
            change.shipping_charge.CopyFrom(goods.money(self._random.choice(CHARGES)))
        if self._random.random() < 0.6:
            change.ship_to.recipient = f"somebody at {self._random.randrange(100)}"
            change.ship_to.region_code = "GB"
