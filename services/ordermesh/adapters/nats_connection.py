"""A connection to NATS that comes back by itself, and requests over it whose failures say whether anything was sent.

nats-py reconnects, but gives up for good on some errors of the server and can be left half way through a reconnect; so
a connection here owns a client and replaces it when it is closed, or has been down for `REPLACE_SECONDS`. Subscriptions
are made anew on the new client. What callbacks raise is logged.

A server of a cluster that is cut off from the others keeps its clients: they are connected, and nothing is served. So a
connection that is given several servers asks for a sign of the cluster's leader, and leaves a server that has none.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import structlog
from nats import errors as nats_errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NativeSubscription

from ordermesh.adapters.nats_access import OPEN, NatsAccess
from ordermesh.runtime.ports import LogError, LogUnavailable, OutcomeUnknown
from ordermesh.runtime.settings_secrets import without_secrets

RECONNECT_WAIT_SECONDS = 0.1
"""Between two tries to connect again."""
PING_SECONDS = 5
"""Between two questions to the server whether it is there; after two without an answer the connection is lost."""
CONNECT_SECONDS = 2
"""For one try to connect to one server."""
CANCEL_AGAIN_SECONDS = 0.1
"""Between two cancellations of a try to connect that goes on regardless."""
REPLACE_SECONDS = 10.0
"""A client that was down for that long is replaced by a new one."""
GUARD_SECONDS = 0.5
"""Between two looks at the client."""
PROBE_SECONDS = 2.0
"""Between two questions to a server of several whether the cluster's leader is there; and for the answer."""
UNSERVED_SECONDS_MAX = 10.0
"""Without a good answer for that long another server is taken: an election is over by then."""
PENDING_BYTES_MAX = 256 * 1024 * 1024
"""What nats-py may hold unsent; beyond it publishing would wait inside the library, which swallows a cancellation."""

_log = structlog.get_logger(__name__)


def command(subject: str, reply: str, headers: bytes, data: bytes) -> bytes:
    """The protocol's command that publishes a message. `headers` are lines, each with its CR LF; nothing is checked."""
    block = b"NATS/1.0\r\n%b\r\n" % headers
    to = f"{subject} {reply}" if reply else subject
    return b"HPUB %b %d %d\r\n%b%b\r\n" % (to.encode(), len(block), len(block) + len(data), block, data)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancels until the task has ended: nats-py goes on after one that comes between two of its steps."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN_SECONDS)
    if not task.cancelled():
        task.exception()  # told by whoever waited for it, or of no interest any more


class Subscription:
    """Interest in a subject, kept over reconnects. Messages lost meanwhile stay lost."""

    def __init__(self, connection: Connection, subject: str, deliver: Callable[[Msg], None]) -> None:
        """Made by `Connection.subscribe`."""
        self._connection = connection
        self._subject = subject
        self._deliver = deliver
        self._native: NativeSubscription | None = None

    async def attach(self, client: Client) -> None:
        """Subscribes on the client."""
        self._native = await client.subscribe(
            self._subject, cb=self._receive, pending_msgs_limit=0, pending_bytes_limit=0
        )

    async def _receive(self, message: Msg) -> None:
        try:
            self._deliver(message)
        except Exception:  # noqa: BLE001 - a subscriber's error must not end the delivery to it
            _log.exception("a subscriber failed", subject=self._subject)

    async def close(self) -> None:
        """Ends the interest; idempotent. May be called from `deliver`'s own call chain by another task only."""
        self._connection.forget(self)
        native, self._native = self._native, None
        if native is not None:
            with contextlib.suppress(nats_errors.Error, OSError):
                await native.unsubscribe()


