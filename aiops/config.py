"""`aiops.yaml`: what a user may say, checked by its types.

Comes in: a file. Goes out: `Config`, frozen, all paths absolute, all durations in seconds.
Every key has a default but `prometheus` and `repository`. An unknown key is an error that names
the nearest known one. Secrets stand in the file only as `${ENV}` and are read from there.
"""

from __future__ import annotations

import datetime as dt
import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from aiops.errors import ConfigError
from aiops.propose.links import EXTERNAL_URL, TEMPLATE

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_ENV = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
MAX_BYTES = 1_000_000  # a larger aiops.yaml is somebody's mistake, or an attack on the parser


def duration_s(value: object) -> int:
    """Return the seconds of `90`, `90s`, `1m`, `26h`, `7d`, `2w`; Raises ValueError otherwise."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"(\d+)([smhdw])", str(value))
    if not match:
        raise ValueError(f"expected a duration like 60s, 1m or 26h, found {value!r}")
    return int(match[1]) * _SECONDS[match[2]]


# YAML reads 2026-12-25 as a date and "2026-12-25" as a string; both mean the same here.
Date = Annotated[str, BeforeValidator(lambda v: v.isoformat() if isinstance(v, dt.date) else v)]
Duration = Annotated[int, BeforeValidator(duration_s)]


# presets.NAMES; a test compares
Preset = Literal["istio", "linkerd", "hubble", "envoy", "opentelemetry", "clients", "nginx", "kubernetes"]
LinkName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9 -]{0,30}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Auth(_Strict):
    """How aiops introduces itself to Prometheus. At most one of `bearer` and `username`."""

    bearer: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None


class Tls(_Strict):
    """Certificate files for a Prometheus behind TLS. Verification cannot be switched off."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


class Prometheus(_Strict):
    """One source of metrics: a server, or a recording. `external_url`: where people open it, for links."""

    url: str | None = None
    recording: Path | None = None
    external_url: str | None = Field(default=None, pattern=EXTERNAL_URL)
    cluster: str = ""
    auth: Auth = Auth()
    headers: dict[str, SecretStr] = {}
    tls: Tls = Tls()
    timeout: Duration = 60

    @model_validator(mode="after")
    def _one_source(self) -> Prometheus:
        if (self.url is None) == (self.recording is None):
            raise ValueError("expected exactly one of `url` and `recording`")
        return self


class CustomQuery(_Strict):
    """A signal of your own: PromQL whose answer carries `namespace` and `workload` labels."""

    expr: str
    unit: str
    direction: Literal["up", "down", "both"]
    min_deviation: float = Field(ge=0, allow_inf_nan=False)


class RepositoryConfig(_Strict):
    """Where the manifests live: git objects at `path`, or GitHub by REST, or both."""

    path: Path | None = None
    github: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$")
    base: str = Field(default="main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")

    @model_validator(mode="after")
    def _somewhere(self) -> RepositoryConfig:
        if self.path is None and self.github is None:
            raise ValueError("expected `path` or `github`")
        return self


class ClusterConfig(_Strict):
    """One cluster: the metric labels that mean it and the folders that deploy to it."""

    name: str
    match: dict[str, str] = {}
    paths: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _inside(self) -> ClusterConfig:
        for path in self.paths:
            if path.startswith("/") or "\0" in path or {"..", ".git"} & set(path.split("/")):
                raise ValueError(f"expected a folder inside the repository, found {path!r}")
        return self


class CalendarConfig(_Strict):
    """Local time of the people who make the load. `excluded`: [from, to] spans not learned from."""

    timezone: str = "UTC"
    holidays: tuple[Date, ...] = ()
    excluded: tuple[tuple[Date, Date], ...] = ()

    @model_validator(mode="after")
    def _dates(self) -> CalendarConfig:
        for text in (*self.holidays, *(time for span in self.excluded for time in span)):
            try:
                dt.datetime.fromisoformat(text)
            except ValueError as error:
                raise ValueError(f"expected a date like 2026-12-25, found {text!r}") from error
        return self

    @model_validator(mode="after")
    def _known_zone(self) -> CalendarConfig:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder, a long name
            raise ValueError(
                f"expected an IANA time zone like Europe/Berlin, found {self.timezone!r}"
            ) from error
        return self


class Config(_Strict):
    """The whole of `aiops.yaml`.

    `threshold`: the score from which a step is bad, at least 1. `issues`: keep one issue while the whole
    fleet is held back.
    """

    prometheus: Annotated[
        tuple[Prometheus, ...], BeforeValidator(lambda v: v if isinstance(v, list) else [v])
    ] = Field(min_length=1)
    repository: RepositoryConfig
    signals: tuple[Preset, ...] = Field(default=("istio", "kubernetes"), min_length=1)
    queries: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")], CustomQuery] = {}
    clusters: tuple[ClusterConfig, ...] = ()
    forge: Literal["local", "github"] = "local"
    issues: bool = False
    model: Path | None = None
    cache: Path | None = None
    alertmanager: Prometheus | None = None  # `url` and how to introduce oneself there
    links: dict[LinkName, Annotated[str, Field(pattern=TEMPLATE)]] = {}
    step: Annotated[Duration, Field(ge=15, le=3_600)] = 60
    threshold: float = Field(default=1.0, ge=1, le=1_000)
    calendar: CalendarConfig = CalendarConfig()

    @model_validator(mode="after")
    def _fits_together(self) -> Config:
        if self.forge == "github" and self.repository.github is None:
            raise ValueError("forge: github needs repository: {github: OWNER/NAME}")
        if self.forge == "local" and self.repository.path is None:
            raise ValueError("forge: local needs repository: {path: DIR}")
        if 3_600 % self.step:
            # The 28-day reference is read at one-hour steps and must fall on the same grid.
            raise ValueError(f"expected a step that divides one hour, found {self.step} s")
        if len(self.prometheus) > 1 and any(source.recording for source in self.prometheus):
            raise ValueError("expected one recording, or a list of servers")
        return self


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
