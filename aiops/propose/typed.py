"""JSON values into frozen dataclasses, by their annotations, and nothing else.

Comes in: what `json.loads` returned and the type that is expected. Goes out: the value, or
`Mismatch` naming the place. pydantic would coerce, and takes `extra="forbid"` only from classes
that know of it; `domain` knows of nothing.
"""

from __future__ import annotations

import functools
import types
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

MAX_TEXT = 20_000
MAX_ITEMS = 100_000
_MAX_INT = 2**53


class Mismatch(ValueError):
    """The value does not have the type; the message names the place, never the value."""


def build(kind: Any, value: Any, where: str) -> Any:
    """Return `value` as `kind`: a frozen dataclass, tuple, union, Literal, enum or plain scalar.

    null becomes NaN where a float is expected. Raises Mismatch.
    """
    if is_dataclass(kind):
        return _dataclass(kind, value, where)
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        return _union(get_args(kind), value, where)
    if origin is Literal:
        return _one_of(get_args(kind), value, where)
    if origin is tuple:
        return _tuple(get_args(kind), value, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(_one_of(tuple(member.value for member in kind), value, where))
    return _scalar(kind, value, where)


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise Mismatch(f"{where}: expected an object")
    hints = _hints(kind)
    unknown = sorted(set(value) - set(hints))
    if unknown:
        raise Mismatch(f"{where}: unknown key {unknown[0][:60]!r}")
    missing = [one.name for one in fields(kind) if one.name not in value]
    # dump() writes every key, so a default never stands in for a missing one.
    if missing:
        raise Mismatch(f"{where}: key {missing[0]!r} is missing")
    return kind(**{name: build(hint, value[name], f"{where}.{name}") for name, hint in hints.items()})


def _union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    rest = [kind for kind in kinds if kind is not type(None)]
    if len(rest) == 1:
        return build(rest[0], value, where)
    classes = [kind for kind in rest if is_dataclass(kind)]
    if classes:  # Scale | Rollback | Hold: the closed word `action` says which
        action = value.get("action") if isinstance(value, dict) else None
        for kind in classes:
            if _default(kind, "action") == action:
                return build(kind, value, where)
        raise Mismatch(f"{where}.action: expected one of {[_default(kind, 'action') for kind in classes]}")
    for kind in rest:  # str | int of a key path
        if type(value) is kind:
            return build(kind, value, where)
    raise Mismatch(f"{where}: the value has none of the expected types")


def _default(kind: Any, name: str) -> Any:
    found = next((one.default for one in fields(kind) if one.name == name), MISSING)
    return None if found is MISSING else found


def _one_of(choices: tuple[Any, ...], value: Any, where: str) -> Any:
    for choice in choices:
        if type(choice) is type(value) and choice == value:
            return choice
    raise Mismatch(f"{where}: expected one of {', '.join(map(str, choices))}")


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise Mismatch(f"{where}: expected a list of at most {MAX_ITEMS} entries")
    if len(kinds) == 2 and kinds[1] is ...:
        return tuple(build(kinds[0], one, f"{where}[{place}]") for place, one in enumerate(value))
    if len(kinds) != len(value):
        raise Mismatch(f"{where}: expected {len(kinds)} entries")
    return tuple(build(kind, one, where) for kind, one in zip(kinds, value, strict=True))


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is float and value is None:
        return float("nan")
    if kind is float and type(value) in {int, float}:
        return float(value)
    if type(value) is not kind:
        raise Mismatch(f"{where}: expected {'a number' if kind in {int, float} else kind.__name__}")
    if kind is str and (len(value) > MAX_TEXT or any("\ud800" <= char <= "\udfff" for char in value)):
        raise Mismatch(f"{where}: expected text of at most {MAX_TEXT} characters")
    if kind is int and abs(value) > _MAX_INT:
        raise Mismatch(f"{where}: expected a number of at most {_MAX_INT}")
    return value
