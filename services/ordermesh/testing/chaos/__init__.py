"""Chaos with real processes: a whole deployment, its customers, and what breaks it: docs/how-to/run-chaos.md."""
