"""Which method a path and a verb name: the google.api.http annotations of the contract, compiled.

Paths are matched as they came, before percent-decoding, so that an encoded slash or colon in an id stays part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

WHOLE_BODY = "*"
"""A binding's body when the request's body is the whole message."""

_VARIABLE = re.compile(r"\{.*?\}")
_PART = re.compile(r"\{(?P<name>[\w.]+)(?:=(?P<pattern>[^}]+))?\}|(?P<literal>[^{]+)")


class Template(NamedTuple):
    """A path with variables, as `/v1/orders/{order.order_id}`."""

    text: str
    expression: re.Pattern[str]
    variables: Sequence[str]

    def match(self, raw_path: str) -> Mapping[str, str] | None:
        """The variables' values by field path, decoded, or None where it is another path."""
        found = self.expression.fullmatch(raw_path)
        if found is None:
            return None
        return dict(zip(self.variables, map(unquote, found.groups()), strict=True))


class Binding(NamedTuple):
    """A verb and a path that call a method. `body` is empty, `*`, or the field that the request's body is."""

    service: ServiceDescriptor
    method: MethodDescriptor
    verb: str
    template: Template
    body: str


class Found(NamedTuple):
    """A binding and the values in the path."""

    binding: Binding
    path: Mapping[str, str]


class Routes:
    """The bindings of some services."""

    def __init__(self, services: Iterable[ServiceDescriptor]) -> None:
        self.bindings = [binding for service in services for binding in bindings_of(service)]
        paths: dict[str, dict[str, Binding]] = {}
        # `/orders/{id}:watch` comes before `/orders/{id}`, which would take the verb for a part of the id.
        for binding in sorted(self.bindings, key=lambda binding: -len(_VARIABLE.sub("", binding.template.text))):
            paths.setdefault(binding.template.expression.pattern, {})[binding.verb] = binding
        self._paths = list(paths.values())

    def find(self, raw_path: str) -> Mapping[str, Found]:
        """What a path names, by verb; nothing where it is no path of the API."""
        for verbs in self._paths:
            if next(iter(verbs.values())).template.expression.fullmatch(raw_path) is not None:
                return {verb: Found(each, each.template.match(raw_path) or {}) for verb, each in verbs.items()}
        return {}


def bindings_of(service: ServiceDescriptor) -> Iterator[Binding]:
    """The bindings of a service, the additional ones too. Raises ValueError for what cannot be served."""
    for method in service.methods:
        options = method.GetOptions()
        if not options.HasExtension(annotations_pb2.http):
            continue
        if method.client_streaming:
            raise ValueError(f"{method.full_name}: a stream of requests has no HTTP form")
        rule = options.Extensions[annotations_pb2.http]
        for each in (rule, *rule.additional_bindings):
            yield _binding(service, method, each)


def _binding(service: ServiceDescriptor, method: MethodDescriptor, rule: Any) -> Binding:
    kind = rule.WhichOneof("pattern")
    if kind in {None, "custom"} or rule.response_body:
        raise ValueError(f"{method.full_name}: custom verbs of HTTP and response_body are not served")
    return Binding(service, method, kind.upper(), compiled(getattr(rule, kind)), rule.body)


def compiled(text: str) -> Template:
    """A path template. A variable is one segment, or with `=**` any number of them."""
    expression, variables = "", []
    for part in _PART.finditer(text):
        if part["literal"] is not None:
            expression += re.escape(part["literal"])
            continue
        if part["pattern"] not in {None, "*", "**"}:
            raise ValueError(f"{text}: {part['pattern']} is a pattern that is not served")
        variables.append(part["name"])
        expression += "(.+)" if part["pattern"] == "**" else "([^/]+)"
    return Template(text, re.compile(expression), variables)
