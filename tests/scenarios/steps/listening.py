"""Steps about webhooks: a receiver of our own that writes down what it was sent."""

from __future__ import annotations

import json
import threading
import uuid
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from pytest_bdd import given, step, then, when
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from oms.notification.v1 import webhook_pb2, webhook_service_pb2, webhook_service_pb2_grpc
from tests.scenarios.shop import Shop, until
from tests.scenarios.steps.sending import has_bought
from tests.scenarios.wording import said

TRIES = 30
"""Orders until one is not told of: who delivers hears of a pause within seconds."""
TEST_EVENT = "oms.notification.test.v1"


class Heard(NamedTuple):
    """An event that somebody was told of, and the name of the message that told it."""

    name: str
    message_id: str
    event: dict[str, Any]


class Listener(ThreadingHTTPServer):
    """Several people's receiver, each at a path by their name. Writes down each request that it answered well, once
    all signatures that there should be were checked."""

    def __init__(self) -> None:
        self.endpoints: dict[str, str] = {}
        """Their ids by name."""
        self.secrets: dict[str, list[str]] = {}
        """Each has to have signed what comes."""
        self.answers: dict[str, deque[int]] = {}
        """What the next requests are answered."""
        self.heard: list[Heard] = []
        super().__init__(("127.0.0.1", 0), Handler)

    def told(self, name: str, subject: str) -> list[dict[str, Any]]:
        """What somebody was told about an order or a SKU, however often."""
        return [each.event for each in self.heard if (each.name, each.event.get("subject")) == (name, subject)]

    def told_first(self, name: str, subject: str) -> list[dict[str, Any]]:
        """The same, each at its first arrival."""
        return list({event["id"]: event for event in reversed(self.told(name, subject))}.values())[::-1]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Listener

    def do_POST(self) -> None:
        """An event."""
        self.send_response(self._status())
        self.send_header("content-length", "0")
        self.end_headers()

    def _status(self) -> int:
        body, name = self.rfile.read(int(self.headers["content-length"])), self.path.strip("/")
        answers = self.server.answers.get(name)
        if answers:
            return answers.popleft()
        try:
            for secret in self.server.secrets[name]:
                Webhook(secret).verify(body, dict(self.headers.items()))
        except WebhookVerificationError:
            return 401
        self.server.heard.append(Heard(name, self.headers["webhook-id"], json.loads(body)))
        return 204

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A receiver of the scenario's own."""
    server = Listener()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def webhooks(shop: Shop) -> Any:
    """The service."""
    stub: Any = webhook_service_pb2_grpc.WebhookServiceStub
    return stub(shop.client.channel)


def create(shop: Shop, url: str, *kinds: str) -> None:
    """Asks to be told."""
    request = webhook_service_pb2.CreateEndpointRequest(url=url, event_types=kinds, request_id=uuid.uuid4().hex)
    shop.try_to(webhooks(shop).CreateEndpoint, request)


def set_state(shop: Shop, listener: Listener, name: str, state: str) -> None:
    """Pauses or resumes."""
    request = webhook_service_pb2.UpdateEndpointRequest(
        endpoint_id=listener.endpoints[name], state=f"ENDPOINT_STATE_{state}", request_id=uuid.uuid4().hex
    )
    shop.client.call(webhooks(shop).UpdateEndpoint, request)


@given(said('{customer} listens to "{words}"'))
def listens(shop: Shop, listener: Listener, customer: str, words: str) -> None:
    """An endpoint on this machine."""
    create(shop, f"http://127.0.0.1:{listener.server_port}/{customer}", *words.split(", "))
    shop.expect_no_failure()
    listener.endpoints[customer] = shop.answer.endpoint.endpoint_id
    listener.secrets[customer] = [shop.answer.secret]


@given(said("{customer} answers {number} to the next {count} events"))
def answers(listener: Listener, customer: str, number: str, count: str) -> None:
    """Statuses of HTTP; after them all goes well."""
    listener.answers[customer] = deque([int(number)] * int(count))


@when(said('{customer} wants to listen at "{words}"'))
def wants_to_listen(shop: Shop, customer: str, words: str) -> None:
    """An endpoint elsewhere."""
    create(shop, words, "*")


@step(said('{customer} was told of {about} "{words}"'))
def told_in_order(shop: Shop, listener: Listener, customer: str, about: str, words: str) -> None:
    """All that was told of an order or a SKU, in the order of first arrivals; each by a later version of it."""
    subject = shop.sku(about) if about.isupper() else shop.order_id(about)
    wanted = words.split(", ")

    def kinds() -> list[str]:
        return [event["type"].split(".")[2] for event in listener.told_first(customer, subject)]

    until(lambda: len(kinds()) >= len(wanted), lambda: f"{customer} is told {wanted}; so far {kinds()}")
    assert kinds() == wanted, kinds()
    versions = [int(event["data"]["version"]) for event in listener.told_first(customer, subject)]
    assert versions == sorted(set(versions)), versions


@when(said("{customer} exchanges the secret for another"))
def rotates(shop: Shop, listener: Listener, customer: str) -> None:
    """From now on what does not come signed by both is sent back."""
    request = webhook_service_pb2.RotateSecretRequest(
        endpoint_id=listener.endpoints[customer], request_id=uuid.uuid4().hex
    )
    answer = shop.client.call(webhooks(shop).RotateSecret, request)
    assert answer.secret not in listener.secrets[customer]
    listener.secrets[customer].append(answer.secret)


