"""What GitHub's official description says of a request and of an answer.

`github_api.json` is the slice of it that `slice_github_api.py` cuts. Stricter than the description in one
thing: a field that it does not name is wrong too, because a name with a slip in it is such a field.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft7Validator, FormatChecker

Schema = dict[str, Any]
_FORMATS = FormatChecker(formats=())
_SLASHES = {"{path}", "{ref}", "{branch}"}  # of all parameters only these may hold a slash
FILLER = "filler"


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One verb on one address. An answer without a schema has no body."""

    name: str
    query: Mapping[str, Schema]
    body: Schema | None
    answers: Mapping[int, Schema | None]


def asked(verb: str, path: str, query: Mapping[str, list[str]], body: Any) -> list[str]:
    """Return what is wrong with a request of ours, a line each."""
    if path == "/graphql":  # described elsewhere
        return []
    here = f"{verb} {path}"
    operation = find(verb, path)
    if operation is None:
        return [f"{here}: not in the slice of GitHub's description"]
    wrong = [f"{here}: no parameter {name!r}" for name in query if name not in operation.query]
    for name in query.keys() & operation.query.keys():
        schema = operation.query[name]
        value = query[name][0]
        number = schema.get("type") == "integer" and value.isdecimal()
        wrong += [f"{here}: {name}: {line}" for line in _errors(schema, int(value) if number else value)]
    if operation.body is not None:
        wrong += [f"{here}: sent {line}" for line in _errors(operation.body, body)]
    elif body is not None:
        wrong.append(f"{here}: sent a body")
    return wrong


@functools.lru_cache(maxsize=1024)
def answered(verb: str, path: str, status: int, known: str) -> tuple[str, tuple[str, ...]]:
    """Return an answer of the double (JSON) with what GitHub always sends beside it, and what is wrong in it.

    Remembered, because most tests get the same answers: keep the port of the double out of them.
    """
    operation = find(verb, path)
    if operation is None:
        return known, ()
    here = f"{verb} {path}: answered {status}"
    if status not in operation.answers:
        return known, (f"{here}, which is not described",)
    schema = operation.answers[status]
    if schema is None:
        return known, () if known == "null" else (f"{here} with a body",)
    whole = filled(schema, json.loads(known))
    return json.dumps(whole), tuple(f"{here}: {line}" for line in _errors(schema, whole))


def find(verb: str, path: str) -> Operation | None:
    """Return the operation that a request is."""
    for pattern, operations in _addresses():
        if pattern.fullmatch(path):
            return operations.get(verb.lower())
    return None


def filled(schema: Schema, known: Any) -> Any:
    """Return `known` with every field that is always there; its value is a filler that nobody should read."""
    if isinstance(known, dict) and "properties" in schema:
        fields = schema["properties"]
        own = {name: filled(fields.get(name, {}), value) for name, value in known.items()}
        return {name: _filler(fields[name]) for name in schema.get("required", ()) if name not in known} | own
    if isinstance(known, list) and "items" in schema:
        return [filled(schema["items"], one) for one in known]
    choices = schema.get("oneOf") or schema.get("anyOf") or ()
    return next((whole for one in choices if not _errors(one, whole := filled(one, known))), known)


def _filler(schema: Schema) -> Any:
    if choices := schema.get("oneOf") or schema.get("anyOf"):
        return _filler(choices[0])
    kinds = schema.get("type", "string")
    if "null" in kinds:
        return None
    if "enum" in schema:
        return schema["enum"][0]
    if kinds == "object":
        return filled(schema, {})
    if kinds == "string":
        form = {"uri": f"https://example.com/{FILLER}", "date-time": "2000-01-01T00:00:00Z"}
        return form.get(schema.get("format", ""), FILLER.ljust(schema.get("minLength", 0), "-"))
    return {"integer": 0, "number": 0, "boolean": False, "array": []}[kinds]


