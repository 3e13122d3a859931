"""Runs the command line: `python -m ordermesh.testing.chaos`, which is what scripts/chaos does."""

from ordermesh.testing.chaos.cli import main

if __name__ == "__main__":
    main()
