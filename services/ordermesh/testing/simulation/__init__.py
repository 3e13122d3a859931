"""A seeded simulation of the whole engine in virtual time on the memory adapters: docs/explanation/simulation.md."""
