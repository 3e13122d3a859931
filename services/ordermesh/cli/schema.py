"""`ordermesh schema`: the tables of the Cassandra store, made beforehand or looked at."""

from __future__ import annotations

import typer

from ordermesh.cli.client import FAILED, UNAVAILABLE
from ordermesh.cli.flags import with_settings
from ordermesh.cli.output import say
from ordermesh.cli.serve import configure_logging
from ordermesh.runtime.ports import StoreUnavailable
from ordermesh.runtime.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The tables of the Cassandra store.")


@app.command("apply")
@with_settings
def apply(settings: Settings) -> None:
    """Make the keyspace and its tables, or add what this version needs more. Changes and removes nothing.

    `ordermesh up --store cassandra` does it by itself. Several may do it at once. Done again, it does nothing.

    Example: ordermesh schema apply --cassandra 10.0.0.1 --cassandra-replication 3
    """
    from ordermesh import bootstrap  # noqa: PLC0415 # the other commands need no services
    from ordermesh.adapters import stores  # noqa: PLC0415 # as above

    configure_logging("warning", "schema")
    tables = bootstrap.tables(bootstrap.services(settings))
    try:
        applied = stores.apply_schema(settings, tables, bootstrap.build())
    except StoreUnavailable as error:
        say(f"Error: {error}")
        raise typer.Exit(UNAVAILABLE) from None
    except ValueError as error:
        say(f"Error: {error}")
        raise typer.Exit(FAILED) from None
    for statement in applied.statements:
        print(f"{statement};")
    was = f"was of version {applied.before}" if applied.before else "had no version"
    say(f"The keyspace {settings.cassandra_keyspace} {was}, and is of version {applied.now}")


@app.command("show")
@with_settings
def show(settings: Settings) -> None:
    """Print the keyspace and its tables in CQL, without asking any cluster.

    Example: ordermesh schema show --cassandra-replication eu:3,us:3
    """
    from ordermesh import bootstrap  # noqa: PLC0415 # the other commands need no services
    from ordermesh.adapters.cassandra_schema import Schema  # noqa: PLC0415 # as above
    from ordermesh.adapters.stores import cassandra_options  # noqa: PLC0415 # as above

    tables = bootstrap.tables(bootstrap.services(settings))
    try:
        print(Schema(cassandra_options(settings), tables, bootstrap.build()).text(), end="")
    except ValueError as error:
        say(f"Error: {error}")
        raise typer.Exit(FAILED) from None
