"""Given these events, when this command is decided, then that: tests of deciders without a kernel.

    outcome = given(SERVICE).happened(key, OrderPlaced(...)).when(order_id, Cancel())
    assert outcome.events == [...]

An outcome goes on: `outcome.when(...)` decides the next command on the states that the events of the last one led to.
Deciding must not change a state; that is asserted each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from zlib import crc32

from google.protobuf.message import Message

from ordermesh.core.decider import Context, Decision, Handler, Key, Refusal, Service, SetTimer, Stamp, State

TENANT = "default"
"""The tenant of all tests that do not say otherwise."""

START_US = 1_700_000_000_000_000
"""When tests begin: November 2023, in microseconds since 1970."""

M = TypeVar("M", bound=Message)
Slot = Callable[[str, str, str], int]


def one_slot(_service: str, _tenant: str, _key: str) -> int:
    """All keys share a partition."""
    return 0


def slots(partitions: int) -> Slot:
    """Keys are spread over so many partitions, by their checksum."""
    return lambda _service, tenant, key: crc32(f"{tenant}/{key}".encode()) % partitions


class Outcome:
    """States, and what the last decision on them was."""

    def __init__(self, service: Service, slot: Slot) -> None:
        self._service = service
        self._slot = slot
        self._kinds = {aggregate.kind: aggregate for aggregate in service.aggregates}
        self._handlers: dict[type[Message], Handler] = {handler.command: handler for handler in service.handlers}
        self._states: dict[Key, State] = {}
        self._versions: dict[Key, int] = {}
        self.now_us = START_US
        self.decision = Decision()

    def happened(self, key: Key, *events: Message) -> Outcome:
        """Makes events happen, one each microsecond."""
        kind = self._kinds[key.kind]
        for event in events:
            assert type(event) in kind.events, f"{type(event)} is not an event of {key.kind}"
            self.now_us += 1
            state = self._states.setdefault(key, kind.state())
            self._versions[key] = self._versions.get(key, 0) + 1
            kind.evolve(state, event, Stamp(self._versions[key], self.now_us))
        return self

    def later(self, pause_us: int) -> Outcome:
        """Lets time pass."""
        self.now_us += pause_us
        return self

    def when(self, key: str, command: Message, *, first: bool = False, tenant: str = TENANT) -> Outcome:
        """Decides a command for that key, and makes happen what was decided."""
        handler = self._handlers[type(command)]
        context = Context(self.now_us, tenant, key, "", first, self._slot)
        keys = handler.keys(command, context)
        states = {name: self._states[name] for name in keys if name in self._states}
        before = [state.SerializeToString(deterministic=True) for state in states.values()]
        self.decision = handler.decide(states, command, context)
        after = [state.SerializeToString(deterministic=True) for state in states.values()]
        assert before == after, "deciding changed a state"
        assert all(name in keys for name, _ in self.decision.events), "an event of an aggregate that was not named"
        for name, event in self.decision.events:
            self.happened(name, event)
        return self

    def state(self, key: Key) -> State:
        """The state of an aggregate. Raises KeyError where it does not exist."""
        return self._states[key]

    def exists(self, key: Key) -> bool:
        """Whether anything has happened to it."""
        return key in self._states

    @property
    def events(self) -> list[Message]:
        """What was decided to happen."""
        return [event for _, event in self.decision.events]

    @property
    def event_names(self) -> list[str]:
        """The same by name."""
        return [event.DESCRIPTOR.name for event in self.events]

    @property
    def messages(self) -> list[Message]:
        """What is said to other aggregates."""
        return [out.message for out in self.decision.messages]

    def sent(self, kind: type[M]) -> list[M]:
        """The messages of one type."""
        return [message for message in self.messages if isinstance(message, kind)]

    @property
    def effects(self) -> list[Message]:
        """What is asked of the outside."""
        return [effect.request for effect in self.decision.effects]

    @property
    def timers(self) -> Sequence[SetTimer]:
        """Timers set or cleared."""
        return self.decision.timers

    @property
    def refusal(self) -> Refusal | None:
        """The refusal, if there is one."""
        return self.decision.refusal

    @property
    def is_silent(self) -> bool:
        """Whether nothing at all was decided."""
        return self.decision == Decision()


def given(service: Service, *, slot: Slot = one_slot) -> Outcome:
    """Nothing has happened yet."""
    return Outcome(service, slot)
