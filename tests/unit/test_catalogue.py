"""The catalogue of integration events: what the world is told, and under which names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from google.protobuf.message import Message
from google.type.money_pb2 import Money

from oms.inventory.v1 import inventory_events_pb2
from oms.log.v1 import log_pb2
from oms.notification.v1 import integration_events_pb2 as told
from oms.order.v1 import order_events_pb2, order_pb2
from oms.shipping.v1 import shipping_events_pb2
from ordermesh.notification.catalogue import MILESTONES, Milestone
from ordermesh.notification.cloud_event import CloudEvents
from ordermesh.runtime.ports import PartitionId
from ordermesh.runtime.relay import IntegrationEvent

README = Path(__file__).resolve().parents[2] / "protos" / "oms" / "notification" / "v1" / "README.md"
PARTITION = PartitionId("orders", 3)


def frame_of(*payloads: Message, key: str = "order-1", sub_key: str = "") -> log_pb2.DecisionFrame:
    """A frame with one decision that holds these events."""
    frame = log_pb2.DecisionFrame(schema=1, epoch=7, number=20, clock_us=1_700_000_000_000_001)
    decision = frame.decisions.add(traceparent="00-ab-cd-01")
    for version, payload in enumerate(payloads, start=1):
        decision.events.add(
            kind="order",
            tenant="default",
            key=key,
            sub_key=sub_key,
            version=version,
            type=payload.DESCRIPTOR.full_name,
            payload=payload.SerializeToString(),
        )
    return frame


def headers_of(event: IntegrationEvent) -> dict[str, str]:
    """The header lines, taken apart."""
    lines = event.headers.decode("ascii").split("\r\n")
    assert lines.pop() == ""
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}


def test_a_placed_order_is_told_with_what_was_bought() -> None:
    total = Money(currency_code="GBP", units=7)
    line = order_pb2.OrderLine(line_id="1", sku="A", quantity=2, unit_price=Money(currency_code="GBP", units=3))
    placed = order_pb2.Order(
        order_id="order-1", customer_id="anna", lines=[line], total=total, payment_token="tok_ok", labels={"a": "b"}
    )
    (event,) = CloudEvents("dep").translate(PARTITION, frame_of(order_events_pb2.OrderPlaced(order=placed)))
    assert event.id == "dep/orders/003/7.20.0.0"
    assert event.key == "order-1"
    assert event.subject == "om.events.v1.order.placed.order-1"
    assert headers_of(event) == {
        "ce-specversion": "1.0",
        "ce-type": "oms.order.placed.v1",
        "ce-source": "urn:ordermesh:dep:order",
        "ce-dataschema": "type.googleapis.com/oms.notification.v1.OrderPlaced",
        "content-type": "application/protobuf",
        "ce-id": "dep/orders/003/7.20.0.0",
        "ce-time": "2023-11-14T22:13:20.000001Z",
        "ce-subject": "order-1",
        "ce-tenant": "default",
        "ce-traceparent": "00-ab-cd-01",
    }
    data = told.OrderPlaced.FromString(event.data)
    assert (data.order_id, data.version, data.customer_id, data.total) == ("order-1", 1, "anna", total)
    assert [(one.line_id, one.sku, one.quantity, one.unit_price.units) for one in data.lines] == [("1", "A", 2, 3)]
    assert dict(data.labels) == {"a": "b"}
    assert b"tok_ok" not in event.data


def test_an_amended_order_is_told_with_what_is_bought_now_and_a_cut_one_with_what_is_not() -> None:
    total = Money(currency_code="GBP", units=7)
    amended = order_pb2.Order(lines=[order_pb2.OrderLine(line_id="1", sku="A", quantity=2)], total=total)
    cut = order_events_pb2.LinesCancelled(lines=[{"line_id": "1", "quantity": 1}], reason="CANCEL_REQUESTED")
    frame = frame_of(order_events_pb2.OrderAmended(amended=amended), cut)
    first, second = CloudEvents("dep").translate(PARTITION, frame)
    now = told.OrderAmended.FromString(first.data)
    assert ([(line.sku, line.quantity) for line in now.lines], now.total) == ([("A", 2)], total)
    less = told.LinesCancelled.FromString(second.data)
    assert ([(line.line_id, line.quantity) for line in less.lines], less.reason) == ([("1", 1)], "CANCEL_REQUESTED")


def test_an_event_that_is_no_milestone_is_not_told() -> None:
    frame = frame_of(order_events_pb2.StockAllocated(), order_events_pb2.OrderConfirmed())
    (event,) = CloudEvents("dep").translate(PARTITION, frame)
    assert event.id == "dep/orders/003/7.20.0.1"
    assert told.OrderConfirmed.FromString(event.data).version == 2


def test_a_shipment_is_told_under_its_order() -> None:
    frame = frame_of(shipping_events_pb2.ShipmentDispatched(tracking="T1"), sub_key="2")
    (event,) = CloudEvents("dep").translate(PARTITION, frame)
    data = told.ShipmentDispatched.FromString(event.data)
    assert (event.key, data.order_id, data.shipment_id, data.tracking) == ("order-1", "order-1", "order-1-2", "T1")


@pytest.mark.parametrize("sku", ["BANK CHARGES", "a.b", "*", ">", "Ünïcode", "50%", "x\r\ny: z"])
def test_no_key_can_break_a_subject_or_a_header(sku: str) -> None:
    frame = frame_of(inventory_events_pb2.StockReceived(sku=sku, quantity=5), key=sku)
    (event,) = CloudEvents("dep").translate(PARTITION, frame)
    assert re.fullmatch(r"om\.events\.v1\.inventory\.received\.[A-Za-z0-9_~%-]+", event.subject)
    assert re.fullmatch(r"[!-~]+", headers_of(event)["ce-subject"])
    assert told.StockReceived.FromString(event.data).sku == sku


@pytest.mark.parametrize("milestone", MILESTONES, ids=lambda milestone: f"{milestone.service}.{milestone.name}")
def test_every_milestone_tells_its_own_data_from_an_empty_event(milestone: Milestone) -> None:
    event = log_pb2.Event(key="order-1", sub_key="1", version=4)
    data = milestone.tell(event, milestone.payload())
    assert type(data) is milestone.data
    assert getattr(data, "version") == 4  # noqa: B009 - mypy does not know it of Message


def test_the_readme_lists_the_catalogue() -> None:
    listed = re.findall(r"^\| `oms\.(\w+)\.(\w+)\.v1` \| `(\w+)` \|", README.read_text(), re.MULTILINE)
    assert listed == [(one.service, one.name, one.data.DESCRIPTOR.name) for one in MILESTONES]
