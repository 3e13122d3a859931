"""What is in an image, as CycloneDX: from the packages themselves, so nothing is guessed and nothing is forgotten."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from scripts.images.debian import Package

NAMESPACE = uuid.UUID("7d1c2f0e-5d5b-4c0b-9d0e-6f1f6f1b7c55")
"""Of serial numbers: the same contents have the same one."""


def bill_of_materials(name: str, version: str, packages: Sequence[Package], architecture: str) -> str:
    """The document, in JSON."""
    components = [_component(package, architecture) for package in sorted(packages, key=lambda p: (p.kind, p.name))]
    contents = json.dumps(components, sort_keys=True)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, contents)}",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": name, "version": version}},
        "components": components,
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _component(package: Package, architecture: str) -> dict[str, Any]:
    name, version = quote(package.name), quote(package.version, safe="")
    place = {
        "deb": f"pkg:deb/debian/{name}@{version}?arch={architecture}",
        "pypi": f"pkg:pypi/{name}@{version}",
        "maven": f"pkg:maven/{package.name}@{version}",
    }[package.kind]
    found: dict[str, Any] = {"type": "library", "name": package.name, "version": package.version, "purl": place}
    found["bom-ref"] = place
    if package.licence:
        found["licenses"] = [{"license": {"name": package.licence}}]
    if package.sha256:
        found["hashes"] = [{"alg": "SHA-256", "content": package.sha256}]
    return found
