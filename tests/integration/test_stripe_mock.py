"""Every call that is made to Stripe is one that the description of its API allows, by Stripe's own stand-in for it.

It keeps no state: what it answers is an example of each object. So this is about requests, and about reading real
objects; what becomes of them is tried with the stand-in that does keep state.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import stripe
from google.type.money_pb2 import Money

from oms.payment.v1.payment_commands_pb2 import (
    PROVIDER_OPERATION_ADJUST,
    PROVIDER_OPERATION_AUTHORIZE,
    PROVIDER_OPERATION_CAPTURE,
    PROVIDER_OPERATION_REFUND,
    PROVIDER_OPERATION_RELEASE,
    PROVIDER_OPERATION_VOID,
    ProviderOperation,
    ProviderRequest,
    ProviderResult,
)
from ordermesh.adapters.nats_cluster import free_ports
from ordermesh.adapters.nats_server import die_with_parent
from ordermesh.adapters.stripe_calls import StripeCalls, StripeOptions, StripeRefused
from ordermesh.adapters.stripe_payments import StripePayments
from ordermesh.payment.provider import NotYet, ProviderUnreachable

ROOT = Path(__file__).resolve().parents[2]
START_S = 30.0
ORDER = "0190a3c5-7e1b-7c3a-9d52-1f6b8a0c4e77"


def stripe_mock() -> str:
    """The program. Where it is missing, tests are skipped, which the summary says; in CI they fail."""
    cached = sorted((ROOT / ".cache" / "stripe-tools").glob("*/stripe-mock"))
    found = os.environ.get("STRIPE_MOCK") or shutil.which("stripe-mock") or (str(cached[-1]) if cached else "")
    if not found:
        missing = "there is no stripe-mock; scripts/stripe-tools builds it, STRIPE_MOCK names one"
        if os.environ.get("CI") or os.environ.get("ORDERMESH_TEST_STRIPE") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where it listens."""
    program = stripe_mock()
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [program, "-http-addr", f"127.0.0.1:{port}", "-strict-version-check=false"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent(),  # noqa: PLW1509 # no thread of a test holds a lock
    ) as process:
        try:
            deadline = time.monotonic() + START_S
            while not answers(url):
                assert time.monotonic() < deadline, "stripe-mock does not answer"
                assert process.poll() is None, "stripe-mock has ended"
                time.sleep(0.05)
            yield url
        finally:
            process.kill()


def answers(url: str) -> bool:
    """Whether anybody does."""
    try:
        urllib.request.urlopen(url, timeout=1).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@pytest.fixture
def options(address: str) -> StripeOptions:
    """A deployment whose Stripe it is."""
    return StripeOptions(api_key="sk_test_123", deployment_id="test", api_base=address)


@pytest_asyncio.fixture
async def provider(options: StripeOptions) -> AsyncIterator[StripePayments]:
    """The provider at it."""
    found = StripePayments(options)
    yield found
    await found.close()


def request(operation: ProviderOperation, **more: Any) -> ProviderRequest:
    """What the payment service asks for."""
    return ProviderRequest(
        operation=operation, order_id=ORDER, amount=Money(currency_code="GBP", units=12),
        ask_time_us=time.time_ns() // 1_000, **more,
    )  # fmt: skip


async def test_an_authorisation_is_a_call_that_stripe_allows(provider: StripePayments) -> None:
    try:
        result = await provider.execute(request(PROVIDER_OPERATION_AUTHORIZE, payment_token="pm_card_visa"), "key")
    except NotYet:
        return  # the example is an intent that nobody has confirmed

    assert result.code not in {"invalid_request", "parameter_unknown"}
    assert result.approved or result.code, "an example of a PaymentIntent, whatever its status"


@pytest.mark.parametrize(
    "operation",
    [PROVIDER_OPERATION_CAPTURE, PROVIDER_OPERATION_VOID, PROVIDER_OPERATION_REFUND, PROVIDER_OPERATION_RELEASE],
)
async def test_what_comes_after_is_allowed_too(provider: StripePayments, operation: ProviderOperation) -> None:
    result = await provider.execute(request(operation, operation_id="1", reference="pi_123"), "key")

    assert isinstance(result, ProviderResult)
    assert result.approved, result.code


async def test_a_capture_with_more_to_come_is_allowed(provider: StripePayments) -> None:
    left = Money(currency_code="GBP", units=5)
    asked = request(PROVIDER_OPERATION_CAPTURE, operation_id="1", reference="pi_123", left=left)

    assert (await provider.execute(asked, "key")).approved


@pytest.mark.parametrize("units", [5, -5], ids=["more", "less"])
async def test_an_adjustment_is_allowed(provider: StripePayments, units: int) -> None:
    asked = request(PROVIDER_OPERATION_ADJUST, operation_id="7", reference="pi_123")
    asked.amount.units = units

    assert (await provider.execute(asked, "key")).approved


async def test_looking_up_and_listing_are_allowed_and_real_objects_are_understood(provider: StripePayments) -> None:
    asked = request(PROVIDER_OPERATION_REFUND, operation_id="1", reference="pi_123", look_only=True)
    assert (await provider.execute(asked, "key")).not_found

    assert await provider.find(ORDER, ["pi_123"]) is not None
    assert [hold async for hold in provider.list_holds(0, 10**15)] == [], "an example is none of ours"


async def test_what_the_description_does_not_allow_is_refused(options: StripeOptions) -> None:
    """Or else the tests above could not fail."""
    calls = StripeCalls(options)
    params: stripe.params.PaymentIntentCreateParams = {"amount": 1000, "currency": "gbp"}
    wrong = {**params, "no_such_parameter": "x"}

    with pytest.raises((StripeRefused, ProviderUnreachable)):
        await calls.call(lambda: calls.intents.create_async(wrong))  # type: ignore[arg-type]  # on purpose
    await calls.close()
