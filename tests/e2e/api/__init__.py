"""The public contract against a real engine: gRPC from outside, real processes inside."""
