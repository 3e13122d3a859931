"""Checkpoints, in one row or in chunks; and the deployment.

A checkpoint that is too large for a row is written in chunks under its own write time first, and its row, which says
how many they are, last: whoever finds the row finds all of it. The chunks before it are removed afterwards. What loses
against a newer checkpoint removes its own chunks.

The deployment's row is the only one that is written conditionally (`IF NOT EXISTS`, a lightweight transaction): of
several first starts at once exactly one may count, and no timestamp can tell which. It is safe because the row is
written in no other way, so no plain write's timestamp meets those of the transaction's ballots; because it changes
afterwards only in the same way, by a repartition that names the row before it; and because the commit is at quorum, so
every later read at quorum sees it. A transaction whose outcome is unknown is completed or found by the next one. It
costs four round trips, once or twice in a deployment's life.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from cassandra.query import BoundStatement

from ordermesh.adapters.cassandra_connection import Connection, level
from ordermesh.adapters.cassandra_reader import Reader
from ordermesh.adapters.cassandra_tables import CHECKPOINT_CHUNKS, CHECKPOINTS, DEPLOYMENT
from ordermesh.adapters.cassandra_writer import Writer
from ordermesh.core.decider import Row
from ordermesh.runtime.ports import PartitionId, StoreUnavailable

ROW_BYTES_MAX = 512 * 1024
"""Of a checkpoint in a row, and of a chunk: far below the 16 MiB that a server takes, little to keep in memory."""

LOOKS_MAX = 5
"""How often a checkpoint is looked for whose chunks are replaced meanwhile."""

CREATE_TIMEOUT_S = 10.0
"""For the conditional write: several first starts at once contend for the row, once."""

DEPLOYMENT_ID = "deployment"
CREATE_DEPLOYMENT_NAME, REPLACE_DEPLOYMENT_NAME = "deployment.create", "deployment.replace"
DELETE_CHUNKS_NAME = "checkpoint_chunks.delete"
"""Names of the three statements that no other table has."""

_log = structlog.get_logger(__name__)


class Checkpoints:
    """The checkpoints of a deployment, and the deployment."""

    def __init__(self, connection: Connection, reader: Reader, writer: Writer) -> None:
        self._connection = connection
        self._reader = reader
        self._writer = writer
        self._strong = level(connection.options.consistency)
        self._chunked: dict[PartitionId, int] = {}

    async def save(self, partition: PartitionId, checkpoint: bytes, write_time: int) -> None:
        """See `Store.save_checkpoint`."""
        if len(checkpoint) <= ROW_BYTES_MAX:
            await self._save_row(partition, write_time, 0, checkpoint)
        else:
            chunks = [checkpoint[start : start + ROW_BYTES_MAX] for start in range(0, len(checkpoint), ROW_BYTES_MAX)]
            rows = [
                Row(CHECKPOINT_CHUNKS.name, (*partition, write_time, number, chunk), write_time)
                for number, chunk in enumerate(chunks)
            ]
            await self._writer.write_strongly(rows)
            await self._save_row(partition, write_time, len(chunks), b"")
        await self._remove_others(partition, write_time, is_chunked=len(checkpoint) > ROW_BYTES_MAX)

    async def load(self, partition: PartitionId) -> bytes | None:
        """See `Store.load_checkpoint`."""
        for _ in range(LOOKS_MAX):
            found = await self._reader.query(CHECKPOINTS, partition, after=b"", count_max=1, quorum=True)
            if not found.rows:
                return None
            row = found.rows[0]
            write_time, chunks, checkpoint = row["write_time"], row["chunks"], row["checkpoint"]
            assert isinstance(write_time, int)
            assert isinstance(chunks, int)
            assert isinstance(checkpoint, bytes)
            if not chunks:
                return checkpoint
            self._chunked[partition] = write_time
            parts = await self._chunks(partition, write_time, chunks)
            if len(parts) == chunks:
                return b"".join(parts)
        raise StoreUnavailable(f"the checkpoint of {partition} is replaced again and again, or a part of it is missing")

    async def load_deployment(self) -> bytes | None:
        """See `Store.load_deployment`."""
        found = await self._reader.query(DEPLOYMENT, (DEPLOYMENT_ID,), after=b"", count_max=1, quorum=True)
        if not found.rows:
            return None
        deployment = found.rows[0]["deployment"]
        assert isinstance(deployment, bytes)
        return deployment

    async def create_deployment(self, deployment: bytes) -> bytes:
        """See `Store.create_deployment`."""
        statement = self._connection.bound(CREATE_DEPLOYMENT_NAME, self._strong, DEPLOYMENT_ID, deployment)
        return await self._decided(statement)

    async def replace_deployment(self, known: bytes, deployment: bytes) -> bytes:
        """See `Store.replace_deployment`."""
        statement = self._connection.bound(REPLACE_DEPLOYMENT_NAME, self._strong, deployment, DEPLOYMENT_ID, known)
        return await self._decided(statement)

    async def _decided(self, statement: BoundStatement) -> bytes:
        """Writes conditionally; what is recorded then."""
        await self._connection.write(statement, CREATE_TIMEOUT_S)
        recorded = await self.load_deployment()
        if recorded is None:
            raise StoreUnavailable("the deployment just recorded is not there")
        return recorded

    async def _save_row(self, partition: PartitionId, write_time: int, chunks: int, checkpoint: bytes) -> None:
        row = Row(CHECKPOINTS.name, (*partition, write_time, chunks, checkpoint), write_time)
        await self._writer.write_strongly([row])

    async def _chunks(self, partition: PartitionId, write_time: int, count: int) -> Sequence[bytes]:
        """The chunks there are, one after the other: each may be large."""
        parts: list[bytes] = []
        after = b""
        while len(parts) < count:
            page = await self._reader.query(
                CHECKPOINT_CHUNKS, (*partition, write_time), after=after, count_max=1, quorum=True
            )
            for row in page.rows:
                data = row["data"]
                assert isinstance(data, bytes)
                parts.append(data)
            after = page.next_token
            if not after:
                break
        return parts

    async def _remove_others(self, partition: PartitionId, write_time: int, *, is_chunked: bool) -> None:
        """Removes the chunks that no row names any more. What is not removed costs room and nothing else."""
        before = self._chunked.pop(partition, None)
        if is_chunked:
            self._chunked[partition] = write_time
        if before is None and not is_chunked:
            return
        try:
            found = await self._reader.query(CHECKPOINTS, partition, after=b"", count_max=1, quorum=True)
            newest = found.rows[0]["write_time"] if found.rows else write_time
            for old in {before, write_time} - {None, newest}:
                statement = self._connection.bound(DELETE_CHUNKS_NAME, self._strong, write_time, *partition, old)
                await self._connection.write(statement)
        except StoreUnavailable as error:
            _log.warning("old chunks of a checkpoint are left", partition=str(partition), error=str(error))
