"""The files of a recording, and logs and store in memory made of them.

`logs.jsonl.xz` has a line for each message of each log, `rows.jsonl.xz` one for each aggregate's row, each checkpoint
and the deployment, `states.jsonl.xz` what every log meant to the build that wrote it, `data.tar.xz` is the data
directory as a SIGKILL left it, and `journal.jsonl` says what callers were told. Bytes are base64 in JSON.
"""

from __future__ import annotations

import base64
import json
import lzma
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oms.log.v1 import log_pb2
from ordermesh.adapters.memory import MemoryLog, MemoryStore
from ordermesh.core.decider import Row, Table
from ordermesh.runtime.ports import PartitionId, Stored
from ordermesh.testing.golden.meaning import Meaning, State

LOGS, ROWS, STATES = "logs.jsonl.xz", "rows.jsonl.xz", "states.jsonl.xz"
DATA, JOURNAL = "data.tar.xz", "journal.jsonl"
KEPT_OF_DATA = ("deployment.pb", "provider-ledger.jsonl", "store.sqlite", "store.sqlite-wal", "nats/jetstream")
"""Of the data directory: what is no cache and names neither this machine nor a process."""
LOG_BYTES = 1 << 30


@dataclass(slots=True)
class Recording:
    """Everything but the data directory."""

    deployment: log_pb2.Deployment = field(default_factory=log_pb2.Deployment)
    logs: dict[PartitionId, list[Stored]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    checkpoints: dict[PartitionId, bytes] = field(default_factory=dict)
    meanings: dict[PartitionId, Meaning] = field(default_factory=dict)

    async def log(self) -> MemoryLog:
        """The logs, each message under its own sequence."""
        log = MemoryLog()
        for partition, messages in self.logs.items():
            await log.create(partition, LOG_BYTES)
            stream = log.stream(partition)
            stream.first_sequence = messages[0].sequence
            for message in messages:
                sequence = stream.append(message.kind, message.data, message.frame_id, False, None)
                if sequence != message.sequence:
                    raise ValueError(f"{partition}: the message {message.sequence} would be the {sequence}th")
        return log

    async def store(self, tables: Iterable[Table]) -> MemoryStore:
        """Rows and checkpoints."""
        store = MemoryStore(tables)
        await store.write(self.rows)
        await store.create_deployment(self.deployment.SerializeToString(deterministic=True))
        for partition, data in self.checkpoints.items():
            await store.save_checkpoint(partition, data, log_pb2.Checkpoint.FromString(data).clock_us)
        return store


def save(recording: Recording, journal: Sequence[dict[str, Any]], data: Path, folder: Path) -> None:
    """Writes the files of a recording, `journal` and the data directory among them."""
    folder.mkdir(parents=True, exist_ok=True)
    _pack(data, folder / DATA)
    (folder / JOURNAL).write_text("".join(json.dumps(line) + "\n" for line in journal))
    logs = (
        {"log": str(partition), **message._asdict()}
        for partition, messages in recording.logs.items()
        for message in messages
    )
    rows: list[dict[str, Any]] = [{"deployment": recording.deployment.SerializeToString(deterministic=True)}]
    rows += [{"checkpoint_of": str(partition), "data": data} for partition, data in recording.checkpoints.items()]
    rows += [row._asdict() for row in recording.rows]
    states = ({"log": str(partition), **line} for partition, meaning in recording.meanings.items() for line in meaning)
    for name, lines in ((LOGS, logs), (ROWS, rows), (STATES, states)):
        _write(folder / name, lines)


def load(folder: Path) -> Recording:
    """What `save` wrote."""
    recording = Recording()
    for line in _read(folder / LOGS):
        recording.logs.setdefault(_partition(line.pop("log")), []).append(Stored(**line))
    for line in _read(folder / ROWS):
        if "deployment" in line:
            recording.deployment.ParseFromString(line["deployment"])
        elif "checkpoint_of" in line:
            recording.checkpoints[_partition(line["checkpoint_of"])] = line["data"]
        else:
            recording.rows.append(Row(line["table"], tuple(line["values"]), line["write_time"]))
    for line in _read(folder / STATES):
        recording.meanings.setdefault(_partition(line.pop("log")), []).append(State(**line)._asdict())
    return recording


def _pack(data: Path, archive: Path) -> None:
    """Keeps a data directory, without who owned it and when it was changed."""
    with tarfile.open(archive, "w:xz", preset=9) as tar:
        for name in KEPT_OF_DATA:
            if (data / name).exists():
                tar.add(data / name, name, filter=_anonymous)


def unpack(archive: Path, data: Path) -> None:
    """Makes a data directory of what was kept."""
    with tarfile.open(archive, "r:xz") as tar:
        tar.extractall(data, filter="data")


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def _partition(text: str) -> PartitionId:
    group, _, number = text.partition("/")
    return PartitionId(group, int(number))


def _write(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    with lzma.open(path, "wt", preset=9) as file:
        for line in lines:
            file.write(json.dumps(_texts(line), sort_keys=True) + "\n")


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with lzma.open(path, "rt") as file:
        for line in file:
            yield _values(json.loads(line))


def _texts(value: Any) -> Any:
    """Bytes as base64 in an object of their own."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: _texts(each) for name, each in value.items()}
    return [_texts(each) for each in value] if isinstance(value, Sequence) and not isinstance(value, str) else value


def _values(value: Any) -> Any:
    """The reverse."""
    if isinstance(value, dict):
        if value.keys() == {"base64"}:
            return base64.b64decode(value["base64"])
        return {name: _values(each) for name, each in value.items()}
    return [_values(each) for each in value] if isinstance(value, list) else value
