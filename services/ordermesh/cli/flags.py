"""Flags made from the settings, one for each, so that none is forgotten: `--log-bytes`, `--kernel-pacing-s`, ..."""

from __future__ import annotations

import ast
import inspect
import os
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic import SecretStr

from ordermesh.cli.client import usage
from ordermesh.runtime.options import OwnerOptions
from ordermesh.runtime.settings import CONFIG_VARIABLE, KERNEL_DEFAULTS, Settings, SettingsError, load_settings

KERNEL_PREFIX = "kernel_"
SHORT_FLAGS = {"cassandra_contact_points": "--cassandra"}
"""Settings that have a second flag, for being typed often."""
NO_FLAG = frozenset({"stripe_api_key", "stripe_webhook_secret"})
"""Secrets that come by environment or file only."""
KERNEL_PANEL = "Limits and times of the kernel"


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose first parameter is `settings` gets a flag for every setting instead of that parameter."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    flags = [*_config_flag(), *_settings_flags(), *_kernel_flags()]

    @wraps(command)
    def with_flags(**given: Any) -> None:
        if (config := given.pop("config")) is not None:
            os.environ[CONFIG_VARIABLE] = str(config)
        own_values = {parameter.name: given.pop(parameter.name) for parameter in own}
        try:
            settings = load_settings(_chosen(given))
        except SettingsError as error:
            raise usage(str(error)) from None
        command(settings, **own_values)

    parameters = [*(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own), *flags]
    with_flags.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    with_flags.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del with_flags.__wrapped__
    return with_flags


def _chosen(given: dict[str, Any]) -> dict[str, Any]:
    chosen = {name: value for name, value in given.items() if value is not None}
    kernel = {name: chosen.pop(name) for name in list(chosen) if name.startswith(KERNEL_PREFIX)}
    if kernel:
        chosen["kernel"] = {name.removeprefix(KERNEL_PREFIX): value for name, value in kernel.items()}
    return chosen


def _config_flag() -> Iterator[inspect.Parameter]:
    yield _parameter("config", Path, "TOML file with settings; flags and environment come before it.", "")


def _settings_flags() -> Iterator[inspect.Parameter]:
    for name, field in Settings.model_fields.items():
        if name != "kernel" and name not in NO_FLAG:
            default = "" if field.default in (None, "") else f" Default: {_shown(field.default)}."
            yield _parameter(name, _flag_type(field.annotation), f"{field.description}{default}", "Settings")


def _kernel_flags() -> Iterator[inspect.Parameter]:
    texts = _attribute_docstrings(OwnerOptions)
    for field in fields(OwnerOptions):
        value = getattr(KERNEL_DEFAULTS, field.name)
        help_text = f"{texts.get(field.name, '')} Default: {_shown(value)}.".strip()
        yield _parameter(KERNEL_PREFIX + field.name, type(value), help_text, KERNEL_PANEL)


def _parameter(name: str, kind: Any, help_text: str, panel: str) -> inspect.Parameter:
    flag = "--" + name.replace("_", "-")
    names = [f"{flag}/--no-{flag[2:]}" if kind is bool else flag]
    if name in SHORT_FLAGS:
        names.append(SHORT_FLAGS[name])
    option = typer.Option(*names, help=help_text, rich_help_panel=panel or None, show_default=False)
    annotation = Annotated[kind | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _flag_type(annotation: Any) -> Any:
    """The plain type of a setting: without None; words to choose from are text, which the settings check."""
    if get_origin(annotation) is Literal:
        return str
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)] or [annotation]
    return str if kinds[0] is SecretStr else kinds[0]


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _attribute_docstrings(owner: type) -> dict[str, str]:
    """The strings that stand below a class's attributes; several attributes may share the one below the last."""
    body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
    texts: dict[str, str] = {}
    waiting: list[str] = []
    for node in body.body if isinstance(body, ast.ClassDef) else ():
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            waiting.append(node.target.id)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            texts.update(dict.fromkeys(waiting, " ".join(str(node.value.value).split())))
            waiting.clear()
    return texts
