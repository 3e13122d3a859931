"""Order: the life of an order, from its placing to its end, as a process manager over the other services."""
