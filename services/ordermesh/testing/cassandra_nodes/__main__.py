"""Runs the command line: `python -m ordermesh.testing.cassandra_nodes`, which is what scripts/cassandra does."""

from ordermesh.testing.cassandra_nodes.cli import app

if __name__ == "__main__":
    app(prog_name="scripts/cassandra")
