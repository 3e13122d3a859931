"""The commands of `ordermesh`, put together."""

from __future__ import annotations

from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from ordermesh.cli import (
    deployment,
    operate,
    order_returns,
    order_waiting,
    orders,
    payments,
    schema,
    stock,
    webhooks,
)
from ordermesh.cli.bench import bench
from ordermesh.cli.repartition import repartition
from ordermesh.cli.replay import replay
from ordermesh.cli.simulate import simulate
from ordermesh.cli.up import down, serve_role, up
from ordermesh.cli.verify import verify

app = typer.Typer(
    name="ordermesh",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=(
        "An order engine: start it, talk to it, replay real orders, audit it, measure it.\n\n"
        "First: ordermesh up. Then, elsewhere: ordermesh stock receive TEA 100; "
        "ordermesh order create --customer ada --line TEA:2:4.99; ordermesh verify.\n\n"
        "Exit status: 0; 1 failed or violated; 2 wrong usage; 4 not found; 5 unavailable."
    ),
)


@app.callback(invoke_without_command=True)
def _ordermesh(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False
) -> None:
    if version:
        typer.echo(f"ordermesh {installed_version('ordermesh')}")
        raise typer.Exit


app.command("up")(up)
app.command("down")(down)
app.command("serve")(serve_role)
app.add_typer(orders.app, name="order")
orders.app.command("hold")(order_waiting.hold)
orders.app.command("release")(order_waiting.release)
orders.app.command("update-payment")(order_waiting.update_payment)
orders.app.command("authorize-return")(order_returns.authorize_return)
orders.app.command("receive-return")(order_returns.receive_return)
orders.app.command("inspect-return")(order_returns.inspect_return)
orders.app.command("cancel-return")(order_returns.cancel_return)
orders.app.command("exchange")(order_returns.exchange)
app.add_typer(stock.app, name="stock")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(payments.app, name="payments")
app.command("replay")(replay)
app.command("verify")(verify)
app.add_typer(operate.partitions, name="partitions")
app.add_typer(operate.deadletters, name="deadletters")
app.add_typer(operate.log, name="log")
app.add_typer(deployment.app, name="deployment")
app.add_typer(schema.app, name="schema")
app.command("bench")(bench)
app.command("repartition")(repartition)
app.command("simulate")(simulate)


def run() -> None:
    """Runs the command line and ends the process with its exit status."""
    app()
