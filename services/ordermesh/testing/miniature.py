"""All services on a bus in memory, without log and store: what deciders do together, whatever the order of arrival.

Messages between two partitions keep their order, and nothing else does: the test chooses what arrives next. As in the
kernel, a message to the own partition is decided right after the command that led to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from zlib import crc32

from google.protobuf.message import Message

from ordermesh.core.decider import Context, Decision, Handler, Key, Outgoing, Refusal, Service, SetTimer, Stamp, State
from ordermesh.testing.given import START_US, TENANT

Partition = tuple[str, int]
"""A group and a number."""

TOGETHER: Mapping[str, str] = {"order": "orders", "payment": "orders", "shipping": "orders", "inventory": "stock"}
"""The default groups."""

APART: Mapping[str, str] = {name: name for name in TOGETHER}
"""One group per service."""


class Miniature:
    """A deployment in one object. `provider` answers effects, one call each."""

    def __init__(
        self,
        services: Sequence[Service],
        groups: Mapping[str, str],
        partitions: int,
        provider: Callable[[Message], Message],
    ) -> None:
        self._groups = groups
        self._partitions = partitions
        self._provider = provider
        self._kinds = {kind.kind: kind for service in services for kind in service.aggregates}
        self._handlers: dict[type[Message], tuple[str, Handler]] = {
            handler.command: (service.name, handler) for service in services for handler in service.handlers
        }
        self._versions: dict[Key, int] = {}
        self.states: dict[Key, State] = {}
        self.links: dict[tuple[Partition, Partition], deque[Outgoing]] = {}
        self.effects: list[tuple[str, str, Message]] = []
        self.timers: dict[tuple[Key, str], SetTimer] = {}
        self.refused: list[tuple[Message, Refusal]] = []
        self.now_us = START_US

    def partition_of(self, service: str, tenant: str, key: str) -> Partition:
        """Where that service's key lives."""
        return self._groups[service], self.slot(service, tenant, key)

    def slot(self, _service: str, tenant: str, key: str) -> int:
        """The same number for keys of one partition."""
        return crc32(f"{tenant}/{key}".encode()) % self._partitions

    def state(self, key: Key) -> State | None:
        """The state of an aggregate; None where it does not exist."""
        return self.states.get(key)

    def of_kind(self, kind: str) -> list[tuple[Key, State]]:
        """All aggregates of a kind."""
        return [(key, state) for key, state in self.states.items() if key.kind == kind]

    def ask(self, key: str, command: Message, *, first: bool = False) -> Refusal | None:
        """A client's command, decided at once; gives its refusal."""
        return self._decide(TENANT, key, command, first=first)

    def waiting_links(self) -> list[tuple[Partition, Partition]]:
        """Between which partitions messages are under way."""
        return [link for link, messages in self.links.items() if messages]

    def deliver(self, link: tuple[Partition, Partition]) -> None:
        """The oldest message of a link arrives."""
        out = self.links[link].popleft()
        self._internal(out.tenant, out.key, out.message, first=out.first)

    def finish(self, number: int) -> None:
        """An effect gets its definite answer."""
        tenant, key, request = self.effects.pop(number)
        self._internal(tenant, key, self._provider(request))

    def fire(self, owner: Key, name: str) -> None:
        """A timer is due: time passes until then, and its message is decided."""
        timer = self.timers.pop((owner, name))
        self.now_us = max(self.now_us, timer.due_us)
        assert timer.message is not None, "a timer that is set has a message"
        self._internal(owner.tenant, owner.key, timer.message)

    def settle(self, *, steps_max: int = 100_000) -> None:
        """Delivers, finishes and fires until nothing is left to do. Raises AssertionError where there is no end."""
        for _ in range(steps_max):
            links = self.waiting_links()
            if links:
                self.deliver(links[0])
            elif self.effects:
                self.finish(0)
            elif self.timers:
                self.fire(*min(self.timers, key=lambda name: self.timers[name].due_us))
            else:
                return
        raise AssertionError(f"after {steps_max} steps there is still something to do: {list(self.timers)[:5]}")

    def _internal(self, tenant: str, key: str, message: Message, *, first: bool = False) -> None:
        refusal = self._decide(tenant, key, message, first=first)
        if refusal is not None:
            self.refused.append((message, refusal))

    def _decide(self, tenant: str, key: str, command: Message, *, first: bool) -> Refusal | None:
        """Decides a command and all that it leads to in its partition; gives the refusal of the command itself."""
        service, _ = self._handlers[type(command)]
        own = self.partition_of(service, tenant, key)
        chain = deque([Outgoing(service, tenant, key, command, first)])
        answer: Refusal | None = None
        while chain:
            out = chain.popleft()
            decision = self._decide_one(out)
            if decision.refusal is not None and out.message is not command:
                self.refused.append((out.message, decision.refusal))
            elif out.message is command:
                answer = decision.refusal
            for message in decision.messages:
                target = self.partition_of(message.service, message.tenant, message.key)
                if target == own:
                    chain.append(message)
                else:
                    self.links.setdefault((own, target), deque()).append(message)
        return answer

    def _decide_one(self, out: Outgoing) -> Decision:
        """Decides one message, and makes happen what was decided, but for its messages."""
        self.now_us += 1
        _, handler = self._handlers[type(out.message)]
        context = Context(self.now_us, out.tenant, out.key, "", out.first, self.slot)
        keys = handler.keys(out.message, context)
        if out.first:
            absent = [key for key in keys if self._kinds[key.kind].absent_when_first]
            assert not [key for key in absent if key in self.states], "said to be the first attempt, and is not"
        decision = handler.decide({key: self.states[key] for key in keys if key in self.states}, out.message, context)
        for key, event in decision.events:
            assert key in keys, "an event of an aggregate that was not named"
            self._evolve(key, event)
        for timer in decision.timers:
            self.timers.pop((timer.owner, timer.name), None)
            if timer.message is not None:
                self.timers[timer.owner, timer.name] = timer
        self.effects += [(effect.tenant, effect.key, effect.request) for effect in decision.effects]
        return decision

    def _evolve(self, key: Key, event: Message) -> None:
        kind = self._kinds[key.kind]
        assert type(event) in kind.events, f"{type(event)} is not an event of {key.kind}"
        self._versions[key] = self._versions.get(key, 0) + 1
        kind.evolve(self.states.setdefault(key, kind.state()), event, Stamp(self._versions[key], self.now_us))
