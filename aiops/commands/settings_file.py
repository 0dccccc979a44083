"""The first `aiops.yaml`: what a person said and what was found, as commented text.

Secrets never go into it, only the names of the environment variables that hold them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiops import coverage
from aiops.errors import ConfigError
from aiops.ingest.telemetry import Telemetry

SCHEMA_FILE = "aiops.schema.json"
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECRET_NAME = re.compile(r"authorization|token|secret|passw|api-?key|cookie|credential", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"(basic|bearer)\s", re.IGNORECASE)
_GITHUB = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person said, by flag, environment or prompt. `*_env`: names of variables, not secrets."""

    prometheus: str | None
    repo: str | None
    base: str
    output: Path
    bearer_env: str | None
    username: str | None
    password_env: str | None
    headers: tuple[str, ...]
    ca: Path | None
    cert: Path | None
    key: Path | None


def text(
    asked: Asked,
    source: str,
    repo: str,
    signals: Sequence[str],
    found: Mapping[Telemetry, int],
    rows: Sequence[coverage.Covered],
    spare: Mapping[str, int] | None = None,
) -> str:
    """Return the file, commented."""
    github = not Path(repo).exists() and _GITHUB.fullmatch(repo) is not None
    place = f"  github: {json.dumps(repo)}" if github else f"  path: {json.dumps(_relative(repo, asked))}"
    clusters = sorted({one.workload.cluster for one in rows} - {""})
    example = json.dumps(clusters[0] if clusters else "prod-eu")  # a label: it stays one word of one line
    folder = json.dumps(f"clusters/{clusters[0] if clusters else 'prod-eu'}")
    others = [f"{one.name} ({count} series)" for one, count in found.items() if not one.preset]
    fewer = [f"{name} ({count})" for name, count in (spare or {}).items()]
    lines = [
        f"# yaml-language-server: $schema={SCHEMA_FILE}",
        "# Written by `aiops init`. Relative paths start at the folder of this file.",
        "",
        "# Where samples are. Secrets stand here only as ${NAME}, read from the environment.",
        "prometheus:",
        *_source(asked, source),
        "",
        "# Which exporters are read. Other PromQL goes under `queries:`.",
        *([f"# Found as well, without a preset: {', '.join(others)}."] if others else []),
        *([f"# Counts requests as well, not used: {', '.join(fewer)}."] if fewer else []),
        f"signals: [{', '.join(signals)}]",
        "",
        "# Where the manifests are, and the branch that Argo CD or Flux deploys.",
        "repository:",
        place,
        f"  base: {json.dumps(asked.base)}",
        "",
        "# Only where two folders deploy one workload: which one belongs to which cluster.",
        "# clusters:",
        f"#   - {{name: {example}, match: {{cluster: {example}}}, paths: [{folder}]}}",
        "",
        "# github: pull requests there, with the token in GITHUB_TOKEN; local: branches and files.",
        f"forge: {'github' if github else 'local'}",
        "# One issue while so much is wrong that nothing is proposed; the token needs issues write.",
        "# issues: true",
        "",
        "# What `aiops train` writes; the starter model scores until then.",
        "model: models/mine",
        "",
        "# Local time of the people who make the load.",
        "# calendar: {timezone: Europe/Berlin, holidays: [2026-12-25]}",
    ]
    return "\n".join(lines) + "\n"


def _source(asked: Asked, source: str) -> list[str]:
    if "://" not in source and (Path(source) / "manifest.json").is_file():
        return [f"  recording: {json.dumps(_relative(source, asked))}"]
    if "@" in source.partition("://")[2].partition("/")[0]:
        todo = "give --username and --password-env"
        raise ConfigError("expected an address without a user in it", where="--prometheus", todo=todo)
    lines = [f"  url: {json.dumps(source)}"]
    if asked.bearer_env:
        lines.append(f'  auth: {{bearer: "{_variable(asked.bearer_env, "--bearer-env")}"}}')
    elif asked.username:
        name = asked.password_env
        secret = f', password: "{_variable(name, "--password-env")}"' if name else ""
        lines.append(f"  auth: {{username: {json.dumps(asked.username)}{secret}}}")
    else:
        lines.append('  # auth: {bearer: "${PROMETHEUS_TOKEN}"}')
    if asked.headers:
        pairs = [_header(one) for one in asked.headers]
        lines.append("  headers:")
        lines += [f"    {json.dumps(name)}: {json.dumps(value)}" for name, value in pairs]
    files = {"ca": asked.ca, "cert": asked.cert, "key": asked.key}
    named = [f"{key}: {json.dumps(_relative(str(path), asked))}" for key, path in files.items() if path]
    return [*lines, f"  tls: {{{', '.join(named)}}}"] if named else lines


def _header(text: str) -> tuple[str, str]:
    """Return name and value. Raises ConfigError for what looks like a secret: it would stand in the file."""
    name, colon, value = (part.strip() for part in text.partition(":"))
    if not (name and colon):
        raise ConfigError("expected NAME:VALUE", where="--header")
    if (_SECRET_NAME.search(name) or _SECRET_VALUE.match(value)) and not _VARIABLE.search(value):
        todo = "write '${NAME}' in its place, of a variable of the environment"
        raise ConfigError(
            f"the value of {ascii(name)[1:-1]} looks like a secret", where="--header", todo=todo
        )
    return name, value


def _variable(name: str, flag: str) -> str:
    if not _VARIABLE.fullmatch(f"${{{name}}}"):
        raise ConfigError("expected the name of an environment variable, not its value", where=flag)
    return f"${{{name}}}"


def _relative(path: str, asked: Asked) -> str:
    """Return a path as seen from the folder of the file, so that both can move together."""
    return os.path.relpath(Path(path).resolve(), asked.output.resolve().parent)
