"""What must hold at the end of a run of what people did with orders: holds, returns, refunds and exchanges add up."""

from __future__ import annotations

from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.core.decider import Key
from ordermesh.order.balance import unbalanced
from ordermesh.testing.simulation.world import World


def check_care(world: World) -> None:
    """I4 and I5 of all orders."""
    for key, true in world.truth.of_kind("order").items():
        _waits_for_nobody(world, key, true.state)
        _adds_up(world, key, true.state)
        _is_linked(world, key, true.state)


def _waits_for_nobody(world: World, key: Key, state: StoredOrder) -> None:
    """An order that has ended is neither held nor waits for a payment token."""
    waits = state.order.HasField("payment_retry_time")
    world.findings.require(not state.order.holds and not waits, "I5", "{} has ended and waits for people", key)


def _adds_up(world: World, key: Key, state: StoredOrder) -> None:
    """No piece comes back twice, no money is given back twice, and a hold keeps back what it has to."""
    wrong = list(unbalanced(state))
    world.findings.require(not wrong, "I4", "{}: {}", key, wrong)


def _is_linked(world: World, key: Key, state: StoredOrder) -> None:
    """Orders in exchange are there, and name each other."""
    for other in state.order.exchanged_by:
        found = world.truth.state_of(key._replace(key=other))
        same = found is not None and found.order.exchange_of == key.key
        world.findings.require(same, "I1", "{} was exchanged by {}, which does not say so", key, other)
    if state.order.exchange_of:
        found = world.truth.state_of(key._replace(key=state.order.exchange_of))
        same = found is not None and key.key in found.order.exchanged_by
        world.findings.require(same, "I2", "{} is in exchange for {}, which does not say so", key, found)
