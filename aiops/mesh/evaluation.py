"""Series of one query on one grid: selectors, functions, operators and aggregations of PromQL.

Comes in: the tree of a query and the raw series by metric. Goes out: labels and values per series.
What Prometheus does at each step with whatever exists then, this does for all steps at once: NaN
stands for "does not exist at this step". Semantics:
https://prometheus.io/docs/prometheus/latest/querying/operators/ and .../functions/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from aiops.domain import FloatArray, TimesArray
from aiops.mesh import samples
from aiops.mesh.expression import Aggregate, Apply, Binary, Node, Number, Selector, Text
from aiops.mesh.families import Series
from aiops.mesh.plant import STEP_S

BLOCK = 64  # series evaluated at once, so that memory stays flat


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """Series of one evaluation: labels and values [N, T], NaN = absent at that step."""

    labels: list[dict[str, str]]
    values: FloatArray


def _key(labels: dict[str, str], names: Iterable[str] | None) -> tuple[tuple[str, str], ...]:
    """Return what identifies a series; an absent label and "" are the same."""
    if names is None:
        return tuple(sorted((k, v) for k, v in labels.items() if v))
    return tuple((name, labels.get(name, "")) for name in sorted(names))


def merged(labels: Sequence[dict[str, str]], values: FloatArray) -> Vector:
    """Return the series with equal labels put into one: they exist at different steps."""
    rows: dict[tuple[tuple[str, str], ...], int] = {}
    kept: list[dict[str, str]] = []
    out: list[FloatArray] = []
    for own, row in zip(labels, values, strict=True):
        key = _key(own, None)
        if key in rows:
            at = rows[key]
            out[at] = np.where(np.isnan(out[at]), row, out[at])
        else:
            rows[key] = len(kept)
            kept.append(own)
            out.append(row)
    return Vector(kept, np.array(out) if out else np.empty((0, values.shape[1])))


_ARITHMETIC: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide,
}  # fmt: skip
_COMPARISONS: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "==": np.equal, "!=": np.not_equal, ">": np.greater, "<": np.less, ">=": np.greater_equal,
    "<=": np.less_equal,
}  # fmt: skip


def _combined(node: Binary, left: FloatArray, right: FloatArray) -> FloatArray:
    """Return the result of an operator where both sides are present, NaN elsewhere."""
    present = ~np.isnan(left) & ~np.isnan(right)
    with np.errstate(divide="ignore", invalid="ignore"):
        if node.operator in _ARITHMETIC:
            return np.where(present, _ARITHMETIC[node.operator](left, right), np.nan)
        holds = _COMPARISONS[node.operator](left, right)
    if node.truth:
        return np.where(present, holds.astype(np.float64), np.nan)
    return np.where(present & (holds != 0), left, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Queries on one grid. `seen`: what parts of them came out as; None = nothing is remembered."""

    store: dict[str, list[Series]]
    start_s: int
    times: TimesArray
    seen: dict[Node, Vector] | None = None

    def vector(self, node: Node) -> Vector:
        """Return the series of a node."""
        if isinstance(node, Selector):
            return self._select(node, lambda columns, times: samples.newest(columns, times)[0])
        if isinstance(node, Aggregate):
            if self.seen is None:
                return self._aggregate(node)
            if node not in self.seen:
                self.seen[node] = self._aggregate(node)
            return self.seen[node]
        if isinstance(node, Binary):
            return self._set(node) if node.operator in ("or", "and", "unless") else self._binary(node)
        if isinstance(node, Apply):
            return self._apply(node)
        raise ValueError(f"expected series, found {node}")

    def _select(self, node: Selector, read: Callable[[samples.Columns, TimesArray], FloatArray]) -> Vector:
        found = [
            one for one in self.store.get(node.metric, [])
            if all(matcher.matches(one.labels) for matcher in node.matchers)
        ]  # fmt: skip
        if not found:
            return Vector([], np.empty((0, self.times.size)))
        reach = max(node.range_s or 0, samples.LOOKBACK_S)
        out = np.full((len(found), self.times.size), np.nan)
        # Series that live the same minutes have no gaps among them, and a pod of an hour costs an hour.
        lives: dict[tuple[int, int], list[int]] = {}
        for row, one in enumerate(found):
            lives.setdefault((one.begin, one.values.size), []).append(row)
        for (begin, size), rows in lives.items():
            born_s = self.start_s + begin * STEP_S
            first, last = np.searchsorted(self.times, (born_s, born_s + size * STEP_S + reach))
            times = self.times[first:last]
            if not times.size:
                continue
            # Only the columns that the grid can reach: a window of hours out of weeks is cheap.
            low = max(0, int((times[0] - reach - born_s) // STEP_S))
            high = min(size, max(low, int((times[-1] - born_s) // STEP_S) + 1))
            if low >= high:
                continue
            for block in range(0, len(rows), BLOCK):
                part = rows[block : block + BLOCK]
                raw = np.array([found[row].values[low:high] for row in part])
                columns = samples.Columns(raw, born_s + low * STEP_S, STEP_S)
                out[part, first:last] = read(columns, times)
        return Vector([one.labels for one in found], out)

    def _aggregate(self, node: Aggregate) -> Vector:
        inner = self.vector(node.inner)
        groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
        for row, labels in enumerate(inner.labels):
            groups.setdefault(_key(labels, node.labels), []).append(row)
        out = np.empty((len(groups), self.times.size))
        for at, rows in enumerate(groups.values()):
            part = inner.values[rows]
            present = ~np.isnan(part)
            count = present.sum(axis=0).astype(np.float64)
            if node.name == "sum":
                value = np.where(present, part, 0.0).sum(axis=0)
            elif node.name in ("max", "min"):
                edge = -np.inf if node.name == "max" else np.inf
                fold = np.max if node.name == "max" else np.min
                value = fold(np.where(present, part, edge), axis=0)
            else:
                value = count if node.name == "count" else np.ones_like(count)
            out[at] = np.where(count > 0, value, np.nan)
        return Vector([{k: v for k, v in key if v} for key in groups], out)

    def _apply(self, node: Apply) -> Vector:
        head = node.arguments[0]
        if node.name in ("rate", "increase") and isinstance(head, Selector) and head.range_s:
            span = head.range_s
            divisor = float(span) if node.name == "rate" else 1.0
            return self._select(head, lambda columns, times: samples.increase(columns, times, span) / divisor)
        if node.name == "timestamp" and isinstance(head, Selector):
            return self._select(head, lambda columns, times: samples.newest(columns, times)[1])
        if node.name in ("clamp_max", "clamp_min") and isinstance(node.arguments[1], Number):
            inner, edge = self.vector(head), node.arguments[1].value
            clamp = np.minimum if node.name == "clamp_max" else np.maximum
            return Vector(inner.labels, clamp(inner.values, edge))
        if node.name == "label_replace":
            return _relabelled(self.vector(head), node.arguments[1:])
        if node.name == "histogram_quantile" and isinstance(head, Number):
            return _quantiles(head.value, self.vector(node.arguments[1]))
        raise ValueError(f"the function {node.name} is not known here")

    def _set(self, node: Binary) -> Vector:
        left, right = self.vector(node.left), self.vector(node.right)
        one, other = (left, right) if node.operator == "or" else (right, left)
        present: dict[tuple[tuple[str, str], ...], FloatArray] = {}
        for labels, row in zip(one.labels, one.values, strict=True):
            key = _key(labels, node.on)
            present[key] = present.get(key, np.zeros(self.times.size)) + ~np.isnan(row)
        nothing = np.zeros(self.times.size)
        has = [present.get(_key(labels, node.on), nothing) > 0 for labels in other.labels]
        keep = np.array(has, dtype=bool).reshape(len(has), self.times.size)
        kept = np.where(keep if node.operator == "and" else ~keep, other.values, np.nan)
        if node.operator != "or":
            return Vector(left.labels, kept)
        return merged([*left.labels, *right.labels], np.concatenate([left.values, kept]))

    def _binary(self, node: Binary) -> Vector:
        if isinstance(node.left, Number):
            right = self.vector(node.right)
            number = np.full_like(right.values, node.left.value)
            return Vector(right.labels, _combined(node, number, right.values))
        left = self.vector(node.left)
        if isinstance(node.right, Number):
            number = np.full_like(left.values, node.right.value)
            return Vector(left.labels, _combined(node, left.values, number))
        right = self.vector(node.right)
        partners: dict[tuple[tuple[str, str], ...], list[int]] = {}
        for row, labels in enumerate(right.labels):
            partners.setdefault(_key(labels, node.on), []).append(row)
        named: list[dict[str, str]] = []
        pairs: list[tuple[int, int]] = []
        for row, labels in enumerate(left.labels):
            for other in partners.get(_key(labels, node.on), []):
                copied = {name: right.labels[other].get(name, "") for name in node.group_left or ()}
                kept = labels if node.on is None or node.group_left is not None else {
                    name: labels[name] for name in node.on if name in labels
                }  # fmt: skip
                named.append({**kept, **copied})
                pairs.append((row, other))
        if not pairs:
            return Vector([], np.empty((0, self.times.size)))
        rows = np.array(pairs)
        return merged(named, _combined(node, left.values[rows[:, 0]], right.values[rows[:, 1]]))


def _relabelled(vector: Vector, arguments: Sequence[Node]) -> Vector:
    """Return the series with one label made from another (label_replace)."""
    target, template, source, pattern = (a.value for a in arguments if isinstance(a, Text))
    labels = []
    for own in vector.labels:
        match = re.fullmatch(pattern, own.get(source, ""))
        if match is None:
            labels.append(own)
        else:
            # Prometheus names groups $1, Python \\1; both stand for "" when the group is empty.
            made = match.expand(re.sub(r"\$(\d+)", r"\\\1", template))
            labels.append({**own, target: made})
    return Vector(labels, vector.values)


def _quantiles(share: float, vector: Vector) -> Vector:
    """Return one series per histogram (histogram_quantile)."""
    groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for row, labels in enumerate(vector.labels):
        groups.setdefault(_key({k: v for k, v in labels.items() if k != "le"}, None), []).append(row)
    out = np.empty((len(groups), vector.values.shape[1]))
    for at, rows in enumerate(groups.values()):
        order = sorted(rows, key=lambda row: float(vector.labels[row]["le"]))
        bounds = np.array([float(vector.labels[row]["le"]) for row in order])
        out[at] = samples.quantile(share, bounds, vector.values[order])
    return Vector([dict(key) for key in groups], out)
