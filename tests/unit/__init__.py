"""Tests of parts alone, without servers."""
