"""What one seed simulates: the shape of the deployment, its limits, its load, and which faults come how often.

Swarm testing: every seed leaves out about half of the kinds of faults and draws the rates of the others over orders of
magnitude, so that no kind hides another and rare combinations come up.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from ordermesh.runtime.options import OwnerOptions

OPERATION_FAULTS: dict[str, tuple[float, float]] = {
    "append_lost": (0.002, 0.08),
    "append_unknown": (0.002, 0.08),
    "append_late": (0.002, 0.05),
    "append_refused": (0.002, 0.08),
    "append_repeated": (0.002, 0.05),
    "log_slow": (0.005, 0.1),
    "log_refused": (0.002, 0.08),
    "delivery_slow": (0.005, 0.1),
    "store_refused": (0.005, 0.2),
    "store_part": (0.005, 0.1),
    "store_late": (0.005, 0.1),
    "store_weak": (0.005, 0.2),
    "store_slow": (0.005, 0.1),
    "bus_lost": (0.005, 0.2),
    "bus_slow": (0.005, 0.1),
    "crash_at_call": (0.0005, 0.01),
    "crash_at_answer": (0.0005, 0.01),
    "provider_lost": (0.02, 0.4),
    "provider_unknown": (0.02, 0.4),
    "provider_late": (0.02, 0.2),
    "provider_slow": (0.02, 0.3),
}
"""Faults of single operations: the lowest and highest probability for each operation."""

TIMED_FAULTS: dict[str, tuple[float, float]] = {
    "crash": (0.02, 0.4),
    "stop": (0.02, 0.3),
    "edge_crash": (0.01, 0.1),
    "pause": (0.02, 0.3),
    "long_pause": (0.02, 0.1),
    "bus_cut": (0.02, 0.2),
    "log_cut": (0.02, 0.2),
    "log_outage": (0.01, 0.1),
    "store_outage": (0.01, 0.15),
    "clock_jump": (0.02, 0.5),
    "window_forgotten": (0.01, 0.2),
    "weak_lost": (0.02, 0.3),
    "leader_lost": (0.02, 0.2),
    "upgrade": (0.01, 0.1),
}
"""Faults that come by themselves: the lowest and highest rate a second."""

LATER_FAULTS: dict[str, tuple[float, float]] = {
    "append_by_two": (0.002, 0.08),
    "drain": (0.02, 0.3),
}
"""More faults of both kinds, drawn apart: seeds noted before these were known keep their worlds."""

TELLING_FAULTS: dict[str, tuple[float, float]] = {
    "events_lost": (0.01, 0.3),
    "events_part": (0.01, 0.3),
    "events_unknown": (0.01, 0.3),
    "events_late": (0.01, 0.2),
    "replica_lags": (0.01, 0.5),
    "post_lost": (0.01, 0.3),
    "post_unanswered": (0.01, 0.3),
    "post_refused": (0.01, 0.3),
    "post_slow": (0.01, 0.3),
    "relay_crash": (0.02, 0.5),
    "courier_crash": (0.02, 0.5),
    "receiver_down": (0.02, 0.2),
    "events_forgotten": (0.01, 0.2),
}
"""Faults of both kinds of those who tell the world, where somebody does."""

DAMAGES = ("tail_lost", "rows_ahead", "frame_corrupt")
"""What may be done to a log that is past mending; see `damage.py`."""

DAMAGED_SHARE = 0.06
"""Share of the seeds in which that happens: it ends the run, so few have it."""


@dataclass(slots=True, kw_only=True)
class Profile:
    """One seed's world, before anything happens."""

    separate_groups: bool
    partitions: int
    owners: int
    edges: int
    orders: int
    customers: int
    skus: int
    stock_share: float
    duration_s: float
    latency_s: float
    turn_cost_s: float
    log_bytes: int
    options: OwnerOptions
    rates: dict[str, float] = field(default_factory=dict)
    upgrades_change_schema: bool = False
    clerks_share: float = 0.0
    care_share: float = 0.0
    """Share of the orders that people look after: hold and release, pay by other tokens, exchange, take back."""
    lively_share: float = 0.0
    """Share of the orders that may be short of stock, wait, be sent in parts and be changed."""
    keepers_share: float = 0.0
    """Share of the SKUs that people look after: count, correct, say when it is low."""
    details_share: float = 0.0
    """Share of the changes and refunds that also name an address, a charge, a reason, or the version they are for."""
    bookkeepers_share: float = 0.0
    """Share of the payments that people compare with the provider."""
    relays: int = 0
    """Processes that publish what was decided; with none, nobody is told, and logs are trimmed without them."""
    couriers: int = 0
    """Processes that deliver webhooks."""
    damage: str = ""

    def summary(self) -> str:
        """One line for a person."""
        shape = "separate" if self.separate_groups else "default"
        return (
            f"{shape} groups, P={self.partitions}, {self.owners} owners, {self.edges} edges, {self.orders} orders, "
            f"{self.skus} skus, {self.relays} relays, {self.couriers} couriers, {self.duration_s:.1f} s of faults: "
            + ", ".join(f"{kind} {rate:.3g}" for kind, rate in self.rates.items())
            + (f"; {self.damage}" if self.damage else "")
        )


