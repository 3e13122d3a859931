"""Which feature files run side by side: each half has an engine of its own, as those have that need other settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

FEATURES = "features"
AT_STRIPE = ("at_stripe.feature", "reconciling.feature")
"""Those whose engine has its payments at a stand-in for Stripe."""


def half(number: int) -> Sequence[str]:
    """Every second of the others, by name."""
    names = sorted(path.name for path in (Path(__file__).parent / FEATURES).glob("*.feature"))
    return [f"{FEATURES}/{name}" for name in names if name not in AT_STRIPE][number::2]
