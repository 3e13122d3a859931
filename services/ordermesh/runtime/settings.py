"""Every setting of the engine: what it means, its default, and where it comes from.

A flag of the command line counts before the environment (`ORDERMESH_<NAME>`, the kernel's `ORDERMESH_KERNEL__<NAME>`),
the environment before the TOML file that `ORDERMESH_CONFIG` names (the kernel's in its table `[kernel]`), and that
before the default. The flags are made from this class, so there is one for each.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from ordermesh.runtime.options import OwnerOptions

PREFIX = "ORDERMESH_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
"""Names the TOML file."""

KERNEL_DEFAULTS = OwnerOptions(relay_required=True)
"""A deployment has a relay, and what it has not read stays in the log."""


class SettingsError(Exception):
    """A setting is not what it should be; the text names it, and what is wrong."""


class CannotStart(Exception):
    """A process cannot start with its settings on what is there; the text says what contradicts what, what to do."""


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
    """HOST:PORT of /livez, /readyz and /metrics; port 0 takes any free one."""
    nats: str = ""
    """URL of an existing nats-server with JetStream, instead of an own one."""
    nats_port: int = Field(default=0, ge=0, le=65535)
    """Port of the own nats-server, on 127.0.0.1; 0 takes any free one."""
    partitions: int | None = Field(default=None, ge=1, le=1024)
    """Partitions of each group, fixed at the first start; one per two cores if not given."""
    workers: int = Field(default=1, ge=1, le=64)
    """Owner processes."""
    edges: int = Field(default=1, ge=1, le=64)
    """Edge processes; they share the ports."""
    store: Literal["sqlite"] = "sqlite"
    """The store."""
    log_bytes: int = Field(default=1 << 30, ge=16 << 20)
    """Bytes reserved for each partition's log; the disk must have room for all of them."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """From which level on processes log."""
    reflection: bool = True
    """Whether the gRPC API describes itself to tools like grpcurl."""
    dispatch_automatically: bool = True
    """Whether shipments leave by themselves; else each waits for DispatchShipment."""
    dispatch_delay_s: float = Field(default=0.0, ge=0.0)
    """Seconds from a shipment's making to its automatic dispatch."""
    stop_timeout_s: float = Field(default=28.0, gt=0.0, le=600.0)
    """Seconds that a clean stop of all processes may take before they are killed."""
    ready_file: Path | None = None
    """File that is written when the engine serves: its addresses and processes, as JSON."""
    kernel: OwnerOptions = KERNEL_DEFAULTS
    """Limits and times of the kernel."""

    @field_validator("grpc", "http")
    @classmethod
    def _address(cls, value: str) -> str:
        host, separator, port = value.rpartition(":")
        if not host or not separator or not port.isdigit() or int(port) > 65535:
            raise ValueError("expected HOST:PORT, as in 127.0.0.1:50051")
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
        problems = (f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise SettingsError("; ".join(problems)) from error
    except (OSError, ValueError) as error:
        raise SettingsError(str(error)) from error


def _text(value: object) -> str:
    return str(value) if isinstance(value, Path) else json.dumps(value)
