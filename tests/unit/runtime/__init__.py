"""Tests of the kernel with a toy service on the memory adapters."""