class Connection:
    """One connection to a NATS server or cluster."""

    def __init__(self, servers: Sequence[str], name: str, access: NatsAccess = OPEN) -> None:
        """`servers` are URLs; `name` is shown in the server's monitoring."""
        self._servers = list(servers)
        self._access = access
        self._name = name
        self._client = Client()
        self._subscriptions: set[Subscription] = set()
        self._watchers: dict[Callable[[bool], None], None] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._left = ""
        self._down_since: float | None = None
        self._closing = False

    @property
    def is_up(self) -> bool:
        """Whether what is published now would be sent at once."""
        return self._client.is_connected

    def watch(self, changed: Callable[[bool], None]) -> None:
        """Calls `changed` with False when the connection is lost, with True when it is back."""
        self._watchers[changed] = None

    def unwatch(self, changed: Callable[[bool], None]) -> None:
        """Ends `watch`; idempotent."""
        self._watchers.pop(changed, None)

    async def open(self, timeout_s: float = 10.0) -> None:
        """Connects. Raises LogUnavailable when no server answers in that time."""
        try:
            self._client = await self._connect(timeout_s)
        except (TimeoutError, OSError, nats_errors.Error) as error:
            why = str(error) if isinstance(error, TimeoutError) else repr(error)
            where = ", ".join(map(without_secrets, self._servers))
            raise LogUnavailable(f"no NATS server at {where}: {why}") from error
        self._tasks = [asyncio.create_task(self._keep_up())]
        if len(self._servers) > 1:
            requests = Requests(self)
            await requests.start()
            self._tasks.append(asyncio.create_task(self._probe(requests)))

    async def close(self) -> None:
        """Disconnects; idempotent."""
        if self._closing:
            return
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._discard(self._client)

    async def publish(self, subject: str, data: bytes, reply: str = "") -> None:
        """Sends a message. Raises LogUnavailable if nothing was sent; LogError if the server would never take it."""
        if not self._client.is_connected:
            raise LogUnavailable("not connected to NATS")
        try:
            await self._client.publish(subject, data, reply)
        except nats_errors.MaxPayloadError as error:
            raise LogError(f"{len(data)} bytes are more than the server takes in one message") from error
        except (nats_errors.Error, OSError) as error:
            raise LogUnavailable(f"not sent: {error!r}") from error

    async def send(self, commands: bytes) -> None:
        """Sends what `command` made, one or several joined. Raises LogUnavailable if nothing was sent."""
        if not self._client.is_connected:
            raise LogUnavailable("not connected to NATS")
        try:
            self._write(commands)
        except (OSError, RuntimeError) as error:
            raise LogUnavailable(f"not sent: {error!r}") from error

    def publish_soon(self, subject: str, data: bytes) -> None:
        """Sends with the others of this turn of the loop; dropped when there is no connection."""
        if not self._client.is_connected:
            return
        if len(data) > self._client.max_payload:
            _log.error("dropped: more than the server takes in one message", subject=subject, bytes=len(data))
            return
        with contextlib.suppress(OSError, RuntimeError):
            self._write(b"PUB %b %d\r\n%b\r\n" % (subject.encode(), len(data), data))

    def _write(self, commands: bytes) -> None:
        """Hands bytes to the socket, after what the library has gathered.

        The library's own publish looks at each header with regular expressions (30 us for those of an event, where
        `command` takes 2), and leaves the writing to a task of its own, behind all else that is to be done. It has no
        public way around that, so its private members are used, here alone. What is unsent is bounded by the callers:
        one frame a partition, and what follows from frames.
        """
        client = self._client
        assert client._transport is not None, "a connected client has one"
        gathered, client._pending, client._pending_data_size = client._pending, [], 0
        client._transport.writelines([*gathered, commands])

    async def subscribe(self, subject: str, deliver: Callable[[Msg], None]) -> Subscription:
        """Calls `deliver` with every message on the subject. Raises LogUnavailable."""
        subscription = Subscription(self, subject, deliver)
        self._subscriptions.add(subscription)
        try:
            await subscription.attach(self._client)
        except (nats_errors.Error, OSError) as error:
            self._subscriptions.discard(subscription)
            raise LogUnavailable(f"not subscribed: {error!r}") from error
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Leaves the subscription out when a client is replaced."""
        self._subscriptions.discard(subscription)

    async def _connect(self, timeout_s: float) -> Client:
        client = Client()
        last: Exception | None = None

        async def lost() -> None:
            if client is self._client:
                self._changed(False)

        async def back() -> None:
            if client is self._client:
                self._changed(True)

        async def failed(error: Exception) -> None:
            nonlocal last
            if isinstance(error, nats_errors.Error) or not isinstance(last, nats_errors.Error):
                last = error  # what the server says tells more than that it hung up
            _log.debug("nats", error=repr(error))

        connecting = asyncio.create_task(
            client.connect(
                [server for server in self._servers if urlsplit(server).netloc != self._left],
                name=self._name,
                error_cb=failed,
                disconnected_cb=lost,
                reconnected_cb=back,
                connect_timeout=CONNECT_SECONDS,
                reconnect_time_wait=RECONNECT_WAIT_SECONDS,  # type: ignore[arg-type]  # a float works
                max_reconnect_attempts=-1,
                ping_interval=PING_SECONDS,
                pending_size=PENDING_BYTES_MAX,
                **self._access.options(),
            )
        )
        try:
            await asyncio.wait({connecting}, timeout=timeout_s)
            if not connecting.done():
                why = f"; last: {last!r}" if last is not None else ""
                raise TimeoutError(f"no answer in {timeout_s:g} s{why}")
            connecting.result()
        except BaseException:
            await _end(connecting)
            await self._discard(client)
            raise
        return client

    @staticmethod
    async def _discard(client: Client) -> None:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(client.close(), 2)

    def _changed(self, up: bool) -> None:
        for changed in list(self._watchers):
            changed(up)

    async def _keep_up(self) -> None:
        """Replaces a client that has given up or has been down for too long."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(GUARD_SECONDS)
            if self._left:
                await self._replace()
                self._left = ""
            if self._client.is_connected:
                self._down_since = None
                continue
            if self._down_since is None:
                self._down_since = loop.time()
            if self._client.is_closed or loop.time() - self._down_since > REPLACE_SECONDS:
                await self._replace()

    async def _probe(self, requests: Requests) -> None:
        """Has the guard leave a server by which nobody who leads the cluster is reached."""
        loop = asyncio.get_running_loop()
        served_at = loop.time()
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            url = self._client.connected_url
            if await self._is_served(requests):
                served_at = loop.time()
            elif url is not None and loop.time() - served_at > UNSERVED_SECONDS_MAX:
                _log.warning("nats server is left: it is cut off or hangs", name=self._name, server=url.netloc)
                served_at, self._left = loop.time(), url.netloc

    @staticmethod
    async def _is_served(requests: Requests) -> bool:
        try:
            answer = await requests.ask("$JS.API.INFO", b"", PROBE_SECONDS)
        except LogError:
            return False
        return b'"error"' not in answer.data

    async def _replace(self) -> None:
        old = self._client
        try:
            fresh = await self._connect(REPLACE_SECONDS)
            self._client = fresh
            for subscription in list(self._subscriptions):
                await subscription.attach(fresh)
        except (TimeoutError, OSError, nats_errors.Error) as error:
            _log.debug("no NATS server", error=repr(error))
            return
        finally:
            if self._client is not old:
                await self._discard(old)
        _log.warning("nats client replaced", name=self._name)
        self._changed(False)
        self._changed(True)


