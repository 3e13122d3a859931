"""Deliberate breaks of what callers are told, and of what stops a partition: as in `mutations`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from oms.log.v1 import log_pb2
from ordermesh.runtime.gate import Answer, Gate, Pending
from ordermesh.runtime.memory import Partition
from ordermesh.runtime.reads import Reads
from ordermesh.runtime.recovery import Taker
from ordermesh.testing.simulation.breaks import mutation

_QUERY = log_pb2.Query.DESCRIPTOR.full_name
_PLACE = "oms.order.v1.PlaceOrder"
_LOGGED = 2


@mutation("a call is answered by its own decision, not by a read of the same key that was under way")
def answer_a_write_by_a_read() -> AbstractContextManager[Any]:
    """Calls about one key share the answer to a read: a change is acknowledged that is not made yet."""
    post, hear = Gate._post, Gate._hear_replies

    def noted(self: Gate, partition: Any, envelope: log_pb2.Envelope) -> Pending:
        pending = post(self, partition, envelope)
        pending.about = (envelope.service, envelope.key, envelope.type)  # type: ignore[attr-defined]  # the break's own
        return pending

    def shared(self: Gate, data: bytes) -> None:
        for reply in log_pb2.ReplyFrame.FromString(data).replies:
            asked = self._pending.get(reply.correlation)
            about = getattr(asked, "about", ("", "", ""))
            if about[2] != _QUERY or not reply.state:
                continue
            for correlation, pending in list(self._pending.items()):
                service, key, kind = getattr(pending, "about", ("", "", ""))
                if (service, key) == about[:2] and kind not in (_QUERY, _PLACE) and not pending.done():
                    del self._pending[correlation]
                    pending.set_result(Answer(_LOGGED, None, reply.state))
        hear(self, data)

    return _two((Gate, "_post", noted), (Gate, "_hear_replies", shared))


@mutation("a linearizable read goes through the log")
def read_linearizable_from_the_store() -> AbstractContextManager[Any]:
    """It is answered by a quorum's row, and says that it is linearizable."""
    query = Reads._query

    async def rows_first(self: Reads, readable: Any, key: Any, want: Any, ends_at: float) -> Any:
        found = await self._read_quorum(readable, key, want)
        if found is None or found.freshness.degraded:
            return await query(self, readable, key, want, ends_at)
        found.freshness.consistency = want.consistency
        return found

    return patch.object(Reads, "_query", rows_first)


@mutation("a build refuses a log that is newer than it")
def read_a_newer_log() -> AbstractContextManager[Any]:
    """It reads what it can."""

    async def bold(self: Taker) -> log_pb2.Checkpoint:
        data = await self._patiently(lambda: self._store.load_checkpoint(self._partition))
        return log_pb2.Checkpoint() if data is None else log_pb2.Checkpoint.FromString(data)

    def any_schema(_self: Taker, stored: Any) -> log_pb2.DecisionFrame:
        return log_pb2.DecisionFrame.FromString(stored.data)

    return _two((Taker, "_load_checkpoint", bold), (Taker, "_read", any_schema))


@mutation("a row from after the end of its epoch stops the partition")
def take_rows_of_a_lost_tail() -> AbstractContextManager[Any]:
    """It is taken for what was decided."""
    return patch.object(Partition, "check", lambda _self, _key, _stored: None)


@mutation("a log that ends before its checkpoint stops the partition")
def begin_again_without_the_checkpoint() -> AbstractContextManager[Any]:
    """The checkpoint counts for nothing then, and the log is redone from its start."""
    load = Taker._load_checkpoint

    async def forgiving(self: Taker) -> log_pb2.Checkpoint:
        checkpoint = await load(self)
        last = await self._patiently(lambda: self._log.last(self._partition, "decisions"))
        number = 0 if last is None else log_pb2.DecisionFrame.FromString(last.data).number
        return log_pb2.Checkpoint() if number < checkpoint.frame else checkpoint

    return patch.object(Taker, "_load_checkpoint", forgiving)


@contextmanager
def _two(first: tuple[object, str, object], second: tuple[object, str, object]) -> Iterator[None]:
    """Replaces two methods."""
    with patch.object(*first), patch.object(*second):
        yield