def _errors(schema: Schema, value: Any) -> list[str]:
    found = Draft7Validator(schema, format_checker=_FORMATS).iter_errors(value)
    return [f"{error.json_path}: {_short(error.message)}" for error in found]


def _short(text: str) -> str:
    """Leave out most of a value that is quoted; what is said of it comes last."""
    return text if len(text) < 160 else f"{text[:60]} ... {text[-90:]}"


@_FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


@_FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


# --- reading the slice --------------------------------------------------------------------------------


@functools.cache
def _addresses() -> list[tuple[re.Pattern[str], dict[str, Operation]]]:
    """Return verb -> operation by pattern; the address with the fewest parameters first."""
    whole = json.loads(Path(__file__).with_name("github_api.json").read_text(encoding="utf-8"))
    # Described as an object, and null in fact once the fork is deleted.
    for name in ("pull-request", "pull-request-simple"):
        head = whole["components"]["schemas"][name]["properties"]["head"]["properties"]
        head["repo"] = {"allOf": [head["repo"]], "nullable": True}
    reader = _Reader(whole["components"])
    return [
        (_pattern(path), {verb: reader.operation(f"{verb} {path}", given) for verb, given in verbs.items()})
        for path, verbs in sorted(whole["paths"].items(), key=lambda item: item[0].count("{"))
    ]


def _pattern(path: str) -> re.Pattern[str]:
    def part(name: str) -> str:
        if name in _SLASHES:
            return ".+"
        if name.endswith(("_number}", "_id}")):
            return r"\d+"
        return "[^/]+" if name.startswith("{") else re.escape(name)

    return re.compile("".join(part(one) for one in re.split(r"(\{\w+\})", path)))


class _Reader:
    """Makes JSON Schema of OpenAPI 3.0: references followed, `nullable` a type, no other field."""

    def __init__(self, components: Mapping[str, Mapping[str, Any]]) -> None:
        self._components = components
        self._known: dict[str, Any] = {}

    def operation(self, name: str, given: Any) -> Operation:
        # Not listed everywhere, and yet how GitHub answers for all that is not there or not to be seen.
        answers = {"404": {"$ref": "#/components/responses/not_found"}, **given["responses"]}
        parameters = [self._followed(one) for one in given.get("parameters", ())]
        return Operation(
            name,
            {one["name"]: self.schema(one["schema"]) for one in parameters if one["in"] == "query"},
            self._content(given["requestBody"]) if "requestBody" in given else None,
            {int(status): self._content(self._followed(one)) for status, one in answers.items()},
        )

    def schema(self, node: Any) -> Any:
        if "$ref" in node:
            name = node["$ref"]
            if name not in self._known:
                self._known[name] = self.schema(self._followed(node))
            return self._known[name]
        made = {**node}
        if "properties" in node:
            made["properties"] = {name: self.schema(one) for name, one in node["properties"].items()}
            made.setdefault("additionalProperties", False)
        for key in ("items", "additionalProperties"):
            if isinstance(node.get(key), dict):
                made[key] = self.schema(node[key])
        for key in ("anyOf", "oneOf"):
            if key in node:
                made[key] = [self.schema(one) for one in node[key]]
        for one in map(self.schema, made.pop("allOf", ())):  # together one object: each alone would be closed
            for key, value in one.items():
                made[key] = _joined(made.get(key), value)
        return _nullable(made) if made.pop("nullable", False) else made

    def _followed(self, node: Any) -> Any:
        if "$ref" not in node:
            return node
        _, _, kind, name = node["$ref"].split("/")
        return self._components[kind][name]

    def _content(self, given: Any) -> Schema | None:
        if "content" not in given:
            return None
        return self.schema(given["content"]["application/json"]["schema"])


def _joined(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return one | other
    return one + other if isinstance(one, list) and isinstance(other, list) else other


def _nullable(schema: Schema) -> Schema:
    if "type" not in schema:
        return {"anyOf": [{"type": "null"}, schema]}
    more = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, **more, "type": [schema["type"], "null"]}
