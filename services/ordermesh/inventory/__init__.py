"""Inventory: how many of each SKU there are, and for which orders they are reserved."""
