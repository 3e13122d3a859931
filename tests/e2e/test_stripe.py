"""The engine with its payments at a stand-in for Stripe: processes die and answers are lost, and money moves once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from ordermesh.testing.stripe_fake.server import Fault, StripeFake
from tests.e2e.engine import Engine, ordermesh, until
from tests.stripe import SECRET, options_at, served

ENDS_S = 90.0
ORDERS = 12


@pytest.fixture
def fake() -> StripeFake:
    """A stand-in that is not served yet."""
    return StripeFake()


def engine_at(fake: StripeFake, folder: Path) -> Engine:
    """An engine that has its secrets in files, and looks at what differs again within seconds."""
    return Engine(folder / "data", *options_at(fake, folder), "--reconcile-pause-scale", "0.1")


def order(engine: Engine, token: str = "pm_card_visa") -> str:
    """A new order for two pieces."""
    made = engine.json("order", "create", "--customer", "ada", "--line", "TEA:2:4.99", "--token", token)
    return str(made["order"]["order_id"])


def state(engine: Engine, order_id: str) -> str:
    """Where an order is."""
    return str(engine.json("order", "get", order_id)["order"]["order_state"])


def all_ended(engine: Engine, orders: list[str]) -> Any:
    """The states of the orders, once all have ended."""
    states = [state(engine, each).removeprefix("ORDER_STATE_") for each in orders]
    return states if all(each in {"COMPLETED", "CANCELLED", "REJECTED"} for each in states) else None


def test_whatever_is_lost_and_whoever_dies_each_order_is_charged_once(fake: StripeFake, tmp_path: Path) -> None:
    with served(fake), engine_at(fake, tmp_path) as engine:
        engine.json("stock", "receive", "TEA", "1000")
        for fault in (Fault.LOST_AFTER, Fault.LOST_BEFORE, Fault.RATE_LIMIT, Fault.CONFLICT, Fault.HANGS_AFTER):
            fake.fail("create", fault)
            fake.fail("capture", fault)
        orders = [order(engine) for _ in range(ORDERS // 2)]
        engine.kill("owner")
        orders += [order(engine) for _ in range(ORDERS // 2)]
        orders.append(order(engine, "pm_card_visa_chargeDeclined"))

        states = until(lambda: all_ended(engine, orders), "all orders end", ENDS_S)

        assert states == ["COMPLETED"] * ORDERS + ["CANCELLED"]
        taken = Counter[str]()
        for intent in fake.account.intents.values():
            taken[intent["metadata"]["ordermesh_order"]] += intent["amount_received"]
            assert intent["amount_capturable"] == 0
        assert {name: amount for name, amount in taken.items() if amount} == dict.fromkeys(orders[:-1], 998)
        assert engine.call("verify").returncode == 0
        assert engine.call("payments", "reconcile").returncode == 0
        shown = engine.said() + "".join(
            path.read_text(errors="replace")
            for path in (tmp_path / "data").rglob("*")
            if path.suffix in {".log", ".json", ".jsonl"}
        )
        assert fake.api_key not in shown
        assert SECRET not in shown


def test_differences_are_found_told_and_mended(fake: StripeFake, tmp_path: Path) -> None:
    with served(fake), engine_at(fake, tmp_path) as engine:
        engine.json("stock", "receive", "TEA", "1000")
        done = order(engine)
        until(lambda: all_ended(engine, [done]), "the order ends", ENDS_S)
        (intent,) = fake.account.intents.values()
        stray = fake.account.create(
            {
                "amount": "500",
                "currency": "gbp",
                "capture_method": "manual",
                "confirm": "true",
                "payment_method": "pm_card_visa",
                "metadata": dict(intent["metadata"]),
            }
        )

        told = engine.call("payments", "reconcile", "--output", "json")
        assert told.returncode == 1
        assert '"PAYMENT_DIFFERENCE_HELD_TWICE"' in told.stdout
        assert stray["status"] == "requires_capture"

        assert engine.call("payments", "reconcile", "--mend").returncode == 0
        until(lambda: stray["status"] == "canceled", "the second hold is let go of", ENDS_S)
        assert intent["status"] == "succeeded"
        assert engine.call("payments", "reconcile").returncode == 0


def test_webhooks_come_to_the_http_port_signed_by_either_secret(fake: StripeFake, tmp_path: Path) -> None:
    with served(fake), engine_at(fake, tmp_path) as engine:
        engine.json("stock", "receive", "TEA", "1000")
        order_id = order(engine)
        until(lambda: all_ended(engine, [order_id]), "the order ends", ENDS_S)
        (intent,) = fake.account.intents.values()

        def posted(secret: str) -> int:
            body, signature = fake.signed("payment_intent.succeeded", intent, secret)
            url = f"http://{engine.ready['http']}/webhooks/stripe"
            return httpx.post(url, content=body, headers={"stripe-signature": signature}).status_code

        assert [posted(SECRET), posted("whsec_of_before"), posted("whsec_of_somebody")] == [200, 200, 400]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--payment-provider", "stripe"), "there is no key"),
        (("--payment-provider", "stripe", "--stripe-api-base", "http://stripe.example"), "expected https://HOST"),
        (("--payment-provider", "cash"), "expected sandbox or stripe"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    done = ordermesh("up", "--data", tmp_path / "data", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", *options)

    assert done.returncode != 0
    assert words in done.stderr
