"""Reading a stream: without end by a push consumer of our own, or a page at a time.

The consumer acknowledges nothing and lives in the server's memory: a reader knows its position and makes a new consumer
from there whenever it has a reason to doubt the old one: a gap in the consumer's own numbering, a missed heartbeat, a
new connection, or a stream whose last message does not come.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from nats.aio.msg import Msg

from ordermesh.adapters.jetstream_api import (
    KINDS,
    NO_MESSAGE,
    ApiError,
    call,
    consumer_sequences,
    stored,
    stream_name,
    subject,
)
from ordermesh.adapters.nats_connection import Connection, Requests, Subscription
from ordermesh.runtime.ports import Kind, LogError, LogUnavailable, PartitionId, Stored

HEARTBEAT_SECONDS = 2.0
"""How often the server says that a consumer is idle."""
SILENCE_SECONDS_MAX = 3 * HEARTBEAT_SECONDS
"""Without message and heartbeat for that long, a consumer is made anew."""
AUDIT_SECONDS = 10.0
"""Between two comparisons with the stream's last sequence: a consumer may be silent and lost all the same."""
INACTIVE_SECONDS = 30
"""After that time without a reader the server removes a consumer."""
API_SECONDS = 3.0
"""For looking at a stream or a message, and for making or removing a consumer."""
RETRY_SECONDS = (0.05, 2.0)
"""The first and the longest pause before a consumer is made again."""
PAGE_BYTES_MAX = 32 * 1024 * 1024
"""Bytes that a page may ask for: a few of the largest messages."""
PAGE_STALL_SECONDS = 1.0
"""A page that does not go on for that long is asked for again from where it stopped."""

_log = structlog.get_logger(__name__)


async def last_sequence(requests: Requests, partition: PartitionId, kinds: Sequence[Kind]) -> int:
    """The sequence of the last message of any of the kinds, from the leader; 0 if there is none."""
    newest = 0
    for kind in kinds:
        body = {"last_by_subj": subject(partition, kind)}
        try:
            answer = await call(requests, f"STREAM.MSG.GET.{stream_name(partition)}", body, API_SECONDS)
        except ApiError as error:
            if error.code != NO_MESSAGE:
                raise
            continue
        newest = max(newest, int(answer["message"]["seq"]))
    return newest


def _consumer_config(partition: PartitionId, kinds: Sequence[Kind], after: int) -> dict[str, Any]:
    config: dict[str, Any] = {
        "name": "om_" + secrets.token_hex(8),
        "ack_policy": "none",
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": after + 1,
        "mem_storage": True,
        "num_replicas": 1,
        "inactive_threshold": INACTIVE_SECONDS * 1_000_000_000,
    }
    if set(kinds) != set(KINDS):
        config["filter_subjects"] = [subject(partition, kind) for kind in kinds]
    return config


async def _create_consumer(requests: Requests, partition: PartitionId, config: dict[str, Any]) -> None:
    stream = stream_name(partition)
    body = {"stream_name": stream, "config": config}
    await call(requests, f"CONSUMER.CREATE.{stream}.{config['name']}", body, API_SECONDS)


def _delete_consumer(connection: Connection, partition: PartitionId, name: str) -> None:
    """Tells the server not to keep it; without that it ends when it has been inactive for long enough."""
    connection.publish_soon(f"$JS.API.CONSUMER.DELETE.{stream_name(partition)}.{name}", b"")


