"""Hostile input: calls, frames of the log, files."""
