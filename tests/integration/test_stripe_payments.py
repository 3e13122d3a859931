"""Stripe: whatever goes wrong on the way, an operation takes effect once, and what cannot be is declined for good."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from google.type.money_pb2 import Money

from oms.payment.v1.payment_commands_pb2 import (
    ProviderRequest,
    ProviderResult,
)
from ordermesh.adapters import stripe_keys
from ordermesh.adapters.stripe_calls import StripeOptions
from ordermesh.adapters.stripe_payments import StripePayments
from ordermesh.adapters.stripe_records import SEARCHES_PER_S
from ordermesh.core.money import NANOS_PER_UNIT
from ordermesh.payment.provider import ProviderUnreachable
from ordermesh.testing.stripe_fake.server import Fault, StripeFake
from tests.integration.till import AUTHORIZE, CAPTURE, DEPLOYMENT, HOUR_S, ORDER, REFUND, VOID, Till


@pytest_asyncio.fixture
async def till() -> AsyncIterator[Till]:
    """An account that allows one capture of a hold."""
    async with StripeFake() as fake:
        found = Till(fake)
        yield found
        await found.provider.close()


@pytest_asyncio.fixture
async def impatient() -> AsyncIterator[Till]:
    """The same, waiting a second."""
    async with StripeFake() as fake:
        found = Till(fake, timeout_s=1.0)
        yield found
        await found.provider.close()


STEPS = {
    "create": (AUTHORIZE, {"held": 1250, "taken": 0, "given back": 0}),
    "capture": (CAPTURE, {"held": 0, "taken": 1250, "given back": 0}),
    "cancel": (VOID, {"held": 0, "taken": 0, "given back": 0}),
    "refund": (REFUND, {"held": 0, "taken": 1250, "given back": 1250}),
}
REPLAYED_ERRORS = (Fault.ERROR_BEFORE, Fault.ERROR_AFTER)


@pytest.mark.parametrize("fault", [each for each in Fault if each not in {*REPLAYED_ERRORS, Fault.SLOW}])
@pytest.mark.parametrize("operation", STEPS)
async def test_an_unknown_outcome_is_asked_again_and_takes_effect_once(
    impatient: Till, operation: str, fault: Fault
) -> None:
    till = impatient
    step, expected = STEPS[operation]
    more: dict[str, Any] = {} if step == AUTHORIZE else {"reference": await till.authorized()}
    if step == REFUND:
        await till.ask(CAPTURE, operation_id="1", **more)
    more["operation_id"] = "" if step in (AUTHORIZE, VOID) else "1"
    till.fake.fail(operation, fault)

    with pytest.raises(ProviderUnreachable):
        await till.ask(step, **more)

    assert (await till.ask(step, **more)).approved
    assert (await till.ask(step, **more)).approved
    assert till.effects == expected


@pytest.mark.parametrize("fault", REPLAYED_ERRORS)
@pytest.mark.parametrize("operation", ["create", "capture", "refund"])
async def test_an_error_that_stripe_repeats_under_the_key_is_got_over(till: Till, operation: str, fault: Fault) -> None:
    """Stripe answers a 500 again for 24 hours: what was done is looked up in the second hour, and if it was not, it is
    asked under another key in the third."""
    step, expected = STEPS[operation]
    more: dict[str, Any] = {} if step == AUTHORIZE else {"reference": await till.authorized()}
    if step == REFUND:
        await till.ask(CAPTURE, operation_id="1", **more)
    more["operation_id"] = "" if step == AUTHORIZE else "1"
    till.fake.fail(operation, fault)
    for _ in range(3):
        with pytest.raises(ProviderUnreachable):
            await till.ask(step, **more)
    calls = till.fake.calls[operation]

    till.later(1.1 * HOUR_S)
    if fault is Fault.ERROR_BEFORE:
        with pytest.raises(ProviderUnreachable):
            await till.ask(step, **more)
        assert till.fake.calls[operation] == calls, "nothing is sent while Stripe's search catches up"
        till.later(HOUR_S)

    assert (await till.ask(step, **more)).approved
    assert till.effects == expected


async def test_a_key_that_stripe_has_forgotten_authorises_nothing_twice(till: Till) -> None:
    till.fake.fail("create", Fault.LOST_AFTER)
    with pytest.raises(ProviderUnreachable):
        await till.ask(AUTHORIZE)

    till.later(25 * HOUR_S)
    result = await till.ask(AUTHORIZE)

    assert result.approved
    assert result.reference in till.fake.account.intents
    assert till.effects["held"] == 1250
    assert till.fake.calls["create"] == 1


async def test_a_search_that_lags_authorises_nothing_twice(till: Till) -> None:
    till.later(1.9 * HOUR_S)
    till.asked_us = till.now_us() - round(0.99 * HOUR_S * 1_000_000)
    till.fake.search_lag_s = 0.9 * HOUR_S
    till.fake.fail("create", Fault.LOST_AFTER)
    with pytest.raises(ProviderUnreachable):
        await till.ask(AUTHORIZE)

    for _ in range(20):
        till.later(0.1 * HOUR_S)
        try:
            assert (await till.ask(AUTHORIZE)).approved
        except ProviderUnreachable:
            continue

    assert till.effects["held"] == 1250


async def test_two_who_ask_for_the_same_at_once_get_one(till: Till) -> None:
    reference = await till.authorized()
    await till.ask(CAPTURE, operation_id="1", reference=reference)
    till.fake.fail("refund", Fault.SLOW)

    async def one() -> ProviderResult | ProviderUnreachable:
        try:
            return await till.ask(REFUND, "5 GBP", operation_id="r", reference=reference)
        except ProviderUnreachable as error:
            return error

    first, second = await asyncio.gather(one(), one())

    assert {type(first), type(second)} == {ProviderResult, ProviderUnreachable}
    assert "409" in str(first if isinstance(first, ProviderUnreachable) else second)
    assert till.effects["given back"] == 500


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_authenticationRequired", "authentication_required"),
        ("pm_card_unheard_of", "resource_missing"),
    ],
)
async def test_a_decline_is_definite_with_its_code(till: Till, token: str, code: str) -> None:
    first = await till.ask(AUTHORIZE, payment_token=token)
    again = await till.ask(AUTHORIZE, payment_token=token)
    till.later(2.5 * HOUR_S)
    later = await till.ask(AUTHORIZE, payment_token=token)

    assert [(each.approved, each.code) for each in (first, again, later)] == [(False, code)] * 3
    assert till.effects["held"] == 0


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("2.955 GBP", "amount_not_expressible"),
        ("500.5 JPY", "amount_not_expressible"),
        ("5.124 KWD", "amount_not_expressible"),
        ("12.5 ISK", "amount_not_expressible"),
        ("0.10 GBP", "amount_too_small"),
        ("1000000 GBP", "amount_too_large"),
        ("9223372036854775807 GBP", "amount_not_expressible"),
    ],
)
async def test_an_amount_that_cannot_be_charged_is_declined_for_good(till: Till, amount: str, code: str) -> None:
    result = await till.ask(AUTHORIZE, amount)

    assert (result.approved, result.code) == (False, code)
    assert not till.effects["held"]


@pytest.mark.parametrize(
    ("amount", "told", "nanos"),
    [
        ("12.50 GBP", 1250, 12_500_000_000),
        ("500 JPY", 500, 500 * NANOS_PER_UNIT),
        ("5.12 KWD", 5120, 5_120_000_000),
        ("12 ISK", 1200, 12 * NANOS_PER_UNIT),
        ("300 UGX", 30000, 300 * NANOS_PER_UNIT),
    ],
)
async def test_amounts_are_told_in_the_currency_s_smallest_unit_and_come_back(
    till: Till, amount: str, told: int, nanos: int
) -> None:
    result = await till.ask(AUTHORIZE, amount)
    (hold,) = await till.provider.find(ORDER, [result.reference])

    assert till.effects["held"] == told
    assert (hold.held, hold.currency_code) == (nanos, amount.split()[1])


async def test_what_costs_nothing_needs_no_provider(till: Till) -> None:
    for operation in (AUTHORIZE, CAPTURE, VOID):
        assert (await till.ask(operation, "0 GBP")).approved

    assert not till.fake.calls


async def test_one_capture_of_a_part_lets_go_of_the_rest_and_a_second_is_declined(till: Till) -> None:
    reference = await till.authorized()
    left = Money(currency_code="GBP", units=7)

    first = await till.ask(CAPTURE, "5.50 GBP", operation_id="1", reference=reference, left=left)
    second = await till.ask(CAPTURE, "7 GBP", operation_id="2", reference=reference)

    assert first.approved
    assert (second.approved, second.code) == (False, "multicapture_unavailable")
    assert till.effects == {"held": 0, "taken": 550, "given back": 0}
    (hold,) = await till.provider.find(ORDER, [reference])
    assert (hold.captured, hold.voided) == (5_500_000_000, 7 * NANOS_PER_UNIT)


async def test_an_account_that_may_captures_a_hold_in_parts() -> None:
    async with StripeFake(has_multicapture=True) as fake:
        till = Till(fake)
        reference = await till.authorized()
        left = Money(currency_code="GBP", units=7)

        first = await till.ask(CAPTURE, "5.50 GBP", operation_id="1", reference=reference, left=left)
        again = await till.ask(CAPTURE, "5.50 GBP", operation_id="1", reference=reference, left=left, look_up=True)
        assert till.effects == {"held": 700, "taken": 550, "given back": 0}
        second = await till.ask(CAPTURE, "7 GBP", operation_id="2", reference=reference)

        assert first.approved
        assert again.approved
        assert second.approved
        assert till.effects == {"held": 0, "taken": 1250, "given back": 0}
        await till.provider.close()


async def test_a_declined_capture_that_is_tried_again_is_asked_under_another_key(till: Till) -> None:
    reference = await till.authorized()
    intent = till.fake.account.intents[reference]
    intent["status"] = "processing"
    first = await till.ask(CAPTURE, operation_id="1", reference=reference)
    intent["status"] = "requires_capture"

    second = await till.ask(CAPTURE, operation_id="1", reference=reference, attempt=1)

    assert (first.approved, first.code) == (False, "payment_intent_unexpected_state")
    assert second.approved
    assert till.effects["taken"] == 1250


@pytest.mark.parametrize(("reason", "code"), [("automatic", "authorization_expired"), (None, "authorization_canceled")])
async def test_a_hold_that_is_gone_cannot_be_taken(till: Till, reason: str | None, code: str) -> None:
    reference = await till.authorized()
    till.fake.account.cancel(reference, reason)

    result = await till.ask(CAPTURE, operation_id="1", reference=reference)

    assert (result.approved, result.code) == (False, code)
    assert (await till.ask(VOID, reference=reference)).approved


async def test_a_hold_without_a_name_is_let_go_of_once_it_can_be_found(till: Till) -> None:
    await till.authorized()
    till.fake.search_lag_s = 0.5 * HOUR_S
    with pytest.raises(ProviderUnreachable):
        await till.ask(VOID)

    till.later(0.6 * HOUR_S)

    assert (await till.ask(VOID)).approved
    assert till.effects["held"] == 0


async def test_what_another_deployment_has_at_the_account_is_not_ours(till: Till) -> None:
    other = StripePayments(
        StripeOptions(api_key=till.fake.api_key, deployment_id="two", api_base=till.fake.url), till.now_us
    )
    assert (await other.execute(till.request(AUTHORIZE), "key")).approved
    assert (await till.ask(AUTHORIZE)).approved
    await other.close()

    assert till.effects["held"] == 2500
    assert len(await till.provider.find(ORDER)) == 1
    assert len([hold async for hold in till.provider.list_holds(0, till.now_us() + 2_000_000)]) == 1


async def test_long_lists_are_read_whole(till: Till) -> None:
    for number in range(230):
        till.fake.account.create(
            {
                "amount": "1000",
                "currency": "gbp",
                "capture_method": "manual",
                "payment_method": "pm_card_visa",
                "confirm": "true",
                "metadata": {"ordermesh_order": f"order-{number}", "ordermesh_deployment": DEPLOYMENT},
            }
        )

    holds = [hold async for hold in till.provider.list_holds(0, till.now_us() + 2_000_000)]

    assert {hold.order_id for hold in holds} == {f"order-{number}" for number in range(230)}
    assert len(holds) == 230


async def test_searches_begin_no_faster_than_stripe_allows(till: Till) -> None:
    begun = time.monotonic()

    await asyncio.gather(*(till.provider.find(ORDER) for _ in range(7)))

    assert till.fake.calls["search"] == 7
    assert time.monotonic() - begun >= 6 / SEARCHES_PER_S


async def test_nothing_of_a_key_or_a_token_is_told(till: Till, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    options = StripeOptions(api_key="sk_live_a_secret_of_ours", deployment_id=DEPLOYMENT, api_base=till.fake.url)
    stranger = StripePayments(options)

    with pytest.raises(ProviderUnreachable) as raised:
        await stranger.execute(till.request(AUTHORIZE, payment_token="pm_a_token_of_theirs"), "key")
    await stranger.close()

    told = f"{raised.value!r} {options!r} {raised.value.__cause__!r} {caplog.text}"
    assert "401" in told
    for secret in ("secret_of_ours", "token_of_theirs", "3456"):
        assert secret not in told


def test_keys_name_the_operation_and_nothing_else() -> None:
    """Whoever asks for the same gets the same key; other amounts, tokens, attempts or times of day get others."""
    request = ProviderRequest(
        operation=AUTHORIZE, order_id=ORDER, amount=Money(currency_code="GBP", units=5), payment_token="pm_1",
        ask_time_us=1,
    )  # fmt: skip
    key = stripe_keys.attempt_of(request, DEPLOYMENT, 2).key
    others = [
        stripe_keys.attempt_of(request, "another", 2).key,
        stripe_keys.attempt_of(request, DEPLOYMENT, 3 * 3_600_000_000).key,
    ]
    for field, value in (("order_id", "x"), ("payment_token", "pm_2"), ("attempt", 1), ("operation_id", "2")):
        changed = ProviderRequest()
        changed.CopyFrom(request)
        setattr(changed, field, value)
        others.append(stripe_keys.attempt_of(changed, DEPLOYMENT, 2).key)

    assert len({key, *others}) == 7
    request.look_up = True
    assert stripe_keys.attempt_of(request, DEPLOYMENT, 3_000_000).key == key
    assert "pm_1" not in key
