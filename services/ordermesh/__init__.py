"""ordermesh: an event-driven order engine."""
