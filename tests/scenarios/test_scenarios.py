"""Every scenario of every second feature file."""

from __future__ import annotations

from pytest_bdd import scenarios

from tests.scenarios.halves import half

scenarios(*half(0))
