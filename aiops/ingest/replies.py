"""From the bytes of a range reply to an `Answer` on a grid. Pure: whoever read the bytes says where from.

A reply is hostile until it has been laid on the grid: every size is checked before memory is
taken, every time stamp has to be a step that was asked for, infinities become "no sample".
Most of a reply is numbers in strings; a typed decoder makes floats of them without the strings in
between, three times faster than `json` and with the memory of one series.
Source: https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec
import numpy as np

from aiops.domain import Answer, FloatArray, Grid, Query, TimesArray
from aiops.errors import DataUnusable

MAX_POINTS = 11_000  # a Prometheus refuses range queries with more steps per series
MAX_SERIES = 200_000  # one process; more than that is sharded
MAX_CELLS = 50_000_000  # float64 [N, T]: 400 MB
MAX_LABEL = 1_024  # characters; Kubernetes allows 253 in a name, image references stay below 600

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """One parsed body: all labels of N series, sorted, and their P points one after the other.

    `rows`, `times`, `values`: [P]; series number, unix seconds, value.
    """

    labels: tuple[Labels, ...]
    rows: TimesArray
    times: FloatArray
    values: FloatArray
    warnings: tuple[str, ...]
    samples: int | None


class _Samples(msgspec.Struct):
    totalQueryableSamples: int | None = None  # noqa: N815 - the server's spelling


class _Stats(msgspec.Struct):
    samples: _Samples | None = None


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: msgspec.Raw = msgspec.Raw(b"[]")


class _Data(msgspec.Struct):
    resultType: str  # noqa: N815 - the server's spelling
    result: list[msgspec.Raw]
    stats: _Stats | None = None


class _Body(msgspec.Struct):
    status: str
    data: _Data | None = None
    error: str = ""
    warnings: list[str] = []


_BODY = msgspec.json.Decoder(_Body)
_SERIES = msgspec.json.Decoder(_Series)
_PAIRS = msgspec.json.Decoder(list[tuple[float, float]], strict=False)  # values are numbers in strings


def parse(body: bytes, where: str) -> Reply:
    """Read one body of `/api/v1/query_range`. Unknown fields are ignored.

    Raises DataUnusable for everything that is not a whole, successful matrix within the caps.
    """
    try:
        reply = _BODY.decode(body)
        if reply.status != "success" or reply.data is None:
            raise _unusable(f"status success, found {reply.status[:40]!r} {reply.error[:200]!r}", where)
        if reply.data.resultType != "matrix":
            raise _unusable(f"a matrix, found {reply.data.resultType[:40]!r}", where)
        if len(reply.data.result) > MAX_SERIES:
            raise _unusable(f"at most {MAX_SERIES} series, found {len(reply.data.result)}", where)
        series = [_SERIES.decode(one) for one in reply.data.result]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise _unusable(f"a Prometheus range reply in JSON, found {_found(body)}", where) from error
    try:
        # Series by series: the Python floats of one are gone before those of the next are made.
        parts = [np.fromiter(chain.from_iterable(_pairs(one.values)), np.float64) for one in series]
    except (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise _unusable("pairs of a time and a number", where) from error
    numbers = np.concatenate([*parts, np.empty(0)])
    stats = reply.data.stats.samples if reply.data.stats else None
    return Reply(
        labels=tuple(tuple(sorted(one.metric.items())) for one in series),
        rows=np.repeat(np.arange(len(parts)), [part.size // 2 for part in parts]),
        times=numbers[0::2],
        values=numbers[1::2],
        # A PromQL info is advice about the expression (Prometheus 2.5x sends it as a warning).
        warnings=tuple(text for text in reply.warnings if not text.startswith("PromQL info:")),
        samples=stats.totalQueryableSamples if stats else None,
    )


def _pairs(text: msgspec.Raw) -> list[tuple[float, float]]:
    """Read `[[time,"value"],...]` of one series. Raises ValueError or TypeError for other shapes."""
    try:
        return _PAIRS.decode(text)
    except msgspec.ValidationError:  # "+Inf" and "1e400" are floats to Prometheus, not to msgspec
        return [(float(time), float(value)) for time, value in msgspec.json.decode(text)]


def lay(query: Query, grid: Grid, replies: Sequence[Reply], where: str) -> Answer:
    """Lay the replies of consecutive chunks on one grid: float64 [N, T], rows sorted by label.

    Only the labels of the query are kept, absent ones as "". Raises DataUnusable when a time is
    no step of the grid, or when two series differ only in labels that are not kept: adding them
    up or taking either would be a guess.
    """
    names = sorted({labels for reply in replies for labels in reply.labels})
    times = grid.times
    if len(names) > MAX_SERIES or len(names) * len(times) > MAX_CELLS:
        raise _unusable(f"at most {MAX_CELLS} values, found {len(names)} series x {len(times)} steps", where)
    index = {labels: row for row, labels in enumerate(names)}
    values = np.full((len(names), len(times)), np.nan)  # [N, T]
    for reply in replies:
        if not reply.times.size:
            continue
        with np.errstate(invalid="ignore"):  # a NaN or infinite time fails the check below
            steps = (reply.times - grid.start_s) / grid.step_s
            on_grid = (steps == np.floor(steps)) & (steps >= 0) & (steps < len(times))
        if not on_grid.all():
            raise _unusable("samples at the steps that were asked for, found others", where)
        rows = np.array([index[labels] for labels in reply.labels], dtype=np.int64)
        values[rows[reply.rows], steps.astype(np.int64)] = reply.values  # [P] -> [N, T]
    values[~np.isfinite(values)] = np.nan
    kept = [_keep(query, labels) for labels in names]
    _refuse_twins(query, names, kept, where)
    order = sorted(
        (row for row in range(len(names)) if np.isfinite(values[row]).any()),
        key=lambda row: sorted(kept[row].items()),
    )
    counted = [reply.samples for reply in replies if reply.samples is not None]
    return Answer(
        query=query,
        labels=tuple(kept[row] for row in order),
        values=values[order],
        times=times,
        warnings=tuple(sorted({text[:300] for reply in replies for text in reply.warnings})),
        samples=sum(counted) if counted else None,
    )


def _keep(query: Query, labels: Labels) -> Mapping[str, str]:
    """Return the labels of the query in order of their names, each at most `MAX_LABEL` long.

    A longer one is cut and marked, which no longer is the name of a workload.
    """
    found = dict(labels)
    texts = {name: found.get(name, "") for name in sorted(query.labels)}
    return {name: text if len(text) <= MAX_LABEL else f"{text[:MAX_LABEL]}…" for name, text in texts.items()}


def _refuse_twins(
    query: Query, names: Sequence[Labels], kept: Sequence[Mapping[str, str]], where: str
) -> None:
    seen: dict[Labels, Labels] = {}
    for labels, short in zip(names, kept, strict=True):
        first = seen.setdefault(tuple(short.items()), labels)
        if first is labels or any(len(text) > MAX_LABEL for text in short.values()):
            continue
        apart = [_shown(sorted(set(one) - set(other))) for one, other in ((first, labels), (labels, first))]
        raise DataUnusable(
            f"query {query.name}: expected one series per {', '.join(query.labels)},"
            f" found two: {apart[0]} and {apart[1]}",
            where=where,
            todo="aggregate in the query, for example `sum by (cluster, namespace, workload) (...)`",
        )


def _shown(pairs: Sequence[tuple[str, str]]) -> str:
    return ("{" + ", ".join(f"{name}={text!a}" for name, text in pairs) + "}")[:200]


def _found(body: bytes) -> str:
    """Say in a few words what a body is that should have been JSON."""
    start = body[:512].lstrip().lower()
    if not start:
        return "an empty body"
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<")):
        return "an HTML page"
    return f"{len(body)} bytes that are cut off or of another shape"


def _unusable(found: str, where: str) -> DataUnusable:
    return DataUnusable(f"expected {found}", where=where, todo="is this address a Prometheus?")
