"""Subjects of the bus: what is told there may be lost."""

from __future__ import annotations

import re

MEMBERS = "om.members"
"""Members announce themselves: `oms.log.v1.Member`."""

STATUS = "om.status"
"""Owners tell about their partitions: `oms.log.v1.PartitionStatus`."""

DRAIN = "om.drain"
"""Operators take an owner out of work, or back: `oms.log.v1.Drain`."""

RELAY = "om.relay"
"""Relays tell how far they have read: `oms.log.v1.RelayPosition`."""

WEBHOOKS = "om.webhooks"
"""Edges tell that a webhook endpoint was changed, so that who delivers looks at once: nothing."""

REPLIES = "om.replies"
"""With a token behind it: where one edge process hears answers, `oms.log.v1.ReplyFrame`."""

_REPLIES = re.compile(rf"{re.escape(REPLIES)}(\.[\w-]+)+", re.ASCII)


def is_reply(subject: str) -> bool:
    """Whether answers may be sent there. What stands in a log was perhaps not written by an edge, and a subject with
    spaces or line ends in it would be a command to the server."""
    return _REPLIES.fullmatch(subject) is not None
