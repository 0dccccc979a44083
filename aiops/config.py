"""What a user may say in `aiops.yaml`, checked by its types: `config_file` reads one.

Frozen, all durations in seconds. Every key has a default but `prometheus` and `repository`.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

from aiops.propose.links import EXTERNAL_URL, TEMPLATE

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


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
