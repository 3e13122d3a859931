"""All services together, with messages, provider and timers in any order: stock and money balance, everything ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from google.type.money_pb2 import Money
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from oms.common.v1.request_record_pb2 import REQUEST_OUTCOME_PENDING
from oms.inventory.v1.inventory_commands_pb2 import AdjustStock, ReceiveStock
from oms.order.v1 import order_commands_pb2 as orders
from oms.order.v1 import order_pb2 as words
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.payment.v1.payment_pb2 import PAYMENT_STATUS_DECLINED, PAYMENT_STATUS_VOIDED
from oms.shipping.v1.shipping_commands_pb2 import Deliver, Dispatch
from oms.shipping.v1.shipping_pb2 import SHIPMENT_STATE_CANCELLED, SHIPMENT_STATE_PENDING
from ordermesh.core.ids import order_id_of
from ordermesh.core.money import nanos_of
from ordermesh.inventory import app as inventory
from ordermesh.inventory.model import HOLDING, InventoryPolicy, held_by, out_by, stock_key
from ordermesh.order import app as order
from ordermesh.order.model import HELD_STEPS, OrderPolicy, complete, due_of, is_waiting, order_key
from ordermesh.payment import app as payment
from ordermesh.payment.model import payment_key
from ordermesh.shipping import app as shipping
from ordermesh.shipping.model import ShippingPolicy
from ordermesh.testing.given import START_US, TENANT
from ordermesh.testing.miniature import APART, TOGETHER, Miniature
from tests.property.provider import Provider
from tests.unit.orders import line, money, order_of

SKUS = ("A", "B", "C", "D")
TOKENS = ("tok_ok", "tok_ok", "tok_ok", "tok_decline")
ENDED = (words.ORDER_STATE_COMPLETED, words.ORDER_STATE_CANCELLED, words.ORDER_STATE_REJECTED)
PATIENT = OrderPolicy(ask_again_us=2_000, ask_again_us_max=20_000, backorder_us=3_000)
IMPATIENT = OrderPolicy(
    ask_again_us=20, ask_again_us_max=200, reserve_give_up_us=150, authorize_give_up_us=150, backorder_us=900
)
POLICIES = (
    words.FULFILLMENT_POLICY_REJECT,
    words.FULFILLMENT_POLICY_PARTIAL,
    words.FULFILLMENT_POLICY_BACKORDER,
    words.FULFILLMENT_POLICY_BACKORDER,
)

lines = st.lists(
    st.one_of(
        st.builds(line, st.sampled_from(SKUS), st.integers(1, 4), st.integers(0, 5), st.integers(0, 999_999_999)),
        st.builds(line, st.sampled_from(SKUS), st.integers(1, 4), st.just(0)),
    ),
    min_size=1,
    max_size=4,
)
"""Lines of any price; every other is of gifts."""
CHARGES = (money(3, 1), money(3), money(0))


class Sagas(RuleBasedStateMachine):
    """Orders, cancellations, returns and refunds, in a deployment where everything arrives when the test wants."""

    holds_end = False
    """Whether orders that are held for too long are cancelled."""

    @initialize(
        groups=st.sampled_from([TOGETHER, APART]),
        partitions=st.integers(1, 4),
        by_hand=st.booleans(),
        delay_us=st.sampled_from([0, 0, 40]),
        policy=st.sampled_from([PATIENT, IMPATIENT]),
        stock=st.sampled_from([5, 20, 60]),
    )
    def start(
        self, groups: Mapping[str, str], partitions: int, by_hand: bool, delay_us: int, policy: OrderPolicy, stock: int
    ) -> None:
        """A deployment of any shape and policy."""
        self.provider = Provider()
        services = (
            order.make_service(policy),
            payment.SERVICE,
            shipping.make_service(ShippingPolicy(dispatch_automatically=not by_hand, dispatch_delay_us=delay_us)),
            inventory.make_service(InventoryPolicy(reservation_age_us=60, backorders_per_sku_max=3)),
        )
        self.bus = Miniature(services, groups, partitions, self.provider)
        self.order_ids: list[str] = []
        for sku in SKUS:
            self.bus.ask(sku, ReceiveStock(quantity=stock))

    @rule(sku=st.sampled_from(SKUS), change=st.integers(-5, 5).filter(bool))
    def adjust(self, sku: str, change: int) -> None:
        """Goods are counted; refused where it would take what is promised."""
        self.bus.ask(sku, AdjustStock(change=change))

    @rule(sku=st.sampled_from(SKUS), quantity=st.integers(1, 9))
    def receive(self, sku: str, quantity: int) -> None:
        """Goods come in."""
        self.bus.ask(sku, ReceiveStock(quantity=quantity))

    @rule(
        lines=lines,
        token=st.sampled_from(TOKENS),
        policy=st.sampled_from(POLICIES),
        split=st.booleans(),
        ahead_us=st.sampled_from([0, 0, 0, 500]),
        charge=st.sampled_from(CHARGES),
    )
    def place(
        self,
        lines: list[words.OrderLine],
        token: str,
        policy: words.FulfillmentPolicy,
        split: bool,
        ahead_us: int,
        charge: Money,
    ) -> None:
        """A new order."""
        order_id = order_id_of(START_US // 1_000 + len(self.order_ids), bytes(10))
        self.order_ids.append(order_id)
        placed = order_of(*lines, order_id=order_id, token=token)
        placed.fulfillment_policy, placed.allow_split_shipments = policy, split
        if ahead_us:
            placed.not_before.FromMicroseconds(self.bus.now_us + ahead_us)
        placed.shipping_charge.CopyFrom(charge)
        complete(placed)
        assert self.bus.ask(order_id, orders.PlaceOrder(order=placed)) is None

    @precondition(lambda self: self.order_ids)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Somebody changes their mind."""
        self.bus.ask(data.draw(st.sampled_from(self.order_ids)), orders.Cancel())

    @precondition(lambda self: self.order_ids)
    @rule(data=st.data(), line_id=st.sampled_from(["1", "2"]), quantity=st.integers(1, 2))
    def cancel_pieces(self, data: st.DataObject, line_id: str, quantity: int) -> None:
        """Somebody wants fewer; refused where so many are not left."""
        pieces = [LineQuantity(line_id=line_id, quantity=quantity)]
        self.bus.ask(data.draw(st.sampled_from(self.order_ids)), orders.Cancel(lines=pieces))

    @precondition(lambda self: self.order_ids)
    @rule(data=st.data(), lines=lines)
    def amend(self, data: st.DataObject, lines: list[words.OrderLine]) -> None:
        """Somebody wants something else; refused where it is too late."""
        amended = order_of(*lines)
        self.bus.ask(data.draw(st.sampled_from(self.order_ids)), orders.Amend(lines=amended.lines))

    def completed(self) -> list[str]:
        """Orders that are complete."""
        found = ((key, state.order.order_state) for key, state in self.bus.of_kind("order"))
        return [key.key for key, order_state in found if order_state == words.ORDER_STATE_COMPLETED]

    @precondition(lambda self: self.completed())
    @rule(data=st.data(), quantity=st.integers(1, 3), restock=st.booleans())
    def take_back(self, data: st.DataObject, quantity: int, restock: bool) -> None:
        """Goods come back; refused where there is nothing left to return."""
        order_id = data.draw(st.sampled_from(self.completed()))
        wanted = LineQuantity(line_id=data.draw(st.sampled_from(["1", "2"])), quantity=quantity)
        self.bus.ask(order_id, orders.Return(lines=[wanted], restock=restock))

    @precondition(lambda self: self.completed())
    @rule(data=st.data(), units=st.integers(1, 9))
    def give_back(self, data: st.DataObject, units: int) -> None:
        """Money is given back; refused where there is nothing left."""
        self.bus.ask(data.draw(st.sampled_from(self.completed())), orders.Refund(amount=money(units)))

    @precondition(lambda self: self.order_ids)
    @rule(data=st.data(), delivered=st.booleans(), number=st.sampled_from([1, 1, 2, 3]))
    def move_goods(self, data: st.DataObject, delivered: bool, number: int) -> None:
        """The warehouse or the carrier says something; refused where it cannot be."""
        message = Deliver(number=number) if delivered else Dispatch(number=number, tracking="T")
        self.bus.ask(data.draw(st.sampled_from(self.order_ids)), message)

    @rule(steps=st.integers(1, 25))
    def run_for_a_while(self, steps: int) -> None:
        """Things go on undisturbed."""
        while steps and self.advance():
            steps -= 1

    @precondition(lambda self: self.bus.waiting_links())
    @rule(data=st.data(), count=st.integers(1, 5))
    def deliver(self, data: st.DataObject, count: int) -> None:
        """Some messages of a link arrive."""
        link = data.draw(st.sampled_from(self.bus.waiting_links()))
        for _ in range(min(count, len(self.bus.links[link]))):
            self.bus.deliver(link)

    @precondition(lambda self: self.bus.effects)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """The provider answers."""
        self.bus.finish(data.draw(st.integers(0, len(self.bus.effects) - 1)))

    @precondition(lambda self: self.bus.timers)
    @rule(data=st.data(), early=st.booleans())
    def fire(self, data: st.DataObject, early: bool) -> None:
        """A timer is due: the next, or one that the test hurries."""
        due = sorted(self.bus.timers, key=lambda name: self.bus.timers[name].due_us)
        self.bus.fire(*(due[0] if early else data.draw(st.sampled_from(due))))

    @rule(times=st.integers(1, 3))
    def refuse(self, times: int) -> None:
        """The provider will decline that many captures, voids or refunds."""
        self.provider.refusals = times

    @invariant()
    def stock_is_never_oversold(self) -> None:
        """I3, at every moment; and while orders wait for a SKU, in the order in which they came, none of it is free."""
        held, waiting = Counter[str](), Counter[str]()
        for key, state in self.bus.of_kind("reservation"):
            held[key.key] += held_by(state.reservation)
            waiting[key.key] += state.reservation.waiting
        for key, state in self.bus.of_kind("stock"):
            stock = state.stock
            assert stock.available == stock.on_hand - stock.reserved >= 0
            assert stock.received == stock.on_hand + stock.committed
            assert (stock.reserved, stock.backordered) == (held[key.key], waiting[key.key])
            assert stock.backordered == sum(each.quantity for each in state.queue)
            assert not (state.queue and stock.available), "stock is free though orders wait for it"

    @invariant()
    def money_is_never_taken_twice(self) -> None:
        """I4, at every moment."""
        for _, state in self.bus.of_kind("payment"):
            paid = state.payment
            assert nanos_of(paid.refunded) <= nanos_of(paid.captured) <= nanos_of(paid.authorized)

    @invariant()
    def nothing_impossible_was_asked(self) -> None:
        """No service refuses what another service asks."""
        assert not self.bus.refused

    @invariant()
    def who_waits_is_looked_at_again(self) -> None:
        """I5: an order that waits has a timer, unless for its release alone, which may have no end; whatever has just
        happened to it."""
        timed = {owner for owner, _ in self.bus.timers}
        for key, state in self.bus.of_kind("order"):
            waits = is_waiting(state) and (state.step not in HELD_STEPS or self.holds_end)
            assert waits == (key in timed), f"{key.key} at step {state.step}: waits={waits}"

    def teardown(self) -> None:
        """With everything delivered and answered, every order has ended and holds only what it should."""
        if not hasattr(self, "bus"):
            return
        self.provider.refusals = 0
        self.come_to_rest()
        self.nothing_impossible_was_asked()
        self.stock_is_never_oversold()
        self.check_reservations()
        for order_id in self.order_ids:
            self.check_order(order_id)

    def come_to_rest(self) -> None:
        """Everything is delivered, answered and dispatched, and every timer fires, until nothing is left to do."""
        for _ in range(100_000):
            self.attend()
            for key, state in self.bus.of_kind("shipment"):
                if state.shipment.state == SHIPMENT_STATE_PENDING:
                    self.bus.ask(key.key, Dispatch(number=int(key.sub_key), tracking="T"))
            if self.advance():
                continue
            if not self.bus.timers:
                return
            self.bus.fire(*min(self.bus.timers, key=lambda name: self.bus.timers[name].due_us))
            self.who_waits_is_looked_at_again()
        raise AssertionError(f"there is no end: {list(self.bus.timers)[:5]}")

    def attend(self) -> None:
        """People do what only they can; here nobody has to."""

    def advance(self) -> bool:
        """One thing more happens; False where there is none."""
        links = self.bus.waiting_links()
        if links:
            self.bus.deliver(links[0])
        elif self.bus.effects:
            self.bus.finish(0)
        else:
            return False
        return True

    def check_reservations(self) -> None:
        """I3 and I5: none is open, and what is gone is what the orders took."""
        committed = Counter[str]()
        for key, state in self.bus.of_kind("reservation"):
            assert state.reservation.state not in HOLDING, "a reservation outlived its order"
            committed[key.key] += out_by(state.reservation)
        for sku in SKUS:
            stock = self.bus.state(stock_key(TENANT, sku))
            if stock is not None:
                assert (stock.stock.reserved, stock.stock.committed) == (0, committed[sku])

    def check_order(self, order_id: str) -> None:
        """I4 and I5: it has ended, and money, goods and order agree."""
        state = self.bus.state(order_key(TENANT, order_id))
        assert state is not None
        found: Order = state.order
        assert found.order_state in ENDED
        assert not state.pending_refunds
        assert not state.HasField("change")
        assert all(record.outcome != REQUEST_OUTCOME_PENDING for record in state.requests)
        assert [entry.version for entry in found.timeline] == list(range(1, found.version + 1))
        taken, back = self.provider.taken.get(order_id, 0), self.provider.back.get(order_id, 0)
        assert self.provider.held.get(order_id, 0) == 0, "money is still held"
        sent = sent_of(self.bus, order_id)
        assert back == nanos_of(found.refunded)
        paid = self.bus.state(payment_key(TENANT, order_id))
        if found.order_state == words.ORDER_STATE_COMPLETED:
            assert paid is not None
            assert taken == nanos_of(paid.payment.captured) == nanos_of(due_of(found))
            assert sent == Counter({x.line_id: x.quantity - x.cancelled_quantity for x in found.lines})
        else:
            assert not +sent
            assert not taken
            assert paid is None or paid.payment.status in (PAYMENT_STATUS_VOIDED, PAYMENT_STATUS_DECLINED)


def sent_of(bus: Miniature, order_id: str) -> Counter[str]:
    """How many pieces of each line left."""
    sent = Counter[str]()
    for key, state in bus.of_kind("shipment"):
        if key.key == order_id and state.shipment.state not in (SHIPMENT_STATE_PENDING, SHIPMENT_STATE_CANCELLED):
            sent.update({each.line_id: each.quantity for each in state.shipment.lines})
    return sent


TestSagas = Sagas.TestCase
TestSagas.settings = settings(max_examples=200, stateful_step_count=60)
