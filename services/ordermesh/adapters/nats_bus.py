"""The `Bus` on core NATS: what is published while there is no connection is lost, and so is what nobody hears."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from ordermesh.adapters.nats_access import OPEN, NatsAccess
from ordermesh.adapters.nats_connection import Connection


class NatsBus:
    """Replies, heartbeats and statuses over a connection of their own. Call `open` first."""

    def __init__(self, servers: Sequence[str], *, name: str, access: NatsAccess = OPEN) -> None:
        """`servers` are URLs; `name` names the process in the server's monitoring."""
        self._connection = Connection(servers, f"{name} bus", access)

    async def open(self, timeout_s: float = 10.0) -> None:
        """Connects. Raises LogUnavailable when no server answers in that time."""
        await self._connection.open(timeout_s)

    async def close(self) -> None:
        """Sends what was published, then disconnects; idempotent."""
        await self._connection.close()

    def publish(self, subject: str, data: bytes) -> None:
        """See `Bus.publish`."""
        self._connection.publish_soon(subject, data)

    async def subscribe(self, subject: str, deliver: Callable[[bytes], None]) -> Callable[[], Awaitable[None]]:
        """See `Bus.subscribe`. Raises LogUnavailable."""
        subscription = await self._connection.subscribe(subject, lambda message: deliver(message.data))
        return subscription.close
