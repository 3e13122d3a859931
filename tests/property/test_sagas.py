"""All services together, with messages, provider and timers in any order: stock and money balance, everything ends."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.message import Message
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from oms.inventory.v1.inventory_commands_pb2 import AdjustStock, ReceiveStock
from oms.inventory.v1.inventory_pb2 import RESERVATION_STATE_COMMITTED, RESERVATION_STATE_OPEN
from oms.order.v1 import order_commands_pb2 as orders
from oms.order.v1 import order_pb2 as words
from oms.order.v1.order_pb2 import Order
from oms.order.v1.order_service_pb2 import LineQuantity
from oms.payment.v1 import payment_commands_pb2 as payments
from oms.payment.v1.payment_pb2 import PAYMENT_STATUS_DECLINED, PAYMENT_STATUS_VOIDED
from oms.shipping.v1.shipping_commands_pb2 import Deliver, Dispatch
from oms.shipping.v1.shipping_pb2 import SHIPMENT_STATE_CANCELLED, SHIPMENT_STATE_PENDING
from ordermesh.core.ids import order_id_of
from ordermesh.core.money import nanos_of
from ordermesh.inventory import app as inventory
from ordermesh.inventory.model import InventoryPolicy, stock_key
from ordermesh.order import app as order
from ordermesh.order.model import OrderPolicy, order_key
from ordermesh.payment import app as payment
from ordermesh.payment.model import payment_key
from ordermesh.shipping import app as shipping
from ordermesh.shipping.model import ShippingPolicy, shipment_key
from ordermesh.testing.given import START_US, TENANT
from ordermesh.testing.miniature import APART, TOGETHER, Miniature
from tests.unit.orders import line, money, order_of

SKUS = ("A", "B", "C", "D")
TOKENS = ("tok_ok", "tok_ok", "tok_ok", "tok_decline")
ENDED = (words.ORDER_STATE_COMPLETED, words.ORDER_STATE_CANCELLED, words.ORDER_STATE_REJECTED)
IMPATIENT = OrderPolicy(ask_again_us=20, ask_again_us_max=200, reserve_give_up_us=150, authorize_give_up_us=150)

lines = st.lists(
    st.builds(line, st.sampled_from(SKUS), st.integers(1, 4), st.integers(0, 5), st.integers(0, 999_999_999)),
    min_size=1,
    max_size=4,
)


class Provider:
    """The truth about money: per order what is held, taken and given back, in nanos. Some answers are no."""

    def __init__(self) -> None:
        self.held: dict[str, int] = {}
        self.taken: dict[str, int] = {}
        self.back: dict[str, int] = {}
        self.refusals = 0

    def __call__(self, request: Message) -> Message:
        """A definite answer."""
        assert isinstance(request, payments.ProviderRequest)
        result = payments.ProviderResult(operation=request.operation, operation_id=request.operation_id, approved=True)
        if request.payment_token == "tok_decline" or self.refuses(request):
            result.approved, result.code = False, "no"
        else:
            self.do(request.operation, request.order_id, nanos_of(request.amount))
        return result

    def refuses(self, request: payments.ProviderRequest) -> bool:
        """What is not an authorisation is refused as often as the test said, then no more."""
        refuses = self.refusals > 0 and request.operation != payments.PROVIDER_OPERATION_AUTHORIZE
        self.refusals -= refuses
        return refuses

    def do(self, operation: int, order_id: str, nanos: int) -> None:
        """It takes effect."""
        if operation == payments.PROVIDER_OPERATION_AUTHORIZE:
            assert order_id not in self.held, "authorised twice"
            self.held[order_id] = nanos
        elif operation == payments.PROVIDER_OPERATION_CAPTURE:
            self.held[order_id] -= nanos
            self.taken[order_id] = self.taken.get(order_id, 0) + nanos
        elif operation == payments.PROVIDER_OPERATION_VOID:
            self.held[order_id] -= nanos
        else:
            self.back[order_id] = self.back.get(order_id, 0) + nanos
        assert self.held[order_id] >= 0, "more was taken or let go than was held"
        assert self.back.get(order_id, 0) <= self.taken.get(order_id, 0), "more was given back than was taken"


class Sagas(RuleBasedStateMachine):
    """Orders, cancellations, returns and refunds, in a deployment where everything arrives when the test wants."""

    @initialize(
        groups=st.sampled_from([TOGETHER, APART]),
        partitions=st.integers(1, 4),
        by_hand=st.booleans(),
        delay_us=st.sampled_from([0, 0, 40]),
        policy=st.sampled_from([OrderPolicy(), IMPATIENT]),
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
            inventory.make_service(InventoryPolicy(reservation_age_us=60)),
        )
        self.bus = Miniature(services, groups, partitions, self.provider)
        self.order_ids: list[str] = []
        for sku in SKUS:
            self.bus.ask(sku, ReceiveStock(quantity=stock))

    @rule(sku=st.sampled_from(SKUS), change=st.integers(-5, 5).filter(bool))
    def adjust(self, sku: str, change: int) -> None:
        """Goods are counted; refused where it would take what is promised."""
        self.bus.ask(sku, AdjustStock(change=change))

    @rule(lines=lines, token=st.sampled_from(TOKENS))
    def place(self, lines: list[words.OrderLine], token: str) -> None:
        """A new order."""
        order_id = order_id_of(START_US // 1_000 + len(self.order_ids), bytes(10))
        self.order_ids.append(order_id)
        placed = order_of(*lines, order_id=order_id, token=token)
        assert self.bus.ask(order_id, orders.PlaceOrder(order=placed)) is None

    @precondition(lambda self: self.order_ids)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Somebody changes their mind."""
        self.bus.ask(data.draw(st.sampled_from(self.order_ids)), orders.Cancel())

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
    @rule(data=st.data(), delivered=st.booleans())
    def move_goods(self, data: st.DataObject, delivered: bool) -> None:
        """The warehouse or the carrier says something; refused where it cannot be."""
        message = Deliver(number=1) if delivered else Dispatch(number=1, tracking="T")
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
        """I3, at every moment."""
        for _, state in self.bus.of_kind("stock"):
            stock = state.stock
            assert stock.available == stock.on_hand - stock.reserved >= 0
            assert stock.received == stock.on_hand + stock.committed

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

    def teardown(self) -> None:
        """With everything delivered and answered, every order has ended and holds only what it should."""
        if not hasattr(self, "bus"):
            return
        self.provider.refusals = 0
        for order_id in self.order_ids:
            self.dispatch_if_waiting(order_id)
        self.bus.settle()
        self.nothing_impossible_was_asked()
        self.stock_is_never_oversold()
        self.check_reservations()
        for order_id in self.order_ids:
            self.check_order(order_id)

    def dispatch_if_waiting(self, order_id: str) -> None:
        """Nothing waits for the warehouse any more, now or when its shipment is made."""
        while True:
            shipment = self.bus.state(shipment_key(TENANT, order_id, 1))
            if shipment is not None:
                if shipment.shipment.state == SHIPMENT_STATE_PENDING:
                    self.bus.ask(order_id, Dispatch(number=1, tracking="T"))
                return
            if not self.advance():
                return

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
        """I3 and I5: reserved is the sum of the open reservations, and none is open."""
        committed: dict[str, int] = {}
        for key, state in self.bus.of_kind("reservation"):
            reservation = state.reservation
            assert reservation.state != RESERVATION_STATE_OPEN, "a reservation outlived its order"
            if reservation.state == RESERVATION_STATE_COMMITTED:
                committed[key.key] = committed.get(key.key, 0) + reservation.quantity - reservation.restocked
        for sku in SKUS:
            stock = self.bus.state(stock_key(TENANT, sku))
            if stock is not None:
                assert (stock.stock.reserved, stock.stock.committed) == (0, committed.get(sku, 0))

    def check_order(self, order_id: str) -> None:
        """I4 and I5: it has ended, and money, goods and order agree."""
        state = self.bus.state(order_key(TENANT, order_id))
        assert state is not None
        found: Order = state.order
        assert found.order_state in ENDED
        assert not state.pending_refunds
        assert [entry.version for entry in found.timeline] == list(range(1, found.version + 1))
        taken, back = self.provider.taken.get(order_id, 0), self.provider.back.get(order_id, 0)
        assert self.provider.held.get(order_id, 0) == 0, "money is still held"
        assert (taken, back) == (
            (nanos_of(found.total) if shipped(self.bus, order_id) else 0),
            nanos_of(found.refunded),
        )
        paid = self.bus.state(payment_key(TENANT, order_id))
        if found.order_state == words.ORDER_STATE_COMPLETED:
            assert paid is not None
            assert (nanos_of(paid.payment.captured), nanos_of(paid.payment.refunded)) == (taken, back)
            assert shipped(self.bus, order_id)
        else:
            assert not shipped(self.bus, order_id)
            assert paid is None or paid.payment.status in (PAYMENT_STATUS_VOIDED, PAYMENT_STATUS_DECLINED)


def shipped(bus: Miniature, order_id: str) -> bool:
    """Whether the order's goods left."""
    shipment = bus.state(shipment_key(TENANT, order_id, 1))
    return shipment is not None and shipment.shipment.state not in (SHIPMENT_STATE_PENDING, SHIPMENT_STATE_CANCELLED)


TestSagas = Sagas.TestCase
TestSagas.settings = settings(max_examples=200, stateful_step_count=60)
