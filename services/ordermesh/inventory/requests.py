"""Requests about counting and lists, checked and made into commands: what the API of inventory asks its partitions."""

from __future__ import annotations

from typing import Final

from oms.inventory.v1 import inventory_commands_pb2, inventory_service_pb2
from oms.inventory.v1.inventory_pb2 import StockReason
from ordermesh.core import limits
from ordermesh.core.decider import Key
from ordermesh.inventory.listing import Wanted
from ordermesh.inventory.model import stock_key
from ordermesh.runtime.calls import Call
from ordermesh.runtime.fields import Violations, request_id_or_new

AGE_SECONDS_MAX: Final = 100 * 366 * 86_400
"""Of a reservation that is looked for: a hundred years, which a timestamp holds."""


def count_of(
    request: inventory_service_pb2.CountStockRequest, call: Call
) -> tuple[Key, inventory_commands_pb2.CountStock]:
    """The command of a count. Raises Problem for one that cannot be."""
    violations = Violations()
    violations.text("sku", request.sku)
    violations.enum("reason_code", request.reason_code, StockReason.DESCRIPTOR)
    violations.text("reason", request.reason, required=False, characters_max=limits.REASON_CHARACTERS_MAX)
    violations.text("request_id", request.request_id, required=False)
    violations.etag("etag", request.etag)
    _pieces("counted", request.counted, violations)
    violations.check()
    command = inventory_commands_pb2.CountStock(
        counted=request.counted,
        reason_code=request.reason_code,
        reason=request.reason,
        allow_shortage=request.allow_shortage,
        request_id=request_id_or_new(request.request_id),
        etag=request.etag,
    )
    return stock_key(call.tenant, request.sku), command


def threshold_of(
    request: inventory_service_pb2.SetLowStockThresholdRequest, call: Call
) -> tuple[Key, inventory_commands_pb2.SetLowStockThreshold]:
    """The command of a threshold. Raises Problem for one that cannot be."""
    violations = Violations()
    violations.text("sku", request.sku)
    violations.text("request_id", request.request_id, required=False)
    violations.etag("etag", request.etag)
    _pieces("threshold", request.threshold, violations)
    violations.check()
    command = inventory_commands_pb2.SetLowStockThreshold(
        threshold=request.threshold if request.HasField("threshold") else None,
        request_id=request_id_or_new(request.request_id),
        etag=request.etag,
    )
    return stock_key(call.tenant, request.sku), command


def wanted_reservations(
    request: inventory_service_pb2.ListStockReservationsRequest, now_us: int, violations: Violations
) -> Wanted:
    """Which reservations are asked for; adds to the violations what they cannot be."""
    age = request.min_age
    if not 0 <= age.seconds <= AGE_SECONDS_MAX or not 0 <= age.nanos < 1_000_000_000:
        violations.add("min_age", f"has to be from 0 to {AGE_SECONDS_MAX} seconds")
    return Wanted(now_us, age.seconds * 1_000_000 + age.nanos // 1_000, request.include_closed)


def _pieces(field: str, value: int, violations: Violations) -> None:
    """A number of pieces, 0 being one."""
    if not 0 <= value <= limits.QUANTITY_MAX:
        violations.add(field, f"is {value}; it has to be from 0 to {limits.QUANTITY_MAX}")
