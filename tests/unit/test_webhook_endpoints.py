"""What is decided about webhook endpoints."""

from __future__ import annotations

import pytest

from oms.notification.v1 import webhook_commands_pb2 as commands
from oms.notification.v1 import webhook_events_pb2 as events
from oms.notification.v1 import webhook_pb2
from ordermesh.notification.app import SERVICE
from ordermesh.notification.model import (
    ENDPOINTS_PER_TENANT_MAX,
    HASHED,
    REDELIVERIES_MAX,
    SECRET_OVERLAP_US,
    SECRETS_MAX,
    directory_key,
    endpoint_key,
    signing_secrets,
    wants,
)
from ordermesh.testing.given import TENANT, Outcome, given

KEY = endpoint_key(TENANT, "we_1")
HOUR_US = 3_600_000_000


def create(number: int = 1, secret: str = "whsec_a", request_id: str = "") -> commands.CreateEndpoint:
    """A command that makes an endpoint."""
    return commands.CreateEndpoint(
        endpoint_id=f"we_{number}",
        url="https://shop.example/hooks",
        event_types=["oms.order.*"],
        secret=secret,
        request_id=request_id or f"create {number}",
    )


def made() -> Outcome:
    """An endpoint was made."""
    return given(SERVICE).when(HASHED, create())


def test_an_endpoint_is_made_active_and_listed() -> None:
    outcome = made()

    assert outcome.event_names == ["EndpointCreated", "EndpointListed"]
    endpoint = outcome.state(KEY).endpoint
    assert (endpoint.endpoint_id, endpoint.state, endpoint.etag) == ("we_1", webhook_pb2.ENDPOINT_STATE_ACTIVE, "1")
    assert list(outcome.state(directory_key(TENANT)).endpoint_ids) == ["we_1"]


def test_the_same_request_makes_one_endpoint_and_keeps_its_first_secret() -> None:
    outcome = made().when(HASHED, create(secret="whsec_b"))

    assert outcome.is_silent
    assert signing_secrets(outcome.state(KEY), outcome.now_us) == ["whsec_a"]


def test_a_request_id_used_for_another_url_is_refused() -> None:
    other = create()
    other.url = "https://other.example"

    outcome = made().when(HASHED, other)

    assert outcome.refusal is not None
    assert outcome.refusal.reason == "REQUEST_ID_REUSED"


def test_a_tenant_has_so_many_endpoints_and_no_more() -> None:
    outcome = given(SERVICE)
    for number in range(ENDPOINTS_PER_TENANT_MAX):
        outcome = outcome.when(HASHED, create(number))
        assert outcome.refusal is None

    outcome = outcome.when(HASHED, create(ENDPOINTS_PER_TENANT_MAX))

    assert outcome.refusal is not None
    assert outcome.refusal.reason == "ENDPOINT_LIMIT_REACHED"
    outcome = outcome.when(HASHED, commands.DeleteEndpoint(endpoint_id="we_0"))
    assert outcome.when(HASHED, create(ENDPOINTS_PER_TENANT_MAX)).refusal is None


def test_a_deleted_endpoint_keeps_nothing_and_cannot_come_back() -> None:
    outcome = made().when(HASHED, commands.DeleteEndpoint(endpoint_id="we_1"))

    state = outcome.state(KEY)
    assert (state.deleted, state.endpoint.url, len(state.secrets), len(state.requests)) == (True, "", 0, 0)
    assert not outcome.state(directory_key(TENANT)).endpoint_ids
    assert outcome.when(HASHED, commands.DeleteEndpoint(endpoint_id="we_1")).is_silent
    again = outcome.when(HASHED, create())
    assert again.refusal is not None
    assert again.refusal.reason == "ENDPOINT_NOT_FOUND"


