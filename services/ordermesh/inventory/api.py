"""InventoryService: gRPC to commands and reads, and what they answer back to gRPC."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from oms.common.v1 import consistency_pb2
from oms.inventory.v1 import inventory_commands_pb2, inventory_pb2, inventory_service_pb2, inventory_state_pb2
from oms.inventory.v1.inventory_pb2 import StockMovementKind, StockReason
from ordermesh.core import limits
from ordermesh.core.decider import Key
from ordermesh.inventory import rows
from ordermesh.inventory.listing import Place, StockLists, first_place
from ordermesh.inventory.model import RESERVATION, SERVICE, STOCK, stock_key
from ordermesh.inventory.requests import count_of, threshold_of, wanted_reservations
from ordermesh.runtime.backend import Backend, decided_now, persistence_of
from ordermesh.runtime.calls import Call
from ordermesh.runtime.fields import Violations, limited, request_id_or_new
from ordermesh.runtime.gate import Answer, Pending
from ordermesh.runtime.pages import PageRequest
from ordermesh.runtime.problems import Problem
from ordermesh.runtime.reads import Found, Readable, Wanted, wanted
from ordermesh.runtime.resources import resource_bytes


class Posted(NamedTuple):
    """A receipt on its way to its owner; or why it is not."""

    pending: Pending | None
    problem: Problem | None


class InventoryService:
    """The methods of oms.inventory.v1.InventoryService."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        kinds = backend.registry.kinds
        self._stock = Readable(SERVICE, kinds[STOCK], lambda state: int(state.stock.version))
        self._lists = StockLists(backend, kinds[RESERVATION])

    async def ReceiveStock(
        self, request: inventory_service_pb2.ReceiveStockRequest, call: Call
    ) -> inventory_service_pb2.ReceiveStockResponse:
        """Adds to what is on hand."""
        answer = await self._backend.send(SERVICE, *_receipt(request, call), call)
        response = inventory_service_pb2.ReceiveStockResponse()
        response.persistence = _fill(response.stock, answer)
        return response

    async def BatchReceiveStock(
        self, request: inventory_service_pb2.BatchReceiveStockRequest, call: Call
    ) -> inventory_service_pb2.BatchReceiveStockResponse:
        """Adds to what is on hand of many SKUs; one that is refused fails alone."""
        limited("requests", request.requests, "receipts", limits.BATCH_SIZE_MAX)
        posted = [self._post(one, call) for one in request.requests]
        pending = [one.pending for one in posted if one.pending is not None]
        answers = iter(await self._backend.gate.settle(pending, call.answer_timeout_s))
        response = inventory_service_pb2.BatchReceiveStockResponse()
        for one in posted:
            result = response.results.add()
            try:
                if one.problem is not None:
                    raise one.problem
                result.persistence = _fill(result.stock, decided_now(next(answers)))
            except Problem as problem:
                result.status.CopyFrom(problem.status())
        return response

    async def AdjustStock(
        self, request: inventory_service_pb2.AdjustStockRequest, call: Call
    ) -> inventory_service_pb2.AdjustStockResponse:
        """Corrects what is on hand, never below what is reserved."""
        violations = Violations()
        violations.text("sku", request.sku)
        violations.text("reason", request.reason, required=False, characters_max=limits.REASON_CHARACTERS_MAX)
        violations.enum("reason_code", request.reason_code, StockReason.DESCRIPTOR)
        violations.text("request_id", request.request_id, required=False)
        violations.etag("etag", request.etag)
        if request.change == 0 or abs(request.change) > limits.QUANTITY_MAX:
            violations.add("change", f"is {request.change}; it has to be other than 0, up to {limits.QUANTITY_MAX}")
        violations.check()
        command = inventory_commands_pb2.AdjustStock(
            change=request.change,
            reason=request.reason,
            reason_code=request.reason_code,
            request_id=request_id_or_new(request.request_id),
            etag=request.etag,
        )
        answer = await self._backend.send(SERVICE, stock_key(call.tenant, request.sku), command, call)
        response = inventory_service_pb2.AdjustStockResponse()
        response.persistence = _fill(response.stock, answer)
        return response

    async def CountStock(
        self, request: inventory_service_pb2.CountStockRequest, call: Call
    ) -> inventory_service_pb2.CountStockResponse:
        """Sets what is on hand to what was counted."""
        answer = await self._backend.send(SERVICE, *count_of(request, call), call)
        response = inventory_service_pb2.CountStockResponse()
        response.persistence = _fill(response.stock, answer)
        return response

    async def SetLowStockThreshold(
        self, request: inventory_service_pb2.SetLowStockThresholdRequest, call: Call
    ) -> inventory_service_pb2.SetLowStockThresholdResponse:
        """Says from when on stock is low."""
        answer = await self._backend.send(SERVICE, *threshold_of(request, call), call)
        response = inventory_service_pb2.SetLowStockThresholdResponse()
        response.persistence = _fill(response.stock, answer)
        return response

    async def ListStockMovements(
        self, request: inventory_service_pb2.ListStockMovementsRequest, call: Call
    ) -> inventory_service_pb2.ListStockMovementsResponse:
        """Reads the ledger of a SKU."""
        violations = Violations()
        violations.text("sku", request.sku)
        violations.enum("kind", request.kind, StockMovementKind.DESCRIPTOR)
        page = PageRequest.of(f"movements of {call.tenant}/{request.sku}/{request.kind}", request, violations)
        violations.check()
        place = await self._place(request.sku, page, call)
        found, following = await self._lists.movements(call.tenant, request.sku, place, request.kind, page.size)
        response = inventory_service_pb2.ListStockMovementsResponse(movements=found)
        response.next_page_token = self._token(page, following)
        return response

    async def ListStockReservations(
        self, request: inventory_service_pb2.ListStockReservationsRequest, call: Call
    ) -> inventory_service_pb2.ListStockReservationsResponse:
        """Reads for which orders a SKU is reserved."""
        violations = Violations()
        violations.text("sku", request.sku)
        wants = wanted_reservations(request, self._backend.clock.now_us(), violations)
        bound_to = f"reservations of {call.tenant}/{request.sku}/{request.include_closed}/{wants.min_age_us}"
        page = PageRequest.of(bound_to, request, violations)
        violations.check()
        place = await self._place(request.sku, page, call)
        found, following = await self._lists.reservations(call.tenant, request.sku, place, page.size, wants)
        response = inventory_service_pb2.ListStockReservationsResponse(reservations=found)
        response.next_page_token = self._token(page, following)
        return response

    async def GetStock(
        self, request: inventory_service_pb2.GetStockRequest, call: Call
    ) -> inventory_service_pb2.GetStockResponse:
        """Reads the stock of a SKU as fresh as asked for."""
        violations = Violations()
        violations.text("sku", request.sku)
        violations.check()
        want = wanted(request.read_consistency, request.min_version, call.answer_timeout_s)
        found = await self._read(request.sku, want, call)
        return inventory_service_pb2.GetStockResponse(stock=found.state.stock, freshness=found.freshness)

    async def BatchGetStock(
        self, request: inventory_service_pb2.BatchGetStockRequest, call: Call
    ) -> inventory_service_pb2.BatchGetStockResponse:
        """Reads the stock of many SKUs; one that is unknown fails alone."""
        limited("skus", request.skus, "SKUs", limits.BATCH_SIZE_MAX)
        violations = Violations()
        for index, sku in enumerate(request.skus):
            violations.text(f"skus[{index}]", sku)
        if request.read_consistency == consistency_pb2.READ_CONSISTENCY_AT_LEAST:
            violations.add("read_consistency", "cannot be READ_CONSISTENCY_AT_LEAST for many SKUs")
        violations.check()
        want = wanted(request.read_consistency, 0, call.answer_timeout_s)
        results = await asyncio.gather(*(self._result(sku, want, call) for sku in request.skus))
        return inventory_service_pb2.BatchGetStockResponse(results=results)

    async def ListReservations(
        self, request: inventory_service_pb2.ListReservationsRequest, call: Call
    ) -> inventory_service_pb2.ListReservationsResponse:
        """Reads what an order holds, by SKU."""
        violations = Violations()
        order_id = violations.order_id("order_id", request.order_id)
        page = PageRequest.of(f"reservations of {call.tenant}/{order_id}", request, violations)
        violations.check()
        found = await self._backend.page(rows.RESERVATIONS, (call.tenant, order_id), page)
        reservations = [rows.reservation_of_row(row) for row in found.rows]
        return inventory_service_pb2.ListReservationsResponse(
            reservations=reservations, next_page_token=found.next_token
        )

    async def _place(self, sku: str, page: PageRequest, call: Call) -> Place:
        """Where a list of a SKU goes on, or begins. Raises Problem for a SKU that is not known."""
        token = self._backend.pages.open(page.bound_to, page.token)
        if token:
            return Place.unpack(token)
        found = await self._read(sku, wanted(0, 0, call.answer_timeout_s), call)
        return first_place(found.state.stock.version)

    def _token(self, page: PageRequest, place: Place | None) -> str:
        return self._backend.pages.seal(page.bound_to, place.pack()) if place else ""

    def _post(self, request: inventory_service_pb2.ReceiveStockRequest, call: Call) -> Posted:
        try:
            return Posted(self._backend.post(SERVICE, *_receipt(request, call), call), None)
        except Problem as problem:
            return Posted(None, problem)

    async def _read(self, sku: str, want: Wanted, call: Call) -> Found:
        found = await self._backend.reads.read(self._stock, stock_key(call.tenant, sku), want)
        if found is None:
            raise Problem("STOCK_NOT_FOUND", f"Nothing is known of SKU {sku}.", metadata={"sku": sku})
        return found

    async def _result(self, sku: str, want: Wanted, call: Call) -> inventory_service_pb2.BatchGetStockResult:
        try:
            found = await self._read(sku, want, call)
        except Problem as problem:
            return inventory_service_pb2.BatchGetStockResult(status=problem.status())
        state: inventory_state_pb2.StoredStock = found.state
        return inventory_service_pb2.BatchGetStockResult(stock=state.stock, freshness=found.freshness)


def _receipt(
    request: inventory_service_pb2.ReceiveStockRequest, call: Call
) -> tuple[Key, inventory_commands_pb2.ReceiveStock]:
    """The command of a receipt. Raises Problem for one that cannot be."""
    violations = Violations()
    violations.text("sku", request.sku)
    violations.quantity("quantity", request.quantity)
    violations.text("request_id", request.request_id, required=False)
    violations.check()
    command = inventory_commands_pb2.ReceiveStock(
        quantity=request.quantity, request_id=request_id_or_new(request.request_id)
    )
    return stock_key(call.tenant, request.sku), command


def _fill(stock: inventory_pb2.Stock, answer: Answer) -> consistency_pb2.Persistence:
    """Puts the stock as it is now into a response, and says how durable it is."""
    stock.MergeFromString(resource_bytes(answer.state))
    return persistence_of(answer)
