"""Hostile input: calls of every method of the contract, made from its descriptors, against an engine that runs."""
