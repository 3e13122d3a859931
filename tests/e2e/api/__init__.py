"""The contract of api.md against a real engine: gRPC from outside, real processes inside."""
