"""Tests of the chaos run's own parts: a run that cannot fail would prove nothing."""
