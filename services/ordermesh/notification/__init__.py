"""What the world is told: integration events. The relay reads the logs and publishes them."""
