"""The sandbox provider: what each token does, and that a key takes effect once, whoever asks and whoever dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from google.type.money_pb2 import Money

from oms.payment.v1.payment_commands_pb2 import (
    PROVIDER_OPERATION_ADJUST,
    PROVIDER_OPERATION_AUTHORIZE,
    PROVIDER_OPERATION_CAPTURE,
    PROVIDER_OPERATION_VOID,
    ProviderOperation,
    ProviderRequest,
    ProviderResult,
)
from ordermesh.adapters import sandbox_payments
from ordermesh.adapters.provider_ledger import KeyIndex, ProviderLedger, read_ledger
from ordermesh.adapters.sandbox_holds import reference_of
from ordermesh.adapters.sandbox_payments import SandboxPayments
from ordermesh.payment.provider import ProviderUnreachable

ROOT = Path(__file__).resolve().parents[2]
KEYS = 200
CALLER = """
import asyncio, sys
from pathlib import Path
from ordermesh.adapters.provider_ledger import ProviderLedger
from ordermesh.adapters.sandbox_payments import SandboxPayments
from tests.integration.test_sandbox_payments import KEYS, request

async def main(path):
    provider = SandboxPayments(ProviderLedger(Path(path)))
    for start in range(0, KEYS, 5):
        keys = [f"key-{i}" for i in range(start, start + 5)]
        await asyncio.gather(*(provider.execute(request(), key) for key in keys))
        sys.stdout.write("\\n".join(keys) + "\\n")
        sys.stdout.flush()
    await provider.close()

asyncio.run(main(sys.argv[1]))
"""


def request(token: str = "tok_ok", operation: ProviderOperation = PROVIDER_OPERATION_AUTHORIZE) -> ProviderRequest:
    """What the payment service asks for."""
    amount = Money(currency_code="GBP", units=12, nanos=500_000_000)
    return ProviderRequest(operation=operation, order_id="order-1", amount=amount, payment_token=token)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger is."""
    return tmp_path / "provider-ledger.jsonl"


@pytest_asyncio.fixture
async def provider(path: Path) -> AsyncIterator[SandboxPayments]:
    """A provider with an empty ledger."""
    provider = SandboxPayments(ProviderLedger(path))
    yield provider
    await provider.close()


def lines(path: Path) -> list[str]:
    """The ledger as text."""
    return path.read_text().splitlines()


def tear(path: Path) -> None:
    """Adds the line again with the key `key-2`, without its end: somebody died while writing it."""
    whole = path.read_bytes()
    path.write_bytes(whole + whole.replace(b"key-1", b"key-2")[:-9])


async def until_definite(provider: SandboxPayments, asked: ProviderRequest, key: str) -> tuple[ProviderResult, int]:
    """Asks again until there is an answer; the answer, and how often there was none."""
    failures = 0
    while True:
        try:
            return await provider.execute(asked, key), failures
        except ProviderUnreachable:
            failures += 1


async def test_an_operation_that_works_is_one_line_of_the_ledger(provider: SandboxPayments, path: Path) -> None:
    result = await provider.handle(request(), "key-1")
    expected = ProviderResult(operation=PROVIDER_OPERATION_AUTHORIZE, approved=True, reference=reference_of("key-1"))
    assert result == expected
    (line,) = lines(path)
    members = json.loads(line)
    assert members.pop("time").endswith("Z")
    assert members == {
        "order_id": "order-1",
        "operation": "authorize",
        "amount": {"currency_code": "GBP", "units": 12, "nanos": 500_000_000},
        "idempotency_key": "key-1",
    }
    assert [entry.operation for entry in provider.operations("order-1")] == ["authorize"]
    assert provider.operations("order-2") == []


async def test_a_key_takes_effect_once_and_answers_the_same(provider: SandboxPayments, path: Path) -> None:
    results = await asyncio.gather(*(provider.execute(request(), "key-1") for _ in range(20)))
    results.append(await provider.execute(request(), "key-1"))
    assert all(result.approved for result in results)
    assert len(list(read_ledger(path))) == 1


async def test_a_declined_authorization_never_takes_effect(provider: SandboxPayments, path: Path) -> None:
    for token, code in (("tok_decline", "card_declined"), ("tok_unheard_of", "unknown_token")):
        result = await provider.execute(request(token), token)
        assert (result.approved, result.code) == (False, code)
    assert list(read_ledger(path)) == []


async def test_a_slow_authorization_takes_its_time(provider: SandboxPayments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_payments, "SLOW_SECONDS", 0.2)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert (await provider.execute(request("tok_slow"), "key-1")).approved
    assert loop.time() - begun >= 0.2
    begun = loop.time()
    assert (await provider.execute(request("tok_slow", PROVIDER_OPERATION_CAPTURE), "key-2")).approved
    assert loop.time() - begun < 0.2


