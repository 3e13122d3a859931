"""The sagas with people in them: holds, reviews, other payment tokens, returns step by step, exchanges. Whatever they
do in whatever order, the same holds at the end; and returns, refunds and exchanges add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from oms.common.v1.address_pb2 import Address
from oms.inventory.v1.inventory_commands_pb2 import ReceiveStock
from oms.order.v1 import order_commands_pb2 as orders
from oms.order.v1 import order_pb2 as words
from oms.order.v1.order_pb2 import OrderReturn
from oms.order.v1.order_service_pb2 import InspectedLine, LineQuantity
from oms.order.v1.order_state_pb2 import StoredOrder
from ordermesh.adapters.fraud_rules import fraud_scorer
from ordermesh.core.ids import order_id_of
from ordermesh.core.money import nanos_of
from ordermesh.inventory import app as inventory
from ordermesh.inventory.model import InventoryPolicy
from ordermesh.order import app as order
from ordermesh.order import model, returning
from ordermesh.order.balance import asked_while_held
from ordermesh.order.model import order_key
from ordermesh.payment import app as payment
from ordermesh.shipping import app as shipping
from ordermesh.shipping.model import ShippingPolicy
from ordermesh.testing.given import START_US, TENANT
from ordermesh.testing.miniature import APART, TOGETHER, Miniature
from tests.property.provider import Provider
from tests.property.test_sagas import IMPATIENT, PATIENT, SKUS, Sagas, lines
from tests.unit.orders import line, money, order_of

TOKENS = ("tok_ok", "tok_ok", "tok_decline", "tok_decline", "tok_fraud_review")
REASONS = ("VIP", "ADDRESS_CHECK")
FRAUD = fraud_scorer("GBP:30", "GBP:60")
RETRY_US = 300
HOLD_US = 200


class Care(Sagas):
    """Sagas of orders that people look after."""

    @initialize(
        groups=st.sampled_from([TOGETHER, APART]),
        partitions=st.integers(1, 4),
        by_hand=st.booleans(),
        impatient=st.booleans(),
        retry_us=st.sampled_from([0, RETRY_US]),
        hold_us=st.sampled_from([0, HOLD_US]),
    )
    def start(
        self, groups: Mapping[str, str], partitions: int, by_hand: bool, impatient: bool, retry_us: int, hold_us: int
    ) -> None:
        """A deployment that judges orders, may wait for another payment, and may end what nobody releases."""
        patience = IMPATIENT if impatient else PATIENT
        policy = replace(patience, fraud=FRAUD, payment_retry_us=retry_us, hold_us=hold_us)
        self.holds_end = bool(hold_us)
        self.provider = Provider()
        services = (
            order.make_service(policy),
            payment.SERVICE,
            shipping.make_service(ShippingPolicy(dispatch_automatically=not by_hand)),
            inventory.make_service(InventoryPolicy(reservation_age_us=60)),
        )
        self.bus = Miniature(services, groups, partitions, self.provider)
        self.order_ids: list[str] = []
        for sku in SKUS:
            self.bus.ask(sku, ReceiveStock(quantity=40))

    def new_id(self) -> str:
        """An id that no order has."""
        return order_id_of(START_US // 1_000 + len(self.order_ids), bytes(10))

    def found(self, order_id: str) -> StoredOrder:
        """An order's state."""
        state = self.bus.state(order_key(TENANT, order_id))
        assert isinstance(state, StoredOrder)
        return state

    @rule(lines=lines, token=st.sampled_from(TOKENS), charge=st.integers(0, 5))
    def place_with_care(self, lines: list[words.OrderLine], token: str, charge: int) -> None:
        """An order that costs something to send."""
        order_id = self.new_id()
        placed = order_of(*lines, order_id=order_id, token=token)
        placed.shipping_charge.CopyFrom(money(charge))
        model.complete(placed)
        self.order_ids.append(order_id)
        assert self.bus.ask(order_id, orders.PlaceOrder(order=placed)) is None

    @precondition(lambda self: self.order_ids)
    @rule(data=st.data(), reason=st.sampled_from(REASONS))
    def hold(self, data: st.DataObject, reason: str) -> None:
        """Somebody wants an order to wait; refused where it is too late."""
        self.bus.ask(data.draw(st.sampled_from(self.order_ids)), orders.PlaceHold(reason=reason))

    def held(self) -> list[str]:
        """Orders that are held."""
        return [order_id for order_id in self.order_ids if self.known(order_id) and self.found(order_id).order.holds]

    def known(self, order_id: str) -> bool:
        """Whether the order is there: one in exchange may be on its way."""
        return self.bus.state(order_key(TENANT, order_id)) is not None

    @precondition(lambda self: self.held())
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """Somebody lets an order go on, as far as their hold goes."""
        order_id = data.draw(st.sampled_from(self.held()))
        hold_id = data.draw(st.sampled_from([hold.hold_id for hold in self.found(order_id).order.holds]))
        assert self.bus.ask(order_id, orders.ReleaseHold(hold_id=hold_id)) is None

    @precondition(lambda self: self.order_ids)
    @rule(data=st.data(), street=st.sampled_from(["1 High Street", "2 Low Lane"]))
    def move(self, data: st.DataObject, street: str) -> None:
        """A customer wants it elsewhere, and the same of it; refused where it is too late."""
        order_id = data.draw(st.sampled_from(self.order_ids))
        if self.known(order_id):
            lines = model.content_of(self.found(order_id).order).lines
            self.bus.ask(order_id, orders.Amend(lines=lines, ship_to=Address(address_lines=[street])))

    @precondition(lambda self: self.order_ids)
    @rule(data=st.data(), token=st.sampled_from(TOKENS))
    def renew(self, data: st.DataObject, token: str) -> None:
        """A customer tries another card; refused where none is waited for."""
        self.bus.ask(data.draw(st.sampled_from(self.order_ids)), orders.RenewPayment(payment_token=token))

    @precondition(lambda self: self.completed())
    @rule(data=st.data(), quantity=st.integers(1, 3))
    def permit(self, data: st.DataObject, quantity: int) -> None:
        """Goods may be sent back; refused where there is nothing left."""
        wanted = LineQuantity(line_id=data.draw(st.sampled_from(["1", "2"])), quantity=quantity)
        self.bus.ask(data.draw(st.sampled_from(self.completed())), orders.AuthorizeReturn(lines=[wanted]))

    def returns(self) -> list[tuple[str, OrderReturn]]:
        """All returns there are."""
        return [(order_id, each) for order_id in self.completed() for each in self.found(order_id).order.returns]

    @precondition(lambda self: self.returns())
    @rule(data=st.data(), quantity=st.integers(1, 3))
    def receive(self, data: st.DataObject, quantity: int) -> None:
        """Some of it comes; refused where it may not."""
        order_id, known = data.draw(st.sampled_from(self.returns()))
        wanted = LineQuantity(line_id=known.lines[0].line_id, quantity=quantity)
        self.bus.ask(order_id, orders.ReceiveReturn(return_id=known.return_id, lines=[wanted]))

    @precondition(lambda self: self.returns())
    @rule(data=st.data(), sound=st.integers(0, 2), broken=st.integers(0, 2), include_shipping=st.booleans())
    def inspect(self, data: st.DataObject, sound: int, broken: int, include_shipping: bool) -> None:
        """Somebody looks at what came; refused where it has not come."""
        order_id, known = data.draw(st.sampled_from(self.returns()))
        wanted = InspectedLine(line_id=known.lines[0].line_id, restock_quantity=sound, write_off_quantity=broken)
        if sound + broken:
            command = orders.InspectReturn(return_id=known.return_id, lines=[wanted], include_shipping=include_shipping)
            self.bus.ask(order_id, command)

    @precondition(lambda self: self.returns())
    @rule(data=st.data())
    def cancel_return(self, data: st.DataObject) -> None:
        """Nothing more comes; refused where something came and was not looked at."""
        order_id, known = data.draw(st.sampled_from(self.returns()))
        self.bus.ask(order_id, orders.CancelReturn(return_id=known.return_id))

    @precondition(lambda self: self.completed())
    @rule(data=st.data(), quantity=st.integers(1, 3))
    def give_back_with_shipping(self, data: st.DataObject, quantity: int) -> None:
        """Lines are refunded with their share of the shipping charge; refused where nothing is left."""
        wanted = LineQuantity(line_id=data.draw(st.sampled_from(["1", "2"])), quantity=quantity)
        command = orders.Refund(lines=[wanted], include_shipping=True)
        self.bus.ask(data.draw(st.sampled_from(self.completed())), command)

    @precondition(lambda self: self.completed())
    @rule(data=st.data(), token=st.sampled_from(TOKENS))
    def exchange(self, data: st.DataObject, token: str) -> None:
        """Something else instead; refused where there is nothing left to send back."""
        order_id, other = data.draw(st.sampled_from(self.completed())), self.new_id()
        replacement = order_of(line("A", 1, 5), order_id=other, token=token)
        command = orders.Exchange(lines=[LineQuantity(line_id="1", quantity=1)], replacement=replacement)
        if self.bus.ask(order_id, command) is None:
            self.order_ids.append(other)

    @invariant()
    def a_held_order_goes_no_further(self) -> None:
        """Since it is held it has asked for no money and no shipment, whatever it was told."""
        for _, state in self.bus.of_kind("order"):
            assert not asked_while_held(state.order)

    @invariant()
    def nothing_comes_back_twice(self) -> None:
        """What is back and what may still come are never more than was bought."""
        for _, state in self.bus.of_kind("order"):
            under_way = returning.returns_under_way(state.order)
            for each in state.order.lines:
                kept = each.quantity - each.cancelled_quantity
                assert 0 <= each.returned_quantity + under_way.get(each.line_id, 0) <= kept
                assert 0 <= each.refunded_quantity <= kept

    @invariant()
    def nothing_is_given_back_twice(self) -> None:
        """All refunds together, and those of the shipping charge by themselves, have an end."""
        for _, state in self.bus.of_kind("order"):
            assert nanos_of(state.refund_committed) <= nanos_of(model.due_of(state.order))
            assert nanos_of(state.shipping_refunded) <= nanos_of(state.order.shipping_charge)

    def teardown(self) -> None:
        """All has to end as ever, and people add up too."""
        super().teardown()
        if not hasattr(self, "bus"):
            return
        for order_id in self.order_ids:
            self.check_care(order_id)

    def attend(self) -> None:
        """Everybody lets go, of what the rules hold too."""
        for order_id in self.held():
            for hold in list(self.found(order_id).order.holds):
                assert self.bus.ask(order_id, orders.ReleaseHold(hold_id=hold.hold_id)) is None

    def check_care(self, order_id: str) -> None:
        """Nothing is left over, and orders in exchange name each other."""
        state = self.found(order_id)
        assert not state.order.holds
        assert not model.is_waiting(state)
        assert not state.order.HasField("payment_retry_time")
        for other in state.order.exchanged_by:
            assert self.found(other).order.exchange_of == order_id
        if state.order.exchange_of:
            assert order_id in self.found(state.order.exchange_of).order.exchanged_by
        inspected = sum(
            line.restocked_quantity + line.written_off_quantity
            for each in state.order.returns
            for line in each.lines
        )  # fmt: skip
        assert inspected <= sum(line.returned_quantity for line in state.order.lines)


TestCare = Care.TestCase
TestCare.settings = settings(max_examples=150, stateful_step_count=60)
