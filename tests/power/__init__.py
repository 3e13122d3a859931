"""Power cuts for real, a few of them; `scripts/power` does many."""
