"""The named queries, answered from the plant's own series: a run without a Prometheus.

Comes in: a `Trace`, queries and grids. Goes out: what Prometheus 2.42 answers when it holds the
same series (tests/mesh/test_answers_real.py compares every named query with a real one). The text
of the query is evaluated (`expression.py`, `samples.py`), so presets may change freely.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from aiops.domain import Answer, FloatArray, Grid, Query, TimesArray
from aiops.errors import ConfigError
from aiops.mesh import expression, samples
from aiops.mesh.exposition import exposition
from aiops.mesh.expression import Aggregate, Apply, Binary, Node, Number, Selector, Text
from aiops.mesh.families import Series
from aiops.mesh.plant import STEP_S, Trace

BLOCK = 16  # series evaluated at once: memory stays flat, and the arrays stay in the cache


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """Series of one evaluation: labels and values [N, T], NaN = absent at that step."""

    labels: list[dict[str, str]]
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class MeshMetrics:
    """Metrics of a simulation (the port `Metrics`). Families are made when first asked for."""

    trace: Trace
    _store: dict[str, list[Series]] = field(default_factory=dict)

    def now_s(self) -> int:
        """Return the time of the newest scrape."""
        return self.trace.end_s

    def read(self, query: Query, grid: Grid) -> Answer:
        """Return the answer of one query. Raises ConfigError for PromQL that it does not know."""
        if not self._store:
            for family in exposition(self.trace):
                for one in family.series:
                    self._store.setdefault(one.metric, []).append(one)
        times = grid.times
        try:
            found = _Evaluation(self._store, self.trace.start_s, times).vector(expression.parse(query.expr))
        except ValueError as error:
            raise ConfigError(str(error), where=query.name) from error
        named = [{label: labels.get(label, "") for label in query.labels} for labels in found.labels]
        merged = _merged(named, found.values)
        kept = [i for i in range(len(merged.labels)) if not np.isnan(merged.values[i]).all()]
        order = sorted(kept, key=lambda i: sorted(merged.labels[i].items()))
        values = merged.values[order] if order else np.empty((0, times.size))
        return Answer(query, tuple(merged.labels[i] for i in order), values, times)


def _key(labels: dict[str, str], names: Iterable[str] | None) -> tuple[tuple[str, str], ...]:
    """Return what identifies a series; an absent label and "" are the same."""
    if names is None:
        return tuple(sorted((k, v) for k, v in labels.items() if v))
    return tuple((name, labels.get(name, "")) for name in sorted(names))


def _merged(labels: Sequence[dict[str, str]], values: FloatArray) -> Vector:
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
class _Evaluation:
    """One query on one grid."""

    store: dict[str, list[Series]]
    start_s: int
    times: TimesArray

    def vector(self, node: Node) -> Vector:
        """Return the series of a node."""
        if isinstance(node, Selector):
            return self._select(node, lambda columns: samples.newest(columns, self.times)[0])
        if isinstance(node, Aggregate):
            return self._aggregate(node)
        if isinstance(node, Binary):
            return self._set(node) if node.operator in ("or", "and", "unless") else self._binary(node)
        if isinstance(node, Apply):
            return self._apply(node)
        raise ValueError(f"expected series, found {node}")

    def _select(self, node: Selector, read: Callable[[samples.Columns], FloatArray]) -> Vector:
        found = [
            one for one in self.store.get(node.metric, [])
            if all(matcher.matches(one.labels) for matcher in node.matchers)
        ]  # fmt: skip
        if not found:
            return Vector([], np.empty((0, self.times.size)))
        # Only the columns that the grid can reach: a window of hours out of weeks is cheap.
        reach = max(node.range_s or 0, samples.LOOKBACK_S)
        low = max(0, int((self.times[0] - reach - self.start_s) // STEP_S))
        high = max(low + 1, int((self.times[-1] - self.start_s) // STEP_S) + 1)
        rows = []
        for block in range(0, len(found), BLOCK):
            part = found[block : block + BLOCK]
            raw = np.full((len(part), high - low), np.nan)
            for row, one in zip(raw, part, strict=True):
                begin, end = max(one.begin, low), min(one.begin + one.values.size, high)
                if begin < end:
                    row[begin - low : end - low] = one.values[begin - one.begin : end - one.begin]
            rows.append(read(samples.Columns(raw, self.start_s + low * STEP_S, STEP_S)))
        return Vector([one.labels for one in found], np.concatenate(rows))

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
            return self._select(head, lambda columns: samples.increase(columns, self.times, span) / divisor)
        if node.name == "timestamp" and isinstance(head, Selector):
            return self._select(head, lambda columns: samples.newest(columns, self.times)[1])
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
        return _merged([*left.labels, *right.labels], np.concatenate([left.values, kept]))

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
        return _merged(named, _combined(node, left.values[rows[:, 0]], right.values[rows[:, 1]]))


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
