"""ShippingService: gRPC to commands and reads, and what they answer back to gRPC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oms.common.v1 import consistency_pb2
from oms.shipping.v1 import shipping_commands_pb2, shipping_pb2, shipping_service_pb2, shipping_state_pb2
from ordermesh.core.decider import Key
from ordermesh.runtime.backend import Backend, persistence_of
from ordermesh.runtime.calls import Call
from ordermesh.runtime.fields import Violations, request_id_or_new
from ordermesh.runtime.gate import Answer
from ordermesh.runtime.pages import PageRequest
from ordermesh.runtime.problems import Problem
from ordermesh.runtime.reads import Readable, wanted
from ordermesh.runtime.resources import resource_bytes
from ordermesh.shipping.model import SERVICE, SHIPMENT, parse_shipment_id, shipment_key

SHIPMENT_NUMBER_MAX = 2**31 - 1
"""As far as an int32 goes."""


class ShippingService:
    """The methods of oms.shipping.v1.ShippingService."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        aggregate = backend.registry.kinds[SHIPMENT]
        self._readable = Readable(SERVICE, aggregate, lambda state: int(state.shipment.version))

    async def GetShipment(
        self, request: shipping_service_pb2.GetShipmentRequest, call: Call
    ) -> shipping_service_pb2.GetShipmentResponse:
        """Reads a shipment as fresh as asked for."""
        violations = Violations()
        key = _key(request.shipment_id, violations, call)
        violations.check()
        want = wanted(request.read_consistency, request.min_version, call.answer_timeout_s)
        found = await self._backend.reads.read(self._readable, key, want)
        if found is None:
            message = f"There is no shipment {request.shipment_id}; list the shipments of its order."
            raise Problem("SHIPMENT_NOT_FOUND", message, metadata={"shipment_id": request.shipment_id})
        return shipping_service_pb2.GetShipmentResponse(shipment=found.state.shipment, freshness=found.freshness)

    async def ListShipments(
        self, request: shipping_service_pb2.ListShipmentsRequest, call: Call
    ) -> shipping_service_pb2.ListShipmentsResponse:
        """Reads the shipments of an order, by number."""
        violations = Violations()
        order_id = violations.order_id("order_id", request.order_id)
        page = PageRequest.of(f"shipments of {call.tenant}/{order_id}", request, violations)
        violations.check()
        found = await self._backend.page(self._readable.aggregate.table, (call.tenant, order_id), page)
        shipments = [self._shipment_of(row) for row in found.rows]
        shipments.sort(key=lambda shipment: parse_shipment_id(shipment.shipment_id)[1])
        return shipping_service_pb2.ListShipmentsResponse(shipments=shipments, next_page_token=found.next_token)

    async def DispatchShipment(
        self, request: shipping_service_pb2.DispatchShipmentRequest, call: Call
    ) -> shipping_service_pb2.DispatchShipmentResponse:
        """Says that a shipment left."""
        violations = Violations()
        key = _key(request.shipment_id, violations, call)
        violations.text("tracking", request.tracking, required=False)
        violations.text("request_id", request.request_id, required=False)
        violations.check()
        command = shipping_commands_pb2.Dispatch(
            number=int(key.sub_key), tracking=request.tracking, request_id=request_id_or_new(request.request_id)
        )
        response = shipping_service_pb2.DispatchShipmentResponse()
        response.persistence = _fill(response.shipment, await self._backend.send(SERVICE, key, command, call))
        return response

    async def DeliverShipment(
        self, request: shipping_service_pb2.DeliverShipmentRequest, call: Call
    ) -> shipping_service_pb2.DeliverShipmentResponse:
        """Says that a shipment arrived."""
        violations = Violations()
        key = _key(request.shipment_id, violations, call)
        violations.text("request_id", request.request_id, required=False)
        violations.check()
        command = shipping_commands_pb2.Deliver(
            number=int(key.sub_key), request_id=request_id_or_new(request.request_id)
        )
        response = shipping_service_pb2.DeliverShipmentResponse()
        response.persistence = _fill(response.shipment, await self._backend.send(SERVICE, key, command, call))
        return response

    @staticmethod
    def _shipment_of(row: Mapping[str, Any]) -> shipping_pb2.Shipment:
        return shipping_state_pb2.StoredShipment.FromString(row["state"]).shipment


def _key(shipment_id: str, violations: Violations, call: Call) -> Key:
    """The key of the shipment that an id names."""
    try:
        order_id, number = parse_shipment_id(shipment_id)
    except ValueError as error:
        violations.add("shipment_id", str(error))
        return shipment_key(call.tenant, "", 1)
    if number > SHIPMENT_NUMBER_MAX:
        violations.add("shipment_id", "has a number that no shipment has")
    return shipment_key(call.tenant, violations.order_id("shipment_id", order_id), number)


def _fill(shipment: shipping_pb2.Shipment, answer: Answer) -> consistency_pb2.Persistence:
    """Puts the shipment as it is now into a response, and says how durable it is."""
    shipment.MergeFromString(resource_bytes(answer.state))
    return persistence_of(answer)
