"""The `Log` on NATS JetStream: a stream per partition, appended to with an acknowledgement each.

Appending has a connection of its own, so that nothing that is read can delay an acknowledgement. An append is a publish
whose answer comes to an inbox of ours: a third less CPU than the library's own call (under uvloop about 45 us among
sixteen at once and 80 alone, of the client), and a failure says whether anything was sent.

On a cluster a stream may have three replicas: then what is read of its end is confirmed by a majority first.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

from ordermesh.adapters.jetstream_api import (
    EXPECTED_HEADER,
    FRAME_ID_HEADER,
    HEADER_BYTES_MAX,
    KINDS,
    MESSAGE_BYTES_MAX,
    MESSAGE_ID_HEADER,
    NAME_IN_USE,
    NO_MESSAGE,
    NO_ROOM,
    ApiError,
    StreamMissing,
    append_error,
    call,
    partition_named,
    stored_from_json,
    stream_config,
    stream_name,
    subject,
)
from ordermesh.adapters.jetstream_leader import Leadership, check_is_led, through_election
from ordermesh.adapters.jetstream_reader import API_SECONDS, PageReader, StreamReader
from ordermesh.adapters.nats_access import OPEN, NatsAccess
from ordermesh.adapters.nats_connection import Connection, Requests
from ordermesh.runtime.ports import Kind, LogError, LogFull, LogState, LogUnavailable, PartitionId, Reader, Stored

APPEND_SECONDS = 5.0
"""For an append's acknowledgement; without one by then its outcome is unknown, and it is sent again."""
CREATE_SECONDS = 10.0
"""For making, changing or trimming a stream: the server may have files to remove."""
PAGE_SECONDS = 15.0
"""For one page of a log; a page has at most 32 MiB."""


