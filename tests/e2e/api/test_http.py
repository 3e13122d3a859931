"""The HTTP API of a real engine: an order's life by HTTP alone, and what others' tools make of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.api.client import DEADLINE_S, new_id
from tests.e2e.engine import Engine, environment, until

ENDED = {"ORDER_STATE_COMPLETED", "ORDER_STATE_CANCELLED", "ORDER_STATE_REJECTED"}
SCHEMATHESIS_S = 400.0
VERBS = {"get", "put", "post", "patch", "delete"}
EXAMPLES = 8
"""For each operation, beside those that schemathesis makes of every schema's edges."""


@pytest.fixture
def http(engine: Engine) -> Iterator[httpx.Client]:
    """A client of the engine's HTTP port."""
    with httpx.Client(base_url=f"http://{engine.ready['http']}", timeout=DEADLINE_S) as connected:
        yield connected


def order(sku: str, quantity: int = 2) -> dict[str, Any]:
    """An order of one line."""
    line = {"sku": sku, "quantity": quantity, "unit_price": {"currency_code": "GBP", "units": 4, "nanos": 990_000_000}}
    return {"customer_id": f"by-http-{sku}", "payment_token": "tok_ok", "lines": [line]}


def ended(http: httpx.Client, order_id: str) -> dict[str, Any]:
    """The order once it has ended."""

    def has_ended() -> dict[str, Any] | None:
        found: dict[str, Any] = http.get(
            f"/v1/orders/{order_id}", params={"read_consistency": "READ_CONSISTENCY_LINEARIZABLE"}
        ).json()["order"]
        return found if found["order_state"] in ENDED else None

    found: dict[str, Any] = until(has_ended, f"order {order_id} ends", DEADLINE_S)
    return found


def waits_for(http: httpx.Client, order_id: str) -> str:
    """What the order waits for, as far as the store knows."""
    return str(http.get(f"/v1/orders/{order_id}:explain").json()["explanation"]["waiting_for"])


def test_an_order_is_created_read_listed_returned_and_cannot_be_cancelled_any_more(http: httpx.Client) -> None:
    assert http.post("/v1/stock/HTTP-1:receive", json={"quantity": 10}).json()["stock"]["on_hand"] == "10"
    order_id = new_id()
    created = [http.put(f"/v1/orders/{order_id}", json=order("HTTP-1")) for _ in range(2)]
    assert [answer.status_code for answer in created] == [200, 200]

    found = ended(http, order_id)
    assert found["order_state"] == "ORDER_STATE_COMPLETED"
    until(lambda: waits_for(http, order_id) == "WAITING_FOR_NOTHING", "the store has what the order ended with")
    line_id = found["lines"][0]["line_id"]
    current = http.get(f"/v1/orders/{order_id}", params={"read_consistency": "READ_CONSISTENCY_LINEARIZABLE"})
    back = {"lines": [{"line_id": line_id, "quantity": 1}], "restock": True}
    returned = http.post(f"/v1/orders/{order_id}:return", json=back, headers={"If-Match": current.headers["etag"]})
    assert returned.status_code == 200, returned.text
    late = http.post(f"/v1/orders/{order_id}:cancel", json={})
    assert late.json()["error"]["details"][0]["reason"] == "ORDER_NOT_CANCELLABLE"

    def listed() -> bool:
        page = http.get("/v1/orders", params={"customer_id": "by-http-HTTP-1", "page_size": 1}).json()
        return [each["order_id"] for each in page["orders"]] == [order_id]

    until(listed, "the order is listed", DEADLINE_S)


