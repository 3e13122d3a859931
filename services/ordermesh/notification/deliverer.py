"""Delivers webhooks: a courier for each endpoint of this process's own. What couriers did is stored from time to time;
what they found out (an endpoint is dead, a redelivery is done) is said to the endpoint's aggregate until it has heard.

Which endpoints are its own is a hint, as everywhere: two processes that deliver to one endpoint do so twice, each in
order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, cast

import structlog

from oms.log.v1 import log_pb2
from oms.notification.v1 import webhook_commands_pb2 as commands
from oms.notification.v1.webhook_pb2 import ENDPOINT_STATE_ACTIVE
from oms.notification.v1.webhook_state_pb2 import DeliveryProgress, StoredEndpoint
from ordermesh.core.decider import Row
from ordermesh.core.targets import TargetRules
from ordermesh.notification import rows
from ordermesh.notification.courier import Courier, Figures
from ordermesh.notification.feed import EventFeed
from ordermesh.notification.model import HASHED, SERVICE
from ordermesh.notification.sending import Post, Sender
from ordermesh.runtime import subjects
from ordermesh.runtime.event_stream import EventStream
from ordermesh.runtime.gate import Gate, Overloaded, Pending
from ordermesh.runtime.ports import Bus, Clock, PartitionId, Store, StoreUnavailable

REFRESH_S = 5.0
"""Between two looks at the endpoints, where no edge says that one was changed."""
LOOK_AGAIN_S = 0.5
"""After an edge said so: it may say it before the store has what was changed."""
TICK_S = 0.5
"""How soon what an edge said is looked after, and how often what was done is stored: what a crash delivers again."""
PAGE_ROWS = 500
"""Rows that are read or written together."""
STOP_S = 3.0
"""For storing what was done at a clean end."""

_log = structlog.get_logger(__name__)


class Name(NamedTuple):
    """Names an endpoint in the deployment."""

    tenant: str
    endpoint_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOptions:
    """What may be set. `retry_scale` shortens or lengthens every pause between attempts."""

    rules: TargetRules
    retry_scale: float = 1.0
    disable_after_s: float = 3 * 86_400.0


@dataclass(slots=True)
class _Employed:
    courier: Courier
    task: asyncio.Task[None]


class Deliverer:
    """The webhooks of one process. Cancelling `run` is a crash."""

    def __init__(
        self, *, stream: EventStream, store: Store, gate: Gate, bus: Bus, clock: Clock, post: Post,
        mine: Callable[[PartitionId], bool], options: DeliveryOptions,
    ) -> None:  # fmt: skip
        """`mine` says whether an endpoint, as a partition of that name, is this process's own; it may change."""
        self._feed = EventFeed(stream)
        self._store = store
        self._gate = gate
        self._bus = bus
        self._clock = clock
        self._mine = mine
        self._options = options
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()
        self._sender = Sender(post, options.rules, clock, self._news.set)
        self._employed: dict[Name, _Employed] = {}
        self._late: list[Row] = []
        self._said: list[Pending] = []
        self.figures = Figures()

    @property
    def couriers(self) -> Mapping[Name, Courier]:
        """Who delivers now, by endpoint."""
        return {name: each.courier for name, each in self._employed.items()}

    def oldest_age_s(self) -> float:
        """Age of the oldest event that waits for an active endpoint, in seconds since it was published; 0 for none."""
        active = [each.courier for each in self._employed.values() if each.courier.is_active]
        oldest = [oldest_us for courier in active if (oldest_us := courier.oldest_us()) is not None]
        return max(0, self._clock.now_us() - min(oldest)) / 1_000_000 if oldest else 0.0

    def stop(self) -> None:
        """Ends `run` after what was done is stored."""
        self._stopping.set()
        self._news.set()

    async def run(self) -> None:
        """Until `stop`. Raises what a defect raises by which new events are not looked for any more."""
        end = await self._bus.subscribe(subjects.WEBHOOKS, lambda _data: self._news.set())
        watching = asyncio.create_task(self._feed.watch(self._wake_all))
        watching.add_done_callback(lambda _ended: self.stop())
        try:
            await self._keep_going()
            await self._leave()
            if watching.done():
                watching.result()
        finally:
            watching.cancel()
            for each in self._employed.values():
                each.task.cancel()
            await asyncio.gather(watching, *(each.task for each in self._employed.values()), return_exceptions=True)
            await end()

    async def _keep_going(self) -> None:
        refreshed_at = -REFRESH_S
        while not self._stopping.is_set():
            now = self._clock.monotonic()
            is_told = self._news.is_set()
            if is_told or now - refreshed_at >= REFRESH_S:
                self._news.clear()
                refreshed_at = now - (REFRESH_S - LOOK_AGAIN_S if is_told else 0.0)
                await self._tried(self._refresh(), "endpoints are not read yet")
            await self._tried(self._save(), "what was delivered is not stored yet")
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._stopping.wait()

    async def _tried(self, work: Awaitable[None], failure: str) -> None:
        try:
            await work
        except StoreUnavailable as error:
            _log.warning(failure, reason=str(error))

    async def _leave(self) -> None:
        """Ends the couriers and stores what they did."""
        for each in self._employed.values():
            each.task.cancel()
        await asyncio.gather(*(each.task for each in self._employed.values()), return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._tried(self._save(), "what was delivered is not stored: some will be again")

    def _wake_all(self) -> None:
        for each in self._employed.values():
            each.courier.wake()

    async def _refresh(self) -> None:
        """Looks at the endpoints: employs, tells and dismisses couriers. Raises StoreUnavailable."""
        endpoints = {name: state for name, state in (await self._endpoints()).items() if self._is_mine(name)}
        for said in self._said:
            said.cancel()  # what was not heard is said again now
        self._said.clear()
        for name in [name for name in self._employed if name not in endpoints]:
            await self._dismiss(name)
        for name, state in endpoints.items():
            employed = self._employed.get(name)
            if employed is None or employed.task.done():
                await self._employ(name, state)
            else:
                employed.courier.configure(state)
                self._say(name, employed.courier)

    def _is_mine(self, name: Name) -> bool:
        return self._mine(PartitionId(name.endpoint_id, 0))

    async def _endpoints(self) -> dict[Name, StoredEndpoint]:
        """All endpoints that are not deleted. Raises StoreUnavailable."""
        found: dict[Name, StoredEndpoint] = {}
        for tenant in await self._tenants():
            after = b""
            while True:
                page = await self._store.query(rows.ENDPOINTS, (tenant, HASHED), after=after, count_max=PAGE_ROWS)
                for row in page.rows:
                    state = StoredEndpoint.FromString(cast(bytes, row["state"]))
                    if not state.deleted:
                        found[Name(tenant, state.endpoint.endpoint_id)] = state
                if not (after := page.next_token):
                    break
        return found

    async def _tenants(self) -> Sequence[str]:
        """Those that have, or had, endpoints. Raises StoreUnavailable."""
        tenants: list[str] = []
        after = b""
        while True:
            page = await self._store.scan(rows.DIRECTORIES, after=after, count_max=PAGE_ROWS)
            tenants += (cast(str, row["tenant"]) for row in page.rows)
            if not (after := page.next_token):
                return tenants

    async def _employ(self, name: Name, state: StoredEndpoint) -> None:
        courier = Courier(
            name.tenant, state, feed=self._feed, sender=self._sender, clock=self._clock, figures=self.figures,
            scale=self._options.retry_scale, disable_after_s=self._options.disable_after_s,
        )  # fmt: skip
        page = await self._store.query(rows.PROGRESS, name, count_max=1)
        if page.rows:
            courier.restore(DeliveryProgress.FromString(cast(bytes, page.rows[0]["state"])))
        task = asyncio.create_task(courier.run(), name=f"courier of {name.endpoint_id}")
        task.add_done_callback(self._ended)
        self._employed[name] = _Employed(courier, task)
        self._say(name, courier)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a courier failed; another takes its place", courier=task.get_name(), exc_info=error)
            self._news.set()

    async def _dismiss(self, name: Name) -> None:
        employed = self._employed.pop(name)
        employed.task.cancel()
        await asyncio.gather(employed.task, return_exceptions=True)
        self._late += self._rows_of(name, employed.courier)

    def _say(self, name: Name, courier: Courier) -> None:
        """Tells the aggregate what it has not heard: said at every look until the endpoint is as it says."""
        endpoint_id = name.endpoint_id
        open_redeliveries = {each.redelivery_id for each in courier.endpoint.endpoint.redeliveries}
        said = [
            commands.EndRedelivery(endpoint_id=endpoint_id, redelivery_id=redelivery_id)
            for redelivery_id in courier.ended_redeliveries()
            if redelivery_id in open_redeliveries
        ]
        for command in said:
            self._post(name.tenant, command)
        if courier.disable is not None and courier.endpoint.endpoint.state == ENDPOINT_STATE_ACTIVE:
            reason, detail = courier.disable
            active_version = courier.endpoint.active_version
            disable = commands.DisableEndpoint(
                endpoint_id=endpoint_id, reason=reason, detail=detail, active_version=active_version
            )
            _log.warning("a webhook endpoint is dead", endpoint=endpoint_id, tenant=name.tenant, detail=detail)
            self._post(name.tenant, disable)

    def _post(self, tenant: str, command: commands.EndRedelivery | commands.DisableEndpoint) -> None:
        """Sends a command; whoever waits for its answer is the next look at the endpoint."""
        with suppress(Overloaded):
            said = self._gate.post(SERVICE, tenant, HASHED, command, durability=log_pb2.DURABILITY_STORED)
            self._said.append(said)

    async def _save(self) -> None:
        """Stores what was done since the last time. Raises StoreUnavailable."""
        written, self._late = self._late, []
        for name, each in self._employed.items():
            if each.courier.is_dirty:
                each.courier.is_dirty = False
                written += self._rows_of(name, each.courier)
        try:
            for start in range(0, len(written), PAGE_ROWS):
                await self._store.write(written[start : start + PAGE_ROWS])
        except StoreUnavailable:
            self._late = [row for row in written if row.table == rows.DELIVERIES.name][-PAGE_ROWS:]
            for each in self._employed.values():
                each.courier.is_dirty = True
            raise

    def _rows_of(self, name: Name, courier: Courier) -> list[Row]:
        """What is stored of a courier: what it noted, and how far it is."""
        now_us = self._clock.now_us()
        found = []
        while courier.noted:
            number, stored = courier.noted.popleft()
            block, slot = rows.place_of(number)
            values = (*name, block, slot, number, stored.SerializeToString())
            found.append(Row(rows.DELIVERIES.name, values, now_us))
        found.append(Row(rows.PROGRESS.name, (*name, courier.progress().SerializeToString()), now_us))
        return found
