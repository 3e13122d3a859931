"""POST requests to whom nobody knows: however a receiver misbehaves, it ends in words, in time and in bounds."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from ordermesh.adapters import http_post
from ordermesh.adapters.http_post import RESPONSE_BYTES_MAX, HttpPost, PostFailed, Response
from ordermesh.core.targets import NotAllowed, TargetRules, ports_of, target_of
from tests.e2e.certificates import Authority
from tests.receiver import Answer, Received, Receiver

RULES = TargetRules(allow_http=True, allow_private=True, ports=ports_of("1-65535"))
STRICT = TargetRules(allow_http=True, ports=ports_of("1-65535"))
TIMEOUT_S = 5.0

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def post(url: str, body: bytes = b"{}", timeout_s: float = TIMEOUT_S) -> Response:
    """One request."""
    client = HttpPost(RULES, user_agent="test")
    try:
        return await client.post(target_of(url, RULES), {"webhook-id": "msg_1"}, body, timeout_s)
    finally:
        client.close()


async def answered_by(serve: Serve, timeout_s: float = TIMEOUT_S) -> Response:
    """What comes of a request to a server that does as told with each connection."""
    ended: list[asyncio.Event] = []

    async def serve_whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(asyncio.Event())
        with suppress(OSError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        ended[-1].set()

    server = await asyncio.start_server(serve_whole, "127.0.0.1", 0)
    try:
        return await post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x?y=z", timeout_s=timeout_s)
    finally:
        server.close()
        await asyncio.gather(*(each.wait() for each in ended))


def saying(data: bytes, *, ends: bool = True) -> Serve:
    """A server that says that, whatever it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        await writer.drain()
        if not ends:
            await reader.read()

    return serve


async def test_a_request_has_its_headers_and_its_body_and_the_host_of_the_url() -> None:
    async with Receiver() as receiver:
        response = await post(f"{receiver.url}?a=b", b'{"x": 1}')

    (received,) = receiver.received
    assert (response.status, received.path, received.body) == (204, "/hooks?a=b", b'{"x": 1}')
    assert received.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert (received.headers["user-agent"], received.headers["webhook-id"]) == ("test", "msg_1")


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async def redirect(_received: Received) -> Answer:
        return Answer(302, {"location": "/elsewhere"})

    async with Receiver(redirect) as receiver:
        response = await post(receiver.url)

    assert (response.status, len(receiver.received)) == (302, 1)


async def test_a_connection_is_used_again_and_one_that_was_closed_is_not_missed() -> None:
    async with Receiver() as receiver:
        client = HttpPost(RULES, user_agent="test")
        target = target_of(receiver.url, RULES)
        for _ in range(3):
            await client.post(target, {}, b"{}", TIMEOUT_S)
        assert (receiver.connections, len(receiver.received)) == (1, 3)
        port = receiver.port
    again = Receiver()
    again.port = port
    async with again:
        assert (await client.post(target, {}, b"{}", TIMEOUT_S)).status == 204
    client.close()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 999999 x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 100_000,
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
    ids=["nothing", "no HTTP", "no status", "no length", "endless head", "only an interim answer"],
)
async def test_what_is_no_answer_is_a_failure(data: bytes) -> None:
    with pytest.raises(PostFailed):
        await answered_by(saying(data))


async def test_a_body_is_read_up_to_a_limit_however_long_it_is() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"a" * 4096 + b"\r\n")
            await writer.drain()

    response = await answered_by(serve)

    assert (response.status, len(response.body)) == (200, RESPONSE_BYTES_MAX)


