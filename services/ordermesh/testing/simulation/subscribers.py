"""People who want to be told: they make webhook endpoints, and have things told once more.

Their chance is their own, so that the seeds without them keep their worlds.
"""

from __future__ import annotations

import base64
import random
from contextlib import suppress

from oms.notification.v1 import webhook_commands_pb2 as commands
from oms.notification.v1.webhook_pb2 import Redelivery
from ordermesh.core.decider import Key
from ordermesh.core.stamps import write_time
from ordermesh.notification.model import SERVICE, endpoint_key
from ordermesh.notification.signing import SECRET_BYTES, SECRET_PREFIX
from ordermesh.runtime import subjects
from ordermesh.testing.simulation import goods
from ordermesh.testing.simulation.client import REFUSED_TO_TRY, Client
from ordermesh.testing.simulation.clock import BEGINNING_US
from ordermesh.testing.simulation.world import Edge, World

WANTED = (("*",), ("oms.order.*",), ("oms.order.*", "oms.shipping.dispatched.v1"))
"""What endpoints are made for."""


class Subscribers:
    """Those people, in one run."""

    def __init__(self, world: World, client: Client) -> None:
        self._world = world
        self._client = client
        self._random = random.Random(f"subscribers {world.seed}")

    def count(self) -> int:
        """How many endpoints there will be."""
        return self._random.choice((1, 1, 2)) if self._world.profile.couriers else 0

    async def subscribe(self, number: int) -> None:
        """One endpoint, and what its shop asks for later."""
        if number:
            await self._pause(self._world.profile.duration_s)
        host, secret = f"shop-{number}.example", self._secret()
        self._world.tellers.receiver.secrets[host] = secret
        endpoint_id = f"we_{number}"
        key = endpoint_key(goods.TENANT, endpoint_id)
        create = commands.CreateEndpoint(
            endpoint_id=endpoint_id, url=f"https://{host}/hooks", event_types=self._random.choice(WANTED),
            secret=secret, request_id=f"create-{number}",
        )  # fmt: skip
        await self._client.send(SERVICE, key, create)
        for act in (self._rotate, self._test, self._redeliver):
            await self._pause(self._world.profile.duration_s / 2)
            if self._random.random() < 0.4:
                await act(key)

    async def _rotate(self, key: Key) -> None:
        """A new secret; the shop goes on looking with the old one, which has a day."""
        rotate = commands.RotateSecret(endpoint_id=key.sub_key, secret=self._secret(), request_id="rotate")
        await self._client.send(SERVICE, key, rotate)

    async def _test(self, key: Key) -> None:
        await self._client.send(SERVICE, key, commands.RequestTestEvent(endpoint_id=key.sub_key, request_id="test"))

    async def _redeliver(self, key: Key) -> None:
        """All that was published so far, or what was lately."""
        now_us = BEGINNING_US + int(self._world.loop.time() * 1e6)
        redelivery = Redelivery(redelivery_id="re_1")
        write_time(redelivery.start_time, now_us - self._random.choice((1_000_000, 600_000_000)))
        write_time(redelivery.end_time, now_us)
        ask = commands.RequestRedelivery(endpoint_id=key.sub_key, redelivery=redelivery, request_id="redeliver")
        answer = await self._client.send(SERVICE, key, ask)
        with suppress(*REFUSED_TO_TRY):
            await self._world.call(_tell)
        if answer is not None and answer.refusal is None:
            self._world.tellers.redelivered[key] = redelivery

    def _secret(self) -> str:
        return SECRET_PREFIX + base64.b64encode(self._random.randbytes(SECRET_BYTES)).decode()

    async def _pause(self, longest_s: float) -> None:
        await self._world.patience.pause(self._random.random() * longest_s)


async def _tell(edge: Edge) -> None:
    """As an edge does after a change of an endpoint: who delivers looks at once."""
    edge.gate.tell(subjects.WEBHOOKS)
