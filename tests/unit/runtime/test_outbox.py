"""From where on messages are sent again after a recovery."""

from __future__ import annotations

from oms.log.v1 import log_pb2
from ordermesh.runtime.outbox import sent_by
from ordermesh.runtime.ports import PartitionId

KNOWN, NEW = PartitionId("orders", 0), PartitionId("notification", 0)


def test_nothing_before_the_checkpoint_was_for_a_receiver_that_came_after_it() -> None:
    checkpoint = log_pb2.Checkpoint(sequence=9)
    checkpoint.sent_through.add(group="orders", partition=0, sequence=4)

    assert sent_by(checkpoint, [KNOWN, NEW]) == {KNOWN: 4, NEW: 9}


def test_without_a_checkpoint_all_is_sent_from_the_beginning() -> None:
    assert sent_by(log_pb2.Checkpoint(sequence=9), [KNOWN]) == {KNOWN: 0}
