"""A seeded set of differences between an engine's payments and its provider: each is found, told once by its name, and
mended where that is safe, and nothing else is touched."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

from oms.admin.v1 import admin_pb2
from oms.order.v1 import order_pb2, order_service_pb2
from oms.shipping.v1 import shipping_service_pb2
from ordermesh.adapters.provider_ledger import LedgerEntry, read_ledger
from ordermesh.adapters.sandbox_holds import holds_of
from ordermesh.bootstrap import LEDGER_FILE
from tests.e2e.api.client import Client, order_of, until
from tests.e2e.books import SPOILS, Books, plant
from tests.e2e.engine import Engine

SEED = int(os.environ.get("RECONCILE_SEED", str(random.SystemRandom().randrange(1_000_000))))
OPTIONS = ("--partitions", "2", "--no-dispatch-automatically", "--reconcile-pause-scale", "0.05")
KINDS = {name.removeprefix("PAYMENT_DIFFERENCE_") for name in admin_pb2.PaymentDifference.keys()}  # noqa: SIM118 # an enum's names, no dict
UNTOUCHED = 1
"""Orders of each kind in which nothing is planted."""
TRIES = 20
"""Comparisons until store and provider have come to rest."""
CANCELLED, COMPLETED = order_pb2.ORDER_STATE_CANCELLED, order_pb2.ORDER_STATE_COMPLETED


class Shop:
    """Sells so many orders of each kind that all differences have one, and each kind has one that stays right."""

    def __init__(self, client: Client, chance: random.Random) -> None:
        self._client = client
        self._chance = chance

    async def trade(self) -> dict[str, list[str]]:
        """The orders by what became of them: completed, refunded, cancelled, declined, waiting."""
        await self._client.receive("TEA")
        kinds = [spoil.among for spoil in SPOILS if spoil.among != "new"]
        kinds += sorted(set(kinds)) * UNTOUCHED
        order_ids = await asyncio.gather(*(self._sell(kind) for kind in kinds))
        orders: dict[str, list[str]] = {}
        for kind, order_id in zip(kinds, order_ids, strict=True):
            orders.setdefault(kind, []).append(order_id)
        return orders

    async def _sell(self, kind: str) -> str:
        token = "tok_decline" if kind == "declined" else "tok_ok"
        order = order_of(quantity=self._chance.randint(2, 9), token=token)
        order_id: str = (await self._client.create(order)).order.order_id
        if kind == "declined":
            assert (await self._client.ended(order_id)).order_state == CANCELLED
            return order_id
        await self._until(order_id, "confirmed", lambda order: order.order_state == order_pb2.ORDER_STATE_CONFIRMED)
        if kind == "cancelled":
            await self._client.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=order_id))
            assert (await self._client.ended(order_id)).order_state == CANCELLED
        elif kind != "waiting":
            await self._dispatch(order_id)
            assert (await self._client.ended(order_id)).order_state == COMPLETED
        if kind == "refunded":
            refund = order_service_pb2.RefundOrderRequest(order_id=order_id)
            refund.lines.add(line_id="1", quantity=1)
            await self._client.orders.RefundOrder(refund)
            await self._until(order_id, "refunded", lambda order: order.HasField("refunded"))
        return order_id

    async def _until(self, order_id: str, what: str, is_so: Any) -> None:
        async def is_so_now() -> bool:
            return bool(is_so((await self._client.get(order_id)).order))

        await until(is_so_now, f"order {order_id} is {what}")

    async def _dispatch(self, order_id: str) -> None:
        """Sends the one shipment, once it is there."""
        listed = shipping_service_pb2.ListShipmentsRequest(order_id=order_id)

        async def is_there() -> bool:
            return bool((await self._client.shipping.ListShipments(listed)).shipments)

        await until(is_there, f"order {order_id} has a shipment")
        request = shipping_service_pb2.DispatchShipmentRequest(shipment_id=f"{order_id}-1", tracking="T")
        await self._client.shipping.DispatchShipment(request)


def compared(engine: Engine, *options: str) -> list[dict[str, Any]]:
    """What the command tells; its exit status says whether anything is left to a person."""
    done = engine.call("payments", "reconcile", *options, "--output", "json")
    findings: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    assert done.returncode == int(not all(each["mended"] for each in findings)), done.stderr
    return findings


def told(findings: list[dict[str, Any]]) -> Counter[tuple[str, str, bool]]:
    """Differences by name and order, and whether they can be mended."""
    return Counter(
        (each["difference"].removeprefix("PAYMENT_DIFFERENCE_"), each["order_id"], each["mendable"])
        for each in findings
    )


def settled(engine: Engine, expected: Counter[tuple[str, str, bool]]) -> Counter[tuple[str, str, bool]]:
    """What differs once that is as expected, or after a number of tries: answers and rows take a moment."""
    found = told(compared(engine))
    for _ in range(TRIES):
        if found == expected:
            break
        found = told(compared(engine))
    return found


def of_order(ledger: list[LedgerEntry], order_id: str) -> list[LedgerEntry]:
    """What the provider did for an order."""
    return [entry for entry in ledger if entry.order_id == order_id]


async def traded(engine: Engine, chance: random.Random) -> dict[str, list[str]]:
    """The orders of a day."""
    client = Client(engine.grpc)
    try:
        return await Shop(client, chance).trade()
    finally:
        await client.channel.close()


async def test_a_seeded_set_of_differences_is_found_and_mended_and_the_rest_is_told(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with Engine(tmp_path / "data", *OPTIONS) as engine:
        orders = await traded(engine, chance)
        assert settled(engine, Counter()) == Counter(), "where nothing is planted nothing differs"
        assert engine.stop() == 0
        books = Books(engine.data, chance)
        planted = plant(books, orders, chance)
        assert {spoil.difference for spoil in SPOILS} == KINDS - {"UNSPECIFIED"}
        wanted = Counter((spoil.difference, order_id, spoil.mendable) for spoil, order_id in planted.items())
        engine.start()

        assert told(compared(engine)) == wanted, f"RECONCILE_SEED={SEED}"
        assert list(read_ledger(engine.data / LEDGER_FILE)) == books.entries, "without --mend nothing is done"

        mended = compared(engine, "--mend")
        assert told(mended) == wanted
        assert [each for each in mended if (each["mended"] or each["looked_up"]) != each["mendable"]] == []

        by_hand = Counter({each: count for each, count in wanted.items() if not each[2]})
        assert settled(engine, by_hand) == by_hand, f"RECONCILE_SEED={SEED}"
        assert not any(each["mended"] for each in compared(engine, "--mend"))

    ledger = list(read_ledger(engine.data / LEDGER_FILE))
    assert ledger[: len(books.entries)] == books.entries
    for spoil, order_id in planted.items():
        entries = of_order(ledger, order_id)
        if not spoil.mendable:
            assert entries == of_order(books.entries, order_id), f"{spoil.difference} is a person's to mend"
            continue
        assert not any(hold.held for hold in holds_of(entries)), f"{spoil.difference}: {entries}"
        operations = Counter(entry.operation for entry in entries)
        assert operations["capture"] == int(spoil.among in ("completed", "refunded"))
        assert operations["refund"] == int(spoil.among == "refunded")
    for order_id in (name for names in orders.values() for name in names):
        assert of_order(ledger, order_id) == of_order(books.entries, order_id), "what was right stays as it was"
