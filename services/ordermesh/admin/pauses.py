"""How long an audit waits until what looks wrong is wrong: rows of one thing are not read at one moment, and an owner
that is behind stores later what the log and the provider have already."""

from __future__ import annotations

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Between looks at what looks wrong: half a minute in all, several times what an owner lags that still takes orders."""
