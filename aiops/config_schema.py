"""The JSON schema of `aiops.yaml` for editors, and its reference page: both made from the settings.

`aiops init` writes the schema beside the settings, so it is always that of the installed version;
the page is docs/configuration.md, and a test compares it.
"""

from __future__ import annotations

from typing import Any

from aiops.config import Config

TITLE = "aiops.yaml"
_DURATION = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+[smhdw]$"}]}
_DURATIONS = (("Prometheus", "timeout"), ("Config", "step"))


def schema() -> dict[str, Any]:
    """Return the schema: what pydantic knows, and the spellings that it reads before it checks."""
    found = Config.model_json_schema()
    parts = {**found["$defs"], "Config": found}
    for model, key in _DURATIONS:
        kept = parts[model]["properties"][key]
        for name in ("type", "minimum", "maximum"):
            kept.pop(name, None)
        kept.update(_DURATION)
    sources = found["properties"]["prometheus"]
    found["properties"]["prometheus"] = {
        "title": sources["title"],
        "anyOf": [
            {"$ref": "#/$defs/Prometheus"},
            {"type": "array", "items": sources["items"], "minItems": 1},
        ],
    }
    found["title"] = TITLE
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def reference() -> str:
    """Return docs/configuration.md: every key with its values, default and meaning."""
    found = schema()
    lines = [
        "# Configuration",
        "",
        "Every key of `aiops.yaml`, made from the settings themselves. Unknown keys are errors. Relative",
        "paths start at the folder of the file. `${NAME}` is read from the environment, anywhere.",
        "`aiops init` writes a first file, with a schema for editors beside it.",
    ]
    lines += _section("aiops.yaml", found)
    for name, part in sorted(found["$defs"].items()):
        lines += _section(_KEYS.get(name, name), part)
    return "\n".join(lines) + "\n"


_KEYS = {
    "Auth": "prometheus.auth",
    "CalendarConfig": "calendar",
    "ClusterConfig": "clusters, each",
    "CustomQuery": "queries, each",
    "Prometheus": "prometheus, one or a list",
    "RepositoryConfig": "repository",
    "Tls": "prometheus.tls",
}


def _section(title: str, part: dict[str, Any]) -> list[str]:
    needed = part.get("required", ())
    lines = ["", f"## {title}", "", " ".join(part.get("description", "").split()), ""]
    lines += ["| key | value | default |", "|---|---|---|"]
    for key, one in part["properties"].items():
        default = "needed" if key in needed else _default(one)
        lines.append(f"| `{key}` | {_values(one)} | {default} |")
    return lines


def _default(one: dict[str, Any]) -> str:
    value = one.get("default")
    return "" if value is None or value in ("", [], {}) or isinstance(value, dict) else f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _values(one: dict[str, Any]) -> str:  # noqa: PLR0911 - one return for each shape
    if "$ref" in one:
        return _link(one)
    if "enum" in one:
        return " or ".join(f"`{value}`" for value in one["enum"])
    if "anyOf" in one:
        if one["anyOf"] == _DURATION["anyOf"]:
            return "a duration: `90`, `60s`, `1m`, `26h`"
        told = [_values(part) for part in one["anyOf"] if part.get("type") not in ("null", "array")]
        return " or ".join(told)
    if one.get("type") == "array":
        return f"a list of {_values(one['items'])}" if "items" in one else "[from, to]"
    if one.get("type") == "object":
        values = one.get("additionalProperties") or next(
            iter(one.get("patternProperties", {}).values()), None
        )
        return f"names to {_values(values)}" if isinstance(values, dict) else "keys and values"
    kind = {"path": "a path", "password": "a secret, as `${NAME}`"}.get(one.get("format", ""))
    return kind or {
        "string": "a text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "`true` or `false`",
    }.get(one.get("type", ""), "a value")


def _link(one: dict[str, Any]) -> str:
    name = one["$ref"].rpartition("/")[2]
    return f"see {_KEYS.get(name, name)}"
