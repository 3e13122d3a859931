"""What is wrong with settings, in words: for each its name, what it is and should be, and the ways to give it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsError

VALUE_CHARACTERS_MAX = 60
"""What is shown of a value that is wrong."""
_KINDS: Mapping[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", Path: "a path"}
_UNKNOWN = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
_BOUNDS = {Ge: "at least", Gt: "more than", Le: "at most", Lt: "less than"}


def what_is_unreadable(error: SettingsError, prefix: str) -> str:
    """A sentence for a variable that has several values in one, which can then only be JSON."""
    _, quote, rest = str(error).partition('"')
    name = rest.partition(quote)[0] if quote else ""
    return f"{prefix}{name.upper()}: is no JSON. Settings of a group can be given one by one: {prefix}KERNEL__TICK_S"


def what_is_wrong(error: ValidationError, model: type[BaseSettings]) -> list[str]:
    """A sentence for each setting that is wrong."""
    return [_sentence(details, model) for details in error.errors()]


def _sentence(details: ErrorDetails, model: type[BaseSettings]) -> str:
    path = tuple(str(part) for part in details["loc"])
    name = ".".join(path)
    if details["type"] == "value_error" and is_dataclass(_annotation(path, model)):
        one, _, text = str(details["ctx"]["error"]).partition(": ")
        return f"{name}.{one}: {text}. {_ways((*path, one), model)}"
    if details["type"] in _UNKNOWN:
        return f"{name}: there is no such setting{_alike(path, model)}. `ordermesh up --help` lists them"
    return (
        f"{name}: is {_shown(details['input'], path, model)}, {_expected(details, path, model)}. {_ways(path, model)}"
    )


def _alike(path: tuple[str, ...], model: type[BaseSettings]) -> str:
    group = _annotation(path[:-1], model) if len(path) > 1 else None
    names = get_type_hints(group) if group is not None else model.model_fields
    found = get_close_matches(path[-1], names, n=1)
    return f"; did you mean {'.'.join((*path[:-1], *found))}?" if found else ""


def _annotation(path: tuple[str, ...], model: type[BaseSettings]) -> Any:
    """The type of a setting, or of one in a group of them."""
    annotation = model.model_fields[path[0]].annotation
    return get_type_hints(annotation)[path[1]] if len(path) > 1 and is_dataclass(annotation) else annotation


def _shown(value: object, path: tuple[str, ...], model: type[BaseSettings]) -> str:
    if isinstance(value, Mapping | list):
        return "a table" if isinstance(value, Mapping) else "a list"
    if _annotation(path, model) is SecretStr or SecretStr in get_args(_annotation(path, model)):
        return "not what it should be"
    text = repr(value)
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_MAX]}..."


def _expected(details: ErrorDetails, path: tuple[str, ...], model: type[BaseSettings]) -> str:
    """What it has to be: by what a check of our own says, else by the setting's type and bounds."""
    if details["type"] == "value_error":
        return str(details["ctx"]["error"])
    annotation = _annotation(path, model)
    if get_origin(annotation) is Literal:
        return f"expected {' or '.join(map(str, get_args(annotation)))}"
    kinds = [kind for kind in (annotation, *get_args(annotation)) if kind in _KINDS]
    if not kinds:
        return f"expected {'a table of settings' if is_dataclass(annotation) else 'text'}"
    return " ".join((f"expected {_KINDS[kinds[0]]}", *_bounds(_metadata(path, model))))


def _metadata(path: tuple[str, ...], model: type[BaseSettings]) -> Sequence[Any]:
    """What stands beside the type of a setting: its bounds."""
    field = model.model_fields[path[0]]
    if len(path) == 1 or not is_dataclass(field.annotation):
        return field.metadata
    return get_args(get_type_hints(field.annotation, include_extras=True)[path[1]])[1:]


def _bounds(metadata: Sequence[Any]) -> Iterator[str]:
    words = []
    for bound in metadata:
        for kind, text in _BOUNDS.items():
            if isinstance(bound, kind):
                words.append(f"{text} {getattr(bound, kind.__name__.lower())}")
    yield from [", ".join(words[:-1]), "and", words[-1]] if len(words) > 1 else words


def _ways(path: tuple[str, ...], model: type[BaseSettings]) -> str:
    """How a setting is given, in the order in which the ways count."""
    prefix = model.model_config.get("env_prefix", "")
    delimiter = model.model_config.get("env_nested_delimiter") or "__"
    flag = "--" + "-".join(path).replace("_", "-")
    variable = prefix + delimiter.join(path).upper()
    place = path[-1] if len(path) == 1 else f"{path[-1]} under [{path[0]}]"
    if is_dataclass(_annotation(path, model)):
        return f"Give each setting of it by {flag}-..., {variable}{delimiter}..., or under [{path[0]}] in the TOML file"
    return f"Give it by {flag}, {variable}, or {place} in the TOML file"
