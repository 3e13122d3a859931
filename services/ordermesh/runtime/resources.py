"""How an edge takes the public resource out of a stored state without reading the rest of it.

Every stored state has its resource as field 1, and states are serialised in the order of their fields.
"""

from __future__ import annotations

_FIELD_1_BYTES = 0x0A
"""The tag of field 1 with a length: how such a state begins."""


def resource_bytes(state: bytes) -> bytes:
    """The resource, still serialised. Raises ValueError if the state does not begin with one."""
    if not state or state[0] != _FIELD_1_BYTES:
        raise ValueError("a stored state begins with its resource")
    length = shift = 0
    start = 1
    while True:
        byte = state[start]
        length |= (byte & 0x7F) << shift
        shift += 7
        start += 1
        if byte < 0x80:
            return state[start : start + length]
