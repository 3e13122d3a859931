"""Messages from their descriptors: as a caller who means well would fill them, or as one who does not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from ordermesh.testing.fuzz.values import Values

PRESENT_SHARE = 0.35
"""How often an optional field is there."""
OUTPUT_SHARE = 0.03
"""How often a field is there that only answers have."""
DEPTH_MAX = 6
"""Levels of messages that are filled."""
ITEMS_MANY = {0: 20, 2: 40, 9: 20, 70: 10, 1_001: 1, 2_001: 0.5}
"""How many items a hostile list has, around the limits, and how often that many."""
BYTES_MANY = 100_000
"""Size past which no list gets longer."""


@cache
def _behaviours(field: FieldDescriptor) -> frozenset[int]:
    """What the contract says of a field: required, answers only, and so on."""
    extension = field_behavior_pb2.field_behavior
    return frozenset(field.GetOptions().Extensions[extension])


class Messages:
    """Makes the messages of one call."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._chance = values.chance

    def plausible(self, descriptor: Descriptor, depth: int = 0) -> Message:
        """A message that may well be taken."""
        message: Message = GetMessageClass(descriptor)()
        chosen = {oneof: self._chance.choice(oneof.fields) for oneof in descriptor.oneofs}
        for field in descriptor.fields:
            oneof = field.containing_oneof
            if oneof is not None and chosen[oneof] is not field:
                continue
            if depth < DEPTH_MAX and self._chance.random() < self._share(field):
                self._fill(message, field, depth)
        return message

    def _share(self, field: FieldDescriptor) -> float:
        behaviours = _behaviours(field)
        if field_behavior_pb2.OUTPUT_ONLY in behaviours:
            return OUTPUT_SHARE
        if {field_behavior_pb2.REQUIRED, field_behavior_pb2.IDENTIFIER} & behaviours:
            return 0.97
        if field.full_name.startswith("google.type."):
            return 0.98
        return PRESENT_SHARE

    def _fill(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        if _is_map(field):
            getattr(message, field.name).update({f"label-{self._chance.randrange(5)}": "value"})
        elif field.is_repeated:
            items = getattr(message, field.name)
            for _ in range(self._chance.randint(1, 3)):
                self._append(items, field, depth)
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(self.plausible(field.message_type, depth + 1))
        else:
            setattr(message, field.name, self._values.plausible(field))

    def _append(self, items: Any, field: FieldDescriptor, depth: int) -> None:
        if field.message_type is not None:
            items.add().CopyFrom(self.plausible(field.message_type, depth + 1))
        else:
            items.append(self._values.plausible(field))

    def spoil(self, message: Message, depth: int = 0) -> None:
        """Makes one field of it, or of what is in it, hostile."""
        fields: Sequence[FieldDescriptor] = message.DESCRIPTOR.fields  # type: ignore[assignment]  # either of two equals
        if not fields:
            return
        field = self._chance.choice(fields)
        if _is_map(field):
            self._spoil_map(getattr(message, field.name), field)
        elif field.is_repeated:
            self._spoil_list(getattr(message, field.name), field, depth)
        elif field.message_type is not None:
            below = getattr(message, field.name)
            if self._chance.random() < 0.1:
                message.ClearField(field.name)
            elif depth < DEPTH_MAX:
                below.SetInParent()
                self.spoil(below, depth + 1)
        else:
            setattr(message, field.name, self._values.hostile(field))

    def _spoil_map(self, entries: Any, field: FieldDescriptor) -> None:
        assert field.message_type is not None, "a map is a message of keys and values"
        key, value = field.message_type.fields
        for number in range(self._chance.choice([1, 1, 3, 65])):
            name = self._values.hostile(key)
            if value.message_type is None:
                entries[f"{name[:300]}{number}" if isinstance(name, str) else name] = self._values.hostile(value)

    def _spoil_list(self, items: Any, field: FieldDescriptor, depth: int) -> None:
        if field.message_type is not None and len(items) and self._chance.random() < 0.7:
            self.spoil(self._chance.choice(items), depth + 1)
            return
        count = self._chance.choices(list(ITEMS_MANY), weights=list(ITEMS_MANY.values()))[0]
        del items[count:]
        size = 0
        while len(items) < count and size < BYTES_MANY:
            if field.message_type is not None:
                item = items.add()
                if self._chance.random() < 0.5 and depth < DEPTH_MAX:
                    self.spoil(item, depth + 1)
                size += item.ByteSize()
            else:
                value = self._values.hostile(field)
                items.append(value)
                size += len(value) if isinstance(value, str | bytes) else 8

    def hostile(self, descriptor: Descriptor) -> Message:
        """A message in which nearly everything is wrong."""
        message: Message = GetMessageClass(descriptor)()
        for _ in range(self._chance.randint(1, 12)):
            self.spoil(message)
        return message


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
