"""Reads `aiops.yaml`.

Comes in: a file. Goes out: `Config`, all paths absolute. An unknown key is an error that names the
nearest known one. Secrets stand in the file only as `${ENV}` and are read from there.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from aiops.config import (
    Auth,
    CalendarConfig,
    ClusterConfig,
    Config,
    CustomQuery,
    Prometheus,
    RepositoryConfig,
    Tls,
)
from aiops.errors import ConfigError

_ENV = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
MAX_BYTES = 1_000_000  # a larger aiops.yaml is somebody's mistake, or an attack on the parser


class _UniqueKeys(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys silently; a user must hear of it.

    Aliases are refused: nothing in this file needs them, and nested ones are a bomb.
    """

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise ConfigError(
                "aliases are not used here",
                where=f"line {self.peek_event().start_mark.line + 1}",  # type: ignore[no-untyped-call]
                todo="write the value out",
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise ConfigError(
                    f"key {key.value!r} stands twice",
                    where=f"line {key.start_mark.line + 1}",
                    todo="keep one of them",
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load(path: Path) -> Config:
    """Read and check one `aiops.yaml`; relative paths are relative to its folder.

    Raises ConfigError, one line a person can act on, for everything that is wrong.
    """
    if not path.is_file():
        raise ConfigError(
            "no configuration here", where=str(path), todo="name one with --config, or start from pipelines/"
        )
    if path.stat().st_size > MAX_BYTES:
        raise ConfigError(f"expected at most {MAX_BYTES} bytes", where=str(path), todo="is this aiops.yaml?")
    try:
        text = path.read_text(encoding="utf-8")
        raw = yaml.load(text, _UniqueKeys)  # noqa: S506 - a SafeLoader that also refuses duplicate keys
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = str(getattr(error, "problem", None) or error).splitlines()[0]
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigError(f"not readable as YAML: {reason}", where=where) from error
    except ConfigError as error:
        if error.where.startswith("line "):
            raise ConfigError(
                error.message, where=f"{path}:{error.where.removeprefix('line ')}", todo=error.todo
            ) from error
        raise
    if not isinstance(raw, dict):
        raise ConfigError(
            "expected keys and values", where=str(path), todo="start with `prometheus:` and `repository:`"
        )
    try:
        return Config.model_validate(_absolute(_expand(raw), path.resolve().parent))
    except ValidationError as error:
        raise ConfigError(_explain(error), where=str(path)) from error


def _expand(value: Any) -> Any:
    """Replace `${ENV}` by the environment, everywhere in strings."""
    if isinstance(value, dict):
        return {key: _expand(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(item) for item in value]
    if isinstance(value, str):
        return _ENV.sub(lambda match: _environment(match[1]), value)
    return value


def _environment(name: str) -> str:
    if name not in os.environ:
        raise ConfigError(f"environment variable {name} is not set", todo=f"export {name}=...")
    return os.environ[name]


def _absolute(raw: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Make the paths of the file independent of the folder aiops was started in."""

    def fix(section: Any, key: str) -> None:
        if isinstance(section, dict) and isinstance(section.get(key), str):
            section[key] = folder / section[key]

    sources = raw.get("prometheus")
    for source in [*(sources if isinstance(sources, list) else [sources]), raw.get("alertmanager")]:
        fix(source, "recording")
        for key in ("ca", "cert", "key"):
            fix(source.get("tls") if isinstance(source, dict) else None, key)
    fix(raw.get("repository"), "path")
    fix(raw, "model")
    fix(raw, "cache")
    return raw


def _explain(error: ValidationError) -> str:
    """Return one line for the first problem pydantic found, with the nearest known key."""
    first = error.errors(include_url=False, include_input=False)[0]
    parts = [str(part) for part in first["loc"]]
    where = ".".join(parts) or "aiops.yaml"
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(parts[-1], _known_keys(), n=1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        return f"unknown key {where!r}{hint}"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"


def _known_keys() -> list[str]:
    models = (Config, Prometheus, Auth, Tls, RepositoryConfig, ClusterConfig, CalendarConfig, CustomQuery)
    return sorted({name for model in models for name in model.model_fields})
