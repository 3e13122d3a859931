"""WebhookService: gRPC to commands and reads, and what they answer back to gRPC."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import NamedTuple, cast

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from oms.notification.v1 import webhook_commands_pb2 as commands
from oms.notification.v1 import webhook_pb2, webhook_service_pb2
from oms.notification.v1.webhook_state_pb2 import DeliveryProgress, StoredEndpoint
from ordermesh.core.decider import Key
from ordermesh.core.requests import hash_of
from ordermesh.core.stamps import write_time
from ordermesh.core.targets import NotAllowed, TargetRules, target_of
from ordermesh.notification import rows
from ordermesh.notification.catalogue import BY_CLOUD_TYPE
from ordermesh.notification.deliveries import DeliveryLog
from ordermesh.notification.model import ENDPOINT, HASHED, SERVICE, endpoint_key, wants
from ordermesh.notification.signing import new_secret
from ordermesh.runtime import subjects
from ordermesh.runtime.backend import Backend, persistence_of
from ordermesh.runtime.calls import Call
from ordermesh.runtime.fields import Violations, request_id_or_new
from ordermesh.runtime.gate import Answer
from ordermesh.runtime.pages import PageRequest
from ordermesh.runtime.problems import Problem, Violation
from ordermesh.runtime.reads import Readable, wanted

EVENT_TYPES_MAX = 64
"""Types that an endpoint asks for: more than there are."""
DESCRIPTION_CHARACTERS_MAX = 256
"""For a description."""


class Done(NamedTuple):
    """An endpoint as a command left it, and the answer that said so."""

    state: StoredEndpoint
    answer: Answer


class WebhookService:
    """The methods of oms.notification.v1.WebhookService."""

    def __init__(self, backend: Backend, rules: TargetRules) -> None:
        self._backend = backend
        self._rules = rules
        aggregate = backend.registry.kinds[ENDPOINT]
        self._readable = Readable(SERVICE, aggregate, lambda state: int(state.endpoint.version))
        self._deliveries = DeliveryLog(backend)

    async def CreateEndpoint(
        self, request: webhook_service_pb2.CreateEndpointRequest, call: Call
    ) -> webhook_service_pb2.CreateEndpointResponse:
        """Makes an endpoint, whose id comes from the request's: so it is made once."""
        violations = Violations()
        self._check_what(request.url, request.event_types, request.description, violations)
        violations.text("request_id", request.request_id, required=False)
        violations.check()
        self._check_url(request.url)
        request_id = request_id_or_new(request.request_id)
        command = commands.CreateEndpoint(
            endpoint_id=f"we_{_hashed(call.tenant, request_id)}", url=request.url,
            event_types=request.event_types or ("*",), description=request.description, secret=new_secret(),
            request_id=request_id,
        )  # fmt: skip
        done = await self._send(command, call)
        return webhook_service_pb2.CreateEndpointResponse(
            endpoint=done.state.endpoint,
            secret=done.state.secrets[0].secret if len(done.state.secrets) == 1 else "",
            persistence=persistence_of(done.answer),
        )

    async def GetEndpoint(
        self, request: webhook_service_pb2.GetEndpointRequest, call: Call
    ) -> webhook_service_pb2.GetEndpointResponse:
        """Reads an endpoint and how it does."""
        key = self._key(request.endpoint_id, call, Violations())
        found = await self._backend.reads.read(self._readable, key, wanted(0, 0, call.answer_timeout_s))
        if found is None or found.state.deleted:
            raise _not_found(request.endpoint_id)
        endpoint = webhook_pb2.Endpoint()
        endpoint.CopyFrom(found.state.endpoint)
        page = await self._backend.query(rows.PROGRESS, (call.tenant, request.endpoint_id), b"", 1)
        if page.rows:
            _fill_health(endpoint.health, DeliveryProgress.FromString(cast(bytes, page.rows[0]["state"])))
        return webhook_service_pb2.GetEndpointResponse(endpoint=endpoint, freshness=found.freshness)

    async def ListEndpoints(
        self, request: webhook_service_pb2.ListEndpointsRequest, call: Call
    ) -> webhook_service_pb2.ListEndpointsResponse:
        """Reads the endpoints, by their ids; a page may have fewer than asked for where some were deleted."""
        violations = Violations()
        page = PageRequest.of(f"webhook endpoints of {call.tenant}", request, violations)
        violations.check()
        found = await self._backend.page(rows.ENDPOINTS, (call.tenant, HASHED), page)
        states = [StoredEndpoint.FromString(cast(bytes, row["state"])) for row in found.rows]
        return webhook_service_pb2.ListEndpointsResponse(
            endpoints=[state.endpoint for state in states if not state.deleted], next_page_token=found.next_token
        )

    async def UpdateEndpoint(
        self, request: webhook_service_pb2.UpdateEndpointRequest, call: Call
    ) -> webhook_service_pb2.UpdateEndpointResponse:
        """Changes what the request names."""
        violations = Violations()
        self._check_what(request.url, request.event_types, request.description, violations, is_new=False)
        if request.state not in (0, webhook_pb2.ENDPOINT_STATE_ACTIVE, webhook_pb2.ENDPOINT_STATE_PAUSED):
            violations.add("state", "can be made ENDPOINT_STATE_ACTIVE or ENDPOINT_STATE_PAUSED")
        if not (request.url or request.event_types or request.HasField("description") or request.state):
            violations.add("", "says nothing that should change")
        violations.text("request_id", request.request_id, required=False)
        violations.etag("etag", request.etag)
        self._key(request.endpoint_id, call, violations)
        if request.url:
            self._check_url(request.url)
        command = commands.UpdateEndpoint(
            endpoint_id=request.endpoint_id, url=request.url, event_types=request.event_types, state=request.state,
            request_id=request_id_or_new(request.request_id), etag=request.etag,
        )  # fmt: skip
        if request.HasField("description"):
            command.description = request.description
        done = await self._send(command, call)
        return webhook_service_pb2.UpdateEndpointResponse(
            endpoint=done.state.endpoint, persistence=persistence_of(done.answer)
        )

    async def DeleteEndpoint(
        self, request: webhook_service_pb2.DeleteEndpointRequest, call: Call
    ) -> webhook_service_pb2.DeleteEndpointResponse:
        """Ends an endpoint; again, nothing."""
        violations = Violations()
        violations.etag("etag", request.etag)
        violations.text("request_id", request.request_id, required=False)
        self._key(request.endpoint_id, call, violations)
        command = commands.DeleteEndpoint(endpoint_id=request.endpoint_id, etag=request.etag)
        done = await self._send(command, call)
        return webhook_service_pb2.DeleteEndpointResponse(persistence=persistence_of(done.answer))

    async def RotateSecret(
        self, request: webhook_service_pb2.RotateSecretRequest, call: Call
    ) -> webhook_service_pb2.RotateSecretResponse:
        """Makes a new secret; the old one signs too for a day."""
        violations = Violations()
        violations.text("request_id", request.request_id, required=False)
        self._key(request.endpoint_id, call, violations)
        command = commands.RotateSecret(
            endpoint_id=request.endpoint_id, secret=new_secret(), request_id=request_id_or_new(request.request_id)
        )
        done = await self._send(command, call)
        is_last = done.state.requests[-1].request_hash == hash_of(command.request_id)
        response = webhook_service_pb2.RotateSecretResponse(
            endpoint=done.state.endpoint,
            secret=done.state.secrets[0].secret if is_last else "",  # else it may be one that was rotated in later
            persistence=persistence_of(done.answer),
        )
        write_time(response.old_secret_expire_time, done.state.secrets[1].expire_us)
        return response

    async def SendTestEvent(
        self, request: webhook_service_pb2.SendTestEventRequest, call: Call
    ) -> webhook_service_pb2.SendTestEventResponse:
        """Has a test event go all the way to this endpoint."""
        violations = Violations()
        violations.text("request_id", request.request_id, required=False)
        self._key(request.endpoint_id, call, violations)
        command = commands.RequestTestEvent(
            endpoint_id=request.endpoint_id, request_id=request_id_or_new(request.request_id)
        )
        done = await self._send(command, call)
        return webhook_service_pb2.SendTestEventResponse(
            endpoint=done.state.endpoint, persistence=persistence_of(done.answer)
        )

    async def ListDeliveries(
        self, request: webhook_service_pb2.ListDeliveriesRequest, call: Call
    ) -> webhook_service_pb2.ListDeliveriesResponse:
        """Reads the last attempts, the newest first."""
        violations = Violations()
        violations.enum("outcome", request.outcome, webhook_pb2.DeliveryOutcome.DESCRIPTOR)
        violations.text("subject", request.subject, required=False)
        bound_to = f"deliveries of {call.tenant}/{request.endpoint_id}/{request.outcome}/{request.subject}"
        page = PageRequest.of(bound_to, request, violations)
        key = self._key(request.endpoint_id, call, violations)
        await self._known(key, call)
        found, token = await self._deliveries.page(key, page, request.outcome, request.subject)
        return webhook_service_pb2.ListDeliveriesResponse(deliveries=found, next_page_token=token)

    async def Redeliver(
        self, request: webhook_service_pb2.RedeliverRequest, call: Call
    ) -> webhook_service_pb2.RedeliverResponse:
        """Has an event, or all of a time, delivered again."""
        violations = Violations()
        violations.text("request_id", request.request_id, required=False)
        if bool(request.delivery_id) == request.HasField("start_time"):
            violations.add("delivery_id", "or start_time says what is delivered again: one of the two")
        redelivery = webhook_pb2.Redelivery()
        _check_times(request, redelivery, violations)
        key = self._key(request.endpoint_id, call, violations)
        request_id = request_id_or_new(request.request_id)
        redelivery.redelivery_id = f"re_{_hashed(request.endpoint_id, request_id)}"
        if request.delivery_id:
            sequence = await self._deliveries.sequence_of(key, request.delivery_id)
            redelivery.first_sequence = redelivery.last_sequence = sequence
        command = commands.RequestRedelivery(
            endpoint_id=request.endpoint_id, redelivery=redelivery, request_id=request_id
        )
        done = await self._send(command, call)
        return webhook_service_pb2.RedeliverResponse(
            endpoint=done.state.endpoint,
            redelivery_id=redelivery.redelivery_id,
            persistence=persistence_of(done.answer),
        )

    async def _send(self, command: Message, call: Call) -> Done:
        """A command, decided. Raises Problem, also where the deployment was made before there were webhooks."""
        self._check_prepared()
        answer = await self._backend.send(SERVICE, Key(ENDPOINT, call.tenant, HASHED), command, call)
        self._backend.gate.tell(subjects.WEBHOOKS)
        return Done(StoredEndpoint.FromString(answer.state), answer)

    async def _known(self, key: Key, call: Call) -> None:
        """Raises Problem where there is no such endpoint."""
        found = await self._backend.reads.read(self._readable, key, wanted(0, 0, call.answer_timeout_s))
        if found is None or found.state.deleted:
            raise _not_found(key.sub_key)

    def _check_prepared(self) -> None:
        if not any(SERVICE in group.services for group in self._backend.topology.deployment.groups):
            message = "This deployment was made before there were webhooks; run `ordermesh deployment create` again."
            raise Problem("WEBHOOKS_NOT_PREPARED", message)

    def _key(self, endpoint_id: str, call: Call, violations: Violations) -> Key:
        """The endpoint's key, after all that is wrong with the request is said."""
        violations.text("endpoint_id", endpoint_id)
        violations.check()
        self._check_prepared()
        return endpoint_key(call.tenant, endpoint_id)

    @staticmethod
    def _check_what(
        url: str, event_types: Sequence[str], description: str, violations: Violations, *, is_new: bool = True
    ) -> None:
        if not url and is_new:
            violations.add("url", "is required")
        violations.text("description", description, required=False, characters_max=DESCRIPTION_CHARACTERS_MAX)
        if len(event_types) > EVENT_TYPES_MAX:
            violations.add("event_types", f"has {len(event_types)} types; at most {EVENT_TYPES_MAX} are taken")
        for index, wanted_type in enumerate(event_types[:EVENT_TYPES_MAX]):
            is_known = any(wants([wanted_type], each) for each in BY_CLOUD_TYPE)
            if not is_known or "*" in wanted_type[:-1]:
                text = f"{wanted_type[:64]!r} is no type of event; they are as oms.order.placed.v1, oms.order.* or *"
                violations.add(f"event_types[{index}]", text)

    def _check_url(self, url: str) -> None:
        try:
            target_of(url, self._rules)
        except NotAllowed as error:
            raise Problem("URL_NOT_ALLOWED", f"url: {error}", violations=[Violation("url", str(error))]) from None


