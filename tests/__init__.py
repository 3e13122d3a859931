"""Tests of every level; see docs/explanation/testing.md."""