async def test_a_body_that_breaks_off_is_an_answer_all_the_same() -> None:
    response = await answered_by(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"))
    assert (response.status, response.body) == (200, b"short")


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_who_does_not_answer_is_left_in_time(data: bytes) -> None:
    with pytest.raises(PostFailed, match=r"within 0\.3 s"):
        await answered_by(saying(data, ends=False), timeout_s=0.3)


async def test_a_body_that_never_ends_is_left_in_time_and_its_status_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_post, "BODY_SECONDS", 0.3)
    async with asyncio.timeout(TIMEOUT_S / 2):
        response = await answered_by(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na", ends=False))
    assert (response.status, response.body) == (200, b"a")


async def test_a_body_that_comes_after_the_time_of_its_head_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na")
        await asyncio.sleep(1.2)
        writer.write(b"b")

    monkeypatch.setattr(http_post, "BODY_SECONDS", TIMEOUT_S)
    assert (await answered_by(serve, timeout_s=1.0)).body == b"ab"


async def test_nobody_there_is_a_failure_with_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(PostFailed, match=r"."):
            await post(f"http://127.0.0.1:{taken.getsockname()[1]}/")


async def test_a_name_that_does_not_exist_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(http_post, "resolve", resolve)
    with pytest.raises(PostFailed, match="resolved"):
        await post("http://nobody.invalid/")


@pytest.mark.parametrize(
    "text", ["7", "Wed, 21 Oct 2099 07:28:00 GMT", "soon", "-3", "", "1 Jan 99999999999999999999 00:00:00"]
)
async def test_retry_after_is_a_number_or_a_date_or_nothing(text: str) -> None:
    async def busy(_received: Received) -> Answer:
        return Answer(503, {"retry-after": text})

    async with Receiver(busy) as receiver:
        response = await post(receiver.url)

    expected = {"7": 7.0}.get(text)
    if text.startswith("Wed"):
        assert response.retry_after_s is not None
        assert response.retry_after_s > 1e9
    else:
        assert response.retry_after_s == expected


async def test_a_name_that_leads_inside_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver of the system says where a name leads; here it says this machine, as in an attack."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8", "127.0.0.1"]

    monkeypatch.setattr(http_post, "resolve", resolve)
    async with Receiver() as receiver:
        client = HttpPost(STRICT, user_agent="test")
        url = f"http://rebinding.example:{receiver.port}/"
        with pytest.raises(NotAllowed, match="inside"):
            await client.post(target_of(url, STRICT), {}, b"{}", TIMEOUT_S)
        client.close()

    assert (asked, receiver.connections) == (["rebinding.example"], 0)


async def test_a_name_is_resolved_once_and_that_address_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second answer of the resolver, which may be another, is never asked for."""
    answers = iter([["127.0.0.1"]])
    monkeypatch.setattr(http_post, "resolve", lambda _host, _port: next(answers))
    async with Receiver() as receiver:
        target = target_of(f"http://shop.example:{receiver.port}/hooks", RULES)
        client = HttpPost(RULES, user_agent="test")
        response = await client.post(target, {}, b"{}", TIMEOUT_S)
        client.close()

    assert response.status == 204
    assert receiver.received[0].headers["host"] == f"shop.example:{receiver.port}", "the name is kept"


async def test_tls_is_spoken_with_who_is_trusted_and_with_nobody_else(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    own = authority.sign("receiver")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(own.certificate, own.key)
    async with Receiver(tls=tls) as receiver:
        trusting = HttpPost(RULES, user_agent="test", ca=authority.certificate)
        by_name = receiver.url.replace("127.0.0.1", "localhost")
        for url in (receiver.url, by_name):
            assert (await trusting.post(target_of(url, RULES), {}, b"{}", TIMEOUT_S)).status == 204
        assert receiver.received[1].headers["host"] == f"localhost:{receiver.port}"
        with pytest.raises(PostFailed, match="certificate is not trusted"):
            await post(receiver.url)
        assert len(receiver.received) == 2
        trusting.close()


async def test_a_certificate_of_another_name_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path, "authority")
    own = authority.sign("receiver")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(own.certificate, own.key)
    monkeypatch.setattr(http_post, "resolve", lambda _host, _port: ["127.0.0.1"])
    async with Receiver(tls=tls) as receiver:
        trusting = HttpPost(RULES, user_agent="test", ca=authority.certificate)
        target = target_of(f"https://shop.example:{receiver.port}/", RULES)
        with pytest.raises(PostFailed, match="certificate is not trusted"):
            await trusting.post(target, {}, b"{}", TIMEOUT_S)
        trusting.close()
