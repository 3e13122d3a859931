"""One disk, cut again and again: load, cut, mount, start, look.

Half of the cuts stop every process first, as lost power does; the other half take the disk away while processes still
run, and whatever is acknowledged then counts as well.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ordermesh.testing.power.check import Found, look
from ordermesh.testing.power.disk import CutDisk
from ordermesh.testing.power.engine import PoweredEngine, Sync
from ordermesh.testing.power.load import Customers

LOAD_S = (0.3, 4.0)
"""The least and the longest load before a cut."""
AFTER_CUT_S = 0.3
"""How long processes outlive their disk where they are not stopped first."""
AFTERWARDS = 20
"""Orders that have to be taken after all that."""


class Cuts:
    """The cuts of one disk, one after another; each continues with what the one before left."""

    def __init__(self, folder: Path, seed: int, sync: Sync, load_s: tuple[float, float] = LOAD_S) -> None:
        self._load_s = load_s
        self._seed = seed
        self._sync: Sync = sync
        self._chance = random.Random(f"power {seed}")
        self._disk = CutDisk(folder)
        self._customers = Customers(folder / "journal.jsonl", seed)
        self._engine = PoweredEngine(self._disk.path / "data", folder, sync)
        self._is_filled = False
        self._money: set[str] = set()

    async def run(self, count: int) -> list[dict[str, Any]]:
        """So many cuts; one result each. Raises EngineFailed."""
        results = []
        self._disk.make()
        try:
            await self._engine.start()
            for number in range(count):
                results.append(await self._cut(number))
                if results[-1]["problems"]:
                    break
            await self._engine.stop()
        finally:
            await self._engine.kill()
            self._customers.close()
            self._disk.remove()
        return results

    async def _cut(self, number: int) -> dict[str, Any]:
        """One cut, from an engine that serves to an engine that serves."""
        begun, before = time.monotonic(), len(self._customers.acknowledged)
        if not self._is_filled:
            await self._customers.fill_shelves(self._engine.address)
            self._is_filled = True
        load_s, freezes = self._chance.uniform(*self._load_s), self._chance.random() < 0.5
        await self._load_and_cut(load_s, freezes=freezes)
        await self._engine.kill()
        self._disk.unmount()
        self._disk.mount()
        started = time.monotonic()
        stopped = await self._engine.start()
        result: dict[str, Any] = {
            "seed": self._seed, "cut": number, "sync": self._sync, "load_s": round(load_s, 3),
            "how": "processes first" if freezes else "disk first",
            "acknowledged": len(self._customers.acknowledged) - before,
            "restart_s": round(time.monotonic() - started, 2), "stopped": sorted(stopped),
        }  # fmt: skip
        lists: dict[str, Any] = {}
        if stopped:
            begun_mending = time.monotonic()
            lists = await self._reincarnate(stopped)
            result["mended_s"] = round(time.monotonic() - begun_mending, 2)
        found = await look(self._engine.address, self._customers)
        result |= self._judged(found, lists)
        await self._take_orders()
        result["seconds"] = round(time.monotonic() - begun, 1)
        return result

    async def _load_and_cut(self, load_s: float, *, freezes: bool) -> None:
        ended = asyncio.Event()
        ordering = asyncio.create_task(self._customers.order_until(self._engine.address, ended))
        await asyncio.sleep(load_s)
        if freezes:
            self._engine.freeze()
        self._disk.cut()
        if not freezes:
            await asyncio.sleep(AFTER_CUT_S)
        await self._engine.kill()
        ended.set()
        await ordering

    async def _reincarnate(self, stopped: Mapping[str, str]) -> dict[str, Any]:
        """Does what an operator does about partitions that stopped, and starts again."""
        lists = {}
        await self._engine.stop(keep_nats=True)
        for name in sorted(stopped):
            group, _, partition = name.partition("/")
            command = ("partitions", "reincarnate", group, str(int(partition)), "--yes")
            lists[name] = await self._engine.command(*command, *self._engine.settings())
        left = await self._engine.start()
        if left:
            raise AssertionError(f"stopped again after having been reincarnated: {left}")
        return lists

    def _judged(self, found: Found, lists: Mapping[str, Any]) -> dict[str, Any]:
        """Counts and problems. Where the engine said that its log lost something, what was acknowledged and stored
        nowhere is excepted, and the money that it listed as being of no order; what was stored never is."""
        items = [item for each in lists.values() for item in each["items"]]
        self._money |= {item["key"] for item in items if item["kind"] == "money"}
        lost = {**found.missing, **found.revived}
        excepted = {order for order, persistence in lost.items() if lists and persistence != "STORED"}
        for order in excepted:
            self._customers.acknowledged.pop(order)
        problems = [text for text in found.problems() if not self._is_excepted(text, excepted)]
        return {
            "checked": found.checked, "missing": Counter(found.missing.values()), "listed": len(items),
            "revived": Counter(found.revived.values()), "problems": problems[:50],
            "listed_money": sum(item["kind"] == "money" for item in items),
        }  # fmt: skip

    def _is_excepted(self, text: str, orders: set[str]) -> bool:
        if text.startswith("I1: order "):
            return text.split()[2].rstrip(",:") in orders
        return text.startswith("I4: the provider has") and any(f"for {order}, " in text for order in self._money)

    async def _take_orders(self) -> None:
        """The engine takes orders as before. Raises TimeoutError if it does not."""
        before, ended = len(self._customers.acknowledged), asyncio.Event()
        ordering = asyncio.create_task(self._customers.order_until(self._engine.address, ended))
        async with asyncio.timeout(30.0):
            while len(self._customers.acknowledged) < before + AFTERWARDS:
                await asyncio.sleep(0.02)
        ended.set()
        await ordering
