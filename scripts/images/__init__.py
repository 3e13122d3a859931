"""Container images without a container engine: root file systems put together from packages, written as archives."""
