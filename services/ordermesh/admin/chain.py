"""Whether one partition's log is a chain of decisions in which no command is passed over and none is decided twice."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from oms.log.v1 import log_pb2
from oms.order.v1 import order_commands_pb2
from ordermesh.admin.tally import Tally
from ordermesh.runtime.ports import PartitionId, Stored

_PLACE_ORDER = order_commands_pb2.PlaceOrder.DESCRIPTOR.full_name


class Chain:
    """The chain as read so far."""

    def __init__(self, partition: PartitionId, tally: Tally) -> None:
        self._partition = partition
        self._tally = tally
        self._last: log_pb2.DecisionFrame | None = None
        self._last_command = (0, -1)
        self._marks: dict[tuple[str, int], tuple[int, int, int, int]] = {}
        self._undecided: dict[tuple[int, int], str] = {}

    def read_commands(self, stored: Stored) -> None:
        """Notes the orders that clients ask for; they have to be decided."""
        try:
            frame = log_pb2.CommandFrame.FromString(stored.data)
        except DecodeError:
            return
        for index, envelope in enumerate(frame.envelopes):
            if envelope.type == _PLACE_ORDER:
                self._undecided[stored.sequence, index] = envelope.key

    def read_decisions(self, frame: log_pb2.DecisionFrame, sequence: int) -> bool:
        """Checks a frame and what it decides. False: it does not follow, so it has not happened."""
        last = self._last
        self._tally.checked("I6")
        if last is not None and frame.previous_id != last.id:
            self._tally.violated("I6", f"{self._partition}: the frame at {sequence} does not follow the one before it")
            return False
        skips = bool(frame.taken.previous.reincarnated_us)
        if last is not None and (not (skips or frame.number == last.number + 1) or frame.clock_us <= last.clock_us):
            text = f"{self._partition}: number or clock of the frame at {sequence} do not follow those before it"
            self._tally.violated("I6", text)
        self._last = frame
        for decision in frame.decisions:
            self._check_command(decision, sequence)
            self._check_source(decision, sequence)
        self._check_undecided(frame)
        return True

    @property
    def waits(self) -> bool:
        """Whether orders that were asked for are not decided by what was read."""
        return bool(self._undecided)

    def decided_later(self, frame: log_pb2.DecisionFrame) -> None:
        """Takes off what is decided by the time of a frame past those read."""
        through = _decided_through(frame)
        self._undecided = {command: key for command, key in self._undecided.items() if command > through}

    def end(self) -> None:
        """What is left waits for an owner."""
        for (sequence, _), order_id in self._undecided.items():
            self._tally.violated("I5", f"{self._partition}: order {order_id}, asked for at {sequence}, is not decided")

    def _check_command(self, decision: log_pb2.Decision, sequence: int) -> None:
        """Commands are decided in the log's order, so that one decided twice shows as a step back."""
        command = (decision.command_sequence, decision.command_index)
        if not decision.command_sequence:
            return
        if command <= self._last_command:
            self._tally.violated("I6", f"{self._partition}: command {command} is decided again at {sequence}")
        self._last_command = max(command, self._last_command)
        self._undecided.pop(command, None)

    def _check_source(self, decision: log_pb2.Decision, sequence: int) -> None:
        """The same for the messages of each other partition."""
        if not decision.HasField("source"):
            return
        source, position = decision.source, decision.source.position
        mark = (position.epoch, position.frame, position.index, source.n)
        sender = (source.group, source.partition)
        if mark <= self._marks.get(sender, (0, 0, 0, -1)):
            text = f"message {mark} of {source.group}/{source.partition:03d} is decided again at {sequence}"
            self._tally.violated("I6", f"{self._partition}: {text}")
        self._marks[sender] = max(mark, self._marks.get(sender, mark))

    def _check_undecided(self, frame: log_pb2.DecisionFrame) -> None:
        """No order may be left behind by what the frame says is decided."""
        through = _decided_through(frame)
        while self._undecided:
            command = next(iter(self._undecided))
            if command > through:
                return
            order_id = self._undecided.pop(command)
            text = f"{self._partition}: order {order_id}, asked for at {command}, was passed over"
            self._tally.violated("I1", text)


def _decided_through(frame: log_pb2.DecisionFrame) -> tuple[int, int]:
    """The last command that is decided, of a frame decided wholly any."""
    return frame.decided_sequence, frame.decided_index if frame.decided_index >= 0 else 2**31
