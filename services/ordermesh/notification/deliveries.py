"""The log of deliveries as it is read: an endpoint's ring of rows, from the newest attempt back to the oldest kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from oms.notification.v1 import webhook_pb2
from oms.notification.v1.webhook_state_pb2 import DeliveryProgress, StoredDelivery
from ordermesh.core.decider import Key
from ordermesh.notification.rows import BLOCK_ROWS, BLOCKS, DELIVERIES, PROGRESS, place_of
from ordermesh.runtime.backend import Backend
from ordermesh.runtime.pages import PageRequest
from ordermesh.runtime.problems import Problem

AGE_DAYS_MAX = 30
"""An older attempt is not told any more; its row stays until a newer one takes its place."""
NUMBER_DIGITS_MAX = 18
"""Digits of an attempt's number: as many as always fit an int64."""


class DeliveryLog:
    """Reads the attempts of endpoints."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def page(
        self, key: Key, page: PageRequest, outcome: int, subject: str
    ) -> tuple[list[webhook_pb2.Delivery], str]:
        """Attempts of an endpoint that ended so (0: however) and are about that (empty: whatever), and the token of the
        next page. Raises Problem for a token of another list."""
        position = self._backend.pages.open(page.bound_to, page.token)
        before = int(position) if position else await self._end(key)
        found: list[webhook_pb2.Delivery] = []
        async with aclosing(self._back_from(key, before)) as attempts:
            async for stored in attempts:
                delivery = stored.delivery
                if (outcome and delivery.outcome != outcome) or (subject and delivery.subject != subject):
                    continue
                if len(found) == page.size:
                    last = int(found[-1].delivery_id)
                    return found, self._backend.pages.seal(page.bound_to, str(last).encode())
                found.append(delivery)
        return found, ""

    async def sequence_of(self, key: Key, delivery_id: str) -> int:
        """The place in the stream of the event of an attempt. Raises Problem where the attempt is not known."""
        stored: StoredDelivery | None = None
        if delivery_id.isascii() and delivery_id.isdecimal() and len(delivery_id) <= NUMBER_DIGITS_MAX:
            number = int(delivery_id)
            attempts = self._back_from(key, number + 1, number)
            async with aclosing(attempts):
                stored = await anext(attempts, None)
        if stored is None or stored.delivery.delivery_id != delivery_id:
            message = f"There is no delivery {delivery_id[:64]} of this endpoint, or it is no longer kept."
            raise Problem("DELIVERY_NOT_FOUND", message, metadata={"delivery_id": delivery_id})
        return stored.sequence

    async def _end(self, key: Key) -> int:
        """The number of the next attempt, as far as it is stored, or somewhat above it."""
        found = await self._backend.query(PROGRESS, (key.tenant, key.sub_key), b"", 1)
        if not found.rows:
            return 0
        stored = DeliveryProgress.FromString(cast(bytes, found.rows[0]["state"])).next_delivery
        return stored + BLOCK_ROWS  # rows may have been stored that it does not know of yet

    async def _back_from(self, key: Key, before: int, first: int = 0) -> AsyncGenerator[StoredDelivery, None]:
        """The attempts before a number back to the oldest kept, or to `first`; numbers that were never given are left
        out."""
        newest = (before - 1) // BLOCK_ROWS
        since_us = self._backend.clock.now_us() - AGE_DAYS_MAX * 86_400_000_000
        for block in range(newest, max(newest - BLOCKS, first // BLOCK_ROWS - 1, -1), -1):
            partition = (key.tenant, key.sub_key, place_of(block * BLOCK_ROWS)[0])
            page = await self._backend.query(DELIVERIES, partition, b"", BLOCK_ROWS)
            for row in page.rows:
                number = cast(int, row["number"])
                if number // BLOCK_ROWS != block or not first <= number < before:
                    continue  # it is of another round
                stored = StoredDelivery.FromString(cast(bytes, row["state"]))
                if stored.delivery.attempt_time.ToMicroseconds() >= since_us:
                    yield stored