async def test_a_flaky_operation_fails_twice_and_takes_effect_once(provider: SandboxPayments, path: Path) -> None:
    at_first = 0
    for i in range(40):
        asked = request("tok_flaky", PROVIDER_OPERATION_CAPTURE)
        with pytest.raises(ProviderUnreachable):
            await provider.execute(asked, f"key-{i}")
        at_first += len(list(read_ledger(path))) > i
        result, failures = await until_definite(provider, asked, f"key-{i}")
        assert (result.approved, failures) == (True, 1)
    assert Counter(entry.idempotency_key for entry in read_ledger(path)) == {f"key-{i}": 1 for i in range(40)}
    assert 5 < at_first < 35, "some first attempts took effect, some did not"


async def test_a_provider_started_anew_knows_the_keys_of_before(provider: SandboxPayments, path: Path) -> None:
    await provider.execute(request(), "key-1")
    await provider.close()
    again = SandboxPayments(ProviderLedger(path))
    assert (await again.execute(request(), "key-1")).approved
    assert (await again.execute(request(operation=PROVIDER_OPERATION_VOID), "key-2")).approved
    await again.close()
    assert [entry.operation for entry in read_ledger(path)] == ["authorize", "void"]


async def test_a_torn_last_line_is_cut_off_and_its_operation_can_take_effect(
    provider: SandboxPayments, path: Path
) -> None:
    await provider.execute(request(), "key-1")
    tear(path)
    assert [entry.idempotency_key for entry in read_ledger(path)] == ["key-1"]
    await provider.execute(request(), "key-2")
    assert [entry.idempotency_key for entry in read_ledger(path)] == ["key-1", "key-2"]


async def test_four_processes_ask_for_the_same_and_one_is_killed_and_each_key_is_there_once(path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}/services:{ROOT}/gen:{ROOT}"}
    callers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", CALLER, str(path), stdout=asyncio.subprocess.PIPE, env=environment
        )
        for _ in range(4)
    ]
    victim = callers[0].stdout
    assert victim is not None
    await victim.readline()
    callers[0].send_signal(signal.SIGKILL)
    outputs = [(await caller.communicate())[0] for caller in callers]
    assert [caller.returncode for caller in callers[1:]] == [0, 0, 0]
    assert [len(output.split()) for output in outputs[1:]] == [KEYS] * 3
    counts = Counter(entry.idempotency_key for entry in read_ledger(path))
    assert counts == {f"key-{i}": 1 for i in range(KEYS)}


async def test_a_key_that_is_not_plain_text_is_refused(provider: SandboxPayments) -> None:
    with pytest.raises(ValueError, match="idempotency key"):
        await provider.execute(request(), 'a"b')


def test_the_index_finds_what_was_added_and_nothing_else() -> None:
    index = KeyIndex()
    for i in range(20_000):
        index.add(b"%d" % i)
    assert index.count == 20_000
    assert all(b"%d" % i in index for i in range(20_000))
    assert not any(b"%d" % i in index for i in range(20_000, 60_000))


@pytest.mark.parametrize("token", ["tok_ok", "tok_no_increase"])
async def test_more_or_less_is_held_once_and_an_increase_may_be_declined(path: Path, token: str) -> None:
    """An adjustment is in the ledger with its sign; what is declined leaves no trace."""
    provider = SandboxPayments(ProviderLedger(path))
    more = request(token, PROVIDER_OPERATION_ADJUST)
    less = request(token, PROVIDER_OPERATION_ADJUST)
    more.operation_id, less.operation_id = "5", "end"
    less.amount.CopyFrom(Money(currency_code="GBP", units=-3, nanos=-250_000_000))
    results = [await provider.execute(each, each.operation_id) for each in (more, more, less, less)]
    looked_up = [await provider.execute(_looked_up(each), "another key") for each in (more, less)]
    await provider.close()

    approves = token == "tok_ok"
    assert [result.approved for result in results] == [approves, approves, True, True]
    assert [result.approved for result in looked_up] == [approves, True]
    assert results[0].code == ("" if approves else "increase_declined")
    amounts = [(entry.operation, entry.operation_id, entry.units, entry.nanos) for entry in read_ledger(path)]
    taken = ("adjust", "5", 12, 500_000_000)
    assert amounts == [*([taken] if approves else []), ("adjust", "end", -3, -250_000_000)]


def _looked_up(asked: ProviderRequest) -> ProviderRequest:
    """The same, that may have been asked before."""
    again = ProviderRequest()
    again.CopyFrom(asked)
    again.look_up = True
    return again
