"""The typed details of a failed call (AIP-193), and the failure in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

DETAILS_KEY = "grpc-status-details-bin"
"""The trailing metadata that carries a `google.rpc.Status`."""


def error_info(error: Any) -> error_details_pb2.ErrorInfo:
    """The reason of a failed call; an empty one where the server gave none."""
    return next((detail for detail in _details(error) if isinstance(detail, error_details_pb2.ErrorInfo)), _NO_INFO)


def explain(error: Any) -> str:
    """A failed call in words: its code, its sentence, its reason, and the fields that are wrong."""
    sentence = error.details() or "no reason given"
    parts = [f"{error.code().name}: {sentence.removesuffix('.')}"]
    info = error_info(error)
    if info.reason:
        values = ", ".join(f"{name}={value}" for name, value in sorted(info.metadata.items()))
        parts.append(f"reason {info.reason}" + (f" ({values})" if values else ""))
    for detail in _details(error):
        if isinstance(detail, error_details_pb2.BadRequest):
            wrong = (f"{violation.field}: {violation.description}" for violation in detail.field_violations)
            parts += [text for text in wrong if text not in sentence]
    return "; ".join(parts)


_NO_INFO = error_details_pb2.ErrorInfo()


def _details(error: Any) -> Iterator[Any]:
    metadata = error.trailing_metadata() if isinstance(error, grpc.Call | grpc.aio.AioRpcError) else ()
    for key, value in metadata or ():
        if key == DETAILS_KEY:
            for packed in status_pb2.Status.FromString(value).details:
                for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest):
                    if packed.Is(kind.DESCRIPTOR):
                        detail = kind()
                        packed.Unpack(detail)
                        yield detail
