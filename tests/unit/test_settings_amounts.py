"""Amounts in settings: one for each currency, exact, and refused in words where they are none."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from oms.order.v1 import order_commands_pb2 as commands
from oms.order.v1.order_pb2 import PAYMENT_STATE_RETRY
from ordermesh import bootstrap
from ordermesh.order.model import order_key
from ordermesh.runtime.settings import SettingsError, load_settings
from ordermesh.runtime.settings_amounts import amounts
from ordermesh.testing.given import TENANT, given
from tests.unit.orders import ORDER_ID, order_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("GBP:500", {"GBP": 500_000_000_000}),
        ("GBP:0", {"GBP": 0}),
        (" GBP:0.000000001, EUR:649.5 ", {"GBP": 1, "EUR": 649_500_000_000}),
    ],
)
def test_amounts_are_read_exactly(text: str, found: dict[str, int]) -> None:
    assert amounts(text) == found


@pytest.mark.parametrize(
    "text", ["500", "GBP", "gbp:5", "GBP:-1", "GBP:1,GBP:2", "GBP:1,", "GBP:1e3", "GBP:0.0000000001", "GBP:", "£:5"]
)
def test_what_is_no_amount_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="expected CURRENCY:AMOUNT"):
        amounts(text)
    with pytest.raises(SettingsError, match="fraud_review_above"):
        load_settings({"fraud_review_above": text})


def test_the_time_for_another_payment_has_a_limit() -> None:
    assert load_settings({"payment_retry_window_s": 604_800}).payment_retry_window_s == 604_800
    with pytest.raises(SettingsError, match="payment_retry_window_s"):
        load_settings({"payment_retry_window_s": 604_801})


def test_the_time_after_which_a_hold_ends_is_what_orders_are_decided_by() -> None:
    assert bootstrap.order_policy(load_settings({"hold_expire_s": 86_400})).hold_us == 86_400_000_000
    assert bootstrap.order_policy(load_settings({})).hold_us == 0
    with pytest.raises(SettingsError, match="hold_expire_s"):
        load_settings({"hold_expire_s": 31_622_401})


@pytest.mark.parametrize(
    ("given_settings", "answer", "holds", "waits"),
    [
        ({"fraud_review_above": "GBP:59.99"}, commands.PaymentAuthorized(), ["FRAUD_REVIEW"], False),
        ({"fraud_review_above": "GBP:60"}, commands.PaymentAuthorized(), [], False),
        ({"payment_retry_window_s": 60}, commands.PaymentDeclined(code="no"), [], True),
        ({}, commands.PaymentDeclined(code="no"), [], False),
    ],
    ids=["above", "not above", "retry", "no retry"],
)
def test_what_is_set_is_what_orders_are_decided_by(
    given_settings: dict[str, object], answer: Message, holds: list[str], waits: bool
) -> None:
    orders = next(each for each in bootstrap.services(load_settings(given_settings)) if each.name == "order")
    outcome = given(orders).when(ORDER_ID, commands.PlaceOrder(order=order_of()))
    outcome.when(ORDER_ID, commands.StockReserved(skus=["A", "B"])).when(ORDER_ID, answer)

    order = outcome.state(order_key(TENANT, ORDER_ID)).order
    assert [hold.reason for hold in order.holds] == holds
    assert (order.payment_state == PAYMENT_STATE_RETRY) == waits
