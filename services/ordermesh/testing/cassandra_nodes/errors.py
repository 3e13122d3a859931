"""What can go wrong with a cluster, said so that a person knows what to do."""

from __future__ import annotations


class ClusterError(Exception):
    """The cluster cannot do what was asked; the text says why, and where its log is if there is one."""


class ToolMissing(ClusterError):
    """Java or Maven is not here, or is not one that serves; the text says what to install."""
