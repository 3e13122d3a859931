"""How a process shows a nats-server who it is, and whom it trusts: user and password, a credentials file, TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ordermesh.runtime.settings import Settings
from ordermesh.runtime.settings_secrets import secret


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsAccess:
    """What a connection to NATS is opened with; nothing of it is ever shown."""

    user: str = ""
    password: str = field(default="", repr=False)
    credentials: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def options(self) -> dict[str, Any]:
        """The arguments of nats-py's `connect`. Raises OSError, ssl.SSLError where a file is not what it should be."""
        options: dict[str, Any] = {}
        if self.user:
            options |= {"user": self.user, "password": self.password}
        if self.credentials is not None:
            options["user_credentials"] = str(self.credentials)
        if self.ca is not None or self.certificate is not None:
            options["tls"] = self._context()
        return options

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context


OPEN = NatsAccess()
"""A server that asks nobody who they are, as the own ones of `up`, which listen on the loopback only."""


def nats_access(settings: Settings) -> NatsAccess:
    """What the settings say. Raises ValueError for what contradicts itself or cannot be read."""
    access = NatsAccess(
        user=settings.nats_user,
        password=secret("nats_password", settings.nats_password, settings.nats_password_file),
        credentials=settings.nats_creds,
        ca=settings.nats_ca,
        certificate=settings.nats_cert,
        key=settings.nats_key,
    )
    if access.user and access.credentials is not None:
        raise ValueError("give --nats-user or --nats-creds, not both")
    if access.key is not None and access.certificate is None:
        raise ValueError("--nats-key needs --nats-cert beside it")
    try:
        access.options()
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"what --nats-ca, --nats-cert and --nats-key name cannot be used: {error}") from error
    if access.credentials is not None and not access.credentials.is_file():
        raise ValueError(f"--nats-creds: there is no file {access.credentials}")
    return access
