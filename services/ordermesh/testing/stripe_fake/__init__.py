"""A stateful stand-in for Stripe's API, for tests: it keeps PaymentIntents, refunds and idempotency keys as Stripe
does, and loses, delays and refuses what a test tells it to."""
