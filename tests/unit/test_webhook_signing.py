"""Requests as Standard Webhooks says, judged by its own library."""

from __future__ import annotations

import json
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from oms.notification.v1 import integration_events_pb2 as told
from ordermesh.notification import signing

ATTRIBUTES = {
    "ce-specversion": "1.0",
    "ce-type": "oms.order.confirmed.v1",
    "ce-source": "urn:ordermesh:dep:order",
    "ce-dataschema": "type.googleapis.com/oms.notification.v1.OrderConfirmed",
    "ce-id": "dep/orders/003/7.20.0.0",
    "ce-time": "2023-11-14T22:13:20.000001Z",
    "ce-subject": "caf%C3%A9",
    "ce-tenant": "default",
    "content-type": "application/protobuf",
}
DATA = told.OrderConfirmed(order_id="café", version=2)


def signed(secrets: list[str], timestamp_s: int | None = None) -> tuple[bytes, dict[str, str]]:
    """A body and its headers."""
    body = signing.body_of(ATTRIBUTES, DATA.SerializeToString())
    now_s = int(time.time()) if timestamp_s is None else timestamp_s
    return body, signing.headers(secrets, signing.message_id_of(ATTRIBUTES["ce-id"]), now_s, body)


def test_the_specification_s_own_library_takes_what_we_sign() -> None:
    secret = signing.new_secret()
    body, headers = signed([secret])

    assert Webhook(secret).verify(body.decode(), headers) == json.loads(body)


def test_both_secrets_of_a_rotation_verify_and_no_other() -> None:
    old, new = signing.new_secret(), signing.new_secret()
    body, headers = signed([new, old])

    for secret in (old, new):
        Webhook(secret).verify(body.decode(), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.new_secret()).verify(body.decode(), headers)


def test_a_changed_body_and_an_old_request_are_refused_by_the_receiver() -> None:
    secret = signing.new_secret()
    body, headers = signed([secret])
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.decode() + " ", headers)
    body, headers = signed([secret], timestamp_s=int(time.time()) - 3_600)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.decode(), headers)


def test_a_known_answer_of_the_specification() -> None:
    """The example that the libraries of Standard Webhooks are tested by."""
    body = b'{"test": 2432232314}'
    secret, message_id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    found = signing.signature(secret, message_id, 1614265330, body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_are_long_enough_and_never_the_same() -> None:
    secrets = {signing.new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(secret.startswith("whsec_") and len(secret) == 6 + 44 for secret in secrets)


def test_the_body_is_a_cloud_event_and_the_payload_that_standard_webhooks_recommends() -> None:
    document = json.loads(signing.body_of(ATTRIBUTES, DATA.SerializeToString()))

    assert document == {
        "specversion": "1.0",
        "id": "dep/orders/003/7.20.0.0",
        "source": "urn:ordermesh:dep:order",
        "type": "oms.order.confirmed.v1",
        "subject": "café",
        "time": "2023-11-14T22:13:20.000001Z",
        "timestamp": "2023-11-14T22:13:20.000001Z",
        "datacontenttype": "application/json",
        "dataschema": "type.googleapis.com/oms.notification.v1.OrderConfirmed",
        "tenant": "default",
        "data": {"order_id": "café", "version": "2"},
    }


def test_the_body_is_the_same_whether_the_stream_has_protobuf_or_json() -> None:
    from_json = signing.body_of(
        {**ATTRIBUTES, "content-type": "application/json"}, b'{"order_id":"caf\xc3\xa9","version":"2"}'
    )
    assert from_json == signing.body_of(ATTRIBUTES, DATA.SerializeToString())


def test_a_message_id_has_no_full_stop_and_is_the_event_s_own() -> None:
    first, second = (signing.message_id_of(f"dep/orders/003/7.20.0.{n}") for n in range(2))
    assert first != second
    assert "." not in first
