#!/usr/bin/env python3
"""Receives webhooks: verifies each request, takes an event once however often it comes, and answers at once.

    pip install standardwebhooks
    python webhook_receiver.py --port 8081 --secret whsec_...

Each event that is taken is printed as a line of JSON. While a secret is rotated, give both: --secret NEW --secret OLD.
"""

from __future__ import annotations

import argparse
import json
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

BODY_BYTES_MAX = 1024 * 1024
"""An order has at most 512 KiB."""
IDS_KEPT = 100_000
"""Ids that are remembered. A real receiver keeps them in its database, in the transaction that does the work."""


class Inbox:
    """Takes each event once."""

    def __init__(self, secrets: list[str]) -> None:
        self._webhooks = [Webhook(secret) for secret in secrets]
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def verified(self, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        """The event, if one of the secrets signed it. Raises WebhookVerificationError."""
        for webhook in self._webhooks[:-1]:
            try:
                webhook.verify(body.decode(), headers)
                break
            except WebhookVerificationError:
                continue
        else:
            self._webhooks[-1].verify(body.decode(), headers)
        event: dict[str, Any] = json.loads(body)
        return event

    def take(self, message_id: str, event: dict[str, Any]) -> None:
        """Does what is to be done with an event, unless it was done before."""
        with self._lock:
            if message_id in self._seen:
                return
            self._seen[message_id] = None
            if len(self._seen) > IDS_KEPT:
                self._seen.popitem(last=False)
            print(json.dumps(event), flush=True)


def handler_of(inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    """A handler of requests for that inbox."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # the base class asks for that name
            """Takes a request, or says what is wrong with it."""
            length = _length_of(self.headers.get("content-length", ""))
            if length is None or length > BODY_BYTES_MAX:
                self.close_connection = True  # what is not read would be taken for the next request
                self._answer(411 if length is None else 413)
                return
            body = self.rfile.read(length)
            try:
                event = inbox.verified(body, {name.lower(): value for name, value in self.headers.items()})
            except (WebhookVerificationError, ValueError):
                self._answer(400)
                return
            inbox.take(self.headers["webhook-id"], event)
            self._answer(204)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("content-length", "0")
            if self.close_connection:
                self.send_header("connection", "close")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Events are printed, requests are not."""

    return Handler


def _length_of(text: str) -> int | None:
    """The length of a body; None where the header says none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else None


def main() -> None:
    """Listens until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8081, help="Port on this machine.")
    parser.add_argument("--secret", action="append", required=True, help="As CreateEndpoint or RotateSecret gave it.")
    given = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", given.port), handler_of(Inbox(given.secret)))
    server.serve_forever()


if __name__ == "__main__":
    main()
