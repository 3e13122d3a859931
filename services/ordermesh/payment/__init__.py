"""Payment: what is held, taken and given back for an order, by way of a provider."""
