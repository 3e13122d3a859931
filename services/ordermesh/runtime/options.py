"""Limits and times of the kernel: each has its reason here, and its setting in `settings.py`."""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA_VERSION = 1
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

    frame_items_max: int = 512
    """Envelopes or decisions in a frame: beyond this a frame gains nothing and delays its first item."""
    frame_bytes_max: int = 512 * 1024
    """Bytes that stop the gathering of a frame: far below the server's 8 MiB, so one large item always fits."""
    pacing_s: float = 0.01
    """How long a busy process waits for a fuller frame: below what a caller feels, above a frame's own cost."""
    busy_share: float = 0.5
    """Loop utilisation from which a process paces its frames."""
    flush_gather_s: float = 0.03
    """How long changed aggregates gather when nobody waits for the store: saves rows that change again at once."""
    flush_gather_busy_s: float = 0.5
    """The same in a busy process: most orders are through by then, and each row is written once instead of thrice."""
    flush_answer_s: float = 0.7
    """A caller who waits for the store is told LOGGED after this: below the edge's one second."""
    checkpoint_interval_s: float = 2.0
    """Time between checkpoints: what a new owner has to redo, against the agenda written each time."""
    checkpoint_bytes: int = 16 * 1024 * 1024
    """Bytes of decisions after which a checkpoint is due before its time: bounds the redo."""
    cache_bytes_max: int = 192 * 1024 * 1024
    """Memory for aggregates, per partition: half a minute of new orders at full load, so that none is looked up."""
    dirty_count_max: int = 50_000
    """Changed or parked aggregates past which an owner stops deciding and only flushes: bounds memory."""
    unflushed_bytes_max: int = 256 * 1024 * 1024
    """Bytes of decisions not yet in the store, and of the agenda, past which the same: bounds memory in an outage."""
    inbox_bytes_max: int = 32 * 1024 * 1024
    """Command bytes read ahead of deciding; the rest stays in the log."""
    outbox_items_max: int = 20_000
    """Messages kept in memory per receiving partition; the rest is read again from the log."""
    effects_in_flight_max: int = 256
    """Calls to the provider at once and per partition: bounds sockets and the provider's load."""
    effect_retry_min_s: float = 0.1
    """First pause before an effect of unknown outcome is executed again."""
    effect_retry_max_s: float = 30.0
    """Backoff of an effect whose outcome is unknown."""
    breaker_failures: int = 20
    """Unknown outcomes in a row after which effects pause, then go one at a time until one succeeds."""
    breaker_pause_s: float = 1.0
    """Between two tries while the breaker is open."""
    load_timeout_s: float = 0.5
    """How long a decision waits for the store before its command is parked: others wait behind it."""
    hand_over_s: float = 10.0
    """How long a stopping owner tries to leave nothing to redo; after that the next one redoes it."""
    retry_min_s: float = 0.05
    """First pause before log or store are asked again."""
    retry_max_s: float = 2.0
    """Backoff for log and store."""
    tick_s: float = 0.1
    """Granularity of timers, late answers and unparking."""
    status_interval_s: float = 0.5
    """Between two statuses of a partition."""
    heartbeat_s: float = 0.5
    """Between two signs of life of a member."""
    member_timeout_s: float = 2.5
    """Silence after which a member counts as gone: five heartbeats."""
    retention_s: float = 72 * 3600.0
    """How long decided records stay in the log while there is room, for replay and audit."""
    trim_share: float = 0.5
    """Fill of the log from which retention gives way."""
    hold_share: float = 0.9
    """Fill of a log from which messages for it wait in their senders' logs: decisions need the rest, to make room."""
    tight_share: float = 0.85
    """Fill of the log from which an owner decides one frame per checkpoint, so that there is always some to trim."""
    intake_share: float = 0.7
    """Fill of the log from which clients' commands are refused; the rest is for what drains work."""
    lag_target_s: float = 10.0
    """Age of the oldest undecided command from which clients' commands are refused."""
    give_up_s: float = 60.0
    """How long a client's command is offered to the log: half the server's duplicate window."""
    pending_max: int = 20_000
    """Calls of one edge that wait for an answer, per partition."""
    relay_required: bool = False
    """Whether the log may only be trimmed up to what a relay has read."""
