"""The edge in one process with its owners, on the memory adapters: what it says when something else is broken."""
