"""Every setting of the engine: what it means, its default, and where it comes from.

A flag of the command line counts before the environment (`ORDERMESH_<NAME>`, the kernel's `ORDERMESH_KERNEL__<NAME>`),
the environment before the TOML file that `ORDERMESH_CONFIG` names (the kernel's in its table `[kernel]`), and that
before the default. The flags are made from this class, so there is one for each.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings import SettingsError as UnreadableSource

from ordermesh.core.limits import AHEAD_DAYS_MAX, BACKORDERS_PER_SKU_MAX
from ordermesh.core.targets import TargetRules, ports_of
from ordermesh.runtime.options import ORDERED, OwnerOptions
from ordermesh.runtime.settings_amounts import amounts
from ordermesh.runtime.settings_cassandra import addresses, replicas
from ordermesh.runtime.settings_words import what_is_unreadable, what_is_wrong

PREFIX = "ORDERMESH_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
"""Names the TOML file."""

KERNEL_DEFAULTS = OwnerOptions(relay_required=True)
"""A deployment has a relay, and what it has not read stays in the log."""


class SettingsError(Exception):
    """Settings are not what they should be; the text has a line for each, with its name and what is wrong."""


class CannotStart(Exception):
    """A process cannot start with its settings on what is there; the text says what contradicts what, what to do."""


class OutOfReach(CannotStart):
    """What a process needs does not answer: log or store. The same start may succeed later."""


class Settings(BaseSettings):
    """The settings of a deployment's processes, checked. Frozen: a process keeps what it started with."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    data: Path = Path(".ordermesh")
    """Directory of everything that is written: nats/, store.sqlite, provider-ledger.jsonl, logs/, ordermesh.pid."""
    grpc: str = "127.0.0.1:50051"
    """HOST:PORT of the gRPC API; port 0 takes any free one."""
    http: str = "127.0.0.1:8080"
    """HOST:PORT of /livez, /readyz, /startupz, /metrics and the HTTP API; port 0 takes any free one. An owner or a
    relay may have none, by an empty text; those of `up` have none."""
    http_api: bool | None = None
    """Whether edges serve the API by HTTP and JSON too, on `http`. That port speaks no TLS: if not given, it has the
    API only where the gRPC API speaks none either. With true, put something that speaks TLS in front of it."""
    tls_cert: Path | None = None
    """Certificate of the gRPC API, PEM, with what is between it and its authority; without one it speaks no TLS."""
    tls_key: Path | None = None
    """Key of that certificate, PEM."""
    tls_client_ca: Path | None = None
    """Certificates, PEM, of whom clients of the gRPC API have to show one by; if not given they need none."""
    nats: str = ""
    """URL of an existing nats-server with JetStream, instead of an own one; URL,URL... of several of one cluster."""
    nats_user: str = ""
    """User at that nats-server; none if not given."""
    nats_password: SecretStr | None = None
    """Its password. Better in the environment than in a flag, which others on the machine can read; or in a file."""
    nats_password_file: Path | None = None
    """File that holds the password, alone."""
    nats_creds: Path | None = None
    """File with a JWT and its key, as `nsc` makes it, instead of user and password."""
    nats_ca: Path | None = None
    """Certificates of whom to trust, PEM: with it only TLS is spoken; a URL of tls://... trusts the system's."""
    nats_cert: Path | None = None
    """Certificate to show to the nats-server, PEM, where it asks clients for one."""
    nats_key: Path | None = None
    """Key of that certificate, PEM, if it is not in the same file."""
    nats_port: int = Field(default=0, ge=0, le=65535)
    """Port of the own nats-server, on 127.0.0.1; 0 takes any free one. Three own servers have it and the next two."""
    replicas: int | None = Field(default=None, ge=1, le=3)
    """Replicas of each log, 1 or 3, fixed at the first start; 1 if not given. With 3, `up` runs three nats-servers of
    its own as a cluster; one given by --nats needs at least three servers."""
    partitions: int | None = Field(default=None, ge=1, le=1024)
    """Partitions of each group, fixed at the first start; one per two cores if not given."""
    groups: Literal["default", "per-service"] | None = None
    """Which services share logs, fixed at the first start: orders (order, payment, shipping) and stock (inventory), or
    a group for each service; the default if not given."""
    workers: int = Field(default=1, ge=1, le=64)
    """Owner processes."""
    edges: int = Field(default=1, ge=1, le=64)
    """Edge processes; they share the ports."""
    store: Literal["sqlite", "cassandra"] = "sqlite"
    """The store: a SQLite file in --data, or a Cassandra cluster of version 5."""
    cassandra_contact_points: str = "127.0.0.1:9042"
    """HOST[:PORT],HOST[:PORT]... of some Cassandra nodes of the local data centre; the others are learnt from them.
    The flag is also --cassandra."""
    cassandra_keyspace: str = "ordermesh"
    """Keyspace of the deployment: one of its own."""
    cassandra_datacenter: str = ""
    """Local data centre, whose nodes are spoken to; that of the contact points if not given."""
    cassandra_replication: str = ""
    """Replicas of a row in the local data centre, or in each (dc1:3,dc2:3), for a keyspace that is made; if not given
    3, or on a cluster on this machine alone as many as it has nodes, up to 3."""
    cassandra_user: str = ""
    """User of the Cassandra cluster; none if not given."""
    cassandra_password: SecretStr | None = None
    """Its password. Better in the environment than in a flag, which others on the machine can read; or in a file."""
    cassandra_password_file: Path | None = None
    """File that holds the password, alone."""
    cassandra_tls: bool = False
    """Whether to speak TLS with Cassandra."""
    cassandra_tls_ca: Path | None = None
    """Certificates of whom to trust, PEM; the system's if not given."""
    cassandra_tls_certificate: Path | None = None
    """Certificate to show to Cassandra, PEM, where it asks clients for one."""
    cassandra_tls_key: Path | None = None
    """Key of that certificate, PEM, if it is not in the same file."""
    cassandra_tls_verify_host: bool = True
    """Whether a node's certificate has to name the address it is spoken to by."""
    cassandra_consistency: Literal["LOCAL_QUORUM", "QUORUM", "EACH_QUORUM"] = "LOCAL_QUORUM"
    """Of what counts as stored, and of reads that must see it. EACH_QUORUM writes in every data centre and reads in the
    local one."""
    cassandra_weak_consistency: Literal["ONE", "LOCAL_ONE"] = "ONE"
    """Of writes while no quorum answers, and of EVENTUAL reads."""
    cassandra_timeout_s: float = Field(default=2.5, gt=0.0, le=60.0)
    """Seconds for a write to Cassandra, a little more than the server gives itself (2), so that it says itself which
    replicas are missing; a read has two fifths of it. No caller waits for that: orders are LOGGED long before."""
    cassandra_in_flight: int = Field(default=64, ge=1, le=4096)
    """Requests of a process to Cassandra at once; others wait for their turn."""
    log_bytes: int = Field(default=1 << 30, ge=16 << 20)
    """Bytes reserved for each partition's log; the disk must have room for all of them. Given at a later start it lets
    logs grow; they never shrink."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """From which level on processes log."""
    sandbox_ledger: Literal["file", "nats"] = "file"
    """Where the sandbox payment provider keeps what took effect: in a file in --data, which all processes share, or on
    NATS, for processes on several machines. One deployment keeps to one."""
    payment_retry_window_s: float = Field(default=0.0, ge=0.0, le=604_800.0)
    """Seconds that an order whose payment was declined waits for another payment token, with its stock, unless it says
    itself for how long; 0 for not at all: it is undone at once."""
    hold_expire_s: float = Field(default=0.0, ge=0.0, le=31_622_400.0)
    """Seconds that a held order waits for its release; then what is not sent of it is cancelled. 0 for ever."""
    fraud_review_above: str = ""
    """CURRENCY:AMOUNT,CURRENCY:AMOUNT...: an order whose total is above it is held when its payment is authorised,
    until somebody releases or cancels it; none if not given."""
    fraud_decline_above: str = ""
    """The same for orders that are undone then, without anybody looking."""
    payment_provider: Literal["sandbox", "stripe"] = "sandbox"
    """Who holds and takes money: the sandbox, which knows a few tokens of its own and moves none, or Stripe. A
    deployment keeps to one."""
    stripe_api_key: SecretStr | None = None
    """Stripe's secret or restricted key. It has no flag, which others on the machine could read: give it in the
    environment, or in a file."""
    stripe_api_key_file: Path | None = None
    """File that holds Stripe's key, alone."""
    stripe_webhook_secret: SecretStr | None = None
    """Secrets of the endpoint that Stripe's webhooks are signed with, whsec_...; two, separated by a comma, while one
    takes over from the other. Without one /webhooks/stripe does not exist. It has no flag, as the key has none."""
    stripe_webhook_secret_file: Path | None = None
    """File that holds these secrets, one a line."""
    stripe_api_base: str = "https://api.stripe.com"
    """Where Stripe's API is; another only for tests. Without TLS it has to be on this machine."""
    stripe_timeout_s: float = Field(default=20.0, gt=0.0, le=120.0)
    """Seconds for one call to Stripe; then it is asked again under the same key."""
    stripe_in_flight: int = Field(default=64, ge=1, le=100)
    """Calls of a process to Stripe at once; others wait for their turn."""
    reconcile_pause_scale: float = Field(default=1.0, gt=0.0, le=10.0)
    """By how much the looks of `payments reconcile` at what differs are further apart than half a minute in all: more
    for a store that is often behind, 0.02 for tests."""
    reflection: bool = True
    """Whether the gRPC API describes itself to tools like grpcurl."""
    dispatch_automatically: bool = True
    """Whether shipments leave by themselves; else each waits for DispatchShipment."""
    dispatch_delay_s: float = Field(default=0.0, ge=0.0)
    """Seconds from a shipment's making to its automatic dispatch."""
    backorder_days: float = Field(default=30.0, gt=0.0, le=AHEAD_DAYS_MAX)
    """Days for which an order waits for stock that is missing, unless it says itself until when."""
    backorder_lead_days: float = Field(default=14.0, gt=0.0, le=AHEAD_DAYS_MAX)
    """Days in which missing stock is expected: what `promised_by` tells."""
    backorders_per_sku: int = Field(default=BACKORDERS_PER_SKU_MAX, ge=1, le=BACKORDERS_PER_SKU_MAX)
    """Orders that may wait for one SKU; one more is rejected as BACKORDER_QUEUE_FULL."""
    events_format: Literal["protobuf", "json"] = "protobuf"
    """How the data of integration events is written on OM_EVENTS; each event says it in `content-type`."""
    events_bytes: int = Field(default=512 << 20, ge=1 << 20)
    """Bytes that OM_EVENTS keeps; past it, and after a week, the oldest events go, also for webhooks that wait."""
    webhook_allow_http: bool = False
    """Whether webhooks may go to http://...; for development."""
    webhook_allow_private: bool = False
    """Whether webhooks may go to addresses that are not in the internet for everybody; for development."""
    webhook_ports: str = "443"
    """Ports that webhooks may go to, as in 443,8000-8999."""
    webhook_ca: Path | None = None
    """Certificates of whom to trust as a receiver of webhooks, PEM, besides the system's."""
    webhook_retry_scale: float = Field(default=1.0, gt=0.0, le=10.0)
    """By how much the pauses between attempts of a webhook are longer than Standard Webhooks says; 0.001 for tests."""
    webhook_disable_after_s: float = Field(default=259_200.0, ge=1.0, le=604_800.0)
    """Seconds of nothing but failures until a webhook endpoint is disabled; three days."""
    stock_ledger: bool = True
    """Whether each change of a SKU's stock leaves a row, which lists of movements and of reservations by SKU read.
    Without it an order costs about a tenth less CPU, and what happens then is missing there for good."""
    start_wait_s: float = Field(default=300.0, ge=0.0, le=3600.0)
    """Seconds that a single process waits at its start for NATS, the store and the deployment's record."""
    stop_timeout_s: float = Field(default=28.0, gt=0.0, le=600.0)
    """Seconds that a clean stop of all processes may take before they are killed."""
    ready_file: Path | None = None
    """File that is written when the engine serves: its addresses and processes, as JSON."""
    kernel: OwnerOptions = KERNEL_DEFAULTS
    """Limits and times of the kernel."""

    @field_validator("grpc", "http")
    @classmethod
    def _address(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.field_name == "http":
            return value
        host, separator, port = value.rpartition(":")
        if not host or not separator or not port.isdigit() or int(port) > 65535:
            raise ValueError("expected HOST:PORT, as in 127.0.0.1:50051")
        return value

    @field_validator("kernel", mode="before")
    @classmethod
    def _whole(cls, value: object) -> object:
        """What is not said is as a deployment has it, not as an owner alone."""
        return {**asdict(KERNEL_DEFAULTS), **value} if isinstance(value, Mapping) else value

    @field_validator("kernel")
    @classmethod
    def _ordered(cls, value: OwnerOptions) -> OwnerOptions:
        for name, above in ORDERED:
            low, high = getattr(value, name), getattr(value, above)
            if low >= high:
                raise ValueError(f"{name}: is {low}, has to be below {above}, which is {high}")
        return value

    @field_validator("replicas")
    @classmethod
    def _odd(cls, value: int | None) -> int | None:
        if value == 2:
            raise ValueError("expected 1 or 3: of two, none may be lost")
        return value

    @field_validator("fraud_review_above", "fraud_decline_above")
    @classmethod
    def _amounts(cls, value: str) -> str:
        amounts(value)
        return value

    @field_validator("stripe_api_base")
    @classmethod
    def _private(cls, value: str) -> str:
        parts = urlsplit(value)
        is_near = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_near):
            raise ValueError("expected https://HOST, or http://127.0.0.1:PORT: the key goes there")
        return value.rstrip("/")

    @field_validator("cassandra_contact_points")
    @classmethod
    def _addresses(cls, value: str) -> str:
        addresses(value)
        return value

    @field_validator("webhook_ports")
    @classmethod
    def _ports(cls, value: str) -> str:
        ports_of(value)
        return value

    @field_validator("cassandra_replication")
    @classmethod
    def _replicas(cls, value: str) -> str:
        replicas(value)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 # there are none
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 # there are none
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then environment, then the TOML file."""
        file = os.environ.get(CONFIG_VARIABLE)
        toml = (TomlConfigSettingsSource(settings_cls, Path(file)),) if file else ()
        return (init_settings, env_settings, *toml)

    @property
    def serves_http_api(self) -> bool:
        """Whether the HTTP port has the API."""
        return self.tls_cert is None if self.http_api is None else self.http_api

    @property
    def webhook_rules(self) -> TargetRules:
        """Where webhooks may go."""
        return TargetRules(
            allow_http=self.webhook_allow_http,
            allow_private=self.webhook_allow_private,
            ports=ports_of(self.webhook_ports),
        )

    @property
    def nats_servers(self) -> list[str]:
        """The URLs in `nats`."""
        return servers_in(self.nats)

    def environment(self) -> dict[str, str]:
        """The variables by which a child process gets these very settings."""
        variables = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if name != "kernel" and value is not None:
                variables[PREFIX + name.upper()] = value if isinstance(value, str) else _text(value)
        for field in fields(self.kernel):
            variables[f"{PREFIX}KERNEL__{field.name.upper()}"] = _text(getattr(self.kernel, field.name))
        return variables


def load_settings(given: Mapping[str, Any] | None = None) -> Settings:
    """The settings, with `given` before everything else. Raises SettingsError."""
    file = os.environ.get(CONFIG_VARIABLE)
    if file and not Path(file).is_file():
        raise SettingsError(f"{file}: there is no such file; {CONFIG_VARIABLE} or --config names it")
    try:
        return Settings(**(given or {}))
    except ValidationError as error:
        raise SettingsError("\n".join(what_is_wrong(error, Settings))) from error
    except UnreadableSource as error:
        raise SettingsError(what_is_unreadable(error, PREFIX)) from error
    except TOMLDecodeError as error:
        raise SettingsError(f"{file}: {error}") from error
    except (OSError, ValueError) as error:
        raise SettingsError(str(error)) from error


def servers_in(urls: str) -> list[str]:
    """URLs that are given as URL,URL..."""
    return [url.strip() for url in urls.split(",") if url.strip()]


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value) if isinstance(value, Path) else json.dumps(value)
