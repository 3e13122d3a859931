"""Power cuts for real: an engine on a file system that is shut down under load without a flush, and mounted again.

Killing processes keeps what the kernel holds for them. Here what was not synced is gone, as with the power.
"""
