"""Runs the command line: `python -m ordermesh.testing.fuzz`, which is what scripts/fuzz does."""

from ordermesh.testing.fuzz.cli import app

if __name__ == "__main__":
    app(prog_name="scripts/fuzz")
