"""What a release wrote, kept for the releases after it: logs, store and a whole data directory, with what they mean.

`python -m ordermesh.testing.golden record tests/golden` runs this build as `ordermesh up` does and keeps what it wrote;
`tests/golden` holds that every later build redoes it to the same states. See CONTRIBUTING.md for when to record.
"""
