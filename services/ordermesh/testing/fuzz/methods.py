"""Which methods there are: found in the generated code, so that a new one is called without anybody adding it here."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, MethodDescriptor

import oms

COMMON = 10.0
"""How often a method is called, against the others; those below are called more or less."""
WEIGHTS = {
    "CreateOrder": 25.0,
    "BatchCreateOrders": 6.0,
    "BatchReceiveStock": 6.0,
    "IngestOrders": 3.0,
    "WatchOrder": 1.0,
    "TailLog": 0.3,
    "Verify": 0.1,
    "ReconcilePayments": 0.3,
}
"""Streams take longer than calls; an audit and a comparison read everything."""


class Method:
    """A method of the contract: where it is called, what it takes and gives, and how often it is called."""

    def __init__(self, descriptor: MethodDescriptor) -> None:
        self.name = descriptor.name
        self.service = descriptor.containing_service.full_name
        self.path = f"/{self.service}/{descriptor.name}"
        self.request: Descriptor = descriptor.input_type
        self.response: Descriptor = descriptor.output_type
        self.takes_stream = bool(descriptor.client_streaming)
        self.gives_stream = bool(descriptor.server_streaming)
        self.weight = WEIGHTS.get(descriptor.name, COMMON)


def contract_methods() -> list[Method]:
    """Every method of every service of the contract, by name."""
    methods = [Method(method) for module in _modules() for method in _methods_of(module)]
    return sorted(methods, key=lambda method: method.path)


def _modules() -> Iterator[str]:
    for found in pkgutil.walk_packages(oms.__path__, "oms."):
        if found.name.endswith("_service_pb2"):
            yield found.name


def _methods_of(module: str) -> Iterator[MethodDescriptor]:
    for service in importlib.import_module(module).DESCRIPTOR.services_by_name.values():
        yield from service.methods