@pytest.mark.parametrize(
    "command",
    [
        commands.UpdateEndpoint(endpoint_id="we_1", url="https://x.example"),
        commands.DeleteEndpoint(endpoint_id="we_1"),
        commands.RotateSecret(endpoint_id="we_1", secret="whsec_b"),
        commands.RequestTestEvent(endpoint_id="we_1"),
        commands.RequestRedelivery(endpoint_id="we_1"),
    ],
    ids=lambda command: type(command).__name__,
)
def test_what_is_not_there_is_not_found(command: commands.UpdateEndpoint) -> None:
    outcome = given(SERVICE).when(HASHED, command)

    assert outcome.refusal is not None
    assert outcome.refusal.reason == "ENDPOINT_NOT_FOUND"


def test_what_an_update_does_not_name_stays() -> None:
    outcome = made().when(HASHED, commands.UpdateEndpoint(endpoint_id="we_1", description="orders", etag="1"))

    endpoint = outcome.state(KEY).endpoint
    assert (endpoint.url, list(endpoint.event_types)) == ("https://shop.example/hooks", ["oms.order.*"])
    assert (endpoint.description, endpoint.etag) == ("orders", "2")


def test_an_update_for_another_version_is_refused() -> None:
    outcome = made().when(HASHED, commands.UpdateEndpoint(endpoint_id="we_1", description="orders", etag="7"))

    assert outcome.refusal is not None
    assert outcome.refusal.reason == "ETAG_MISMATCH"


def test_a_rotated_secret_signs_for_a_day_beside_the_new_one() -> None:
    outcome = made().when(HASHED, commands.RotateSecret(endpoint_id="we_1", secret="whsec_b", request_id="r"))

    state, now_us = outcome.state(KEY), outcome.now_us
    assert signing_secrets(state, now_us) == ["whsec_b", "whsec_a"]
    assert signing_secrets(state, now_us + SECRET_OVERLAP_US - HOUR_US) == ["whsec_b", "whsec_a"]
    assert signing_secrets(state, now_us + SECRET_OVERLAP_US + HOUR_US) == ["whsec_b"]
    repeated = outcome.when(HASHED, commands.RotateSecret(endpoint_id="we_1", secret="whsec_c", request_id="r"))
    assert repeated.is_silent, "a request that is sent again rotates once"


def test_so_many_secrets_sign_at_once_and_the_newest_is_always_one() -> None:
    outcome = made()
    for number in range(2 * SECRETS_MAX):
        outcome = outcome.when(HASHED, commands.RotateSecret(endpoint_id="we_1", secret=f"whsec_{number}"))

    secrets = signing_secrets(outcome.state(KEY), outcome.now_us)
    assert len(secrets) == SECRETS_MAX
    assert secrets[0] == f"whsec_{2 * SECRETS_MAX - 1}"


def disable(active_version: int) -> commands.DisableEndpoint:
    """What who delivers says of an endpoint that is gone."""
    return commands.DisableEndpoint(
        endpoint_id="we_1", reason=webhook_pb2.ENDPOINT_STATE_REASON_GONE, detail="gone", active_version=active_version
    )


def test_a_dead_endpoint_is_disabled_once_with_a_reason() -> None:
    outcome = made().when(HASHED, disable(1))

    endpoint = outcome.state(KEY).endpoint
    assert outcome.event_names == ["EndpointDisabled"]
    assert endpoint.state == webhook_pb2.ENDPOINT_STATE_DISABLED
    assert (endpoint.state_reason, endpoint.state_detail) == (webhook_pb2.ENDPOINT_STATE_REASON_GONE, "gone")
    assert outcome.when(HASHED, disable(1)).is_silent


