"""Subjects of the bus: what is told there may be lost."""

from __future__ import annotations

MEMBERS = "om.members"
"""Members announce themselves: `oms.log.v1.Member`."""

STATUS = "om.status"
"""Owners tell about their partitions: `oms.log.v1.PartitionStatus`."""

RELAY = "om.relay"
"""Relays tell how far they have read: `oms.log.v1.RelayPosition`."""

REPLIES = "om.replies"
"""With a token behind it: where one edge process hears answers, `oms.log.v1.ReplyFrame`."""
