"""Stripe's answers that are not yet, or not any more, what they seem: looks, half made and failed ones, odd keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from ordermesh.core.money import NANOS_PER_UNIT
from ordermesh.payment.provider import ProviderUnreachable
from ordermesh.testing.stripe_fake.account import REFUND_FAILS
from ordermesh.testing.stripe_fake.server import Fault, StripeFake
from tests.integration.till import ADJUST, AUTHORIZE, CAPTURE, HOUR_S, ORDER, REFUND, VOID, Till


@pytest_asyncio.fixture
async def till() -> AsyncIterator[Till]:
    """An account that allows one capture of a hold."""
    async with StripeFake() as fake:
        found = Till(fake)
        yield found
        await found.provider.close()


@pytest.mark.parametrize(("amount", "code"), [("5 GBP", "nothing_authorized"), ("-5 GBP", "")])
async def test_what_is_not_held_at_all_is_not_adjusted_once_that_is_sure(till: Till, amount: str, code: str) -> None:
    """Of an order that cost nothing there is no PaymentIntent, which a search that lags cannot say at once."""
    with pytest.raises(ProviderUnreachable):
        await till.ask(ADJUST, amount, operation_id="7")

    till.later(1.1 * HOUR_S)
    result = await till.ask(ADJUST, amount, operation_id="7")

    assert (result.approved, result.code) == (not code, code)
    assert not till.fake.account.intents


@pytest.mark.parametrize(
    "status", ["requires_payment_method", "requires_confirmation", "requires_action", "processing"]
)
async def test_a_look_at_what_stripe_is_still_making_neither_decides_nor_cancels(till: Till, status: str) -> None:
    """A slow bank: the webhook that the PaymentIntent is made comes before the answer to the call that makes it."""
    reference = await till.authorized()
    intent = till.fake.account.intents[reference]
    intent["status"] = status

    assert (await till.ask(AUTHORIZE, look_only=True)).not_found
    assert not till.fake.calls["cancel"]

    intent["status"] = "requires_capture"
    result = await till.ask(AUTHORIZE, look_only=True)
    assert (result.approved, result.reference) == (True, reference)


async def test_a_look_finds_a_decline(till: Till) -> None:
    await till.ask(AUTHORIZE, payment_token="pm_card_visa_chargeDeclined")

    looked = await till.ask(AUTHORIZE, payment_token="pm_card_visa_chargeDeclined", look_only=True)

    assert (looked.approved, looked.not_found, looked.code) == (False, False, "generic_decline")


async def test_what_was_left_half_made_ends_in_a_decline_once_nobody_makes_it_any_more(till: Till) -> None:
    reference = await till.authorized()
    intent = till.fake.account.intents[reference]
    intent["status"], intent["latest_charge"], intent["amount_capturable"] = "requires_payment_method", None, 0

    with pytest.raises(ProviderUnreachable):
        await till.ask(AUTHORIZE, look_up=True)
    assert intent["status"] == "requires_payment_method"
    till.later(1.1 * HOUR_S)
    result = await till.ask(AUTHORIZE)

    assert (result.approved, result.code) == (False, "card_declined")
    assert intent["status"] == "canceled"


async def test_a_refund_that_fails_is_declined(till: Till) -> None:
    reference = await till.authorized(payment_token=REFUND_FAILS)
    await till.ask(CAPTURE, operation_id="1", reference=reference)

    result = await till.ask(REFUND, "5 GBP", operation_id="r", reference=reference)
    too_much = await till.ask(REFUND, "50 GBP", operation_id="s", reference=reference)

    assert (result.approved, result.code) == (False, "expired_or_canceled_card")
    assert (too_much.approved, too_much.code) == (False, "amount_too_large")


async def test_with_the_key_of_another_account_nothing_is_declined(till: Till) -> None:
    """It does not know the PaymentIntent, which says nothing about the one that does."""
    reference = await till.authorized()
    async with StripeFake() as elsewhere:
        stranger = Till(elsewhere)
        for operation, amount in ((ADJUST, "5 GBP"), (CAPTURE, "12.50 GBP"), (REFUND, "5 GBP"), (VOID, "12.50 GBP")):
            with pytest.raises(ProviderUnreachable):
                await stranger.ask(operation, amount, operation_id="1", reference=reference)
        await stranger.provider.close()

    await till.ask(CAPTURE, operation_id="1", reference=reference)
    assert (await till.ask(REFUND, "5 GBP", operation_id="1", reference=reference)).approved


async def test_a_refund_that_failed_after_it_was_approved_is_given_when_it_is_asked_for_again(till: Till) -> None:
    """By the next attempt, once; the first attempt stays declined, whoever looks at it."""
    reference = await till.authorized()
    await till.ask(CAPTURE, operation_id="1", reference=reference)
    more: dict[str, Any] = {"operation_id": "r", "reference": reference}
    assert (await till.ask(REFUND, "5 GBP", **more)).approved
    (failed,) = till.fake.account.refunds
    till.fake.account.fail_refund(failed)
    till.later(48 * HOUR_S)
    looked = await till.ask(REFUND, "5 GBP", **more, look_only=True)
    assert (looked.approved, looked.code) == (False, "expired_or_canceled_card")

    till.asked_us = till.now_us()
    again = {**more, "attempt": 1, "look_up": True}
    till.fake.fail("refund", Fault.LOST_AFTER)
    with pytest.raises(ProviderUnreachable):
        await till.ask(REFUND, "5 GBP", **again)
    results = [await till.ask(REFUND, "5 GBP", **again) for _ in range(2)]
    till.later(3 * HOUR_S)
    results.append(await till.ask(REFUND, "5 GBP", **again))

    assert [each.approved for each in results] == [True] * 3
    assert till.effects["given back"] == 500
    (hold,) = await till.provider.find(ORDER, [reference])
    assert hold.refunds == {"r": 5 * NANOS_PER_UNIT}
