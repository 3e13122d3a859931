"""What the engine does for a shop, told in plain words: one file per feature, run over gRPC against a real engine."""
