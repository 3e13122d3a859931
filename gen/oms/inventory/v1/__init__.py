"""Generated from protos/oms by scripts/gen_protos.py."""
