#!/usr/bin/env python3
"""Consumes integration events from NATS with a plain client: at least once, in order, going on where it was.

    pip install nats-py
    python consume_events.py --nats nats://127.0.0.1:4222 --durable billing --filter 'om.events.v1.order.>'

It reads the data as JSON, so start the engine with `--events-format json`; with protobuf, the default, parse `data`
with the message that `ce-dataschema` names. Each event that is taken is printed as a line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from urllib.parse import unquote

import nats
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NothingCame
from nats.js.api import AckPolicy, ConsumerConfig

STREAM = "OM_EVENTS"
ACK_SECONDS = 30
"""An event that is not acknowledged by then is sent again."""


def taken(message: Msg, seen: set[str]) -> dict[str, object] | None:
    """The event, unless it came before. A real consumer keeps the ids in its database, with what it did."""
    headers = message.headers or {}
    if headers["ce-id"] in seen:
        return None
    seen.add(headers["ce-id"])
    return {
        "id": headers["ce-id"],
        "type": headers["ce-type"],
        "subject": unquote(headers["ce-subject"]),
        "time": headers["ce-time"],
        "data": json.loads(message.data),
    }


async def consume(url: str, durable: str, subjects: str) -> None:
    """Until cancelled."""
    client = await nats.connect(url, max_reconnect_attempts=-1)
    # With one event unacknowledged at a time, a repetition cannot overtake: everything stays in order.
    config = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_SECONDS, max_ack_pending=1)
    subscription = await client.jetstream().pull_subscribe(subjects, durable, stream=STREAM, config=config)
    seen: set[str] = set()
    while True:
        try:
            (message,) = await subscription.fetch(1, timeout=5)
        except NothingCame:
            continue
        event = taken(message, seen)
        if event is not None:
            print(json.dumps(event), flush=True)
        await message.ack()


def main() -> None:
    """Consumes until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nats", default="nats://127.0.0.1:4222", help="URL of the server; `ordermesh up` says it.")
    parser.add_argument("--durable", default="example", help="Names the consumer, which goes on where it was.")
    parser.add_argument("--filter", default="om.events.v1.>", help="Which subjects.")
    given = parser.parse_args()
    asyncio.run(consume(given.nats, given.durable, given.filter))


if __name__ == "__main__":
    main()
