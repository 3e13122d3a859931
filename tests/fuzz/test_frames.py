"""What stands in a log and cannot be read: one bad command is one dead letter, one bad decision stops the partition."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.admin.v1 import admin_pb2, admin_service_pb2
from oms.log.v1 import log_pb2
from oms.order.v1 import order_pb2
from ordermesh.adapters.jetstream_api import MESSAGE_BYTES_MAX
from ordermesh.adapters.memory import MemoryLog
from ordermesh.adapters.system_clock import SystemClock
from ordermesh.runtime import subjects
from ordermesh.runtime.host import all_services
from ordermesh.runtime.inbox import Inbox
from ordermesh.runtime.options import SCHEMA_VERSION, OwnerOptions
from ordermesh.runtime.ports import PartitionId, Stored
from ordermesh.runtime.topology import Topology
from ordermesh.testing.fuzz.messages import Messages
from ordermesh.testing.fuzz.values import Values, order_id
from ordermesh.testing.fuzz.wire import spoiled
from tests.e2e.api.client import Client, order_of, until
from tests.unit.edge.shop import SERVICES, Shop
from tests.waiting import eventually

ORDERS = PartitionId("orders", 0)
SPOILED_FRAMES = 400
COMMANDS = [(service.name, handler.command) for service in all_services(SERVICES) for handler in service.handlers]
"""Every command that an owner knows, and whose it is."""


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_whatever_the_bytes_a_frame_is_at_least_one_command(data: bytes) -> None:
    """A frame without commands would leave the partition at rest one frame behind its log, for ever."""
    inbox = Inbox(ORDERS, MemoryLog(), SystemClock(), OwnerOptions())
    inbox._deliver(Stored(7, "commands", data, ""))
    works = inbox.take(1_000_000)

    assert works
    assert [work.sequence for work in works] == [7] * len(works)
    assert [work.is_last for work in works] == [False] * (len(works) - 1) + [True]
    assert all(subjects.is_reply(work.reply_to) or not work.reply_to for work in works)


def frames(chance: random.Random, count: int) -> Iterator[bytes]:
    """Command frames with something wrong: in their bytes, in their envelopes, in the commands."""
    for number in range(count):
        messages = Messages(Values(chance, number, []))
        service, kind = chance.choice(COMMANDS)
        command = messages.plausible(kind.DESCRIPTOR)  # type: ignore[arg-type]  # either of two equals
        if chance.random() < 0.5:
            messages.spoil(command)
        payload = command.SerializeToString()
        envelope = log_pb2.Envelope(
            service=service if chance.random() < 0.9 else chance.choice(["kernel", "none", ""]),
            tenant=chance.choice(["default"] * 8 + ["", "\x00"]),
            key=order_id(chance.randrange(2**20)) if chance.random() < 0.9 else chance.choice(["", "SKU-1", "\n"]),
            type=command.DESCRIPTOR.full_name if chance.random() < 0.9 else "oms.order.v1.None",
            payload=spoiled(chance, payload) if chance.random() < 0.3 else payload,
            correlation=chance.choice([0, 1, 2**63 - 1]),
        )
        frame = log_pb2.CommandFrame(
            reply_to=chance.choice(["", "om.replies.x", "a b\r\nc", ">"]), envelopes=[envelope]
        )
        data = frame.SerializeToString()
        yield spoiled(chance, data) if chance.random() < 0.3 else data


async def letters(client: Client, count_min: int) -> list[admin_pb2.DeadLetter]:
    """The dead letters, all of them, once there are so many: they are listed when they are stored."""

    async def enough() -> list[admin_pb2.DeadLetter] | None:
        found = await _letters(client)
        return found if len(found) >= count_min else None

    found: list[admin_pb2.DeadLetter] = await until(enough, f"{count_min} dead letters are listed")
    return found


async def _letters(client: Client) -> list[admin_pb2.DeadLetter]:
    found: list[admin_pb2.DeadLetter] = []
    request = admin_service_pb2.ListDeadLettersRequest(page_size=1_000)
    while True:
        response = await client.admin.ListDeadLetters(request)
        found += response.dead_letters
        request.page_token = response.next_page_token
        if not request.page_token:
            return found


async def test_spoiled_commands_are_dead_letters_and_the_partition_goes_on(
    shop: Shop, client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[str] = []
    monkeypatch.setattr(shop.bus, "publish", _listening(shop.bus.publish, published))
    chance = random.Random(5)
    with caplog.at_level(logging.ERROR):
        for partition in Topology(shop.deployment).partitions():
            for number, data in enumerate(frames(chance, SPOILED_FRAMES)):
                await shop.log.append(partition, "commands", data, frame_id=f"{partition} {number}", dedupe=True)
        await eventually(
            lambda: all(not status.lag for status in shop.gate.statuses()) and _all_decided(shop), "decided"
        )
        order = await client.completed()

    assert order.order_state == order_pb2.ORDER_STATE_COMPLETED
    assert "taken anew after an error" not in caplog.text
    assert "stopped" not in caplog.text
    assert await letters(client, SPOILED_FRAMES)
    assert all(subject.startswith("om.") and " " not in subject for subject in published)


def _listening(publish: object, published: list[str]) -> object:
    """The same, and the subjects are noted."""

    def note(subject: str, data: bytes) -> None:
        published.append(subject)
        publish(subject, data)  # type: ignore[operator]  # a method, whichever bus it is

    return note


def _all_decided(shop: Shop) -> bool:
    """Whether every command in the logs is decided."""
    decided = {PartitionId(one.group, one.partition): one.decided_through for one in shop.gate.statuses()}
    logs = ((partition, shop.log.stream(partition)) for partition in Topology(shop.deployment).partitions())
    return all(
        decided.get(partition, -1) >= max(log.last_of("commands"), log.last_of("messages")) for partition, log in logs
    )


async def test_a_command_as_large_as_a_message_may_be_does_not_block_its_partition(shop: Shop, client: Client) -> None:
    """Its dead letter has the whole command in it, and more, and would not fit into a message itself."""
    partition = shop.gate.partition_of("order", "default", (sent := order_of()).order_id)
    command = log_pb2.Envelope(
        service="order", key="x", type="oms.order.v1.None", payload=bytes(MESSAGE_BYTES_MAX - 2_000)
    )
    for data in (b"\xff" * (MESSAGE_BYTES_MAX - 1_000), log_pb2.CommandFrame(envelopes=[command]).SerializeToString()):
        await shop.log.append(partition, "commands", data, frame_id=f"large {data[:1]!r}", dedupe=True)
    await client.receive("TEA")
    assert (await client.create(sent)).order.order_id == sent.order_id

    first, second = sorted(await letters(client, 2), key=lambda letter: letter.type)
    assert (first.type, second.type) == ("oms.order.v1.None (cut)", "unreadable frame (cut)")
    decisions = shop.log.stream(partition).after(("decisions",), 0, 1_000)
    assert max(len(each.data) for each in decisions) < MESSAGE_BYTES_MAX // 2


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xff\xff", "cannot be read"),
        (log_pb2.DecisionFrame(schema=SCHEMA_VERSION + 1, id=b"x", number=10_000).SerializeToString(), "newer build"),
        (
            log_pb2.DecisionFrame(schema=SCHEMA_VERSION, id=b"x", number=10_000).SerializeToString(),
            "does not follow|lost",
        ),
    ],
)
async def test_a_decision_that_cannot_be_read_stops_its_partition_and_no_other(
    shop: Shop, client: Client, data: bytes, reason: str
) -> None:
    """Deciding on would fork what was decided; the others go on."""
    await client.completed()
    await shop.log.append(ORDERS, "decisions", data, frame_id="garbage", dedupe=False)

    def stopped() -> list[str]:
        return [each.stopped_reason for each in shop.gate.statuses() if each.stopped_reason]

    await eventually(lambda: bool(stopped()), "the partition is stopped")
    assert len(stopped()) == 1
    assert re.search(reason, stopped()[0])
    untouched = PartitionId("orders", 1)
    order = next(one for one in map(_an_order, range(99)) if _place(shop, one) == untouched)
    assert (await client.create(order)).order.order_id == order.order_id


def _an_order(_number: int) -> order_pb2.Order:
    return order_of()


def _place(shop: Shop, order: order_pb2.Order) -> PartitionId:
    return shop.gate.partition_of("order", "default", order.order_id)
