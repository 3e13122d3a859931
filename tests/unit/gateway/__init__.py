"""The HTTP API over a whole engine in one process."""
