"""Indexes what the services gave: handlers by command type, aggregates by kind, messages by type name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from google.protobuf.message import Message

from oms.log.v1 import log_pb2
from ordermesh.core.decider import AggregateType, Handler, Service, Table


class Bound(NamedTuple):
    """A handler with what the kernel needs beside it."""

    service: str
    handler: Handler
    parse: type[Message]
    is_query: bool


class Registry:
    """All services of a process, the kernel's own among them."""

    def __init__(self, services: Sequence[Service]) -> None:
        self.services = {service.name: service for service in services}
        self.handlers: dict[str, Bound] = {}
        self.kinds: dict[str, AggregateType] = {}
        self.events: dict[str, type[Message]] = {}
        self.uuid7_services: set[str] = set()
        for service in services:
            self._add(service)

    def _add(self, service: Service) -> None:
        for aggregate in service.aggregates:
            self.kinds[aggregate.kind] = aggregate
            self.events.update((event.DESCRIPTOR.full_name, event) for event in aggregate.events)
            if aggregate.key_is_uuid7:
                self.uuid7_services.add(service.name)
        for handler in service.handlers:
            name = handler.command.DESCRIPTOR.full_name
            is_query = handler.command is log_pb2.Query
            self.handlers[name] = Bound(service.name, handler, handler.command, is_query)

    def tables(self) -> list[Table]:
        """Every table that the services' aggregates are kept in."""
        found = {}
        for aggregate in self.kinds.values():
            for table in (aggregate.table, *aggregate.query_tables, *aggregate.event_tables):
                found[table.name] = table
        return list(found.values())