@when(said("{customer} is paused, which {other_customer} is not"))
def paused(shop: Shop, listener: Listener, customer: str, other_customer: str) -> None:
    """Orders are bought until two in a row are told to one of them only; the second is `the order`."""
    set_state(shop, listener, customer, "PAUSED")
    quiet = 0
    for _ in range(TRIES):
        has_bought(shop, "ada", "1 TEA", None, None, None)
        order_id = shop.orders["the order"]
        until(lambda order_id=order_id: len(listener.told(other_customer, order_id)) >= 3, "the other one is told")  # type: ignore[misc]  # bound now
        quiet = 0 if listener.told(customer, order_id) else quiet + 1
        if quiet == 2:
            return
    raise AssertionError(f"{customer} is told of every order, though paused")


@when(said("{customer} is resumed"))
def resumed(shop: Shop, listener: Listener, customer: str) -> None:
    """What waited is sent."""
    set_state(shop, listener, customer, "ACTIVE")


@then(said("the endpoint of {customer} is {state} because it is {reason}"))
def endpoint_is(shop: Shop, listener: Listener, customer: str, state: str, reason: str) -> None:
    """The engine ended it by itself; waits for it."""
    request = webhook_service_pb2.GetEndpointRequest(endpoint_id=listener.endpoints[customer])
    wanted = webhook_pb2.EndpointState.Value(f"ENDPOINT_STATE_{state}")
    because = webhook_pb2.EndpointStateReason.Value(f"ENDPOINT_STATE_REASON_{reason}")

    def look() -> tuple[int, int]:
        found = shop.client.call(webhooks(shop).GetEndpoint, request).endpoint
        return found.state, found.state_reason

    until(lambda: look() == (wanted, because), lambda: f"the endpoint is {state}, {reason}; it is {look()}")


@when(said("a test is sent to {customer}"))
def sends_test(shop: Shop, listener: Listener, customer: str) -> None:
    """An event for nobody else."""
    request = webhook_service_pb2.SendTestEventRequest(
        endpoint_id=listener.endpoints[customer], request_id=uuid.uuid4().hex
    )
    shop.try_to(webhooks(shop).SendTestEvent, request)


@then(said("{customer} alone was told of the test"))
def told_of_test(shop: Shop, listener: Listener, customer: str) -> None:
    """It is about their endpoint."""
    shop.expect_no_failure()

    def tests() -> list[tuple[str, str]]:
        return [(each.name, each.event["subject"]) for each in listener.heard if each.event["type"] == TEST_EVENT]

    wanted = [(customer, listener.endpoints[customer])]
    until(tests, f"{customer} is told of the test")
    assert tests() == wanted


@when(said("the last delivery about {order} to {customer} is sent again"))
def redelivers(shop: Shop, listener: Listener, customer: str, order: str) -> None:
    """As the log of deliveries has it; waits until that has all of them."""
    order_id, endpoint_id = shop.order_id(order), listener.endpoints[customer]
    request = webhook_service_pb2.ListDeliveriesRequest(
        endpoint_id=endpoint_id, outcome=webhook_pb2.DELIVERY_OUTCOME_DELIVERED, subject=order_id
    )
    count = len(listener.told(customer, order_id))

    def look() -> Any:
        found = shop.client.call(webhooks(shop).ListDeliveries, request).deliveries
        return found if len(found) == count else None

    newest = until(look, f"{count} deliveries are listed")[0]
    again = webhook_service_pb2.RedeliverRequest(
        endpoint_id=endpoint_id, delivery_id=newest.delivery_id, request_id=uuid.uuid4().hex
    )
    shop.try_to(webhooks(shop).Redeliver, again)


@when(said("all that happened since {order} was placed is sent to {customer} again"))
def redelivers_time(shop: Shop, listener: Listener, customer: str, order: str) -> None:
    """By the time of its placing."""
    start = Timestamp()
    start.FromMicroseconds(shop.get(shop.order_id(order)).create_time.ToMicroseconds())
    request = webhook_service_pb2.RedeliverRequest(
        endpoint_id=listener.endpoints[customer], start_time=start, request_id=uuid.uuid4().hex
    )
    shop.try_to(webhooks(shop).Redeliver, request)


@then(said('in all {customer} was told of {order} "{words}"'))
def told_in_all(shop: Shop, listener: Listener, customer: str, order: str, words: str) -> None:
    """Every arrival; one that comes again has the name that it had, by which a receiver knows it."""
    shop.expect_no_failure()
    order_id, wanted = shop.order_id(order), words.split(", ")

    def arrivals() -> list[Heard]:
        return [each for each in listener.heard if (each.name, each.event.get("subject")) == (customer, order_id)]

    def kinds() -> list[str]:
        return [each.event["type"].split(".")[2] for each in arrivals()]

    until(lambda: len(kinds()) >= len(wanted), lambda: f"{customer} is told {wanted}; so far {kinds()}")
    assert kinds() == wanted, kinds()
    assert len({each.message_id for each in arrivals()}) == len({each.event["id"] for each in arrivals()})
