"""What the API serves beside its methods: /openapi.json, /asyncapi.json, and /docs, a page by which people try it.

The page is one file without outside resources. Its policy lets it run its own script and speak to this server only.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources

from starlette.responses import HTMLResponse, Response

from ordermesh.gateway.http.asyncapi import asyncapi
from ordermesh.gateway.http.openapi import openapi, protos_comments
from ordermesh.gateway.http.routes import Binding

PAGE_FILE = "docs.html"
_INLINE = re.compile(r"<(?P<tag>style|script)>(?P<text>.*?)</(?P=tag)>", re.DOTALL)


def pages(bindings: Sequence[Binding], build: str) -> Mapping[str, Callable[[], Response]]:
    """What is answered to GET, by path. Each is made when it is first asked for: few processes are."""

    @cache
    def document() -> bytes:
        return json.dumps(openapi(bindings, build), separators=(",", ":"), ensure_ascii=False).encode()

    @cache
    def catalogue() -> bytes:
        return json.dumps(asyncapi(protos_comments()), separators=(",", ":"), ensure_ascii=False).encode()

    @cache
    def page() -> tuple[str, str]:
        text = resources.files(__package__).joinpath(PAGE_FILE).read_text()
        return text, policy_of(text)

    def docs() -> Response:
        text, policy = page()
        return HTMLResponse(text, headers={"content-security-policy": policy, "x-content-type-options": "nosniff"})

    return {
        "/openapi.json": lambda: Response(document(), media_type="application/json"),
        "/asyncapi.json": lambda: Response(catalogue(), media_type="application/json"),
        "/docs": docs,
    }


def policy_of(text: str) -> str:
    """The content security policy of a page: its own style and script by their hashes, this server, nothing else."""
    allowed = {"style": "'none'", "script": "'none'"}
    for found in _INLINE.finditer(text):
        digest = base64.b64encode(hashlib.sha256(found["text"].encode()).digest()).decode()
        allowed[found["tag"]] = f"'sha256-{digest}'"
    return (
        f"default-src 'none'; style-src {allowed['style']}; script-src {allowed['script']}; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
