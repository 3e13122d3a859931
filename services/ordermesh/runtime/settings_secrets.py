"""Secrets among the settings: given as they are or in a file, read when they are needed, shown nowhere."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr


def secret(name: str, given: SecretStr | None, file: Path | None) -> str:
    """The secret of the setting `name`; "" if there is none. Raises ValueError where both are given, or the file cannot
    be read."""
    flag = "--" + name.replace("_", "-")
    if given is not None and file is not None:
        raise ValueError(f"give {flag} or {flag}-file, not both")
    if file is None:
        return given.get_secret_value() if given is not None else ""
    try:
        return file.read_text().strip()
    except OSError as error:
        raise ValueError(f"the file of {flag}-file cannot be read: {error}") from error


def without_secrets(url: str) -> str:
    """A URL as it may be shown: without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
