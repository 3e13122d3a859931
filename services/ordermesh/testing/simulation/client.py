"""A client of the engine, as a checkout would be: it repeats a request until it has a definite answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from oms.common.v1 import consistency_pb2
from oms.order.v1 import order_commands_pb2, order_pb2
from ordermesh.core.decider import Key
from ordermesh.runtime.gate import Answer, Overloaded
from ordermesh.runtime.ports import LogError
from ordermesh.runtime.problems import Problem
from ordermesh.runtime.reads import Readable, Wanted
from ordermesh.testing.simulation import goods
from ordermesh.testing.simulation.history import (
    ACCEPTED,
    AT_LEAST,
    EVENTUAL,
    LINEARIZABLE,
    QUORUM,
    History,
    Placement,
    Told,
)
from ordermesh.testing.simulation.world import Disconnected, Edge, World

STRENGTHS = {
    consistency_pb2.READ_CONSISTENCY_EVENTUAL: EVENTUAL,
    consistency_pb2.READ_CONSISTENCY_QUORUM: QUORUM,
    consistency_pb2.READ_CONSISTENCY_AT_LEAST: AT_LEAST,
    consistency_pb2.READ_CONSISTENCY_LINEARIZABLE: LINEARIZABLE,
}
"""What a freshness says, as a strength."""

PATIENCE_S = 300.0
"""For how long a client goes on asking once everything is healed, in virtual seconds."""

REFUSED_TO_TRY = (Disconnected, LogError, Overloaded, Problem, TimeoutError)
"""What a call may raise without anything being wrong: the client asks again."""


class Client:
    """Sends requests and records the answers."""

    def __init__(self, world: World, history: History) -> None:
        self.world = world
        self.chance = world.chance
        self.history = history

    async def send(self, service: str, key: Key, command: Message, *, attempts_max: int = 1_000) -> Answer | None:
        """Repeats a command until it is answered; None when that never happens."""
        durability = 1 + int(self.chance.coin())
        healed_s = None
        for _ in range(attempts_max):
            asked_s = self.world.loop.time()
            try:
                answer = await self.world.call(lambda edge: self._post(edge, service, key, command, durability))
            except REFUSED_TO_TRY as error:
                self.world.findings.note("client", key.key, "failed", type(error).__name__, error)
                self.history.calls.unanswered(key, command, asked_s)
            else:
                self._record(key, command, answer, asked_s)
                if answer.persistence > ACCEPTED or self.chance.random.random() < 0.2:
                    return answer
            await asyncio.sleep(self.chance.spread(0.05, 3.0))
            if self.chance.healed:
                healed_s = healed_s if healed_s is not None else self.world.loop.time()
                if self.world.loop.time() - healed_s > PATIENCE_S:
                    self.world.findings.report("I5", f"a client gets no answer about {key} though all is healed")
                    return None
        return None

    async def _post(self, edge: Edge, service: str, key: Key, command: Message, durability: int) -> Answer:
        pending = edge.gate.post(service, key.tenant, key.key, command, durability=durability)
        (answer,) = await edge.gate.settle([pending], 1.0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _record(self, key: Key, command: Message, answer: Answer, asked_s: float) -> None:
        told_s = self.world.loop.time()
        reason = "" if answer.refusal is None else answer.refusal.reason
        self.world.findings.note("client", key.key, type(command).__name__, f"persistence={answer.persistence}", reason)
        if isinstance(command, order_commands_pb2.PlaceOrder):
            content = goods.content_of(command.order)
            self.history.placements[key].append(Placement(content, told_s, answer.persistence, reason))
        state = self._parsed(key, answer.state)
        self.history.calls.answered(key, command, answer, state, asked_s, told_s)
        if answer.persistence > ACCEPTED and not reason and state is not None:
            version = self._version(key.kind)(state)
            self.history.told[key].append(Told(asked_s, told_s, version, answer.persistence, LINEARIZABLE))

    def _parsed(self, key: Key, state: bytes) -> Any:
        """A serialised state; None for none."""
        return self.world.registry.kinds[key.kind].state.FromString(state) if state else None

    def _version(self, kind: str) -> Callable[[Any], int]:
        if kind == "probe":
            return lambda state: int(state.epoch)
        return lambda state: int(getattr(state, kind).version)

    async def read(self, service: str, key: Key, consistency: int | None = None) -> Any:
        """Reads in that or some consistency and records what was told; the state, or None for none or no answer."""
        consistency = consistency if consistency is not None else self.chance.random.choice(list(STRENGTHS))
        known = [one.version for one in self.history.told[key]]
        min_version = max(known, default=1) if consistency == consistency_pb2.READ_CONSISTENCY_AT_LEAST else 0
        readable = Readable(service, self.world.registry.kinds[key.kind], self._version(key.kind))
        want = Wanted(consistency, max(1, min_version) if min_version else 0, 2.0)
        asked_s = self.world.loop.time()
        try:
            found = await self.world.call(lambda edge: edge.reads.read(readable, key, want))
        except REFUSED_TO_TRY:
            return None
        told_s = self.world.loop.time()
        if found is None:
            self.world.findings.note("client", key.key, "read", f"asked={consistency}", "does not exist")
            self.history.told[key].append(Told(asked_s, told_s, 0, 0, LINEARIZABLE))
            self.history.calls.read(key, None, asked_s, told_s)
            return None
        version = self._version(key.kind)(found.state)
        given = STRENGTHS[found.freshness.consistency]
        self.world.findings.note("client", key.key, "read", f"asked={consistency} given={given} version={version}")
        self.world.findings.require(
            found.freshness.version == version and version >= min_version,
            "I7", "{} is told as version {} and is {}", key, found.freshness.version, version,
        )  # fmt: skip
        self._check_bytes(key, version, found.state)
        self.history.told[key].append(Told(asked_s, told_s, version, 0, given))
        if given == LINEARIZABLE:
            self.history.calls.read(key, found.state, asked_s, told_s)
        return found.state

    async def query(self, service: str, key: Key) -> None:
        """Asks through the log until there is an answer."""
        for _ in range(200):
            asked_s = self.world.loop.time()
            try:
                answer = await self.world.call(lambda edge: edge.gate.query(service, key, timeout_s=2.0))
            except REFUSED_TO_TRY:
                await asyncio.sleep(0.3)
                continue
            if answer.refusal is not None:
                await asyncio.sleep(0.3)
                continue
            state, told_s = self._parsed(key, answer.state), self.world.loop.time()
            version = 0 if state is None else self._version(key.kind)(state)
            self.history.told[key].append(Told(asked_s, told_s, version, 2, LINEARIZABLE))
            self.history.calls.read(key, state, asked_s, told_s)
            return
        self.world.findings.report("I5", f"no owner answers for {key} though all is healed")

    def _check_bytes(self, key: Key, version: int, state: Message) -> None:
        """Whatever is told was so."""
        true = self.world.truth.aggregates.get(key)
        moment = None if true is None else true.at(version)
        same = moment is not None and moment.state == state.SerializeToString(deterministic=True)
        self.world.findings.require(same, "I7", "{} version {} was told as it never was", key, version)


def order_key(order: order_pb2.Order) -> Key:
    """The key of an order."""
    return Key("order", goods.TENANT, order.order_id)