class StreamReader:
    """The `Reader` of one stream. Heals itself until closed."""

    def __init__(
        self,
        connection: Connection,
        requests: Requests,
        partition: PartitionId,
        kinds: Sequence[Kind],
        after: int,
        deliver: Callable[[Stored], None],
        *,
        headers_only: bool,
    ) -> None:
        """Begins to read on the running loop."""
        self._connection = connection
        self._requests = requests
        self._partition = partition
        self._kinds = tuple(kinds)
        self._position = after
        self._deliver = deliver
        self._headers_only = headers_only
        self._subscription: Subscription | None = None
        self._consumer = ""
        self._consumer_position = 0
        self._heard_at = 0.0
        self._doubt = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.restarts = 0
        connection.watch(self._connection_changed)
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stops delivery; idempotent."""
        self._connection.unwatch(self._connection_changed)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._end_consumer()

    def _connection_changed(self, _up: bool) -> None:
        self._doubt.set()

    async def _run(self) -> None:
        pause, pause_max = RETRY_SECONDS
        while True:
            try:
                self._doubt.clear()
                await self._begin_consumer()
                pause = RETRY_SECONDS[0]
                await self._watch_consumer()
                self.restarts += 1
            except LogError as error:
                _log.debug("reading is interrupted", partition=str(self._partition), error=str(error))
                await self._doubted_within(pause)
                pause = min(2 * pause, pause_max)
            await self._end_consumer()

    async def _begin_consumer(self) -> None:
        config = _consumer_config(self._partition, self._kinds, self._position)
        inbox = "_INBOX." + secrets.token_hex(11)
        config |= {
            "deliver_subject": inbox,
            "idle_heartbeat": int(HEARTBEAT_SECONDS * 1e9),
            "flow_control": True,
            "headers_only": self._headers_only,
        }
        self._consumer = config["name"]
        self._consumer_position = 0
        self._heard_at = self._loop.time()
        consumer = self._consumer
        self._subscription = await self._connection.subscribe(inbox, lambda message: self._receive(consumer, message))
        await _create_consumer(self._requests, self._partition, config)

    async def _end_consumer(self) -> None:
        consumer, self._consumer = self._consumer, ""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            await subscription.close()
        if consumer:
            _delete_consumer(self._connection, self._partition, consumer)

    def _receive(self, consumer: str, message: Msg) -> None:
        if consumer != self._consumer or self._doubt.is_set():
            return
        self._heard_at = self._loop.time()
        headers = message.headers
        if headers is not None and "Status" in headers:
            self._control(headers, message.reply)
            return
        sequence, consumer_sequence = consumer_sequences(message.reply)
        if consumer_sequence != self._consumer_position + 1:
            self._doubt.set()
            return
        self._consumer_position = consumer_sequence
        if sequence > self._position:
            self._position = sequence
            self._deliver(stored(message, sequence))

    def _control(self, headers: dict[str, str], reply: str) -> None:
        """Answers flow control; doubts the consumer if a heartbeat names messages that did not come."""
        if headers["Status"] != "100":
            self._doubt.set()
            return
        answer_to = reply or headers.get("Nats-Consumer-Stalled", "")
        if answer_to:
            self._connection.publish_soon(answer_to, b"")
        last = headers.get("Nats-Last-Consumer")
        if last is not None and int(last) != self._consumer_position:
            self._doubt.set()

    async def _watch_consumer(self) -> None:
        """Returns when the consumer is in doubt."""
        audited_at, audited = self._loop.time(), self._position
        while not self._doubt.is_set():
            await self._doubted_within(HEARTBEAT_SECONDS)
            now = self._loop.time()
            if now - self._heard_at > SILENCE_SECONDS_MAX:
                _log.info("a reader heard nothing", partition=str(self._partition), position=self._position)
                return
            if now - audited_at >= AUDIT_SECONDS:
                if audited == self._position and await self._is_behind():
                    return
                audited_at, audited = now, self._position

    async def _doubted_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._doubt.wait()

    async def _is_behind(self) -> bool:
        """Whether the leader has had a message for longer than a heartbeat that has not come."""
        position = self._position
        newest = await last_sequence(self._requests, self._partition, self._kinds)
        if newest <= position:
            return False
        await asyncio.sleep(HEARTBEAT_SECONDS)
        if self._position != position:
            return False
        _log.warning("a reader was behind", partition=str(self._partition), position=position, newest=newest)
        return True


class PageReader:
    """Reads the messages that a stream holds now, at most so many, by a short-lived pull consumer."""

    def __init__(
        self, connection: Connection, requests: Requests, partition: PartitionId, kinds: Sequence[Kind]
    ) -> None:
        """For one page; call `read` once."""
        self._connection = connection
        self._requests = requests
        self._partition = partition
        self._kinds = tuple(kinds)
        self._page: list[Stored] = []
        self._target = 0
        self._count_max = 0
        self._wake = asyncio.Event()
        self._ended = False
        self._delivered = 0

    async def read(self, after: int, count_max: int, timeout_s: float) -> list[Stored]:
        """The next messages after that sequence up to what the leader had last. Raises LogUnavailable."""
        self._count_max = count_max
        self._target = await last_sequence(self._requests, self._partition, self._kinds)
        if self._target <= after:
            return []
        try:
            async with asyncio.timeout(timeout_s):
                while not self._is_complete(after):
                    await self._attempt(after)
        except TimeoutError as error:
            raise LogUnavailable(f"{self._partition}: no page after {after} in {timeout_s:g} s") from error
        return self._page

    def _is_complete(self, after: int) -> bool:
        position = self._page[-1].sequence if self._page else after
        return position >= self._target or len(self._page) >= self._count_max

    async def _attempt(self, after: int) -> None:
        """One consumer; keeps what came in order. A consumer on a lagging replica is asked again."""
        position = self._page[-1].sequence if self._page else after
        config = _consumer_config(self._partition, self._kinds, position)
        inbox = "_INBOX." + secrets.token_hex(11)
        self._ended = False
        self._delivered = 0
        subscription = await self._connection.subscribe(inbox, self._receive)
        try:
            await _create_consumer(self._requests, self._partition, config)
            await self._pull(config["name"], inbox)
        finally:
            self._ended = True
            await subscription.close()
            _delete_consumer(self._connection, self._partition, config["name"])
        if not self._is_complete(after):
            self._target = await last_sequence(self._requests, self._partition, self._kinds)

    async def _pull(self, consumer: str, inbox: str) -> None:
        request = (
            f'{{"batch":{self._count_max - len(self._page)},"max_bytes":{PAGE_BYTES_MAX},'
            f'"expires":{int(PAGE_STALL_SECONDS * 1e9)}}}'
        )
        name = f"$JS.API.CONSUMER.MSG.NEXT.{stream_name(self._partition)}.{consumer}"
        await self._connection.publish(name, request.encode(), inbox)
        while not self._ended:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2 * PAGE_STALL_SECONDS):
                    await self._wake.wait()
                    continue
            return

    def _receive(self, message: Msg) -> None:
        if self._ended:
            return
        self._wake.set()
        if message.headers is not None and "Status" in message.headers:
            self._ended = True
            return
        sequence, consumer_sequence = consumer_sequences(message.reply)
        self._delivered += 1
        if consumer_sequence != self._delivered:
            self._ended = True
            return
        self._page.append(stored(message, sequence))
        self._ended = sequence >= self._target or len(self._page) >= self._count_max
