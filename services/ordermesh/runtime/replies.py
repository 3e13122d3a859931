"""Answers to waiting callers: gathered per edge, one message for all that a frame or a flush answers."""

from __future__ import annotations

from oms.log.v1 import log_pb2
from ordermesh.runtime.memory import Waiting
from ordermesh.runtime.ports import Bus

LOGGED, STORED_ONE, STORED = 2, 3, 4
"""As in `oms.common.v1.Persistence`."""

REPLY_BYTES_MAX = 1024 * 1024
"""Answers go in messages of about this size, far below the server's limit."""


class Replies:
    """Gathers answers and sends them."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._frames: dict[str, tuple[log_pb2.ReplyFrame, int]] = {}

    def add(self, waiting: Waiting, persistence: int, state: bytes | None = None) -> None:
        """Answers one caller, with the state given or else the newest. Who left no address is not answered."""
        if not waiting.reply_to:
            return
        frame, size = self._frames.get(waiting.reply_to) or (log_pb2.ReplyFrame(), 0)
        reply = frame.replies.add(
            correlation=waiting.correlation, persistence=persistence, dead_letter=waiting.dead_letter
        )
        if waiting.refusal is not None:
            reply.refusal.CopyFrom(waiting.refusal)
        elif waiting.key is not None:
            reply.state = _newest(waiting) if state is None else state
        size += len(reply.state) + 64
        self._frames[waiting.reply_to] = (frame, size)
        if size > REPLY_BYTES_MAX:
            self.send()

    def send(self) -> None:
        """Sends what has gathered."""
        for reply_to, (frame, _) in self._frames.items():
            self._bus.publish(reply_to, frame.SerializeToString())
        self._frames.clear()


def _newest(waiting: Waiting) -> bytes:
    """The state that answers a caller; only between frames, when memory and log agree."""
    return b"" if waiting.aggregate is None else waiting.aggregate.serialise()
