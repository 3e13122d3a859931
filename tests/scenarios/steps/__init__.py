"""What the sentences of the feature files do: one module per theme; conftest.py makes them known."""
