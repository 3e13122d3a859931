"""What every `Bus` does."""

from __future__ import annotations

from ordermesh.runtime.ports import Bus
from tests.waiting import eventually


async def heard(bus: Bus, subject: str) -> list[bytes]:
    """A list that grows by what is published on the subject, once that is certain to be heard."""
    got: list[bytes] = []
    await bus.subscribe(subject, got.append)
    probe = subject.replace("*", "probe").replace(">", "probe")
    bus.publish(probe, b"probe")
    await eventually(lambda: bool(got), "the subscription")
    got.clear()
    return got


async def test_messages_come_in_order_to_those_who_listen(bus: Bus) -> None:
    got = await heard(bus, "om.test.a")
    for i in range(100):
        bus.publish("om.test.a", str(i).encode())
        bus.publish("om.test.b", b"not this")
    await eventually(lambda: len(got) >= 100, "100 messages")
    assert got == [str(i).encode() for i in range(100)]


async def test_wildcards_hear_all_that_match(bus: Bus) -> None:
    one = await heard(bus, "om.*.status")
    rest = await heard(bus, "om.>")
    bus.publish("om.a.status", b"1")
    bus.publish("om.a.b.status", b"2")
    bus.publish("om.end", b"3")
    await eventually(lambda: rest[-1:] == [b"3"], "the last message")
    assert one == [b"1"]
    assert rest == [b"1", b"2", b"3"]


async def test_after_the_end_of_a_subscription_nothing_is_heard(bus: Bus) -> None:
    got: list[bytes] = []
    other = await heard(bus, "om.test")
    end = await bus.subscribe("om.test", got.append)
    await end()
    await end()
    bus.publish("om.test", b"1")
    await eventually(lambda: bool(other), "the message at the other")
    assert got == []
