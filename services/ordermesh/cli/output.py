"""What commands print: a table for people, JSON or YAML for programs, on stdout; progress and errors go to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message


class Output(StrEnum):
    """The forms of an answer."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def as_dict(message: Message) -> dict[str, Any]:
    """The message in protobuf's JSON form, with the proto's field names and with fields that have their default."""
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def print_message(message: Message, output: Output, table: Sequence[Sequence[str]]) -> None:
    """Prints an answer; `table` is how people see it, its first row the headings."""
    if output is Output.TABLE:
        print_table(table)
    else:
        print_data(as_dict(message), output)


def print_data(data: Any, output: Output) -> None:
    """Prints plain data as JSON or YAML."""
    if output is Output.YAML:
        print("\n".join(yaml_lines(data)))
    else:
        print(json.dumps(data, indent=2, ensure_ascii=False))


def print_line(message: Message, output: Output, cells: Sequence[str]) -> None:
    """Prints one message of a stream, at once: a JSON object a line, a YAML document, or a row."""
    if output is Output.TABLE:
        print("  ".join(cells), flush=True)
    elif output is Output.JSON:
        print(json.dumps(as_dict(message), ensure_ascii=False), flush=True)
    else:
        print("---", *yaml_lines(as_dict(message)), sep="\n", flush=True)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Prints aligned columns; numbers of a column need no look at the others, so all are left-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def yaml_lines(data: Any, indent: str = "") -> Iterator[str]:
    """Block-style YAML of plain data. Scalars are written as JSON, which is YAML too (YAML 1.2, section 1.3)."""
    if isinstance(data, Mapping) and data:
        for key, value in data.items():
            yield from _yaml_entry(f"{indent}{json.dumps(key) if _needs_quotes(key) else key}:", value, indent)
    elif isinstance(data, list) and data:
        for value in data:
            yield from _yaml_entry(f"{indent}-", value, indent)
    else:
        yield indent + json.dumps(data, ensure_ascii=False)


def _yaml_entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping | list) and value:
        yield head
        yield from yaml_lines(value, indent + "  ")
    else:
        yield f"{head} {json.dumps(value, ensure_ascii=False)}"


def _needs_quotes(key: str) -> bool:
    return not key.replace("_", "").isalnum() or key.lower() in {
        "yes",
        "no",
        "on",
        "off",
        "true",
        "false",
        "null",
        "y",
        "n",
    }


def say(sentence: str) -> None:
    """Tells a person something, on stderr."""
    print(sentence, file=sys.stderr, flush=True)
