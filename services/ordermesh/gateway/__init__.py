"""The HTTP port of a process: probes and metrics."""
