"""The services that are simulated: the real ones, with times short enough to be met, and the probe."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from oms.order.v1.order_pb2 import Order
from ordermesh.adapters.fraud_rules import SandboxRule
from ordermesh.core.decider import Service
from ordermesh.core.money import nanos_of
from ordermesh.inventory import app as inventory
from ordermesh.inventory.model import InventoryPolicy
from ordermesh.notification import app as notification
from ordermesh.order import app as order
from ordermesh.order.fraud import Outcome, Verdict
from ordermesh.order.model import OrderPolicy
from ordermesh.payment import app as payment
from ordermesh.runtime.host import all_services
from ordermesh.runtime.topology import DEFAULT_GROUPS, SEPARATE_GROUPS, SINGLE_GROUPS
from ordermesh.shipping import app as shipping
from ordermesh.shipping.model import ShippingPolicy
from ordermesh.testing.simulation.probe import PROBE, PROBE_SERVICE

SECOND_US = 1_000_000
WATCHED = "watched"
"""The label of orders that people look after: only these may be held by a rule, or nobody would release them."""
REVIEW_ABOVE_NANOS = 40_000_000_000


class WatchedRule:
    """Looks at the sandbox's token, and at watched orders above a total: also at what they are amended to."""

    def score(self, order: Order, payment_token: str) -> Verdict:
        """See `FraudScorer.score`."""
        if order.labels.get(WATCHED) and nanos_of(order.total) > REVIEW_ABOVE_NANOS:
            return Verdict(Outcome.REVIEW, "total")
        return SandboxRule().score(order, payment_token)


def services(chance: random.Random) -> Sequence[Service]:
    """What every process of a run is made of."""
    order_policy = OrderPolicy(
        ask_again_us=chance.choice((300_000, 3_000_000, 30_000_000)),
        ask_again_us_max=60 * SECOND_US,
        reserve_give_up_us=chance.choice((2, 20, 200)) * SECOND_US,
        authorize_give_up_us=chance.choice((3, 30, 300)) * SECOND_US,
        fraud=WatchedRule(),
    )
    inventory_policy = InventoryPolicy(reservation_age_us=chance.choice((1, 10, 100)) * SECOND_US)
    shipping_policy = ShippingPolicy(dispatch_delay_us=chance.choice((0, 0, 50_000, 2_000_000)))
    order_policy = replace(order_policy, backorder_us=chance.choice((1, 10, 60)) * SECOND_US)
    inventory_policy = replace(inventory_policy, backorders_per_sku_max=chance.choice((1, 4, 1_000)))
    return all_services(
        [
            order.make_service(order_policy),
            payment.SERVICE,
            shipping.make_service(shipping_policy),
            inventory.make_service(inventory_policy),
            notification.SERVICE,
            PROBE_SERVICE,
        ]
    )


def groups(*, separate: bool, tells: bool) -> Mapping[str, Sequence[str]]:
    """The shape of the deployment; the probe lives among the orders, or alone."""
    single = SINGLE_GROUPS if tells else {}
    if separate:
        return {**SEPARATE_GROUPS, PROBE: (PROBE,), **single}
    return {**DEFAULT_GROUPS, "orders": (*DEFAULT_GROUPS["orders"], PROBE), **single}