class JetStreamLog:
    """The logs of all partitions on a NATS server or cluster. Call `open` first."""

    def __init__(
        self,
        servers: Sequence[str],
        *,
        name: str,
        replicas: int = 1,
        append_timeout_s: float = APPEND_SECONDS,
        access: NatsAccess = OPEN,
    ) -> None:
        """`servers` are URLs, `name` names the process in the server's monitoring, `replicas` is for new streams."""
        self._appending = Connection(servers, f"{name} append", access)
        self._reading = Connection(servers, f"{name} read", access)
        self._appends = Requests(self._appending)
        self._requests = Requests(self._reading)
        self._leadership = Leadership(self._requests)
        self._replicas = replicas
        self._append_timeout_s = append_timeout_s
        self._readers: WeakSet[StreamReader] = WeakSet()

    async def open(self, timeout_s: float = 10.0) -> None:
        """Connects. Raises LogUnavailable when no server answers in that time."""
        for connection, requests in ((self._appending, self._appends), (self._reading, self._requests)):
            await connection.open(timeout_s)
            await requests.start()

    async def close(self) -> None:
        """Disconnects; idempotent. Readers end."""
        for reader in list(self._readers):
            await reader.close()
        await self._appending.close()
        await self._reading.close()

    @property
    def is_up(self) -> bool:
        """Whether an append made now would be sent."""
        return self._appending.is_up

    async def create(self, partition: PartitionId, bytes_max: int) -> None:
        """See `Log.create`. With replicas it waits for a cluster that gathers or elects."""
        await through_election(lambda: self._create(partition, bytes_max), self._replicas)

    async def _create(self, partition: PartitionId, bytes_max: int) -> None:
        name, subjects = stream_name(partition), [subject(partition, kind) for kind in KINDS]
        known = await self._config(name)
        if known is not None:
            if set(known["subjects"]) != set(subjects):
                raise LogError(
                    f"the log {name} takes nothing: a repartition was begun and has not ended. End it with `ordermesh"
                    " repartition`, or undo it with `ordermesh repartition --abort`"
                )
            return
        config = stream_config(name, subjects, bytes_max, self._replicas)
        try:
            await self._reserve("CREATE", name, config)
        except ApiError as error:
            if error.code != NAME_IN_USE:
                raise

    async def restrict(self, partition: PartitionId, kinds: Sequence[Kind]) -> None:
        """From now on the log takes these kinds and no others; what it has stays. Raises LogUnavailable."""
        name = stream_name(partition)
        known = await self._config(name)
        if known is None:
            raise LogUnavailable(f"there is no log {name}")
        nobodys = f"om.closed.{partition.group}.{partition.number:03d}"  # a stream has at least one subject
        subjects = [subject(partition, kind) for kind in kinds] or [nobodys]
        if set(known["subjects"]) != set(subjects):
            await self._reserve("UPDATE", name, {**known, "subjects": subjects})

    async def remove(self, partition: PartitionId) -> None:
        """Removes a log with all that it has, if there is one. Raises LogUnavailable."""
        with contextlib.suppress(StreamMissing):
            await call(self._requests, f"STREAM.DELETE.{stream_name(partition)}", {}, CREATE_SECONDS)

    async def existing(self, group: str) -> list[PartitionId]:
        """The partitions of a group that have a log, whatever the deployment says. Raises LogUnavailable."""
        names: list[str] = []
        while True:
            page = await call(self._requests, "STREAM.NAMES", {"offset": len(names)}, API_SECONDS)
            names += page.get("streams") or ()
            if len(names) >= int(page["total"]) or not page.get("streams"):
                return sorted(each for each in map(partition_named, names) if each is not None and each.group == group)

    async def grow(self, partition: PartitionId, bytes_max: int) -> None:
        """Reserves so much for a log that has less. Raises LogUnavailable; LogFull where the server has not so much."""
        name = stream_name(partition)
        info = await call(self._requests, f"STREAM.INFO.{name}", {}, API_SECONDS)
        await self._reserve("UPDATE", name, {**info["config"], "max_bytes": bytes_max})

    async def _reserve(self, operation: str, name: str, config: dict[str, Any]) -> None:
        try:
            await call(self._requests, f"STREAM.{operation}.{name}", config, CREATE_SECONDS)
        except ApiError as error:
            if error.code in NO_ROOM:
                raise LogFull(await self._room(name, int(config["max_bytes"]), error)) from error
            raise

    async def _config(self, name: str) -> dict[str, Any] | None:
        """How a stream was made; None if there is none."""
        try:
            info = await call(self._requests, f"STREAM.INFO.{name}", {}, API_SECONDS)
        except StreamMissing:
            return None
        check_is_led(info)
        config: dict[str, Any] = info["config"]
        return config

    async def _room(self, name: str, bytes_max: int, error: ApiError) -> str:
        """Says what was asked for and what is taken, for a person."""
        account = await call(self._requests, "INFO", {}, API_SECONDS)
        reserved = int(account.get("reserved_storage", 0))
        return (
            f"the NATS server has no room for {name}: it would reserve {bytes_max:,} bytes on {self._replicas}"
            f" server(s), and {reserved:,} are reserved already ({error.description})."
            " Raise the server's max_file_store or make the logs smaller."
        )

    async def append(
        self,
        partition: PartitionId,
        kind: Kind,
        data: bytes,
        *,
        frame_id: str,
        dedupe: bool,
        expected: int | None = None,
    ) -> int:
        """See `Log.append`."""
        if len(data) > MESSAGE_BYTES_MAX - HEADER_BYTES_MAX:
            raise LogError(f"{len(data):,} bytes do not fit into one message of {MESSAGE_BYTES_MAX:,}")
        headers = f"{FRAME_ID_HEADER}: {frame_id}\r\n"
        if dedupe:
            headers += f"{MESSAGE_ID_HEADER}: {frame_id}\r\n"
        if expected is not None:
            headers += f"{EXPECTED_HEADER}: {expected}\r\n"
        answer = await self._appends.ask(subject(partition, kind), data, self._append_timeout_s, headers.encode())
        acknowledgement = json.loads(answer.data)
        error = acknowledgement.get("error")
        if error is not None:
            raise append_error(error)
        return int(acknowledgement["seq"])

    async def read(
        self,
        partition: PartitionId,
        kinds: Sequence[Kind],
        after: int,
        deliver: Callable[[Stored], None],
        *,
        headers_only: bool = False,
    ) -> Reader:
        """See `Log.read`."""
        reader = StreamReader(
            self._reading, self._requests, partition, kinds, after, deliver, headers_only=headers_only
        )
        self._readers.add(reader)
        return reader

    async def fetch(self, partition: PartitionId, kinds: Sequence[Kind], after: int, count_max: int) -> list[Stored]:
        """See `Log.fetch`."""
        await self._leadership.confirm(partition)
        return await PageReader(self._reading, self._requests, partition, kinds).read(after, count_max, PAGE_SECONDS)

    async def last(self, partition: PartitionId, kind: Kind) -> Stored | None:
        """See `Log.last`."""
        await self._leadership.confirm(partition)
        body = {"last_by_subj": subject(partition, kind)}
        try:
            answer = await call(self._requests, f"STREAM.MSG.GET.{stream_name(partition)}", body, API_SECONDS)
        except ApiError as error:
            if error.code == NO_MESSAGE:
                return None
            raise
        return stored_from_json(answer["message"])

    async def state(self, partition: PartitionId) -> LogState:
        """See `Log.state`."""
        info = await call(self._requests, f"STREAM.INFO.{stream_name(partition)}", {}, API_SECONDS)
        check_is_led(info)
        state = info["state"]
        last = int(state["last_seq"])
        first = int(state["first_seq"]) if state["messages"] else last + 1
        return LogState(first, last, int(state["bytes"]), int(info["config"]["max_bytes"]))

    async def trim(self, partition: PartitionId, through: int) -> None:
        """See `Log.trim`. What is past the last message is left as it is: sequences never jump."""
        last = (await self.state(partition)).last_sequence
        body = {"seq": min(through, last) + 1}
        await call(self._requests, f"STREAM.PURGE.{stream_name(partition)}", body, CREATE_SECONDS)