def test_people_look_after_orders_by_http(http: httpx.Client) -> None:
    http.post("/v1/stock/HTTP-4:receive", json={"quantity": 10})
    reviewed = {**order("HTTP-4"), "payment_token": "tok_fraud_review"}
    order_id = http.post("/v1/orders", json=reviewed).json()["order"]["order_id"]
    path = f"/v1/orders/{order_id}"
    until(lambda: http.get(path).json()["order"]["holds"], "the order is held", DEADLINE_S)
    held = http.post(f"{path}:hold", json={"reason": "VIP"}, headers={"Idempotency-Key": "hold"})
    assert [hold["reason"] for hold in held.json()["order"]["holds"]] == ["FRAUD_REVIEW", "VIP"]
    for reason in ("VIP", "FRAUD_REVIEW"):
        assert http.post(f"{path}:release", json={"reason": reason}).status_code == 200
    assert http.post(f"{path}:release", json={"reason": "VIP"}).status_code == 404
    assert ended(http, order_id)["order_state"] == "ORDER_STATE_COMPLETED"

    one = [{"line_id": "1", "quantity": 1}]
    permitted = http.post(f"{path}/returns", json={"lines": one, "reason": "chipped"})
    assert permitted.json()["order_return"]["return_id"] == "1"
    assert http.post(f"{path}/returns/1:receive", json={"lines": one}).status_code == 200
    judged = http.post(f"{path}/returns/1:inspect", json={"lines": [{"line_id": "1", "write_off_quantity": 1}]})
    assert judged.json()["order_return"]["state"] == "RETURN_STATE_COMPLETED"
    assert http.post(f"{path}/returns/2:cancel", json={}).status_code == 404
    swap = {"lines": one, "replacement": {**order("HTTP-4", 1), "lines": []}}
    failed = http.post(f"{path}:exchange", json=swap)
    assert failed.json()["error"]["message"].startswith("replacement.lines: ")
    swap["replacement"] = order("HTTP-4", 1)
    swapped = http.post(f"{path}:exchange", json=swap, headers={"Idempotency-Key": "swap"})
    assert swapped.json()["replacement"]["exchange_of"] == order_id


def test_pages_are_turned_by_http(http: httpx.Client) -> None:
    made = [http.post("/v1/orders", json=order("HTTP-2")).json()["order"]["order_id"] for _ in range(3)]

    def all_pages() -> list[str]:
        found: list[str] = []
        token = ""
        while True:
            query: dict[str, str | int] = {"customer_id": "by-http-HTTP-2", "page_size": 2, "page_token": token}
            page = http.get("/v1/orders", params=query).json()
            found += [each["order_id"] for each in page["orders"]]
            if not (token := page["next_page_token"]):
                return found

    until(lambda: sorted(all_pages()) == sorted(made), "all orders are listed", DEADLINE_S)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_watches_an_order_from_the_version_that_it_has(engine: Engine, http: httpx.Client) -> None:
    http.post("/v1/stock/HTTP-3:receive", json={"quantity": 10})
    order_id = http.post("/v1/orders", json=order("HTTP-3")).json()["order"]["order_id"]
    version = int(ended(http, order_id)["version"])
    address = f"http://{engine.ready['http']}/v1/orders/{order_id}:watch"
    command = ["curl", "--silent", "--no-buffer", "--header", "Last-Event-ID: 1", address]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as curl:
        assert curl.stdout is not None
        seen: list[int] = []
        while not seen or seen[-1] < version:
            line = curl.stdout.readline()
            assert line, "curl ended"
            if line.startswith("data:"):
                seen.append(int(json.loads(line[5:])["version"]))
        curl.terminate()

    assert seen == list(range(2, version + 1))


def test_schemathesis_finds_nothing(engine: Engine, tmp_path: Path) -> None:
    """Requests within and against every schema: no failure of the server, no answer that the description denies."""
    command = [
        *(
            sys.executable,
            "-m",
            "schemathesis.cli",
            "--config-file",
            str(Path(__file__).with_name("schemathesis.toml")),
        ),
        *("run", f"http://{engine.ready['http']}/openapi.json", "--checks", "all", "--no-color", "--seed", "8"),
        *("--max-examples", str(EXAMPLES), "--request-timeout", str(DEADLINE_S), "--continue-on-failure"),
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=SCHEMATHESIS_S, check=False
    )

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    paths = httpx.get(f"http://{engine.ready['http']}/openapi.json").json()["paths"].values()
    operations = [verb for path in paths for verb in path if verb in VERBS]
    assert f"Tested: {len(operations) - 1}" in done.stdout, "all but WatchOrder\n" + done.stdout[-2_000:]
