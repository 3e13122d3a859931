"""What a payment and its provider disagree about, by itself: each difference has its name, what is right has none."""

from __future__ import annotations

import time
from typing import Any

import pytest
from google.type.money_pb2 import Money

from oms.admin.v1 import admin_pb2
from oms.order.v1 import order_pb2
from oms.order.v1.order_state_pb2 import StoredOrder
from oms.payment.v1 import payment_commands_pb2 as commands
from oms.payment.v1 import payment_pb2
from oms.payment.v1.payment_state_pb2 import StoredPayment
from ordermesh.admin import orders_audit
from ordermesh.admin import payment_differences as differing
from ordermesh.admin.ledger import Sums
from ordermesh.admin.order_rest import Parts
from ordermesh.order.model import OrderPolicy, order_key
from ordermesh.payment.provider import ProviderHold

Kind = admin_pb2.PaymentDifference
UNKNOWN = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77"
OURS = payment_pb2.Payment(
    order_id=UNKNOWN,
    status=payment_pb2.PAYMENT_STATUS_CAPTURED,
    authorized=Money(currency_code="GBP", units=12),
    captured=Money(currency_code="GBP", units=12),
    reference="pi_1",
)
UNIT = 1_000_000_000


def hold(**more: Any) -> ProviderHold:
    """The provider's side of `OURS`."""
    fields: dict[str, Any] = {"reference": "pi_1", "authorized": 12 * UNIT, "captured": 12 * UNIT, "refunds": {}}
    return ProviderHold(order_id=UNKNOWN, currency_code="GBP", **{**fields, **more})


def ours(**more: Any) -> payment_pb2.Payment:
    """`OURS`, changed."""
    found = payment_pb2.Payment()
    found.CopyFrom(OURS)
    found.MergeFrom(payment_pb2.Payment(**more))
    return found


HELD = {"captured": 0}
AUTHORIZED = payment_pb2.Payment(
    order_id=UNKNOWN,
    status=payment_pb2.PAYMENT_STATUS_AUTHORIZED,
    authorized=Money(currency_code="GBP", units=12),
    reference="pi_1",
)
VOIDED = payment_pb2.Payment(
    order_id=UNKNOWN,
    status=payment_pb2.PAYMENT_STATUS_VOIDED,
    authorized=Money(currency_code="GBP", units=12),
    voided=Money(currency_code="GBP", units=12),
    reference="pi_1",
)
CANCELLED = order_pb2.Order(order_state=order_pb2.ORDER_STATE_CANCELLED)
PLACED = order_pb2.Order(order_state=order_pb2.ORDER_STATE_PLACED)
COMPLETED = order_pb2.Order(order_state=order_pb2.ORDER_STATE_COMPLETED)
REFUNDED = ours(
    refunds=[
        payment_pb2.PaymentOperation(
            operation_id="r", amount=Money(currency_code="GBP", units=2), status=payment_pb2.OPERATION_STATUS_DONE
        )
    ],
    refunded=Money(currency_code="GBP", units=2),
)

SETTLED = payment_pb2.Payment(
    order_id=UNKNOWN,
    status=payment_pb2.PAYMENT_STATUS_CAPTURED,
    authorized=Money(currency_code="GBP", units=8),
    captured=Money(currency_code="GBP", units=8),
    adjustments=[
        payment_pb2.PaymentOperation(
            operation_id=name, amount=Money(currency_code="GBP", units=units), status=payment_pb2.OPERATION_STATUS_DONE
        )
        for name, units in (("7", 5), ("end", -4))
    ],
    reference="pi_1",
)
"""Seven were held, then twelve, and four of these were not needed."""


