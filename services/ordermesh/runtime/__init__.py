"""The kernel, which knows no service, and the edge that stands before it; see README.md."""