def _log_uniform(chance: random.Random, low: float, high: float) -> float:
    return low * float((high / low) ** chance.random())


def _rates(chance: random.Random, seed: int) -> dict[str, float]:
    """Which faults this seed has; one seed in twenty has none."""
    if chance.random() < 0.05:
        return {}
    share = chance.choice((0.15, 0.3, 0.5, 0.8))
    rates = {}
    for faults, drawn_by in ((OPERATION_FAULTS | TIMED_FAULTS, chance), (LATER_FAULTS, random.Random(f"later {seed}"))):
        for kind, (low, high) in faults.items():
            rate = _log_uniform(drawn_by, low, high)
            if drawn_by.random() < share:
                rates[kind] = rate
    return rates


def _options(chance: random.Random) -> OwnerOptions:
    """Limits, often tiny, so that every limit is met."""
    changes: dict[str, Any] = {}
    if chance.random() < 0.5:
        changes["cache_bytes_max"] = chance.choice((0, 2_000, 8_000, 30_000))
    if chance.random() < 0.5:
        changes["frame_items_max"] = chance.choice((1, 2, 3, 8))
    if chance.random() < 0.3:
        changes["frame_bytes_max"] = chance.choice((300, 1_000, 4_000))
    if chance.random() < 0.3:
        changes["outbox_items_max"] = chance.choice((1, 2, 5))
    if chance.random() < 0.3:
        changes["inbox_bytes_max"] = chance.choice((500, 3_000))
    if chance.random() < 0.3:
        changes["dirty_count_max"] = chance.choice((3, 10))
    if chance.random() < 0.3:
        changes["effects_in_flight_max"] = chance.choice((1, 3))
    if chance.random() < 0.5:
        changes["trim_share"] = chance.choice((0.0, 0.05, 0.2))
    if chance.random() < 0.5:
        changes["retention_s"] = chance.choice((0.0, 0.5, 5.0))
    changes["checkpoint_interval_s"] = chance.choice((0.1, 0.3, 1.0, 2.0))
    changes["flush_gather_s"] = chance.choice((0.0, 0.005, 0.03, 0.2))
    changes["load_timeout_s"] = chance.choice((0.2, 0.5))
    changes["effect_retry_max_s"] = chance.choice((1.0, 5.0, 30.0))
    return OwnerOptions(**changes)


def draw_profile(seed: int) -> Profile:
    """The world of a seed."""
    chance = random.Random(f"profile {seed}")
    orders = chance.randint(6, 36)
    lively = random.Random(f"lively {seed}")
    profile = Profile(
        separate_groups=chance.random() < 0.4,
        partitions=chance.randint(1, 3),
        owners=chance.randint(1, 3),
        edges=chance.randint(1, 2),
        orders=orders,
        customers=chance.randint(1, 5),
        skus=chance.randint(1, 6),
        stock_share=chance.choice((0.3, 0.7, 1.0, 3.0)),
        duration_s=chance.choice((3.0, 8.0, 20.0, 40.0)),
        latency_s=_log_uniform(chance, 0.0001, 0.02),
        turn_cost_s=chance.choice((0.0, 0.00001, 0.0001)),
        log_bytes=chance.choice((400_000, 800_000, 4_000_000)),
        options=_options(chance),
        rates=_rates(chance, seed),
        upgrades_change_schema=chance.random() < 0.5,
        clerks_share=chance.choice((0.0, 0.0, 0.2, 0.6)),
        care_share=random.Random(f"care share {seed}").choice((0.0, 0.0, 0.2, 0.7)),
        lively_share=lively.choice((0.0, 0.0, 0.4, 0.9)),
        keepers_share=random.Random(f"keepers share {seed}").choice((0.0, 0.0, 0.4, 1.0)),
        details_share=random.Random(f"details share {seed}").choice((0.0, 0.0, 0.3, 0.8)),
        bookkeepers_share=random.Random(f"bookkeepers share {seed}").choice((0.0, 0.0, 0.2, 0.6)),
        damage=chance.choice(DAMAGES) if chance.random() < DAMAGED_SHARE else "",
    )
    return profile if profile.damage else _with_tellers(profile, random.Random(f"tellers profile {seed}"))


def _with_tellers(profile: Profile, chance: random.Random) -> Profile:
    """In half of the seeds somebody tells the world; the others keep the worlds that they had."""
    relays, couriers = chance.choice((0, 0, 1, 2)), chance.choice((0, 1, 1, 2))
    if not relays:
        return profile
    rates = {kind: _log_uniform(chance, *TELLING_FAULTS[kind]) for kind in TELLING_FAULTS if chance.random() < 0.4}
    rates = {**profile.rates, **rates} if profile.rates else {}
    return replace(profile, relays=relays, couriers=couriers, rates=rates)
