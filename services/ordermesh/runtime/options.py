"""Limits and times of the kernel: each has its reason here, and its setting in `settings.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

Seconds = Annotated[float, Gt(0), Le(86_400)]
"""A time that something takes or waits: without one a loop would spin, and a day of it is a mistake."""
Gathering = Annotated[float, Ge(0), Le(60)]
"""A time that work may wait for more of its kind; 0 for not at all."""
GivingUp = Annotated[float, Gt(0), Le(100)]
"""Well below the log's duplicate window of 120 seconds: what is offered longer could be taken twice."""
Keeping = Annotated[float, Ge(0), Le(10 * 365 * 86_400)]
"""A time that something is kept, at most ten years; 0 for not at all."""
Share = Annotated[float, Gt(0), Le(1)]
"""A part of something."""
Count = Annotated[int, Ge(1)]
"""A number of things or of bytes: with none, nothing would go on."""

ORDERED = (
    ("heartbeat_s", "member_timeout_s"),
    ("retry_min_s", "retry_max_s"),
    ("effect_retry_min_s", "effect_retry_max_s"),
    ("trim_share", "intake_share"),
    ("intake_share", "tight_share"),
    ("tight_share", "hold_share"),
)
"""Settings of which the first has to be below the second."""

SCHEMA_VERSION = 2
"""Of decision frames and checkpoints: a build refuses a newer one than its own."""

CLOCK_SKEW_ALLOWED_US = 10_000_000
"""How far an id's time may be ahead of the log clock; ids further ahead are refused at the edge."""

CLOCK_AHEAD_MAX_US = 60_000_000
"""How far an id may lead the log clock past the local one: more than clocks differ, too little to harm timers."""

CHAIN_LENGTH_MAX = 64
"""Messages to the own partition that one command may lead to; more is a loop, and a dead letter."""

EPOCH_ENDS_MAX = 64
"""Ends of takings that a checkpoint remembers: enough to tell a lost tail, small enough for a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerOptions:
    """How an owner and its edges behave. Times in seconds unless the name says otherwise."""

    frame_items_max: Count = 512
    """Envelopes or decisions in a frame: beyond this a frame gains nothing and delays its first item."""
    frame_bytes_max: Count = 512 * 1024
    """Bytes that stop the gathering of a frame: far below the server's 8 MiB, so one large item always fits."""
    pacing_s: Gathering = 0.01
    """How long a busy process waits for a fuller frame: below what a caller feels, above a frame's own cost."""
    busy_share: Share = 0.5
    """Loop utilisation from which a process paces its frames."""
    flush_gather_s: Gathering = 0.03
    """How long changed aggregates gather when nobody waits for the store: saves rows that change again at once."""
    flush_gather_busy_s: Gathering = 0.5
    """The same in a busy process: most orders are through by then, and each row is written once instead of thrice."""
    flush_answer_s: Seconds = 0.6
    """A caller who waits for the store is told LOGGED after this: the edge's second has to do for the log too."""
    checkpoint_interval_s: Seconds = 2.0
    """Time between checkpoints: what a new owner has to redo, against the agenda written each time."""
    checkpoint_bytes: Count = 16 * 1024 * 1024
    """Bytes of decisions after which a checkpoint is due before its time: bounds the redo."""
    cache_bytes_max: Count = 192 * 1024 * 1024
    """Memory for aggregates, per partition: half a minute of new orders at full load, so that none is looked up."""
    dirty_count_max: Count = 50_000
    """Changed or parked aggregates past which an owner stops deciding and only flushes: bounds memory."""
    unflushed_bytes_max: Count = 256 * 1024 * 1024
    """Bytes of decisions not yet in the store, and of the agenda, past which the same: bounds memory in an outage."""
    inbox_bytes_max: Count = 32 * 1024 * 1024
    """Command bytes read ahead of deciding; the rest stays in the log."""
    outbox_items_max: Count = 20_000
    """Messages kept in memory per receiving partition; the rest is read again from the log."""
    effects_in_flight_max: Count = 256
    """Calls to the provider at once and per partition: bounds sockets and the provider's load."""
    effect_retry_min_s: Seconds = 0.1
    """First pause before an effect of unknown outcome is executed again."""
    effect_retry_max_s: Seconds = 30.0
    """Backoff of an effect whose outcome is unknown."""
    breaker_failures: Count = 20
    """Unknown outcomes in a row after which effects pause, then go one at a time until one succeeds."""
    breaker_pause_s: Seconds = 1.0
    """Between two tries while the breaker is open."""
    load_timeout_s: Seconds = 0.5
    """How long a decision waits for the store before its command is parked: others wait behind it."""
    hand_over_s: Seconds = 10.0
    """How long a stopping owner tries to leave nothing to redo; after that the next one redoes it."""
    retry_min_s: Seconds = 0.05
    """First pause before log or store are asked again."""
    retry_max_s: Seconds = 2.0
    """Backoff for log and store."""
    tick_s: Seconds = 0.1
    """Granularity of timers, late answers and unparking."""
    status_interval_s: Seconds = 0.5
    """Between two statuses of a partition."""
    heartbeat_s: Seconds = 0.5
    """Between two signs of life of a member."""
    member_timeout_s: Seconds = 2.5
    """Silence after which a member counts as gone: five heartbeats."""
    retention_s: Keeping = 72 * 3600.0
    """How long decided records stay in the log while there is room, for replay and audit."""
    trim_share: Share = 0.5
    """Fill of the log from which retention gives way."""
    hold_share: Share = 0.9
    """Fill of a log from which messages for it wait in their senders' logs: decisions need the rest, to make room."""
    tight_share: Share = 0.85
    """Fill of the log from which an owner decides one frame per checkpoint, so that there is always some to trim."""
    intake_share: Share = 0.7
    """Fill of the log from which clients' commands are refused; the rest is for what drains work."""
    lag_target_s: Seconds = 5.0
    """Age of the oldest undecided command from which clients' commands are refused."""
    give_up_s: GivingUp = 60.0
    """How long a client's command is offered to the log: half the server's duplicate window."""
    pending_max: Count = 20_000
    """Calls of one edge that wait for an answer, per partition."""
    relay_required: bool = False
    """Whether the log may only be trimmed up to what a relay has read."""