class Requests:
    """Requests over one connection, with their answers on one inbox."""

    def __init__(self, connection: Connection) -> None:
        """Call `start` once the connection is open."""
        self.connection = connection
        self._prefix = f"_INBOX.{secrets.token_hex(11)}."
        self._waiting: dict[str, asyncio.Future[Msg]] = {}
        self._count = 0
        connection.watch(self._connection_changed)

    async def start(self) -> None:
        """Subscribes to the inbox. Raises LogUnavailable."""
        await self.connection.subscribe(self._prefix + "*", self._answered)

    async def ask(self, subject: str, data: bytes, timeout_s: float, headers: bytes = b"", before: bytes = b"") -> Msg:
        """Sends and waits for the answer. `headers` as in `command`; `before` are commands that go with it, ahead.

        Raises LogUnavailable when nothing was sent or nobody is there to answer; OutcomeUnknown when no answer came in
        time, or the connection was lost after sending.
        """
        self._count += 1
        token = str(self._count)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Msg] = loop.create_future()
        self._waiting[token] = future
        expiry = loop.call_later(timeout_s, self._expired, token, timeout_s)
        try:
            await self.connection.send(before + command(subject, self._prefix + token, headers, data))
            answer = await future
        finally:
            expiry.cancel()
            self._waiting.pop(token, None)
        if answer.headers is not None and answer.headers.get("Status") == "503":
            raise LogUnavailable(f"nobody serves {subject}")
        return answer

    def _answered(self, message: Msg) -> None:
        future = self._waiting.get(message.subject[len(self._prefix) :])
        if future is not None and not future.done():
            future.set_result(message)

    def _expired(self, token: str, timeout_s: float) -> None:
        future = self._waiting.get(token)
        if future is not None and not future.done():
            future.set_exception(OutcomeUnknown(f"no answer in {timeout_s:g} s"))

    def _connection_changed(self, up: bool) -> None:
        if up:
            return
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(OutcomeUnknown("connection lost"))
