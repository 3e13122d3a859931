"""The certificate of the gRPC API, and whether clients need one."""

from __future__ import annotations

import grpc

from ordermesh.runtime.settings import CannotStart, Settings


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """What the gRPC server shows and asks for; None without TLS. Raises CannotStart."""
    if settings.tls_cert is None and settings.tls_key is None and settings.tls_client_ca is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise CannotStart("TLS of the gRPC API needs both --tls-cert and --tls-key")
    try:
        pair = (settings.tls_key.read_bytes(), settings.tls_cert.read_bytes())
        ask_for = settings.tls_client_ca.read_bytes() if settings.tls_client_ca is not None else None
    except OSError as error:
        raise CannotStart(f"TLS of the gRPC API: {error}") from error
    return grpc.ssl_server_credentials([pair], ask_for, require_client_auth=ask_for is not None)
