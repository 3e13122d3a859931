"""Properties that hold for every run, tried by Hypothesis."""
