"""Integration events in memory: the `EventPublisher` for simulation and tests."""

from __future__ import annotations

from collections.abc import Sequence

from ordermesh.runtime.relay import IntegrationEvent


class MemoryEvents:
    """Keeps what is published, each id once, as the stream does within its window."""

    def __init__(self) -> None:
        self.events: list[IntegrationEvent] = []
        self._ids: set[str] = set()

    async def publish(self, events: Sequence[IntegrationEvent]) -> None:
        """As the port says."""
        for event in events:
            if event.id not in self._ids:
                self._ids.add(event.id)
                self.events.append(event)
