"""Shipping: what is sent for an order, and whether it is too late to stop it."""
