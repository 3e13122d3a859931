"""Stripe's webhooks at an edge: only signed ones count, they hurry the payment's question, and are never believed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from oms.order.v1 import order_pb2
from oms.payment.v1 import payment_service_pb2
from ordermesh.adapters.stripe_calls import StripeOptions
from ordermesh.adapters.stripe_payments import StripePayments
from ordermesh.adapters.stripe_webhooks import StripeNotices
from ordermesh.bootstrap import stripe_secrets
from ordermesh.gateway import notices as taking
from ordermesh.gateway.http_port import HttpPort, Probes
from ordermesh.runtime.ports import Kind, LogUnavailable, PartitionId
from ordermesh.runtime.settings import CannotStart, Settings
from ordermesh.testing.stripe_fake.server import Fault, StripeFake
from tests.e2e.api.client import Client, order_of, until
from tests.unit.edge.shop import OPTIONS, Shop

OLD, NEW = "whsec_old", "whsec_new"
SILENCE_S = 60.0
PATIENT = replace(OPTIONS, effect_retry_min_s=SILENCE_S, effect_retry_max_s=2 * SILENCE_S)


class World:
    """A shop with its payments at the stand-in, and its HTTP port."""

    def __init__(self, shop: Shop, client: Client, fake: StripeFake, http: httpx.AsyncClient) -> None:
        self.shop = shop
        self.client = client
        self.fake = fake
        self.http = http

    async def post(self, body: bytes, signature: str, path: str = "/webhooks/stripe") -> int:
        """What a notice is answered with."""
        answer = await self.http.post(path, content=body, headers={"stripe-signature": signature})
        return answer.status_code

    async def send(self, kind: str, found: Any, secret: str = NEW, time_s: int | None = None) -> int:
        """The same, signed by a secret."""
        return await self.post(*self.fake.signed(kind, found, secret, time_s))

    def counted(self, outcome: str) -> float:
        """How often it came to that."""
        return self.shop.edge.registry.get_sample_value("ordermesh_provider_notices_total", {"outcome": outcome}) or 0.0


@pytest_asyncio.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """An open shop that waits a minute before it asks Stripe again."""
    monkeypatch.setattr("tests.unit.edge.shop.OPTIONS", PATIENT)
    async with AsyncExitStack() as closing:
        fake = await closing.enter_async_context(StripeFake())
        options = StripeOptions(api_key=fake.api_key, deployment_id="test", api_base=fake.url, timeout_s=5.0)
        provider = StripePayments(options)
        closing.push_async_callback(provider.close)
        shop = Shop(payments=provider, notices=StripeNotices([NEW, OLD], "test"))
        client = await closing.enter_async_context(shop.open())
        probes = Probes(shop.edge.registry)
        probes.begin(shop.edge.readiness)
        assert shop.edge.notices is not None
        probes.webhooks = {"stripe": shop.edge.notices.answer}
        application: Starlette = probes.application()
        port = HttpPort(application)
        address = await port.start("127.0.0.1:0")
        closing.push_async_callback(port.stop)
        http = await closing.enter_async_context(httpx.AsyncClient(base_url=f"http://{address}"))
        yield World(shop, client, fake, http)


@asynccontextmanager
async def slow_bodies(world: World, count: int) -> AsyncIterator[None]:
    """So many senders who promise a body, of which nothing comes."""
    notices = world.shop.edge.notices
    assert notices is not None
    head = b"POST /webhooks/stripe HTTP/1.1\r\nhost: shop\r\ncontent-length: 10\r\n\r\n"
    url = world.http.base_url
    async with AsyncExitStack() as closing:
        for _ in range(count):
            _, writer = await asyncio.open_connection(url.host, url.port)
            closing.callback(writer.close)
            writer.write(head)

        async def are_there() -> bool:
            return notices.reading_count == count

        await until(are_there, "the edge waits for their bodies")
        yield


async def unanswered(world: World) -> tuple[str, Any]:
    """An order whose authorisation took effect, and nobody heard of it."""
    await world.client.receive("TEA")
    world.fake.fail("create", Fault.LOST_AFTER)
    order = (await world.client.create(order_of(token="pm_card_visa"))).order

    async def is_held() -> bool:
        return bool(world.fake.account.intents)

    await until(is_held, "Stripe holds the money")
    (intent,) = world.fake.account.intents.values()
    return order.order_id, intent


async def test_a_signed_notice_hurries_the_question(world: World) -> None:
    order_id, intent = await unanswered(world)
    begun = time.monotonic()

    assert await world.send("payment_intent.amount_capturable_updated", intent) == 200

    assert (await world.client.ended(order_id)).order_state == order_pb2.ORDER_STATE_COMPLETED
    assert time.monotonic() - begun < SILENCE_S / 2
    assert world.fake.calls["create"] == 1, "it was looked up, and not asked for again"
    assert world.counted("taken") == 1


async def test_what_a_notice_says_is_not_believed(world: World) -> None:
    """It says cancelled; the provider, which is asked, says held."""
    order_id, intent = await unanswered(world)

    assert await world.send("payment_intent.canceled", {**intent, "status": "canceled"}) == 200

    assert (await world.client.ended(order_id)).order_state == order_pb2.ORDER_STATE_COMPLETED


async def test_a_secret_that_is_being_replaced_counts_beside_the_new_one(world: World) -> None:
    order_id, intent = await unanswered(world)

    assert await world.send("payment_intent.succeeded", intent, OLD) == 200

    assert (await world.client.ended(order_id)).order_state == order_pb2.ORDER_STATE_COMPLETED


@pytest.mark.parametrize(
    ("secret", "age_s", "changed"), [("whsec_theirs", 0, False), (NEW, 301, False), (NEW, 0, True)]
)
async def test_what_is_not_signed_as_it_should_be_does_nothing(
    world: World, secret: str, age_s: int, *, changed: bool
) -> None:
    order_id, intent = await unanswered(world)
    body, signature = world.fake.signed("payment_intent.succeeded", intent, secret, int(time.time()) - age_s)

    assert await world.post(body.replace(b"succeeded", b"succeedex") if changed else body, signature) == 400
    assert await world.post(body, "") == 400
    assert await world.post(b"\xff\xfe", "t=1,v1=x") == 400

    assert world.counted("refused") == 3
    payment = (await world.client.payments.GetPayment(payment_service_pb2.GetPaymentRequest(order_id=order_id))).payment
    assert payment.version == 1


async def test_a_signature_that_is_no_text_of_a_signature_is_refused(world: World) -> None:
    stamp = int(time.time())
    for signature in (b"t=1,v1=\xe9", b"t=%d,v1=\xe9" % stamp, b"\xff", b"t=\xb2,v1=0", b"t=%d" % stamp, b"v1=0"):
        answer = await world.http.post("/webhooks/stripe", content=b"{}", headers={b"stripe-signature": signature})
        assert answer.status_code == 400, signature

    assert world.counted("refused") == 6


async def test_bodies_that_do_not_come_keep_no_signed_notice_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, intent = await unanswered(world)
    monkeypatch.setattr(taking, "AT_ONCE_MAX", 1)
    notices = world.shop.edge.notices
    assert notices is not None

    async with slow_bodies(world, 2):
        assert await world.send("payment_intent.succeeded", intent) == 200
        monkeypatch.setattr(taking, "READING_MAX", 2)
        assert await world.send("payment_intent.created", intent) == 503

    async def is_free() -> bool:
        return not notices.reading_count

    await until(is_free, "the slow ones are gone")
    assert await world.send("payment_intent.created", intent) == 200


async def test_a_notice_that_comes_again_is_known(world: World) -> None:
    _, intent = await unanswered(world)
    body, signature = world.fake.signed("payment_intent.succeeded", intent, NEW)

    assert [await world.post(body, signature) for _ in range(3)] == [200, 200, 200]

    assert (world.counted("taken"), world.counted("repeated")) == (1, 2)


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"metadata": None},
        {"metadata": {"ordermesh_order": "no id", "ordermesh_deployment": "test"}},
        {"metadata": {"ordermesh_order": "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77", "ordermesh_deployment": "other"}},
        "text",
    ],
    ids=["nothing", "no metadata", "no order id", "another deployment", "no object"],
)
async def test_what_is_about_nothing_here_is_taken_and_counted(world: World, found: Any) -> None:
    assert await world.send("customer.created", found) == 200

    assert world.counted("ignored") == 1


async def test_a_notice_about_an_order_that_is_not_known_changes_nothing(world: World) -> None:
    metadata = {"ordermesh_order": "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77", "ordermesh_deployment": "test"}

    assert await world.send("payment_intent.succeeded", {"metadata": metadata}) == 200
    assert world.counted("taken") == 1


async def test_a_body_without_end_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "BODY_BYTES_MAX", 1_000)

    assert await world.post(b"x" * 1_001, "t=1,v1=x") == 413
    assert await world.post(json.dumps({"a": "x" * 500}).encode(), "t=1,v1=x") == 400


async def test_where_the_log_takes_nothing_the_provider_is_told_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id, intent = await unanswered(world)
    append = world.shop.log.append

    async def append_no_command(partition: PartitionId, kind: Kind, *rest: Any, **more: Any) -> int:
        if kind == "commands":
            raise LogUnavailable("switched off")
        return await append(partition, kind, *rest, **more)

    with monkeypatch.context() as patched:
        patched.setattr(world.shop.log, "append", append_no_command)
        assert await world.send("payment_intent.succeeded", intent) == 503
    assert world.counted("not_taken") == 1

    async def is_taken() -> bool:
        return await world.send("payment_intent.succeeded", intent) == 200

    assert await until(is_taken, "the log is tried again")
    assert (await world.client.ended(order_id)).order_state == order_pb2.ORDER_STATE_COMPLETED


async def test_where_too_many_are_under_way_the_provider_is_told_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, intent = await unanswered(world)
    with monkeypatch.context() as patched:
        patched.setattr(taking, "AT_ONCE_MAX", 0)
        assert await world.send("payment_intent.succeeded", intent) == 503

    assert await world.send("payment_intent.succeeded", intent) == 200


async def test_other_paths_and_verbs_are_none(world: World) -> None:
    assert await world.post(b"", "", "/webhooks/paypal") == 404
    assert (await world.http.get("/webhooks/stripe")).status_code == 405
    assert (await world.http.get("/livez")).status_code == 200


def test_secrets_are_at_most_two() -> None:
    def found(text: str) -> list[str]:
        return stripe_secrets(Settings(stripe_api_key="sk", stripe_webhook_secret=text))[1]  # type: ignore[arg-type]  # text becomes a secret

    assert found("whsec_a\nwhsec_b\n") == ["whsec_a", "whsec_b"]
    assert found(" whsec_a , whsec_b ") == ["whsec_a", "whsec_b"]
    assert found("") == []
    with pytest.raises(CannotStart, match="3 secrets"):
        found("a,b,c")
