"""What tests share: given/when/then for deciders, and the seeded simulation of the whole engine."""
