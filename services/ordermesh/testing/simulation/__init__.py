"""A seeded simulation of the whole engine in virtual time, on the memory adapters; see docs/explanation/simulation.md."""
