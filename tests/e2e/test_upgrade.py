"""A data directory that an earlier release left behind, killed at work: `up` of this build goes on with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oms.order.v1 import order_pb2, order_state_pb2
from ordermesh.testing.golden.recording import DATA, JOURNAL, load, unpack
from ordermesh.testing.golden.shop import ENDED, Shop
from tests.e2e.engine import Engine, journal_lines

GOLDEN = Path(__file__).parents[1] / "golden"
RECORDINGS = sorted(path.parent for path in GOLDEN.glob(f"*/*/{DATA}"))


@pytest.fixture(params=RECORDINGS, ids=lambda folder: "-".join(folder.parts[-2:]))
def recording(request: pytest.FixtureRequest) -> Path:
    """Each recording there is."""
    folder: Path = request.param
    return folder


@pytest.fixture
def engine(recording: Path, tmp_path: Path) -> Iterator[Engine]:
    """This build on the recording's data directory."""
    unpack(recording / DATA, tmp_path / "data")
    with Engine(tmp_path / "data", "--no-dispatch-automatically") as running:
        yield running


def states_of(recording: Path) -> dict[str, order_pb2.Order]:
    """The orders as they were when the engine was killed, without what no answer shows."""
    kept = [each for meaning in load(recording).meanings.values() for each in meaning if each["kind"] == "order"]
    orders = [order_state_pb2.StoredOrder.FromString(each["data"]).order for each in kept]
    for order in orders:
        order.ClearField("payment_token")
    return {order.order_id: order for order in orders}


def test_an_upgraded_engine_knows_every_order_and_finishes_what_was_under_way(recording: Path, engine: Engine) -> None:
    shop, before = Shop(engine.grpc), states_of(recording)
    journal = {line["order_id"]: line for line in journal_lines(recording / JOURNAL)}
    undecided = journal.keys() - before.keys()
    assert [journal[order_id]["persistence"] for order_id in undecided] == ["ACCEPTED"]

    for order_id, line in journal.items():
        order = shop.get(order_id)
        assert order.labels["invoice_no"] == line["invoice"]
        if order_id in before and before[order_id].order_state in ENDED:
            assert order == before[order_id]
    shop.trade("after")
    for order_id in [*journal, *(line["order_id"] for line in shop.journal)]:
        if shop.get(order_id).order_state not in ENDED:
            shop.shipped(order_id)
            assert shop.get(order_id).order_state == order_pb2.ORDER_STATE_COMPLETED
    shop.channel.close()
    audit = engine.call("verify", "--orders", recording / JOURNAL)
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert engine.stop() == 0
