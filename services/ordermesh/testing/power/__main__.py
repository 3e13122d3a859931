"""Runs the command line: `python -m ordermesh.testing.power`, which is what scripts/power does."""

from ordermesh.testing.power.cli import app

if __name__ == "__main__":
    app(prog_name="scripts/power")
