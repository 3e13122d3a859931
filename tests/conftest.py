"""What all tests share: how hard Hypothesis tries, here and in CI; and the Cassandra that some need."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.cassandra_nodes"]

# The machine is shared, so an example's time says nothing; a shrunk example is printed with what reproduces it.
settings.register_profile("default", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
# CI tries the same examples each time: a red build means that the change did it.
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")