def test_a_word_of_death_that_comes_late_does_not_end_a_new_life() -> None:
    active = commands.UpdateEndpoint(endpoint_id="we_1", state=webhook_pb2.ENDPOINT_STATE_ACTIVE)
    outcome = made().when(HASHED, disable(1)).when(HASHED, active)

    endpoint = outcome.state(KEY).endpoint
    assert (endpoint.state, endpoint.state_detail) == (webhook_pb2.ENDPOINT_STATE_ACTIVE, "")
    assert outcome.when(HASHED, disable(1)).is_silent
    moved = made().when(HASHED, commands.UpdateEndpoint(endpoint_id="we_1", url="https://new.example"))
    assert moved.when(HASHED, disable(1)).is_silent, "what failed was the old URL"
    assert moved.when(HASHED, disable(2)).event_names == ["EndpointDisabled"]


def test_a_paused_endpoint_takes_no_tests_and_no_redeliveries() -> None:
    paused = made().when(HASHED, commands.UpdateEndpoint(endpoint_id="we_1", state=webhook_pb2.ENDPOINT_STATE_PAUSED))

    for command in (commands.RequestTestEvent(endpoint_id="we_1"), commands.RequestRedelivery(endpoint_id="we_1")):
        outcome = paused.when(HASHED, command)
        assert outcome.refusal is not None
        assert outcome.refusal.reason == "ENDPOINT_NOT_ACTIVE"
    assert paused.when(HASHED, disable(9)).is_silent


def redeliver(number: int) -> commands.RequestRedelivery:
    """A wish for one event."""
    redelivery = webhook_pb2.Redelivery(redelivery_id=f"re_{number}", first_sequence=5, last_sequence=5)
    return commands.RequestRedelivery(endpoint_id="we_1", redelivery=redelivery, request_id=f"r{number}")


def test_redeliveries_are_kept_until_they_end_and_bounded() -> None:
    outcome = made()
    for number in range(REDELIVERIES_MAX):
        outcome = outcome.when(HASHED, redeliver(number))
    refused = outcome.when(HASHED, redeliver(99))
    assert refused.refusal is not None
    assert refused.refusal.reason == "REDELIVERY_LIMIT_REACHED"

    end = commands.EndRedelivery(endpoint_id="we_1", redelivery_id="re_1")
    outcome = refused.when(HASHED, end)

    assert outcome.event_names == ["RedeliveryEnded"]
    assert [each.redelivery_id for each in outcome.state(KEY).endpoint.redeliveries] == ["re_0", "re_2", "re_3"]
    assert outcome.when(HASHED, end).is_silent, "who delivers may say so again"
    assert outcome.when(HASHED, redeliver(0)).is_silent, "the same request is one wish"


def test_a_redelivery_without_an_end_ends_when_it_is_decided_and_is_one_wish() -> None:
    redelivery = webhook_pb2.Redelivery(redelivery_id="re_1", start_time={"seconds": 5})
    command = commands.RequestRedelivery(endpoint_id="we_1", redelivery=redelivery, request_id="r")

    outcome = made().when(HASHED, command)

    endpoint = outcome.state(KEY).endpoint
    (kept,) = endpoint.redeliveries
    assert kept.start_time.seconds == 5
    assert 0 <= endpoint.update_time.ToMicroseconds() - kept.end_time.ToMicroseconds() <= 1
    assert outcome.when(HASHED, command).is_silent


def test_a_test_is_an_event_of_its_own() -> None:
    outcome = made().when(HASHED, commands.RequestTestEvent(endpoint_id="we_1", request_id="t"))

    assert outcome.events[0].DESCRIPTOR is events.TestEventRequested.DESCRIPTOR
    assert outcome.when(HASHED, commands.RequestTestEvent(endpoint_id="we_1", request_id="t")).is_silent


@pytest.mark.parametrize(
    ("asked", "is_told"),
    [
        (["*"], True),
        (["oms.order.*"], True),
        (["oms.order.placed.v1"], True),
        (["oms.order.placed"], False),
        (["oms.shipping.*", "oms.order.placed.v1"], True),
        (["oms.shipping.*"], False),
        ([], False),
    ],
)
def test_types_are_whole_or_beginnings(asked: list[str], is_told: bool) -> None:  # a table of cases
    assert wants(asked, "oms.order.placed.v1") is is_told
