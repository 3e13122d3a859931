"""Limits on what the engine takes, each with its reason. PURE.

They bound memory, frames and the time of one decision. The edge enforces those on requests (most are settings whose
defaults these are); deciders enforce those on state.
"""

from __future__ import annotations

from typing import Final

LINES_PER_ORDER_MAX: Final = 2_000
"""Each line may need a reservation, and all of an order's in a partition are decided at once."""

ORDER_BYTES_MAX: Final = 512 * 1024
"""An order travels through several frames of at most that size; a larger one would be a frame of its own each time."""

BATCH_SIZE_MAX: Final = 1_000
"""Items of a batch call: about what one frame gathers."""

CALL_BYTES_MAX: Final = 4 * 1024 * 1024
"""gRPC's own default for a message."""

REQUESTS_REMEMBERED_MAX: Final = 64
"""Request ids per aggregate, 25 bytes each: more than a caller has under way for one order."""

LABELS_PER_ORDER_MAX: Final = 64
"""Labels are for a client's own references, not for documents."""

LABEL_CHARACTERS_MAX: Final = 256
"""For a label's name and for its value."""

TEXT_CHARACTERS_MAX: Final = 256
"""For ids of customers, SKUs, lines and requests, tracking numbers and tokens: they stand in keys and timelines."""

REASON_CHARACTERS_MAX: Final = 1_024
"""For a reason given by a person; it stays in the timeline."""

HOLDS_PER_ORDER_MAX: Final = 16
"""A hold is a person's or a rule's reason to wait; more at once than people who would look at the order help nobody."""

PAYMENT_ATTEMPTS_MAX: Final = 16
"""Payment tokens that are tried for one order: who tries more is testing cards."""

PAYMENT_RETRY_SECONDS_MAX: Final = 7 * 86_400
"""How long an order may keep its stock from others while it waits for another payment token."""

RETURNS_PER_ORDER_MAX: Final = 64
"""They stay in the order; who sends back more often sends back piece by piece."""

RETURN_LINES_PER_ORDER_MAX: Final = 4_000
"""Lines of all returns of an order together: twice the lines that it may have, and small against the order itself."""

QUANTITY_MAX: Final = 1_000_000_000_000
"""Pieces of one line, and of one receipt: sums over all lines and receipts stay far from the end of int64."""

PAGE_SIZE_DEFAULT: Final = 50
"""Rows of a page when the caller does not say."""

PAGE_SIZE_MAX: Final = 1_000
"""Rows of a page at most."""

BACKORDERS_PER_SKU_MAX: Final = 1_000
"""Orders that wait for one SKU: they stand in the SKU's state, 50 bytes each, which is written whole."""

BACKORDERS_SERVED_MAX: Final = 50
"""Orders that wait and are served by one decision: each is loaded, and told."""

AHEAD_DAYS_MAX: Final = 366
"""How far ahead an order may be scheduled, and a backorder may wait: a timer is kept for as long."""

ID_AHEAD_MS_MAX: Final = 10_000
"""How far the time in an order id may be ahead of the clock: the skew of clocks that the log clock allows for."""
