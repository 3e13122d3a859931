"""How a payment's decisions are made of events, answers to the order, and calls to the provider. PURE."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from google.type.money_pb2 import Money

from oms.payment.v1 import payment_commands_pb2 as commands
from oms.payment.v1 import payment_events_pb2 as events
from oms.payment.v1.payment_state_pb2 import StoredPayment
from ordermesh.core.decider import Context, Decision, Outgoing, StartEffect
from ordermesh.payment.model import SERVICE, payment_key


def happens(context: Context, event: Message, answer: Message | None = None) -> Decision:
    """One event, and what the order hears of it."""
    decision = Decision([(payment_key(context.tenant, context.key), event)])
    if answer is not None:
        decision.messages.append(Outgoing("order", context.tenant, context.key, answer))
    return decision


def again(context: Context, answer: Message) -> Decision:
    """Nothing happens; the order hears again what is so already."""
    return Decision(messages=[Outgoing("order", context.tenant, context.key, answer)])


def ask(context: Context, event: Message, operation: Any, amount: Money, token: str, **more: Any) -> Decision:
    """One event, and the call to the provider that it starts; `more` are fields of the request."""
    request = commands.ProviderRequest(
        operation=operation,
        order_id=context.key,
        amount=amount,
        payment_token=token,
        look_up=context.is_doubtful,
        ask_time_us=context.now_us,
        **more,
    )
    decision = happens(context, event)
    decision.effects.append(StartEffect(SERVICE, context.tenant, context.key, request))
    return decision


def start_void(state: StoredPayment, context: Context, *, authorized: bool, reference: str) -> Decision:
    """Asks the provider to let go of all that it holds, under its name of that."""
    started = events.VoidStarted(authorized=authorized, reference=reference if authorized else "")
    operation = commands.PROVIDER_OPERATION_VOID
    return ask(context, started, operation, state.payment.amount, state.payment_token, reference=reference)