def _check_times(
    request: webhook_service_pb2.RedeliverRequest, redelivery: webhook_pb2.Redelivery, violations: Violations
) -> None:
    """Puts the times of a request into a redelivery; without an end it is the time of the decision, so that the same
    request asks for the same."""
    if not request.HasField("start_time"):
        if request.HasField("end_time"):
            violations.add("end_time", "goes with start_time")
        return
    now_us = time.time_ns() // 1_000
    start_us = _time_us("start_time", request.start_time, violations)
    end_us = _time_us("end_time", request.end_time, violations) if request.HasField("end_time") else now_us
    if start_us >= end_us or end_us > now_us:
        violations.add("end_time", "has to be after start_time, and not in the future")
    write_time(redelivery.start_time, start_us)
    if request.HasField("end_time"):
        write_time(redelivery.end_time, end_us)


def _time_us(field: str, value: Timestamp, violations: Violations) -> int:
    if not 0 <= value.seconds < 253_402_300_800 or not 0 <= value.nanos < 1_000_000_000:
        violations.add(field, "is no time from 1970 to 9999")
        return 0
    return value.ToMicroseconds()


def _hashed(owner: str, request_id: str) -> str:
    """A name that is the same for the same request."""
    return hashlib.blake2b(f"{owner}\x1f{request_id}".encode(), digest_size=12).hexdigest()


def _not_found(endpoint_id: str) -> Problem:
    message = f"There is no webhook endpoint {endpoint_id}."
    return Problem("ENDPOINT_NOT_FOUND", message, metadata={"endpoint_id": endpoint_id})


def _fill_health(health: webhook_pb2.EndpointHealth, progress: DeliveryProgress) -> None:
    """How an endpoint does, by what was stored of it last."""
    health.waiting_count = sum(len(lane.waiting) for lane in progress.lanes)
    health.consecutive_failures = progress.consecutive_failures
    health.last_error = progress.last_error
    health.missed_count, health.given_up_count = progress.missed_count, progress.given_up_count
    for target, time_us in (
        (health.failing_since, progress.failing_since_us),
        (health.last_success_time, progress.last_success_us),
        (health.resume_time, progress.resume_us),
    ):
        if time_us:
            write_time(target, time_us)
