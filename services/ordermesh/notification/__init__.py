"""What the world is told: integration events, which the relay publishes, and webhooks, which are made of them."""