@pytest.mark.parametrize(
    ("payment", "order", "holds", "expected"),
    [
        (OURS, None, [hold()], []),
        (OURS, None, [], [("MISSING_AT_PROVIDER", False)]),
        (OURS, None, [hold(reference="pi_2")], [("CAPTURED_IN_VAIN", False), ("MISSING_AT_PROVIDER", False)]),
        (OURS, None, [hold(authorized=13 * UNIT)], [("AUTHORIZED_DIFFERS", False)]),
        (OURS, None, [hold(captured=11 * UNIT)], [("CAPTURED_DIFFERS", False)]),
        (OURS, None, [hold(), hold(reference="pi_2", **HELD)], [("HELD_TWICE", True)]),
        (OURS, None, [hold(), hold(reference="pi_2")], [("CAPTURED_IN_VAIN", False)]),
        (OURS, None, [hold(), hold(reference="pi_2", refunded=12 * UNIT)], []),
        (OURS, None, [hold(refunds={"re_1": UNIT})], [("REFUND_UNKNOWN", False)]),
        (REFUNDED, None, [hold(refunds={"r": 2 * UNIT})], []),
        (REFUNDED, None, [hold()], [("REFUND_MISSING", True)]),
        (REFUNDED, None, [hold(refunds={"r": UNIT})], [("REFUND_DIFFERS", False)]),
        (SETTLED, None, [hold(captured=8 * UNIT, voided=4 * UNIT)], []),
        (SETTLED, None, [hold(authorized=8 * UNIT, captured=8 * UNIT)], [("AUTHORIZED_DIFFERS", False)]),
        (AUTHORIZED, None, [hold(**HELD)], []),
        (AUTHORIZED, CANCELLED, [hold(**HELD)], [("HELD_AFTER_END", True)]),
        (AUTHORIZED, None, [hold(captured=0, voided=12 * UNIT)], [("HOLD_GONE", False)]),
        (VOIDED, CANCELLED, [hold(captured=0, voided=12 * UNIT)], []),
        (VOIDED, CANCELLED, [hold(**HELD)], [("HELD_AFTER_END", True)]),
        (VOIDED, CANCELLED, [hold()], [("CAPTURED_IN_VAIN", False)]),
        (None, None, [hold(**HELD)], [("UNKNOWN_ORDER", True)]),
        (None, None, [hold()], [("UNKNOWN_ORDER", False)]),
        (None, CANCELLED, [hold(**HELD)], [("UNKNOWN_ORDER", True)]),
        (None, PLACED, [hold(**HELD)], [("UNKNOWN_ORDER", False)]),
        (None, COMPLETED, [hold(**HELD)], [("UNKNOWN_ORDER", False)]),
        (None, None, [hold(captured=0, voided=12 * UNIT)], []),
        (None, None, [hold(captured=0, voided=24 * UNIT)], []),
        (OURS, None, [hold(), hold(reference="pi_2", captured=0, voided=24 * UNIT)], []),
        (VOIDED, CANCELLED, [hold(captured=0, voided=24 * UNIT)], []),
    ],
)
def test_each_difference_has_its_name(
    payment: payment_pb2.Payment | None,
    order: order_pb2.Order | None,
    holds: list[ProviderHold],
    expected: list[tuple[str, bool]],
) -> None:
    found = list(differing.differences(UNKNOWN, order, payment, holds, time.time_ns() // 1_000))

    told = [(Kind.Name(each.kind).removeprefix("PAYMENT_DIFFERENCE_"), each.mend is not None) for each in found]
    assert told == expected


@pytest.mark.parametrize(
    ("payment", "order", "found", "is_right"),
    [
        (AUTHORIZED, None, hold(**HELD), True),
        (AUTHORIZED, CANCELLED, hold(**HELD), False),
        (AUTHORIZED, None, hold(captured=0, voided=12 * UNIT), False),
        (AUTHORIZED, None, hold(authorized=13 * UNIT, **HELD), False),
        (AUTHORIZED, None, hold(reference="pi_2", **HELD), False),
        (VOIDED, CANCELLED, hold(captured=0, voided=12 * UNIT), True),
        (None, None, hold(**HELD), False),
    ],
)
def test_what_is_held_is_right_at_a_glance_where_its_order_goes_on(
    payment: payment_pb2.Payment | None, order: order_pb2.Order | None, found: ProviderHold, is_right: bool
) -> None:
    assert differing.looks_right(payment, found, order) == is_right


def test_what_was_adjusted_looks_right_at_a_glance() -> None:
    assert differing.looks_right(SETTLED, hold(captured=8 * UNIT, voided=4 * UNIT))
    assert not differing.looks_right(SETTLED, hold(captured=8 * UNIT))


@pytest.mark.parametrize(("age_us", "count"), [(differing.STALE_US - 1_000_000, 0), (differing.STALE_US + 1, 1)])
def test_what_is_being_asked_is_told_only_when_it_has_lasted(age_us: int, count: int) -> None:
    now_us = time.time_ns() // 1_000
    asking = payment_pb2.Payment(status=payment_pb2.PAYMENT_STATUS_AUTHORIZING)
    asking.update_time.FromMicroseconds(now_us - age_us)

    found = list(differing.differences(UNKNOWN, None, asking, [hold(reference="pi_9")], now_us))

    assert [each.mend for each in found] == [commands.Check()] * count


def test_the_release_of_a_payment_s_own_hold_is_its_void() -> None:
    """It ended with nothing, and the provider, which had lost that, held it still."""
    order = StoredOrder(order=order_pb2.Order(order_id=UNKNOWN, order_state=order_pb2.ORDER_STATE_CANCELLED))
    parts = Parts(order_key("default", UNKNOWN), order, StoredPayment(payment=VOIDED), {}, {})

    sums = Sums()

    def problems() -> int:
        return sum(each.invariant == "I4" for each in orders_audit.problems_of(parts, sums, 0, OrderPolicy()))

    sums.add("authorize", 12 * UNIT)
    sums.add("authorize", 12 * UNIT)
    assert problems() == 1
    sums.add("release", 12 * UNIT, "a second one")
    assert problems() == 1, "it counts as never held"
    sums.add("release", 12 * UNIT, "pi_1")
    assert problems() == 0
    sums.add("release", 12 * UNIT, "pi_1")
    assert problems() == 1, "let go of twice"
